package hubspot

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Property is what HubSpot says of an object's property ("Properties").
type Property struct {
	Name      string `json:"name"`
	Label     string `json:"label"`
	Type      string `json:"type"`      // string, number, bool, date, datetime, enumeration, phone_number, json, object_coordinates
	FieldType string `json:"fieldType"` // text, textarea, checkbox (several options), select, radio, ...
	Options   []struct {
		Value    string `json:"value"` // the internal value, which is what is sent
		Label    string `json:"label"`
		Hidden   bool   `json:"hidden"` // from forms; the API takes it
		Archived bool   `json:"archived"`
	} `json:"options"`
	ExternalOptions bool `json:"externalOptions"` // the options are elsewhere: owners
	Unique          bool `json:"hasUniqueValue"`
	Calculated      bool `json:"calculated"`
	Archived        bool `json:"archived"`
	Modification    struct {
		ReadOnly bool `json:"readOnlyValue"`
	} `json:"modificationMetadata"`
}

// Writable reports whether a value may be sent.
func (p *Property) Writable() bool { return !p.Calculated && !p.Modification.ReadOnly && !p.Archived }

// Several reports whether it holds several options, joined by semicolons.
func (p *Property) Several() bool { return p.Type == "enumeration" && p.FieldType == "checkbox" }

// properties reads all properties of an object. The error is a *dest.CallError.
func (a *account) properties(ctx context.Context, object string) ([]Property, error) {
	var list struct {
		Results *[]Property `json:"results"`
	}
	r := request{op: "read the properties of " + object, method: http.MethodGet, object: true,
		path: "/crm/properties/" + apiVersion + "/" + url.PathEscape(objectPath(object))}
	if err := a.get(ctx, r, &list); err != nil {
		return nil, err
	}
	if list.Results == nil {
		return nil, unreadable(r.op, answer{status: http.StatusOK, body: []byte("{")}, "it lists no properties")
	}
	return *list.Results, nil
}

// required are the names of the properties that a new record must have, as the
// object's schema says. An object that shows no schema names none.
func (a *account) required(ctx context.Context, object string) ([]string, error) {
	var schema struct {
		Required []string `json:"requiredProperties"`
	}
	r := request{op: "read the schema of " + object, method: http.MethodGet, object: true,
		path: "/crm-object-schemas/" + apiVersion + "/schemas/" + url.PathEscape(objectPath(object))}
	err := a.get(ctx, r, &schema)
	return schema.Required, err
}

// get makes a call and reads its answer into v.
func (a *account) get(ctx context.Context, r request, v any) error {
	got, err := a.client.do(ctx, r)
	if err != nil {
		return err
	}
	if failed := judge(r, got, a.client.now()); failed != nil {
		return failed
	}
	if json.Unmarshal(got.body, v) != nil {
		return unreadable(r.op, got, "it has another form")
	}
	return nil
}

// matchTypes are the types by how values of a unique property are compared; others
// cannot be unique.
var matchTypes = map[string]syncdef.MatchType{
	"string": syncdef.MatchText, "enumeration": syncdef.MatchText, "phone_number": syncdef.MatchText, "number": syncdef.MatchNumber,
}

// MatchField implements dest.Describer by the object's properties. A property without
// unique values is refused: no batch can be written by it.
func (a *account) MatchField(ctx context.Context, d *syncdef.Definition) (dest.MatchField, error) {
	all, err := a.properties(ctx, d.Object)
	if err != nil {
		return dest.MatchField{}, err
	}
	for i := range all {
		p := &all[i]
		switch {
		case p.Name != d.Match.Destination:
			continue
		case !p.Unique && !matchesID(d):
			return dest.MatchField{}, &dest.CallError{Op: "read the properties of " + d.Object, Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "NOT_UNIQUE",
				Message: "property " + p.Name + " has no unique values (hasUniqueValue, which is set when a property is created): match by another one"}
		}
		return dest.MatchField{Known: true, Type: matchTypes[p.Type]}, nil
	}
	return dest.MatchField{}, nil
}
