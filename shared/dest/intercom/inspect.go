package intercom

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/metadata"
)

// takes are the data types of a mapping whose values an attribute takes, the best first.
var takes = map[string][]syncdef.Type{
	"string":  {syncdef.String, syncdef.Email, syncdef.Picklist, syncdef.MultiPicklist, syncdef.Date, syncdef.DateTime},
	"integer": {syncdef.Integer},
	"float":   {syncdef.Number, syncdef.Integer},
	"boolean": {syncdef.Boolean},
	"date":    {syncdef.Date, syncdef.DateTime, syncdef.Integer},
}

// Describe implements dest.Inspector: the contact's own fields, which the definition's
// check knows, and the workspace's custom attributes. To an app that may not read these
// nothing of them is known.
func (a *account) Describe(ctx context.Context, d *syncdef.Definition) (*metadata.Object, error) {
	o := &metadata.Object{Name: objectContact, Word: "attribute", Prefix: customPrefix, Remedy: createRemedy}
	options, err := readOptions(d)
	if err != nil {
		o.Faults = []syncdef.Fault{{Path: kindName, Message: err.Error()}}
	}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		o.Fields = append(o.Fields, ownField(name))
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		o.Fields = append(o.Fields, metadata.Field{Name: name, NoCreate: true, NoUpdate: true, Why: given[name]})
	}
	all, hidden, err := a.client.attributes(ctx, "&include_archived=true")
	if err != nil {
		return nil, err
	}
	o.Makes = options.CreateAttributes || hidden
	if hidden {
		o.Notices = []syncdef.Fault{{Path: "connection", Message: "connection: custom attributes are not checked: " + noAttributes}}
	}
	slices.SortStableFunc(all, func(x, y attributeJSON) int { return strings.Compare(x.Name, y.Name) })
	for i := range all {
		if name, is := all[i].custom(); is {
			o.Fields = append(o.Fields, all[i].field(name))
		}
	}
	return o, nil
}

// noAttributes is what an app lacks that may not read attributes.
const noAttributes = "the app may not read the workspace's attributes: give it the permission to read them (Developer Hub, the app's Authentication)"

// ownField is one of the contact's own fields; what it takes is checked without the
// workspace.
func ownField(name string) metadata.Field {
	f := metadata.Field{Name: name, Type: map[syncdef.Type]string{syncdef.String: "string", syncdef.DateTime: "date", syncdef.Boolean: "boolean", syncdef.JSON: "list"}[own[name]]}
	switch name {
	case fieldCustom:
		f.Type = "object"
	case fieldExternalID, fieldEmail:
		f.Unique, f.Key = name == fieldExternalID, true
	}
	return f
}

// field is a custom attribute as the comparison knows it.
func (j *attributeJSON) field(name string) metadata.Field {
	a := j.attribute()
	f := metadata.Field{Name: name, Label: j.Label, Type: a.kind, Takes: takes[a.kind]}
	if a.kind == "string" {
		f.Length = maxValue
	}
	for _, v := range a.options {
		f.Options = append(f.Options, metadata.Option{Value: v})
	}
	switch {
	case j.Archived:
		f.NoCreate, f.NoUpdate, f.Why = true, true, "it is archived: restore it in Intercom (Settings, Data, People), or remove this mapping"
	case !a.writable:
		f.NoCreate, f.NoUpdate, f.Why = true, true, "the API may not write it: allow it in Intercom (Settings, Data, People), or remove this mapping"
	}
	return f
}

// Objects implements dest.Inspector.
func (a *account) Objects(context.Context) ([]string, error) { return []string{objectContact}, nil }

// readings are the permissions of an app that a call without effect shows. An app cannot
// ask for its own, and those to write show with the first contact.
var readings = []struct {
	dest.Right
	path string
}{
	{dest.Right{Name: "read users and leads", For: "finding contacts"}, "/contacts?per_page=1"},
	{dest.Right{Name: "read tags", For: "contacts' tags", Some: true}, "/tags"},
	{dest.Right{Name: "read attributes", For: "checking and creating custom attributes", Some: true}, "/data_attributes?model=contact"},
}

// Rights implements dest.Inspector.
func (a *account) Rights(ctx context.Context, uses []syncdef.Definition) ([]dest.Right, error) {
	var out []dest.Right
	for _, one := range readings {
		right := one.Right
		tags := one.path == "/tags" && slices.ContainsFunc(uses, func(d syncdef.Definition) bool {
			return slices.ContainsFunc(d.Fields, func(f syncdef.Field) bool { return f.Destination == fieldTags })
		})
		right.Some = right.Some && !tags
		_, err := a.client.do(ctx, "ask for the app's permissions", http.MethodGet, one.path, nil)
		switch call := asCallError(err); {
		case call != nil && call.Class == dest.Configuration && (mayNot[call.Code] || call.Code == "403"):
			right.Missing = "the app lacks the permission: give it that (Developer Hub, the app's Authentication) and use its new token"
		case err != nil:
			return nil, unsent(err)
		}
		out = append(out, right)
	}
	return out, nil
}

var _ dest.Inspector = (*account)(nil)
