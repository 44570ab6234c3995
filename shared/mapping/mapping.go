// Package mapping turns one warehouse row into one destination record: it finds
// the columns, converts, cuts and checks the fields as the sync definition says,
// and derives the record id, the match key, the cursor and the group. Its input is
// the raw JSON of a row, its output raw JSON values; numbers are handled as decimal
// text, never as float64. It is pure: no I/O and no clock. It neither compares rows
// with what was delivered nor knows a vendor: what a destination type wants is in
// the version's syncdef.Rules. No message holds a value of a row (I6).
package mapping

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Mapped is one mapped row. Its slices are read only and valid until the next
// Map, and only as long as the row's own bytes are: they share these, and constants
// of the Program.
type Mapped struct {
	Key      []byte         // the match value by the version's rule of identity, or the record id where nothing is matched
	Match    []byte         // the match value as the row writes it, without outer blanks; nil where it is Key
	RecordID []byte         // the record_id column as text; several are joined with ":", in all but the last with a "\" before each ":" and "\"
	Cursor   jsontext.Value // the raw scalar in the incremental.cursor column; nil without one, and for null
	Created  jsontext.Value // the same in the incremental.created column
	// Action is what the row asks for. Of a deleting row neither Values nor Canonical are
	// set; its Key is nil where only the record id names it.
	Action row.Action
	// Always says that the row is one of those that incremental.always sends again.
	Always bool
	// Half says that the row is the new half of an update, of a stream of changes.
	Half   bool
	Group  []byte           // the value of the field that Rules.Group names, or Rules.GroupDefault, without Rules.GroupPrefix; nil where rows have no group
	Values []jsontext.Value // by position in Program.Names; nil leaves the field alone, null clears it
	// Canonical stands for Values wherever values are compared (row.Digest,
	// ledger.FieldHash): the same, but in number fields one form per number, and in json
	// fields no blanks between the parts.
	Canonical []jsontext.Value
}

// A Mapper maps rows one after the other. It is not safe for concurrent use.
type Mapper struct {
	p      *Program
	out    []jsontext.Value    // Mapped.Values, one per field
	canon  []jsontext.Value    // Mapped.Canonical
	nested [2][]jsontext.Value // Mapped.Values and Canonical where fields are built
	buf    []byte              // whatever a row needs beyond its own bytes; growing it leaves older slices intact
	id     []byte              // the joined record id
	digits []byte              // of the decimal in hand
	small  bool                // the number in hand is its own canonical form
	parts  [][]byte            // of the template or list in hand
	chosen []int               // of the picklist in hand, positions in its values
	row    members
	seen   layout
}

// Mapper returns a new Mapper for one goroutine.
func (p *Program) Mapper() *Mapper {
	return &Mapper{p: p, out: make([]jsontext.Value, len(p.fields)), canon: make([]jsontext.Value, len(p.fields)), seen: newLayout(p.columns)}
}

// Map maps one row, which must be valid JSON in UTF-8 without duplicate names.
// The first fault is returned: of the action, then of the record id, then of the fields in
// definition order, then of the match value. A row nested over 1,000 levels is
// refused as a whole, as it could be read nowhere further on. Cursor, and RecordID and Key as far
// as they can be read, are set beside a fault too; Values are then incomplete.
func (m *Mapper) Map(object jsontext.Value) (out Mapped, fault *row.Fault) {
	fault = m.MapTo(&out, object)
	return out, fault
}

// MapTo is Map for who maps many rows: a Mapped is 200 bytes to hand on.
func (m *Mapper) MapTo(out *Mapped, object jsontext.Value) *row.Fault {
	*out = Mapped{}
	m.buf = m.buf[:0]
	if !m.row.scan(object, &m.seen) {
		return m.row.unreadable(object)
	}
	if !m.row.familiar {
		m.seen.learn(object, &m.row)
	}
	var idFault, keyFault *row.Fault
	out.Cursor, out.Created = m.cursor(m.p.cursor), m.cursor(m.p.created)
	out.Always = m.always()
	var actionFault *row.Fault
	out.Action, out.Half, actionFault = m.action()
	out.RecordID, idFault = m.recordID()
	if !m.p.match.matched {
		out.Key = out.RecordID
	} else {
		out.Key, out.Match, keyFault = m.key()
	}
	switch {
	case actionFault != nil:
		return actionFault
	case out.Action == row.OldHalf:
		return nil
	case out.Action == row.Delete:
		return m.removal(out, keyFault, idFault)
	case idFault != nil:
		return idFault
	}
	for i := range m.p.fields {
		v, fault := m.field(&m.p.fields[i])
		if fault != nil {
			return fault
		}
		m.out[i] = v
		if m.p.fields[i].form != formText && !m.small {
			v = m.canonical(&m.p.fields[i], v)
		}
		m.canon[i], m.small = v, false
	}
	out.Values, out.Canonical = m.out, m.canon
	if m.p.outputs != nil {
		m.nested[0], m.nested[1] = m.nest(m.nested[0], m.out), m.nest(m.nested[1], m.canon)
		out.Values, out.Canonical = m.nested[0], m.nested[1]
	}
	if keyFault != nil {
		return keyFault
	}
	var fault *row.Fault
	out.Group, fault = m.group()
	return fault
}

