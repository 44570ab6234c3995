package mapping

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/row/decimal"
)

// number takes a JSON number or a numeric string. Without scale and bounds a
// JSON number is passed on unread; with them, its own text is kept unless
// rounding changes the value. The bounds hold for the rounded value, which is
// what the destination gets.
func (m *Mapper) number(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	if m.small = f.small(raw); m.small || !f.checked && isNumber(raw) {
		return raw, nil
	}
	s, d, json, ok := m.decimal(f, raw)
	if !ok {
		return nil, refuse(f.source, "not_a_number", raw, f.allowed)
	}
	changed := f.scale >= 0 && d.Round(f.scale)
	if fault := f.bounds(&d); fault != nil {
		return nil, fault
	}
	if json && !changed {
		return s, nil
	}
	if !changed && d.TooWide() {
		return nil, refuse(f.source, "not_a_number", raw, f.allowed)
	}
	start := len(m.buf)
	m.buf = d.Append(m.buf)
	return m.from(start), nil
}

// small reports whether raw is a whole number of few digits within the bounds, as
// most numbers are: it is what any scale leaves of it, and its own canonical form.
func (out *field) small(raw jsontext.Value) bool {
	if len(raw) > 15 {
		return false
	}
	n := int64(0)
	for _, c := range raw {
		if c -= '0'; c > 9 {
			return false
		}
		n = n*10 + int64(c)
	}
	return out.low <= n && n <= out.top
}

// integer takes what number takes, if its fraction is zero, and writes it
// without point and exponent, which not every destination accepts.
func (m *Mapper) integer(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	if m.small = f.small(raw); m.small || !f.checked && allDigits(bytes.TrimPrefix(raw, minus)) {
		return raw, nil
	}
	s, d, json, ok := m.decimal(f, raw)
	switch {
	case !ok:
		return nil, refuse(f.source, "not_an_integer", raw, f.allowed)
	case !d.Whole():
		return nil, fault(f.source, "not_an_integer", "a number with a fraction", f.allowed)
	case d.TooWide():
		return nil, fault(f.source, "not_an_integer", "a number of hundreds of digits", f.allowed)
	}
	if fault := f.bounds(&d); fault != nil {
		return nil, fault
	}
	if json && allDigits(bytes.TrimPrefix(s, minus)) {
		return s, nil
	}
	start := len(m.buf)
	m.buf = d.Append(m.buf)
	return m.from(start), nil
}

var minus = []byte("-")

// decimal reads a number from a JSON number or string, and returns its text too.
func (m *Mapper) decimal(f *field, raw jsontext.Value) (s []byte, d decimal.Decimal, json, ok bool) {
	s = raw
	if raw[0] == '"' {
		t, ok := m.transformed(f, raw)
		if !ok {
			return nil, d, false, false
		}
		s = bytes.TrimSpace(t.b)
	}
	d, json, m.digits, ok = decimal.Parse(s, m.digits)
	return s, d, json, ok
}

// bounds holds a number between min and max, both inclusive.
func (out *field) bounds(d *decimal.Decimal) *row.Fault {
	switch {
	case out.min != nil && d.Compare(out.min) < 0:
		return fault(out.source, "below_min", "a smaller number", out.allowed)
	case out.max != nil && d.Compare(out.max) > 0:
		return fault(out.source, "above_max", "a greater number", out.allowed)
	}
	return nil
}

func isNumber(raw jsontext.Value) bool { return raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9' }

func allDigits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
