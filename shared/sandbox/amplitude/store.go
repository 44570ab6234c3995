package amplitude

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// The tables: users and groups with their properties as a JSON object, and the insert
// ids of 7 days by device.
var tables = []records.Spec{
	{Name: "users", Columns: []records.Column{{Name: "user_id", Indexed: true}, {Name: "properties"}}},
	{Name: "groups", Columns: []records.Column{{Name: "group", Indexed: true}, {Name: "properties"}}},
	{Name: "seen", Columns: []records.Column{{Name: "event", Indexed: true}}},
}

const (
	columnName = iota
	columnProperties
)

// seenFor is how long an insert id is remembered ("HTTP V2 API", deduplication).
const seenFor = 7 * 24 * time.Hour

// apply carries events out that were all found sound.
func (s *Server) apply(events []event) error {
	w := s.store.Writer()
	for i := range events {
		e := &events[i]
		s.events++
		if s.seen(w, e) || e.has("user_id") && e.text("user_id") == "" {
			continue // known already, or lost without a word: its user id is a number
		}
		roomFor(s.groupTypes, e)
		switch e.text("event_type") {
		case typeGroup:
			changes, _ := readChanges(e.fields["group_properties"], groupOperations, false)
			groups, _ := e.groups()
			for _, g := range groups {
				s.change(w, "groups", g.kind+"\x00"+g.value, changes)
			}
		default:
			s.user(w, e)
		}
	}
	if err := w.Commit(); err != nil {
		return fmt.Errorf("keep users: %w", err)
	}
	return nil
}

// seen notes an event's insert id, and reports whether the device had it of late.
func (s *Server) seen(w *records.Writer, e *event) bool {
	id := e.text("insert_id")
	if id == "" {
		return false
	}
	t, name := s.store.Table("seen"), []byte(e.device()+"\x00"+id)
	now := s.core.Now()
	row := records.NewRow
	if found := t.Find(nil, 0, name); len(found) > 0 {
		if row = found[0]; now.Sub(t.Modified(row)) < seenFor {
			return true
		}
	}
	w.Put(t, row, now, []records.Change{{Column: 0, Text: name}})
	return false
}

// user makes the event's user, and changes the properties where the hour has room.
func (s *Server) user(w *records.Writer, e *event) {
	id := strings.TrimSpace(e.text("user_id"))
	if id == "" {
		return // a device without a user: nobody asks for its properties
	}
	changes, _ := readChanges(e.fields["user_properties"], operations, false)
	if len(changes) > 0 && !s.updated(id) {
		changes = nil
	}
	kept := changes[:0]
	for _, c := range changes {
		if c.op != "$unset" && !s.properties[c.name] {
			if len(s.properties) >= maxProperties {
				continue // never indexed
			}
			s.properties[c.name] = true
		}
		kept = append(kept, c)
	}
	s.change(w, "users", id, kept)
}

// maxProperties is how many user properties a project has ("Limits").
const maxProperties = 1000

// change makes a user or group where there is none, and changes its properties.
func (s *Server) change(w *records.Writer, table, name string, changes []change) {
	t := s.store.Table(table)
	row, have := records.NewRow, map[string]json.RawMessage{}
	if found := t.Find(nil, columnName, []byte(name)); len(found) > 0 {
		row = found[0]
		have = object(t.Get(row, columnProperties))
	} else {
		row = w.Put(t, row, s.core.Now(), []records.Change{{Column: columnName, Text: []byte(name)}})
	}
	if len(changes) == 0 {
		return
	}
	for _, c := range changes {
		c.carryOut(have)
	}
	b, err := json.Marshal(have)
	if err != nil {
		return // cannot happen: the values are JSON
	}
	w.Put(t, row, s.core.Now(), []records.Change{{Column: columnProperties, Text: b}})
}

func object(b []byte) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	if len(b) > 0 && json.Unmarshal(b, &out) != nil {
		return map[string]json.RawMessage{}
	}
	return out
}

// resume learns the properties' names and the types of groups of what the journal held.
func (s *Server) resume() {
	t := s.store.Table("users")
	for row := range t.Rows() {
		for name := range object(t.Get(row, columnProperties)) {
			s.properties[name] = true
		}
	}
	t = s.store.Table("groups")
	for row := range t.Rows() {
		kind, _, _ := strings.Cut(string(t.Get(row, columnName)), "\x00")
		s.groupTypes[kind] = true
	}
}
