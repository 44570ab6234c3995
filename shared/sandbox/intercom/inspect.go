package intercom

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
)

// A Contact is a contact as a test or the demo looks at it: values as text, null ones
// absent, custom attributes under their names alone.
type Contact struct {
	ID       string            `json:"id"`
	Values   map[string]string `json:"values"`
	Tags     []string          `json:"tags"` // names, sorted
	Archived bool              `json:"archived,omitempty"`
	Merged   string            `json:"merged_into,omitempty"`
}

// Contacts are all contacts in the order of their making, archived and merged ones
// among them.
func (s *Server) Contacts() []Contact {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Contact
	for _, row := range s.contacts.Select(nil) {
		out = append(out, s.contact(row))
	}
	return out
}

// Contact finds one by the external id or the email; nil when there is none.
func (s *Server) Contact(match string) *Contact {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, column := range []int{colExternalID, colEmail, colID} {
		for _, row := range s.contacts.Find(nil, column, []byte(match)) {
			if s.get(row, colMerged) == "" {
				c := s.contact(row)
				return &c
			}
		}
	}
	return nil
}

// Live is how many contacts are there, archived and merged ones left out.
func (s *Server) Live() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.contacts.Scan(func(row int) bool { return s.living(row) == nil }))
}

func (s *Server) contact(row int) Contact {
	c := Contact{ID: s.get(row, colID), Values: map[string]string{}, Tags: []string{}, Archived: s.get(row, colArchived) != "", Merged: s.get(row, colMerged)}
	for i := colExternalID; i <= colLanguage; i++ {
		if v := s.get(row, i); v != "" {
			c.Values[contactTable.Columns[i].Name] = v
		}
	}
	for name, raw := range s.customOf(row) {
		if v := text(raw); v != "" {
			c.Values[name] = v
		} else {
			c.Values[name] = string(raw)
		}
	}
	for _, id := range s.tagIDs(row) {
		n, _ := strconv.Atoi(id)
		c.Tags = append(c.Tags, string(s.tags.Get(n-firstTag, 0)))
	}
	slices.Sort(c.Tags)
	return c
}

// serveRecords is GET /_sandbox/records.
func (s *Server) serveRecords(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(map[string]any{"contacts": s.Contacts()}) // the client may be gone
}
