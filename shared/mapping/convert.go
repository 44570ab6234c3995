package mapping

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/row/address"
	"github.com/penstock-data/penstock/shared/row/decimal"
)

// A converter makes a field's value from a column's, which is never null.
type converter func(m *Mapper, f *field, raw jsontext.Value) (jsontext.Value, *row.Fault)

// str takes scalars as text.
func (m *Mapper) str(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	t, ok := m.transformed(f, raw)
	if !ok {
		return nil, notText(f.source, raw)
	}
	t, fault := f.cut(t)
	if fault != nil {
		return nil, fault
	}
	return m.quoted(raw, t), nil
}

// json passes any value on bit for bit.
func (m *Mapper) json(_ *field, raw jsontext.Value) (jsontext.Value, *row.Fault) { return raw, nil }

// picklist takes one of the values, in their spelling; any other text is refused,
// unless on_unknown sends the default for it.
func (m *Mapper) picklist(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	t, ok := m.transformed(f, raw)
	if !ok {
		return nil, notText(f.source, raw)
	}
	if v, ok := f.values[string(t.b)]; ok {
		return v, nil
	}
	for _, v := range f.folded {
		if bytes.EqualFold(v.name, t.b) {
			return v.quoted, nil
		}
	}
	if f.unknown != nil {
		return f.unknown, nil
	}
	fault := refuse(f.source, "not_in_picklist", raw, "one of "+f.allowed)
	if len(bytes.TrimSpace(t.b)) < len(t.b) {
		fault.Message += " (transform: [trim] takes the white space off)"
	}
	return nil, fault
}

// email takes an address, trimmed, with its domain in lower case and ASCII.
func (m *Mapper) email(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	t, ok := m.transformed(f, raw)
	if !ok || raw[0] != '"' {
		return nil, notAnEmail(f.source, raw)
	}
	b := bytes.TrimSpace(t.b)
	t.same = t.same && len(b) == len(t.b)
	if !address.Normal(b) {
		start := len(m.buf)
		if m.buf, ok = address.Append(m.buf, b); !ok {
			return nil, notAnEmail(f.source, raw)
		}
		b, t.same = m.from(start), false
	}
	if f.maxLength > 0 && len(b) > f.maxLength {
		return nil, f.tooLong(len(b)) // an address that is cut is another address
	}
	return m.quoted(raw, text{b: b, plain: t.plain, same: t.same}), nil
}

var (
	jsonTrue  = jsontext.Value("true")
	jsonFalse = jsontext.Value("false")
	jsonNull  = jsontext.Value("null")
)

// boolean takes true and false, what people and warehouses write for them, and the
// numbers 1 and 0 however they are written.
func (m *Mapper) boolean(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	t, ok := m.transformed(f, raw)
	b := bytes.TrimSpace(t.b)
	if ok && isNumber(raw) {
		start := len(m.buf)
		m.buf, _ = decimal.AppendCanonical(m.buf, b)
		b = m.from(start)
	}
	if len(b) > 0 && len(b) <= len("false") {
		for i, word := range booleanWords {
			if bytes.EqualFold(b, word) {
				return [...]jsontext.Value{jsonTrue, jsonFalse}[i%2], nil
			}
		}
	}
	return nil, refuse(f.source, "not_a_boolean", raw, "true or false, t or f, yes or no, y or n, on or off, 1 or 0")
}

// booleanWords are true and false in turn.
var booleanWords = [][]byte{
	[]byte("true"), []byte("false"), []byte("1"), []byte("0"), []byte("t"), []byte("f"),
	[]byte("yes"), []byte("no"), []byte("y"), []byte("n"), []byte("on"), []byte("off"),
}
