package intercom

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// takes are the data types of a mapping whose values an attribute takes.
var takes = map[string][]syncdef.Type{
	"string":  {syncdef.String, syncdef.Email, syncdef.Picklist, syncdef.Date, syncdef.DateTime},
	"integer": {syncdef.Integer},
	"float":   {syncdef.Number, syncdef.Integer},
	"boolean": {syncdef.Boolean},
	"date":    {syncdef.Date, syncdef.DateTime, syncdef.Integer},
}

// Inspect implements dest.Inspector: the mapped custom attributes are there, can be
// written, and take what the mapping makes. An app that may not read attributes tells
// nothing.
func (a *account) Inspect(ctx context.Context, d *syncdef.Definition) ([]syncdef.Fault, error) {
	o, err := readOptions(d)
	if err != nil {
		return []syncdef.Fault{{Path: kindName, Message: err.Error()}}, nil
	}
	var faults []syncdef.Fault
	for i := range d.Fields {
		f := &d.Fields[i]
		name, is := custom(f.Destination)
		if !is {
			continue
		}
		attribute, known, err := a.attributes.find(ctx, name, "")
		if err != nil {
			return nil, err
		}
		if key, message := attribute.against(f, known, o.CreateAttributes); message != "" {
			faults = append(faults, syncdef.Fault{Path: fmt.Sprintf("field_mappings[%d].%s", i, key), Message: message})
		}
	}
	return faults, nil
}

// against says what is wrong with a mapping to an attribute, and in which of its keys.
func (a attribute) against(f *syncdef.Field, k known, create bool) (key, message string) {
	if k != there {
		if k == absent && !create {
			return "destination", fmt.Sprintf("the workspace has no custom attribute %s: %s", short(f.Destination), createRemedy)
		}
		return "", ""
	}
	types, sure := takes[a.kind]
	switch {
	case !a.writable:
		return "destination", fmt.Sprintf("the custom attribute %s cannot be written over the API: allow it in Intercom (Settings, Data, People), or remove the mapping", short(f.Destination))
	case sure && f.Type != "" && !slices.Contains(types, f.Type):
		return "data_type", fmt.Sprintf("the custom attribute %s is of type %s; allowed: %s", short(f.Destination), a.kind, listed(types))
	case f.MaxLength > maxValue:
		return "max_length", fmt.Sprintf("max_length: a custom attribute's text has at most %d characters", maxValue)
	}
	for _, v := range f.Values {
		if len(a.options) > 0 && !slices.Contains(a.options, v) {
			return "values", fmt.Sprintf("values: %q is none of the attribute's options in Intercom: %s", short(v), strings.Join(a.options, ", "))
		}
	}
	return "", ""
}

func listed(types []syncdef.Type) string {
	out := make([]string, len(types))
	for i, t := range types {
		out[i] = string(t)
	}
	return strings.Join(out, ", ")
}

var _ dest.Inspector = (*account)(nil)