// column is the raw value in a source column; nil when the row does not have it.
func (m *Mapper) column(c int) jsontext.Value {
	if at := m.seen.at[c]; at >= 0 {
		return m.row.value(at)
	}
	return nil
}

// field maps one field.
func (m *Mapper) field(f *field) (jsontext.Value, *row.Fault) {
	if f.made != nil {
		return m.made(f)
	}
	raw := m.column(f.column)
	switch {
	case raw == nil:
		return nil, m.missing(f.column)
	case isNull(raw), raw[0] == '"' && f.blankNull && m.blank(raw):
		return f.null, nil
	}
	return f.convert(m, f, raw)
}

func isNull(raw jsontext.Value) bool { return raw[0] == 'n' }

// cursor is the row's value in a column of cursors, when that is a scalar; -1 is none.
func (m *Mapper) cursor(column int) jsontext.Value {
	if column < 0 {
		return nil
	}
	raw := m.column(column)
	if raw == nil || isNull(raw) || raw[0] == '{' || raw[0] == '[' {
		return nil
	}
	return raw
}

// always reports whether the row is one that incremental.always sends again: what the
// source view says in its own column, which is a boolean or the text of one.
func (m *Mapper) always() bool {
	if m.p.always < 0 {
		return false
	}
	raw := m.column(m.p.always)
	if raw == nil || isNull(raw) {
		return false
	}
	v, f := m.boolean(&field{source: syncdef.AlwaysColumn}, raw)
	return f == nil && v[0] == 't'
}

// recordID joins the record id columns; none of them may be absent, null or empty.
// What separates the parts is escaped in all but the last, so that ("x:1", "2") is
// x\:1:2 and ("x", "1:2") is x:1:2; an id of one column is that column's text.
func (m *Mapper) recordID() ([]byte, *row.Fault) {
	if len(m.p.recordID) == 1 {
		return m.recordIDPart(m.p.recordID[0])
	}
	m.id = m.id[:0]
	for i, c := range m.p.recordID {
		part, fault := m.recordIDPart(c)
		if fault != nil {
			return nil, fault
		}
		if i > 0 {
			m.id = append(m.id, ':')
		}
		if i == len(m.p.recordID)-1 {
			m.id = append(m.id, part...)
			break
		}
		for _, c := range part {
			if c == ':' || c == '\\' {
				m.id = append(m.id, '\\')
			}
			m.id = append(m.id, c)
		}
	}
	return m.id, nil
}

func (m *Mapper) recordIDPart(c int) ([]byte, *row.Fault) {
	raw := m.column(c)
	if raw == nil {
		f := m.missing(c)
		f.Rule = "missing_record_id"
		return nil, f
	}
	t, ok := m.name(raw)
	if !ok || isNull(raw) || len(bytes.TrimSpace(t.b)) == 0 {
		return nil, refuse(m.p.columns[c], "missing_record_id", raw, "a text or number that names the row, in every row")
	}
	return t.b, nil
}

// group is what the destination gathers the row under.
func (m *Mapper) group() ([]byte, *row.Fault) {
	if m.p.groupField < 0 {
		return m.p.groupDefault, nil
	}
	if v := m.out[m.p.groupField]; v != nil && !isNull(v) {
		if t, ok := m.text(v); ok && len(t.b) > 0 {
			return bytes.TrimPrefix(t.b, m.p.groupPrefix), nil
		}
	}
	if m.p.groupDefault == nil {
		f, name := &m.p.fields[m.p.groupField], m.p.group
		var found jsontext.Value // of a value that is made
		if f.column >= 0 {
			found = m.column(f.column)
		}
		return nil, refuse(f.source, "missing_"+name, found, "a "+name+" in every row, or one in the definition for the rows without")
	}
	return m.p.groupDefault, nil
}

// from is what was put into buf since start, closed against later appends.
func (m *Mapper) from(start int) []byte { return m.buf[start:len(m.buf):len(m.buf)] }
