package salesforce

import (
	"encoding/json"
	"net/http"
	"strings"
)

// A listedObject is one of Describe Global's ("REST API Developer Guide", Describe
// Global).
type listedObject struct {
	Name        string            `json:"name"`
	Label       string            `json:"label"`
	LabelPlural string            `json:"labelPlural"`
	KeyPrefix   string            `json:"keyPrefix"`
	Createable  bool              `json:"createable"`
	Updateable  bool              `json:"updateable"`
	Deletable   bool              `json:"deletable"`
	Queryable   bool              `json:"queryable"`
	Custom      bool              `json:"custom"`
	URLs        map[string]string `json:"urls"`
}

// serveGlobal is GET sobjects/.
func (s *Simulator) serveGlobal(w http.ResponseWriter, version string) *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := struct {
		Encoding string         `json:"encoding"`
		MaxBatch int            `json:"maxBatchSize"`
		Objects  []listedObject `json:"sobjects"`
	}{Encoding: "UTF-8", MaxBatch: 200, Objects: []listedObject{}}
	base := "/services/data/v" + version + ".0/sobjects/"
	for _, t := range s.order {
		o := t.object
		out.Objects = append(out.Objects, listedObject{
			Name: o.Name, Label: o.Name, LabelPlural: o.Name + "s", KeyPrefix: o.Prefix, Createable: true, Updateable: true, Deletable: true, Queryable: true,
			Custom: strings.HasSuffix(o.Name, "__c"),
			URLs:   map[string]string{"sobject": base + o.Name, "describe": base + o.Name + "/describe", "rowTemplate": base + o.Name + "/{ID}"},
		})
	}
	b, err := json.Marshal(out)
	if err != nil {
		return unknown(err)
	}
	answer(w, http.StatusOK, b)
	return nil
}
