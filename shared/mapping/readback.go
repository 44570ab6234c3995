package mapping

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
)

// ReadBack are the canonical forms in which a row may have sent what the destination
// answers for the field at a position of Names: one, or several where the destination
// keeps different values as one, as it does with an empty text and null. The value is JSON
// as the destination shows it, null for an empty field. They are valid until the next
// ReadBack or Map.
//
// What a definition does to a row's value is not done again: a text in capitals is not
// what a field of lower case was sent, and one that is cut was not longer.
func (m *Mapper) ReadBack(at int, v jsontext.Value) []jsontext.Value {
	m.buf = m.buf[:0]
	f := m.p.fields[at]
	if isNull(v) {
		if f.form == formText && f.epoch == 0 {
			return []jsontext.Value{jsonNull, emptyText}
		}
		return []jsontext.Value{jsonNull}
	}
	f.transforms, f.maxLength, f.scale, f.checked, f.unknown, f.made = nil, 0, -1, false, nil, nil
	f.low, f.top = 0, -1
	f.vendor.dates, f.epoch = "", 0
	forms := []jsontext.Value{m.readAs(&f, v)}
	if f.form == formJSON && v.Kind() == '"' { // a field of text keeps the JSON
		if inner, ok := rawjson.Text(v); ok && jsontext.Value(inner).IsValid() {
			forms = append(forms, m.readAs(&f, jsontext.Value(inner)))
		}
	}
	return forms
}

var emptyText = jsontext.Value(`""`)

// readAs is one canonical form of a value: what the field's type makes of it, or itself
// where it is none that the field could have been sent.
func (m *Mapper) readAs(f *field, v jsontext.Value) jsontext.Value {
	if got, fault := f.convert(m, f, v); fault == nil && got != nil {
		v = got
	}
	m.small = false
	if f.form != formText {
		v = m.canonical(f, v)
	}
	return v
}

// Comparable reports whether ReadBack can say of the field at a position of Names how it
// was sent; why is for people where it cannot.
func (p *Program) Comparable(at int) (why string) {
	switch _, spread := p.spread[at]; {
	case p.outputs != nil:
		return "it is built of several columns"
	case spread:
		return "its members are fields of their own"
	}
	return ""
}
