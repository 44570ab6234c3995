package hubspot

import (
	"context"
	"net/http"
	"net/url"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/metadata"
)

// maxText is how many characters a property of texts takes.
const maxText = 65_536

// Describe implements dest.Inspector by the object's properties and schema. What a new
// record must have only the schema says, which a key may not be shown.
func (a *account) Describe(ctx context.Context, d *syncdef.Definition) (*metadata.Object, error) {
	all, err := a.properties(ctx, d.Object)
	if err != nil {
		return nil, err
	}
	required, err := a.required(ctx, d.Object)
	if call := asCallError(err); call != nil && (call.Scope == dest.ScopeConnection || call.Class != dest.Configuration && call.Class != dest.Refused) {
		return nil, err
	}
	needed := map[string]bool{}
	for _, name := range required {
		needed[name] = true
	}
	o := &metadata.Object{Name: d.Object, Word: "property", Match: matchNeeds(d), KeyLack: "has no unique values (settled when a property is created)", Remedy: "create it in HubSpot (Settings, Properties), or correct the name"}
	for i := range all {
		f := all[i].field()
		f.Key = f.Key || f.Name == propEmail && holdsContacts(d.Object)
		f.Required = needed[f.Name]
		o.Fields = append(o.Fields, f)
	}
	return o, nil
}

// matchNeeds is what the way of writing asks of the match property: batches are written
// by unique ones only.
func matchNeeds(d *syncdef.Definition) metadata.Match {
	if d.Match.Destination == "" || matchesID(d) {
		return metadata.MatchNothing
	}
	return metadata.MatchKey
}

// takes are the data types that a property's type takes values of, the best first; texts
// may hold what any of them wants.
var takes = map[string][]syncdef.Type{
	"number":      {syncdef.Number, syncdef.Integer},
	"bool":        {syncdef.Boolean},
	"date":        {syncdef.Date},
	"datetime":    {syncdef.DateTime, syncdef.Date},
	"enumeration": {syncdef.Picklist, syncdef.MultiPicklist, syncdef.String, syncdef.JSON, syncdef.Boolean, syncdef.Integer, syncdef.Number},
}

// oneOption are those of an enumeration that takes one option.
var oneOption = []syncdef.Type{syncdef.Picklist, syncdef.String, syncdef.Boolean, syncdef.Integer, syncdef.Number}

// field is a property as the comparison knows it.
func (p *Property) field() metadata.Field {
	f := metadata.Field{Name: p.Name, Label: p.Label, Type: p.Type, Takes: takes[p.Type], Unique: p.Unique, Key: p.Unique, Several: p.Several()}
	switch {
	case p.Type == "string":
		f.Length = maxText
	case p.Type == "enumeration" && !p.Several():
		f.Takes = oneOption
	}
	if p.Type == "enumeration" && !p.ExternalOptions {
		for _, o := range p.Options {
			f.Options = append(f.Options, metadata.Option{Value: o.Value, Label: o.Label, Inactive: o.Archived, Hidden: o.Hidden})
		}
	}
	if !p.Writable() {
		f.NoCreate, f.NoUpdate = true, true
		f.Why = p.why()
	}
	return f
}

// why says why a property cannot be written.
func (p *Property) why() string {
	switch {
	case p.Archived:
		return "it is archived: restore it in HubSpot (Settings, Properties), or remove this mapping"
	case p.Calculated:
		return "HubSpot computes it; remove this mapping"
	}
	return "HubSpot keeps its value itself (read-only); remove this mapping"
}

// Objects implements dest.Inspector: the standard objects, and the account's own by its
// schemas, as far as the key may read them.
func (a *account) Objects(ctx context.Context) ([]string, error) {
	var list struct {
		Results []struct {
			FullName string `json:"fullyQualifiedName"`
			Name     string `json:"name"`
		} `json:"results"`
	}
	r := request{op: "list the objects", method: http.MethodGet, object: true, path: "/crm-object-schemas/" + apiVersion + "/schemas"}
	err := a.get(ctx, r, &list)
	if call := asCallError(err); call != nil && call.Scope == dest.ScopeConnection {
		return nil, err
	}
	names := []string{"contacts", "companies", "deals", "tickets", "products"}
	for _, o := range list.Results {
		if o.FullName == "" {
			o.FullName = o.Name
		}
		names = append(names, o.FullName)
	}
	return names, nil
}

// Rights implements dest.Inspector. A key cannot ask for its scopes, so that each object
// is sent a batch without records: it changes nothing, and is refused for a missing scope
// before it is looked at.
func (a *account) Rights(ctx context.Context, uses []syncdef.Definition) ([]dest.Right, error) {
	var out []dest.Right
	seen := map[string]bool{}
	for i := range uses {
		object := objectPath(uses[i].Object)
		if seen[object] {
			continue
		}
		seen[object] = true
		right := dest.Right{Name: "write " + object, For: "making and changing records"}
		r := request{op: "ask for the key's scopes", method: http.MethodPost, object: true, body: []byte(`{"inputs":[]}`),
			path: "/crm/objects/" + apiVersion + "/" + url.PathEscape(object) + "/batch/update"}
		got, err := a.client.do(ctx, r)
		if err != nil {
			return nil, err
		}
		switch failed := judge(r, got, a.client.now()); {
		case failed == nil || failed.Class == dest.Refused || failed.Scope == dest.ScopeVersion && failed.Code != missingScopes:
			// the scope is there, and the batch is none; an unknown object is told elsewhere
		case failed.Code == missingScopes:
			right.Missing = failed.Message
		default:
			return nil, failed
		}
		out = append(out, right)
	}
	return out, nil
}

var _ dest.Inspector = (*account)(nil)
