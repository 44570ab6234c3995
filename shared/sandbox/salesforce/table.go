package salesforce

import (
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// A table is one object's records: the fields behind the system ones are the
// store's columns, in the same order.
type table struct {
	*records.Table
	object *Object
}

// firstColumn is the field of the store's first column.
const firstColumn = fieldModified + 1

// column is a field's place in the store.
func column(field int) int { return field - firstColumn }

// spec is an object as the store keeps it.
func (o Object) spec() records.Spec {
	s := records.Spec{Name: o.Name}
	for i := range o.Fields {
		s.Columns = append(s.Columns, o.Fields[i].column())
	}
	return s
}

func (f *Field) column() records.Column {
	c := records.Column{Name: f.Name, Indexed: f.Unique || f.ExternalID, Note: f.note()}
	switch {
	case f.Type.isText() && !f.CaseSensitive:
		c.Compare = records.Folded
	case f.Type.isNumber():
		c.Compare = records.Number
	}
	return c
}

// field finds a field by its API name, which Salesforce takes in any case.
func (t *table) field(name string) (int, bool) {
	if i, ok := t.Lookup(name); ok {
		return i + firstColumn, t.object.Fields[i+firstColumn].Access != AccessNone
	}
	for i := range system {
		if strings.EqualFold(system[i].Name, name) {
			return i, true
		}
	}
	return 0, false
}

// get is a value's text, nil for null. Not for the system fields.
func (t *table) get(row, field int) []byte { return t.Get(row, column(field)) }
