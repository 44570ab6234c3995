package amplitude

import (
	"encoding/json"
	"strings"
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
