package mapping

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/row/decimal"
)

// text is a value on its way through transforms and cuts.
type text struct {
	b     []byte
	plain bool // nothing in b needs escaping in JSON
	same  bool // b is still all that stands between the quotes of the row's own string
}

// text reads a scalar: the content of a string, a number or boolean as written.
func (m *Mapper) text(raw jsontext.Value) (text, bool) {
	switch raw[0] {
	case '{', '[':
		return text{}, false
	case '"':
		if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 {
			return text{inner, true, true}, true
		}
		start := len(m.buf)
		var err error
		m.buf, err = jsontext.AppendUnquote(m.buf, raw)
		return text{b: m.from(start)}, err == nil
	}
	return text{b: raw, plain: true}, true
}

// name is the text that a value names a record by: a number's is one for all its spellings.
func (m *Mapper) name(raw jsontext.Value) (text, bool) {
	t, ok := m.text(raw)
	if isNumber(raw) {
		t.b = m.byValue(raw)
	}
	return t, ok
}

// byValue is a JSON number in its canonical form, or as written where its exponent is beyond
// all reading.
func (m *Mapper) byValue(raw jsontext.Value) []byte {
	if form, ok := decimal.Within(raw); ok {
		return form
	}
	start, ok := len(m.buf), false
	if m.buf, ok = decimal.AppendCanonical(m.buf, raw); ok {
		return m.from(start)
	}
	return raw
}

// transformed is the text after the field's transforms.
func (m *Mapper) transformed(f *field, raw jsontext.Value) (text, bool) {
	t, ok := m.text(raw)
	if !ok {
		return t, false
	}
	if f.names && isNumber(raw) {
		t.b = m.byValue(raw)
	}
	return m.steps(f, t), true
}

// steps are the field's transforms.
func (m *Mapper) steps(f *field, t text) text {
	for _, how := range f.transforms {
		switch how {
		case trim:
			n := len(t.b)
			t.b = bytes.TrimSpace(t.b)
			t.same = t.same && len(t.b) == n
		case lower:
			t = m.mapCase(t, unicode.ToLower, 'A', 'Z')
		case upper:
			t = m.mapCase(t, unicode.ToUpper, 'a', 'z')
			if f.made != nil && f.made.entities {
				t.b = lowerEntities(t.b)
			}
		}
	}
	return t
}

// mapCase changes the case rune by rune; text that has nothing to change, which
// is to say neither a letter from..to nor anything beyond ASCII, stays where it is.
func (m *Mapper) mapCase(t text, change func(rune) rune, from, to byte) text {
	if !touches(t.b, from, to) {
		return t
	}
	start := len(m.buf)
	for _, r := range string(t.b) {
		m.buf = utf8.AppendRune(m.buf, change(r))
	}
	return text{b: m.from(start), plain: t.plain}
}

// touches reports whether b holds a byte from..to or one beyond ASCII.
func touches(b []byte, from, to byte) bool {
	for _, c := range b {
		if c-from <= to-from || c >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// quoted is the text as a JSON string, the row's own bytes where they will do.
func (m *Mapper) quoted(raw jsontext.Value, t text) jsontext.Value {
	if t.same {
		return raw
	}
	start := len(m.buf)
	if t.plain {
		m.buf = append(m.buf, '"')
		m.buf = append(m.buf, t.b...)
		m.buf = append(m.buf, '"')
	} else {
		// The only error is broken UTF-8, which text has refused.
		m.buf, _ = jsontext.AppendQuote(m.buf, t.b)
	}
	return m.from(start)
}

// blank reports whether a string holds nothing but white space.
func (m *Mapper) blank(raw jsontext.Value) bool {
	if c := raw[1]; c > ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
		return false
	}
	t, ok := m.text(raw)
	return ok && len(bytes.TrimSpace(t.b)) == 0
}

// cut holds a text to max_length, in the destination's unit.
func (out *field) cut(t text) (text, *row.Fault) {
	// No text is longer than its bytes in any unit, so most need no counting.
	if out.maxLength == 0 || len(t.b) <= out.maxLength {
		return t, nil
	}
	n := length(out.vendor.unit, t.b)
	if n <= out.maxLength {
		return t, nil
	}
	if !out.truncate {
		fault := out.tooLong(n)
		fault.Message += " (on_too_long: truncate cuts it)"
		return t, fault
	}
	short := fitting(out.vendor.unit, t.b, out.maxLength)
	if out.made != nil && out.made.entities {
		short = wholeEntities(short, t.b)
	}
	if len(short) == 0 { // nothing of it can be kept, and that would clear the field
		fault := out.tooLong(n)
		fault.Message += ", of which the first joined character has more"
		return t, fault
	}
	return text{b: short, plain: t.plain}, nil
}

// lowerEntities gives the entities of an upper-case text their meaning back.
func lowerEntities(b []byte) []byte {
	for _, entity := range entityNames {
		b = bytes.ReplaceAll(b, bytes.ToUpper(entity), entity)
	}
	return b
}

// entityNames are those that columns are written with.
var entityNames = [][]byte{[]byte("&amp;"), []byte("&lt;"), []byte("&gt;")}

// wholeEntities is the beginning of a text without the entity that it was cut in.
func wholeEntities(short, b []byte) []byte {
	at := bytes.LastIndexByte(short, '&')
	if at < 0 || bytes.IndexByte(short[at:], ';') >= 0 {
		return short
	}
	for _, entity := range entityNames {
		if bytes.HasPrefix(b[at:], entity) {
			return short[:at]
		}
	}
	return short
}
