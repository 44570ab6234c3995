package hubspot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// maxText is how many characters a property of texts takes.
const maxText = 65_536

// Inspect implements dest.Inspector by the object's properties and schema.
func (a *account) Inspect(ctx context.Context, d *syncdef.Definition) ([]syncdef.Fault, error) {
	all, err := a.properties(ctx, d.Object)
	if err != nil {
		if call := asCallError(err); call != nil && call.Class == dest.Configuration && call.Scope == dest.ScopeVersion {
			return []syncdef.Fault{{Path: "destination_object", Message: "destination_object: " + call.Message}}, nil
		}
		return nil, err
	}
	i := inspection{def: d, byName: map[string]*Property{}}
	for n := range all {
		i.byName[all[n].Name] = &all[n]
	}
	i.match()
	for n := range d.Fields {
		i.field(n, &d.Fields[n])
	}
	if d.Operation != syncdef.Update {
		required, err := a.required(ctx, d.Object)
		if call := asCallError(err); call != nil && (call.Scope == dest.ScopeConnection || call.Class != dest.Configuration && call.Class != dest.Refused) {
			return nil, err
		}
		i.required(required) // an object may show no schema to the key
	}
	return i.faults, nil
}

// An inspection collects what the account would refuse.
type inspection struct {
	def    *syncdef.Definition
	byName map[string]*Property
	faults []syncdef.Fault
}

func (i *inspection) fault(path, format string, args ...any) {
	i.faults = append(i.faults, syncdef.Fault{Path: path, Message: fmt.Sprintf(format, args...)})
}

func (i *inspection) match() {
	m := i.def.Match
	if m.Destination == "" || matchesID(i.def) {
		return
	}
	switch p := i.byName[m.Destination]; {
	case p == nil:
		i.fault("match.destination", "match.destination: %s has no property %s", i.def.Object, m.Destination)
	case !p.Unique && !(m.Destination == propEmail && holdsContacts(i.def.Object)):
		i.fault("match.destination", "match.destination: property %s has no unique values, which is settled when a property is created: match by another one", m.Destination)
	}
}

// field holds one mapping against its property.
func (i *inspection) field(n int, f *syncdef.Field) {
	path := fmt.Sprintf("field_mappings[%d]", n)
	p := i.byName[f.Destination]
	switch {
	case p == nil:
		i.fault(path+".destination", "destination: %s has no property %s: create it in HubSpot, or correct the name", i.def.Object, f.Destination)
		return
	case !p.Writable():
		i.fault(path+".destination", "destination: HubSpot computes property %s, and takes no value for it: remove this mapping", f.Destination)
		return
	}
	if allowed := takes[p.Type]; allowed != nil && !slices.Contains(allowed, f.Type) && f.Type != "" {
		i.fault(path+".data_type", "data_type: %s, but property %s is of type %s: use %s", f.Type, f.Destination, p.Type, allowed[0])
	} else if f.Type == syncdef.JSON && p.Type == "enumeration" && !p.Several() {
		i.fault(path+".data_type", "data_type: json, but property %s takes one option: use picklist", f.Destination)
	}
	i.values(path, f, p)
	if p.Type == "string" && f.MaxLength > maxText {
		i.fault(path+".max_length", "max_length: %d, but property %s takes %d characters", f.MaxLength, f.Destination, maxText)
	}
}

// takes are the data types that a property's type takes values of, the best first; texts
// may hold what any of them wants.
var takes = map[string][]syncdef.Type{
	"number":      {syncdef.Number, syncdef.Integer, syncdef.String, syncdef.Picklist},
	"bool":        {syncdef.Boolean, syncdef.String, syncdef.Picklist},
	"date":        {syncdef.Date, syncdef.String},
	"datetime":    {syncdef.DateTime, syncdef.Date, syncdef.String},
	"enumeration": {syncdef.Picklist, syncdef.String, syncdef.JSON, syncdef.Boolean, syncdef.Integer, syncdef.Number},
}

// values wants each value that a mapping may send to be an option.
func (i *inspection) values(path string, f *syncdef.Field, p *Property) {
	if p.Type != "enumeration" || p.ExternalOptions || len(p.Options) == 0 {
		return
	}
	var options []string
	for _, o := range p.Options {
		options = append(options, o.Value)
	}
	absent := func(key, value string) {
		for _, one := range strings.Split(value, ";") {
			if one != "" && !slices.Contains(options, one) {
				i.fault(path+"."+key, "%s: %q is no option of property %s; its internal values are %s", key, one, f.Destination, short(strings.Join(options, ", ")))
			}
		}
	}
	for _, v := range f.Values {
		absent("values", v)
	}
	if f.Default != nil {
		absent("default", *f.Default)
	}
}

// required wants a new record to have what the account asks of it.
func (i *inspection) required(names []string) {
	for _, name := range names {
		given := name == i.def.Match.Destination || slices.ContainsFunc(i.def.Fields, func(f syncdef.Field) bool { return f.Destination == name })
		if !given {
			i.fault("field_mappings", "field_mappings: a new record of %s needs property %s: map it", i.def.Object, name)
		}
	}
}
