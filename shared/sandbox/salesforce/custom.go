package salesforce

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// customName is what an administrator may call a field or an object: a letter, then
// letters, digits and single underscores, none of them the last ("Object Reference", Custom
// Objects and Fields).
var customName = regexp.MustCompile(`^[A-Za-z](_?[A-Za-z0-9])*__[Cc]$`)

// custom reports whether a name is one that an administrator may have made, and
// the simulator takes such names (Options.AcceptCustom).
func (s *Simulator) custom(name string) bool {
	return s.opts.AcceptCustom && len(name) <= 43 && customName.MatchString(name)
}

// object finds an object to be written, and makes a custom one on first use; nil
// when there is none.
func (s *Simulator) object(name string) (*table, error) {
	t := s.tables[strings.ToLower(name)]
	if t != nil || !s.custom(name) {
		return t, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	nameField := text("Name", 80)
	stored, err := s.store.AddTable(records.Spec{Name: name, Columns: []records.Column{nameField.column()}})
	if err != nil {
		return nil, err
	}
	t = s.addObject(stored, Object{Name: name, Prefix: s.freePrefix(), Fields: []Field{nameField}})
	s.notice("accepted an object that the organisation lacks: " + name)
	return t, nil
}

// customPrefix is the id prefix of the object at a position: a00, a01, …
func customPrefix(position int) string {
	return string([]byte{'a', digits62[position/62%62], digits62[position%62]})
}

// freePrefix is one that no object has yet.
func (s *Simulator) freePrefix() string {
	for n := len(s.order); ; n++ {
		prefix := customPrefix(n)
		if !slices.ContainsFunc(s.order, func(t *table) bool { return t.object.Prefix == prefix }) {
			return prefix
		}
	}
}

// newField makes a custom field on first use: what is sent to it first gives the
// type; an external id is a unique text.
func (s *Simulator) newField(t *table, name string, first jsontext.Value, external bool) (int, error) {
	f := text(name, 255)
	switch kind := first.Kind(); {
	case external:
		f.ExternalID, f.Unique = true, true
	case kind == '0':
		f = number(name, 18, 6)
	case kind == 't' || kind == 'f':
		f = Field{Name: name, Type: Boolean}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.store.AddColumn(t.Table, f.column()); err != nil {
		return 0, err
	}
	t.object.Fields = append(t.object.Fields, f)
	s.notice(fmt.Sprintf("accepted a field that the organisation lacks: %s.%s (%s)", t.object.Name, name, f.Type))
	return len(t.object.Fields) - 1, nil
}

// notice tells about a name that was accepted, once for each.
func (s *Simulator) notice(line string) {
	if s.opts.Notice != nil {
		s.opts.Notice(line)
	}
}

// added are the fields of a table that the journal brought beside the schema's.
func added(t *records.Table, from int) []Field {
	var fields []Field
	for i := from; i < t.Columns(); i++ {
		c := t.Column(i)
		f := Field{Name: c.Name, ExternalID: c.Indexed, Unique: c.Indexed}
		// The note was written by Field.note.
		fmt.Sscanf(c.Note, "%s %d %d", &f.Type, &f.Precision, &f.Scale) //nolint:errcheck // a text of no length is the worst
		if f.Type == Text {
			f.Length = 255
		}
		fields = append(fields, f)
	}
	return fields
}

// absent stands for a custom field in a query that nothing was ever sent to: it is
// null in every record.
const absent = -1

// empty is an object of that kind.
func (s *Simulator) empty(name string) *table {
	if s.none == nil {
		store, err := records.Open(nothing{}, Object{Name: "none", Fields: []Field{text("Name", 80)}}.spec())
		if err != nil {
			panic("salesforce: an empty table: " + err.Error())
		}
		s.none = store.Tables()[0]
	}
	return &table{Table: s.none, object: &Object{Name: name, Fields: append(slices.Clone(system), text("Name", 80))}}
}

// nothing is the log of a store that keeps nothing.
type nothing struct{}

func (nothing) Durable() bool                   { return false }
func (nothing) Replay(func([]byte) error) error { return nil }
func (nothing) Commit([]byte) error             { return nil }
