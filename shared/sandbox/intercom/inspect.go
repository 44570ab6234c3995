package intercom

import (
	"encoding/json"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox"
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

// contactObject is what a contact's object is called.
const contactObject = "contact"

// held is a contact as every simulator's records are looked at: a field is one of its
// own, a custom attribute by its name with or without custom_attributes, or tags, a list
// of names.
type held struct{ Contact }

// ID implements sandbox.Record.
func (h held) ID() string { return h.Contact.ID }

// Text implements sandbox.Record.
func (h held) Text(field string) ([]byte, bool) {
	if field == "tags" {
		b, err := json.Marshal(h.Tags)
		return b, err == nil && len(h.Tags) > 0
	}
	v, ok := h.Values[strings.TrimPrefix(field, "custom_attributes.")]
	return []byte(v), ok
}

// Records implements sandbox.Holder.
func (s *Server) Records(object string) iter.Seq[sandbox.Record] {
	return func(yield func(sandbox.Record) bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if object != contactObject {
			return
		}
		for _, row := range s.contacts.Scan(func(row int) bool { return s.living(row) == nil }) {
			if !yield(held{s.contact(row)}) {
				return
			}
		}
	}
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
