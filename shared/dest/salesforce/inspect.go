package salesforce

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/metadata"
)

// described is what is read of an object's describe ("SOAP API Developer Guide",
// DescribeSObjectResult; "REST API Developer Guide", sObject Describe). It holds what
// the integration user sees.
type described struct {
	Name       string            `json:"name"`
	Label      string            `json:"label"`
	Createable *bool             `json:"createable"`
	Updateable *bool             `json:"updateable"`
	Deletable  *bool             `json:"deletable"`
	Fields     *[]describedField `json:"fields"`
}

type describedField struct {
	Name               string `json:"name"`
	Label              string `json:"label"`
	Type               string `json:"type"`
	Length             int    `json:"length"`
	Precision          int    `json:"precision"`
	Scale              int    `json:"scale"`
	Digits             int    `json:"digits"` // of type int
	Nillable           bool   `json:"nillable"`
	Createable         bool   `json:"createable"`
	Updateable         bool   `json:"updateable"`
	DefaultedOnCreate  bool   `json:"defaultedOnCreate"`
	Calculated         bool   `json:"calculated"`
	AutoNumber         bool   `json:"autoNumber"`
	ExternalID         bool   `json:"externalId"`
	IDLookup           bool   `json:"idLookup"`
	Unique             bool   `json:"unique"`
	CaseSensitive      bool   `json:"caseSensitive"`
	Filterable         *bool  `json:"filterable"`
	Aggregatable       *bool  `json:"aggregatable"`
	RestrictedPicklist bool   `json:"restrictedPicklist"`
	PicklistValues     []struct {
		Value  string `json:"value"`
		Label  string `json:"label"`
		Active bool   `json:"active"`
	} `json:"picklistValues"`
}

// Describe implements dest.Inspector.
func (a *account) Describe(ctx context.Context, d *syncdef.Definition) (*metadata.Object, error) {
	op := "describe " + d.Object
	var got described
	if err := a.read(ctx, op, "sobjects/"+url.PathEscape(d.Object)+"/describe", &got); err != nil {
		if call := asCallError(err); call != nil && call.Code == "NOT_FOUND" {
			call.Message = "Salesforce shows the integration user no object " + d.Object
		}
		return nil, err
	}
	if got.Fields == nil {
		return nil, unreadable(op, errShape)
	}
	o := &metadata.Object{
		Name: got.Name, Label: got.Label, Fold: true, NoCreate: denied(got.Createable), NoUpdate: denied(got.Updateable), NoDelete: denied(got.Deletable),
		Match: matchNeeds(d), KeyLack: "is no external id", Remedy: "create it in Salesforce, or let the integration user see it (Field-Level Security)",
	}
	for i := range *got.Fields {
		o.Fields = append(o.Fields, (*got.Fields)[i].field())
	}
	return o, nil
}

func denied(allowed *bool) bool { return allowed != nil && !*allowed }

// matchNeeds is what the way of writing asks of the match field.
func matchNeeds(d *syncdef.Definition) metadata.Match {
	switch {
	case d.Match.Destination == "" || matchesID(d):
		return metadata.MatchNothing
	case writeOf(d) == byExternalID:
		return metadata.MatchKey
	}
	return metadata.MatchSearch
}

// takes are the data types by describe's types, the best first. Salesforce reads texts
// from JSON texts only, which dates are too, and objects as this package writes them; numbers and booleans from their own.
var takes = map[string][]syncdef.Type{
	"string": texts, "textarea": texts, "url": texts, "phone": texts, "encryptedstring": texts, "combobox": texts,
	"email":    {syncdef.Email, syncdef.String},
	"picklist": {syncdef.Picklist, syncdef.String}, "multipicklist": {syncdef.MultiPicklist, syncdef.Picklist, syncdef.String},
	"id": {syncdef.String}, "reference": {syncdef.String},
	"double": numbers, "currency": numbers, "percent": numbers,
	"int": {syncdef.Integer}, "long": {syncdef.Integer},
	"boolean": {syncdef.Boolean}, "date": {syncdef.Date}, "datetime": {syncdef.DateTime},
}

var (
	texts   = []syncdef.Type{syncdef.String, syncdef.Email, syncdef.Picklist, syncdef.MultiPicklist, syncdef.JSON, syncdef.Date, syncdef.DateTime}
	numbers = []syncdef.Type{syncdef.Number, syncdef.Integer}
)

// field is one of an object's fields.
func (f *describedField) field() metadata.Field {
	out := metadata.Field{
		Name: f.Name, Label: f.Label, Type: f.Type, Takes: takes[f.Type], Length: f.Length, Precision: f.Precision, Scale: f.Scale,
		NoCreate: !f.Createable, NoUpdate: !f.Updateable, Unique: f.Unique || f.Type == "id", Key: f.ExternalID || f.IDLookup && f.Type != "id",
		NoNull: f.Type == "boolean", NoSearch: denied(f.Filterable), Open: !f.RestrictedPicklist, Several: f.Type == "multipicklist",
		Required: f.Createable && !f.Nillable && !f.DefaultedOnCreate && f.Type != "boolean",
	}
	if out.Compared = matchTypes[f.Type]; out.Compared == syncdef.MatchText {
		out.Case = &f.CaseSensitive
	}
	if f.Digits > 0 {
		out.Precision, out.Scale = f.Digits, 0
	}
	for _, v := range f.PicklistValues {
		out.Options = append(out.Options, metadata.Option{Value: v.Value, Label: v.Label, Inactive: !v.Active})
	}
	if len(out.Options) > 0 && out.Several {
		out.Length = 0 // it is that of all values together
	}
	if out.NoCreate || out.NoUpdate {
		out.Why = f.why()
	}
	return out
}

// why says why a field cannot be written.
func (f *describedField) why() string {
	switch {
	case f.Calculated:
		return "Salesforce computes it by a formula; remove this mapping"
	case f.AutoNumber:
		return "Salesforce numbers it; remove this mapping"
	case f.Createable:
		return "remove this mapping"
	}
	return "it is one of Salesforce's own, or the integration user may only read it: give the user edit access to it (Field-Level Security), or remove this mapping"
}

// Objects implements dest.Inspector ("REST API Developer Guide", Describe Global).
func (a *account) Objects(ctx context.Context) ([]string, error) {
	const op = "list the objects"
	var got struct {
		Objects *[]struct {
			Name string `json:"name"`
		} `json:"sobjects"`
	}
	if err := a.read(ctx, op, "sobjects", &got); err != nil {
		return nil, err
	}
	if got.Objects == nil {
		return nil, unreadable(op, errShape)
	}
	names := []string{}
	for _, o := range *got.Objects {
		names = append(names, o.Name)
	}
	return names, nil
}

// Rights implements dest.Inspector: a user who may call the API at all, which Probe
// shows, needs nothing more but rights on objects.
func (a *account) Rights(context.Context, []syncdef.Definition) ([]dest.Right, error) {
	return nil, nil
}

// read makes a call and reads its answer.
func (a *account) read(ctx context.Context, op, path string, into any) error {
	got, err := a.client.do(ctx, request{op: op, method: http.MethodGet, path: path})
	if err != nil {
		return err
	}
	defer got.free()
	if err := whole(got.body); err != nil {
		return unreadable(op, err)
	}
	if json.Unmarshal(got.body, into) != nil {
		return unreadable(op, errShape)
	}
	return nil
}

var _ dest.Inspector = (*account)(nil)
