package mapping

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
)

// valueSeparator stands between the values of a multipicklist: every vendor that has
// such fields writes them so.
const valueSeparator = ';'

// joined takes a list of scalars as one text, nulls and empty texts left out. A list
// may stand in a text, as some warehouses write it; no other object or list passes.
func (m *Mapper) joined(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	list, fault := m.list(f.source, raw)
	if fault != nil {
		return nil, fault
	}
	if list == nil {
		return m.str(f, raw)
	}
	if fault := m.elements(f.source, list); fault != nil {
		return nil, fault
	}
	if len(m.parts) == 0 {
		return f.null, nil
	}
	return m.str(f, m.together(m.parts, f.separator))
}

// written takes a list or an object as its JSON, without blanks between the parts.
func (m *Mapper) written(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	if raw[0] != '{' && raw[0] != '[' {
		return m.str(f, raw)
	}
	start := len(m.buf)
	m.buf = appendCompact(m.buf, raw)
	return m.str(f, m.requoted(start))
}

// requoted makes a JSON string of what was put into buf since start.
func (m *Mapper) requoted(start int) jsontext.Value {
	plain := m.from(start)
	start = len(m.buf)
	m.buf = rawjson.AppendQuote(m.buf, plain)
	return m.from(start)
}

// list is the list that a value is, or holds as text; nil for any other.
func (m *Mapper) list(source string, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	raw, fault := m.unwrapped(source, raw)
	if fault != nil || raw[0] != '[' {
		return nil, fault
	}
	return raw, nil
}

// elements puts a list's texts into parts.
func (m *Mapper) elements(source string, list jsontext.Value) *row.Fault {
	m.parts = m.parts[:0]
	w := rawjson.Elements(list)
	for w.Next() {
		v := w.Value()
		t, ok := m.text(v)
		switch {
		case !ok:
			return refuse(source, "not_a_string", v, "a list of texts, numbers and booleans")
		case isNull(v) || len(t.b) == 0:
			continue
		case isNumber(v):
			t.b = m.byValue(v)
		}
		m.parts = append(m.parts, t.b)
	}
	if w.Err() != nil { // of a vendor's value: a row's are within the bound
		return tooDeep("column "+source, source)
	}
	return nil
}

// multi takes a set of picklist values, as a list or as a text with ; between them:
// each once, in the definition's order or else sorted, so that their order in the row
// is no change.
func (m *Mapper) multi(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	list, fault := m.list(f.source, raw)
	if fault != nil {
		return nil, fault
	}
	if list != nil {
		if fault := m.elements(f.source, list); fault != nil {
			return nil, fault
		}
		for _, p := range m.parts {
			if bytes.IndexByte(p, valueSeparator) >= 0 {
				return nil, refuse(f.source, "not_in_picklist", list, "values without ;, which stands between them")
			}
		}
	} else {
		t, ok := m.text(raw)
		if !ok {
			return nil, refuse(f.source, "not_a_list", raw, "a list of values, or a text with ; between them")
		}
		m.parts = append(m.parts[:0], bytes.Split(t.b, []byte{valueSeparator})...)
	}
	kept := m.parts[:0]
	for _, p := range m.parts {
		if p = bytes.TrimSpace(m.steps(f, text{b: p}).b); len(p) > 0 {
			kept = append(kept, p)
		}
	}
	if m.parts = kept; len(kept) == 0 {
		return f.null, nil
	}
	if len(f.folded) > 0 {
		return m.ofValues(f, raw)
	}
	slices.SortFunc(kept, bytes.Compare)
	return m.together(slices.CompactFunc(kept, bytes.Equal), string(valueSeparator)), nil
}

// ofValues are the parts that are among the field's values, in their order.
func (m *Mapper) ofValues(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	m.chosen = m.chosen[:0]
	for _, p := range m.parts {
		at := slices.IndexFunc(f.folded, func(v pick) bool { return bytes.Equal(v.name, p) })
		if at < 0 {
			at = slices.IndexFunc(f.folded, func(v pick) bool { return bytes.EqualFold(v.name, p) })
		}
		switch {
		case at >= 0:
			m.chosen = append(m.chosen, at)
		case f.unknown != nil:
			return f.unknown, nil
		default:
			return nil, refuse(f.source, "not_in_picklist", raw, "values among "+f.allowed)
		}
	}
	slices.Sort(m.chosen)
	m.parts = m.parts[:0]
	for _, at := range slices.Compact(m.chosen) {
		m.parts = append(m.parts, f.folded[at].name)
	}
	return m.together(m.parts, string(valueSeparator)), nil
}

// together writes values as one text, with a separator between them.
func (m *Mapper) together(values [][]byte, separator string) jsontext.Value {
	start := len(m.buf)
	for i, v := range values {
		if i > 0 {
			m.buf = append(m.buf, separator...)
		}
		m.buf = append(m.buf, v...)
	}
	return m.requoted(start)
}
