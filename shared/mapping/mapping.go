// Package mapping turns one warehouse row into one destination record: it finds
// the columns, converts, cuts and checks the fields as the sync definition says,
// and derives the record id, the match key, the cursor and the Slack channel.
// Its input is the raw JSON of a row, its output raw JSON values; numbers are
// handled as decimal text, never as float64. It is pure: no I/O and no clock. It
// neither compares rows with what was delivered nor knows a vendor's API.
package mapping

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
)

// Mapped is one mapped row. Its slices are read only and valid until the next
// Map, and only as long as the row's own bytes are: they share these, and constants
// of the Program.
type Mapped struct {
	Key      []byte           // the normalised match value, or the record id where nothing is matched
	RecordID []byte           // the record_id columns as text, joined with ":"
	Cursor   jsontext.Value   // the raw scalar in the incremental.cursor column; nil without one, and for null
	Group    []byte           // Slack: the channel, mapped or slack.channel; nil elsewhere
	Values   []jsontext.Value // by position in Definition.Fields; nil leaves the field alone, null clears it
}

// A Mapper maps rows one after the other. It is not safe for concurrent use.
type Mapper struct {
	p      *Program
	out    []jsontext.Value // Mapped.Values, one per field
	buf    []byte           // whatever a row needs beyond its own bytes; growing it leaves older slices intact
	id     []byte           // the joined record id
	digits []byte           // of the decimal in hand
	row    members
	seen   layout
}

// Mapper returns a new Mapper for one goroutine.
func (p *Program) Mapper() *Mapper {
	return &Mapper{p: p, out: make([]jsontext.Value, len(p.fields)), seen: newLayout(p.columns)}
}

// Map maps one row, which must be valid JSON in UTF-8 without duplicate names.
// The first fault is returned: of the record id, then of the fields in
// definition order, then of the match value. Cursor, and RecordID and Key as far
// as they can be read, are set beside a fault too; Values are then incomplete.
func (m *Mapper) Map(object jsontext.Value) (Mapped, *row.Fault) {
	m.buf = m.buf[:0]
	if !m.row.scan(object, &m.seen) {
		return Mapped{}, notAnObject(object)
	}
	if !m.row.familiar {
		m.seen.learn(object, &m.row)
	}
	var out Mapped
	var idFault, keyFault *row.Fault
	out.Cursor = m.cursor()
	out.RecordID, idFault = m.recordID()
	if m.p.match.strategy == "" {
		out.Key = out.RecordID
	} else {
		out.Key, keyFault = m.key()
	}
	if idFault != nil {
		return out, idFault
	}
	for i := range m.p.fields {
		v, fault := m.field(&m.p.fields[i])
		if fault != nil {
			return out, fault
		}
		m.out[i] = v
	}
	out.Values = m.out
	if keyFault != nil {
		return out, keyFault
	}
	var fault *row.Fault
	out.Group, fault = m.group()
	return out, fault
}

// column is the raw value in a source column; nil when the row does not have it.
func (m *Mapper) column(c int) jsontext.Value {
	if at := m.seen.at[c]; at >= 0 {
		return m.row.values[at]
	}
	return nil
}

// field maps one field.
func (m *Mapper) field(f *field) (jsontext.Value, *row.Fault) {
	raw := m.column(f.column)
	switch {
	case raw == nil:
		return nil, m.missing(f.column)
	case isNull(raw):
		return f.null, nil
	}
	return f.convert(m, f, raw)
}

func isNull(raw jsontext.Value) bool { return raw[0] == 'n' }

// cursor is the row's value in the cursor column, when that is a scalar.
func (m *Mapper) cursor() jsontext.Value {
	if m.p.cursor < 0 {
		return nil
	}
	raw := m.column(m.p.cursor)
	if raw == nil || isNull(raw) || raw[0] == '{' || raw[0] == '[' {
		return nil
	}
	return raw
}

// recordID joins the record id columns; none of them may be absent, null or empty.
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
		m.id = append(m.id, part...)
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
	t, ok := m.text(raw)
	if !ok || isNull(raw) || len(bytes.TrimSpace(t.b)) == 0 {
		return nil, refuse(m.p.columns[c], "missing_record_id", raw, "a text or number that names the row, in every row")
	}
	return t.b, nil
}

// group is the Slack channel of the row.
func (m *Mapper) group() ([]byte, *row.Fault) {
	if m.p.channelField < 0 {
		return m.p.channel, nil
	}
	if v := m.out[m.p.channelField]; v != nil && !isNull(v) {
		if t, ok := m.text(v); ok && len(t.b) > 0 {
			return t.b, nil
		}
	}
	if m.p.channel == nil {
		f := &m.p.fields[m.p.channelField]
		return nil, refuse(f.source, "missing_channel", m.column(f.column), "a channel in every row, or slack.channel for the rows without one")
	}
	return m.p.channel, nil
}

// from is what was put into buf since start, closed against later appends.
func (m *Mapper) from(start int) []byte { return m.buf[start:len(m.buf):len(m.buf)] }
