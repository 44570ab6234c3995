package salesforce

import (
	"encoding/json"
	"net/http"
	"strings"
)

// listed is an object as the list of objects has it ("REST API Developer Guide",
// Describe Global); describe has the same members and more.
type listed struct {
	Activateable        bool              `json:"activateable"`
	AssociateEntityType *string           `json:"associateEntityType"`
	AssociateParent     *string           `json:"associateParentEntity"`
	Createable          bool              `json:"createable"`
	Custom              bool              `json:"custom"`
	CustomSetting       bool              `json:"customSetting"`
	DeepCloneable       bool              `json:"deepCloneable"`
	Deletable           bool              `json:"deletable"`
	DeprecatedAndHidden bool              `json:"deprecatedAndHidden"`
	FeedEnabled         bool              `json:"feedEnabled"`
	HasSubtypes         bool              `json:"hasSubtypes"`
	IsInterface         bool              `json:"isInterface"`
	IsSubtype           bool              `json:"isSubtype"`
	KeyPrefix           string            `json:"keyPrefix"`
	Label               string            `json:"label"`
	LabelPlural         string            `json:"labelPlural"`
	Layoutable          bool              `json:"layoutable"`
	Mergeable           bool              `json:"mergeable"`
	MRUEnabled          bool              `json:"mruEnabled"`
	Name                string            `json:"name"`
	Queryable           bool              `json:"queryable"`
	Replicateable       bool              `json:"replicateable"`
	Retrieveable        bool              `json:"retrieveable"`
	Searchable          bool              `json:"searchable"`
	Triggerable         bool              `json:"triggerable"`
	Undeletable         bool              `json:"undeletable"`
	Updateable          bool              `json:"updateable"`
	URLs                map[string]string `json:"urls"`
}

// listed is the object's entry; what the simulator cannot do is false.
func (t *table) listed(version string) listed {
	name := t.object.Name
	base := "/services/data/v" + version + ".0/sobjects/" + name
	return listed{
		Name: name, Label: name, LabelPlural: name + "s", KeyPrefix: t.object.Prefix, Custom: strings.HasSuffix(name, "__c"),
		Createable: t.object.writes(), Updateable: t.object.writes(), Deletable: t.object.writes(), Queryable: true, Retrieveable: true,
		URLs: map[string]string{"sobject": base, "describe": base + "/describe", "rowTemplate": base + "/{ID}"},
	}
}

// serveGlobal is GET sobjects: the objects of the organisation.
func (s *Simulator) serveGlobal(w http.ResponseWriter, version string) *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := struct {
		Encoding     string   `json:"encoding"`
		MaxBatchSize int      `json:"maxBatchSize"`
		Objects      []listed `json:"sobjects"`
	}{"UTF-8", maxRecords, []listed{}}
	for _, t := range s.order {
		if t.object.Access != AccessNone {
			out.Objects = append(out.Objects, t.listed(version))
		}
	}
	return answerJSON(w, out)
}

// serveBasic is GET sobjects/{object}: its entry in the list. The simulator keeps no
// record of what a user looked at.
func (s *Simulator) serveBasic(w http.ResponseWriter, version, object string) *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[strings.ToLower(object)]
	if t == nil {
		return notFound()
	}
	return answerJSON(w, struct {
		Object listed `json:"objectDescribe"`
		Recent []int  `json:"recentItems"`
	}{t.listed(version), []int{}})
}

// answerJSON answers a document of the schema.
func answerJSON(w http.ResponseWriter, document any) *apiError {
	b, err := json.Marshal(document)
	if err != nil {
		return unknown(err)
	}
	answer(w, http.StatusOK, b)
	return nil
}
