package salesforce

import (
	"net/http"
	"strings"
)

// described and describedField are the part of describe that integrations read
// ("REST API Developer Guide", sObject Describe).
type described struct {
	listed
	Fields      []describedField `json:"fields"`
	Children    []int            `json:"childRelationships"` // the simulator has none of these three
	RecordTypes []int            `json:"recordTypeInfos"`
	Layouts     []int            `json:"namedLayoutInfos"`
}

type describedField struct {
	Name               string           `json:"name"`
	Label              string           `json:"label"`
	Type               Type             `json:"type"`
	Length             int              `json:"length"`
	Precision          int              `json:"precision"`
	Scale              int              `json:"scale"`
	Digits             int              `json:"digits"`
	Nillable           bool             `json:"nillable"`
	Createable         bool             `json:"createable"`
	Updateable         bool             `json:"updateable"`
	DefaultedOnCreate  bool             `json:"defaultedOnCreate"`
	Calculated         bool             `json:"calculated"`
	AutoNumber         bool             `json:"autoNumber"`
	Filterable         bool             `json:"filterable"`
	Aggregatable       bool             `json:"aggregatable"`
	Custom             bool             `json:"custom"`
	ExternalID         bool             `json:"externalId"`
	IDLookup           bool             `json:"idLookup"`
	Unique             bool             `json:"unique"`
	CaseSensitive      bool             `json:"caseSensitive"`
	RestrictedPicklist bool             `json:"restrictedPicklist"`
	PicklistValues     []describedValue `json:"picklistValues"`
}

type describedValue struct {
	Value        string `json:"value"`
	Label        string `json:"label"`
	Active       bool   `json:"active"`
	DefaultValue bool   `json:"defaultValue"`
}

// serveDescribe is GET sobjects/{object}/describe.
func (s *Simulator) serveDescribe(w http.ResponseWriter, version, object string) *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[strings.ToLower(object)]
	if t == nil && s.custom(object) { // it is made when something is sent to it
		t = s.empty(object)
	}
	if t == nil {
		return notFound()
	}
	d := described{listed: t.listed(version), Children: []int{}, RecordTypes: []int{}, Layouts: []int{}}
	for i := range t.object.Fields {
		if t.object.Fields[i].Access != AccessNone {
			d.Fields = append(d.Fields, describe(&t.object.Fields[i]))
		}
	}
	return answerJSON(w, d)
}

func describe(f *Field) describedField {
	d := describedField{
		Name: f.Name, Label: f.label(), Type: f.Type, Length: f.Length, Precision: f.Precision, Scale: f.Scale,
		Nillable: !f.Required && f.Type != Boolean && f.Type != ID, Createable: !f.ReadOnly, Updateable: !f.ReadOnly,
		Custom: strings.HasSuffix(f.Name, "__c"), ExternalID: f.ExternalID, IDLookup: f.ExternalID || f.Type == ID,
		DefaultedOnCreate: f.Type == Boolean || f.Type == ID, Filterable: f.Type != TextArea, Aggregatable: f.aggregatable(),
		Unique: f.Unique, CaseSensitive: f.CaseSensitive, RestrictedPicklist: f.Restricted, PicklistValues: []describedValue{},
	}
	if f.Type == Int {
		d.Digits, d.Precision = f.Precision, 0
	}
	for _, v := range f.Values {
		d.PicklistValues = append(d.PicklistValues, describedValue{Value: v, Label: v, Active: true})
	}
	for _, v := range f.Inactive {
		d.PicklistValues = append(d.PicklistValues, describedValue{Value: v, Label: v})
	}
	return d
}
