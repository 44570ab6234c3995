package salesforce

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// A DuplicateRule finds records that hold another record's value, as an
// administrator switches it on ("Duplicate Rule Header", "Duplicate Management").
type DuplicateRule struct {
	Object string `json:"object"`
	Field  string `json:"field"`
	// Block refuses the record in any case; else the rule only alerts, which
	// Sforce-Duplicate-Rule-Header: allowSave=true passes.
	Block bool `json:"block"`
}

// SetDuplicateRules switches the rules given on and all others off.
func (s *Simulator) SetDuplicateRules(rules ...DuplicateRule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = rules
}

// serveRules is PUT /_sandbox/duplicate_rules: SetDuplicateRules with a JSON list.
func (s *Simulator) serveRules(w http.ResponseWriter, r *http.Request) {
	var rules []DuplicateRule
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	dec.DisallowUnknownFields()
	if sandbox.DecodeOnly(dec, &rules) != nil || r.Method != http.MethodPut {
		http.Error(w, `PUT [{"object":"Account","field":"Name","block":false}]`, http.StatusBadRequest)
		return
	}
	s.SetDuplicateRules(rules...)
	w.WriteHeader(http.StatusNoContent)
}

// duplicates refuses a record that a rule finds. Only values that the call writes
// are compared.
func (c *write) duplicates(r *record, row int) []fieldError {
	for _, rule := range c.sim.rules {
		field, known := r.table.field(rule.Field)
		if !known || !strings.EqualFold(rule.Object, r.table.object.Name) || !rule.Block && allowsSave(c.request) {
			continue
		}
		for _, ch := range c.in.changes[r.changes.from:r.changes.to] {
			if ch.field != field || ch.text.from == ch.text.to {
				continue
			}
			for _, other := range c.lookUp(r.table, field, c.in.text(ch)) {
				if other != row {
					return fault("DUPLICATES_DETECTED", "Use one of these records?", "")
				}
			}
		}
	}
	return nil
}

// allowsSave reads allowSave=true; includeRecordDetails=… from the header.
func allowsSave(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Sforce-Duplicate-Rule-Header"), ";") {
		name, value, _ := strings.Cut(part, "=")
		if strings.EqualFold(strings.TrimSpace(name), "allowSave") {
			return strings.EqualFold(strings.TrimSpace(value), "true")
		}
	}
	return false
}
