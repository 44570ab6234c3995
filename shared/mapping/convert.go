package mapping

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
)

// A converter makes a field's value from a column's, which is never null.
type converter func(m *Mapper, f *field, raw jsontext.Value) (jsontext.Value, *row.Fault)

// str takes scalars as text.
func (m *Mapper) str(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	t, ok := m.transformed(f, raw)
	if !ok {
		return nil, notText(f.source, raw)
	}
	t, fault := f.cut(raw, t)
	if fault != nil {
		return nil, fault
	}
	return m.quoted(raw, t), nil
}

// json passes any value on bit for bit.
func (m *Mapper) json(_ *field, raw jsontext.Value) (jsontext.Value, *row.Fault) { return raw, nil }

// picklist takes one of the values, in their spelling; for any other text the
// default, where there is one.
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
	return nil, refuse(f.source, "not_in_picklist", raw, "one of "+f.allowed)
}

// email takes an address, trimmed, with its domain in lower case.
func (m *Mapper) email(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	t, ok := m.transformed(f, raw)
	if !ok || raw[0] != '"' {
		return nil, notAnEmail(f.source, raw)
	}
	b := bytes.TrimSpace(t.b)
	at := emailAt(b)
	if at < 0 {
		return nil, notAnEmail(f.source, raw)
	}
	if f.maxLength > 0 && len(b) > f.maxLength {
		return nil, f.tooLong(raw, len(b)) // an address that is cut is another address
	}
	if !touches(b[at+1:], 'A', 'Z') {
		return m.quoted(raw, text{b: b, plain: true, same: t.same && len(b) == len(t.b)}), nil
	}
	start := len(m.buf)
	m.buf = append(m.buf, '"')
	m.buf = append(m.buf, b[:at+1]...)
	m.buf = appendLower(m.buf, b[at+1:])
	m.buf = append(m.buf, '"')
	return m.from(start), nil
}

// appendLower appends ASCII text in lower case.
func appendLower(dst, s []byte) []byte {
	for _, c := range s {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

var (
	jsonTrue  = jsontext.Value("true")
	jsonFalse = jsontext.Value("false")
	jsonNull  = jsontext.Value("null")
)

// boolean takes true and false, and what warehouses write for them.
func (m *Mapper) boolean(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	t, ok := m.transformed(f, raw)
	if ok {
		b := bytes.TrimSpace(t.b)
		for _, word := range trueWords {
			if bytes.EqualFold(b, word) {
				return jsonTrue, nil
			}
		}
		for _, word := range falseWords {
			if bytes.EqualFold(b, word) {
				return jsonFalse, nil
			}
		}
	}
	return nil, refuse(f.source, "not_a_boolean", raw, "true or false, t or f, yes or no, 1 or 0")
}

var (
	trueWords  = [][]byte{[]byte("true"), []byte("1"), []byte("t"), []byte("yes")}
	falseWords = [][]byte{[]byte("false"), []byte("0"), []byte("f"), []byte("no")}
)
