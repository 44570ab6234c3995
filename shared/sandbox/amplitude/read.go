package amplitude

import (
	"encoding/json"
	"iter"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// A User is one of the project's.
type User struct {
	ID         string                     `json:"user_id"`
	Properties map[string]json.RawMessage `json:"user_properties"`
}

// A Group is one of the project's.
type Group struct {
	Type       string                     `json:"group_type"`
	Value      string                     `json:"group_value"`
	Properties map[string]json.RawMessage `json:"group_properties"`
}

// Users lists the users in the order of their first event.
func (s *Server) Users() []User {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.store.Table("users")
	out := make([]User, t.Rows())
	for row := range out {
		out[row] = User{ID: string(t.Get(row, columnName)), Properties: object(t.Get(row, columnProperties))}
	}
	return out
}

// userObject is what a user's object is called.
const userObject = "user"

// held is a user as every simulator's records are looked at: a field is user_id or one
// of the user's properties.
type held struct{ User }

// ID implements sandbox.Record.
func (h held) ID() string { return h.User.ID }

// Text implements sandbox.Record.
func (h held) Text(field string) ([]byte, bool) {
	if field == "user_id" {
		return []byte(h.User.ID), true
	}
	raw, ok := h.Properties[field]
	if !ok || string(raw) == "null" {
		return nil, false
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []byte(text), true
	}
	return raw, true
}

// Records implements sandbox.Holder.
func (s *Server) Records(kind string) iter.Seq[sandbox.Record] {
	return func(yield func(sandbox.Record) bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		t := s.store.Table("users")
		for row := 0; kind == userObject && row < t.Rows(); row++ {
			if !yield(held{User{ID: string(t.Get(row, columnName)), Properties: object(t.Get(row, columnProperties))}}) {
				return
			}
		}
	}
}

// User finds a user; nil when there is none.
func (s *Server) User(id string) *User {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.store.Table("users")
	found := t.Find(nil, columnName, []byte(id))
	if len(found) == 0 {
		return nil
	}
	return &User{ID: id, Properties: object(t.Get(found[0], columnProperties))}
}

// Count is how many users there are.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store.Table("users").Rows()
}

// Groups lists the groups.
func (s *Server) Groups() []Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.store.Table("groups")
	out := make([]Group, t.Rows())
	for row := range out {
		kind, value, _ := strings.Cut(string(t.Get(row, columnName)), "\x00")
		out[row] = Group{Type: kind, Value: value, Properties: object(t.Get(row, columnProperties))}
	}
	return out
}

// Events is how many events were taken, those that were known already included.
func (s *Server) Events() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events
}
