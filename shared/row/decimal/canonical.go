package decimal

import (
	"bytes"
	"strconv"
)

// mostPlain is the longest number, in bytes, whose canonical form is written out;
// a longer one has an exponent. It bounds the zeros and leaves what people write
// as they write it.
const mostPlain = 64

// Canonical reports whether a text is its number's canonical form already, which
// is what warehouses write for nearly all numbers.
func Canonical(s []byte) bool {
	if len(s) > mostPlain {
		return false
	}
	digits := s
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 || digits[0] == '0' && len(digits) > 1 && digits[1] != '.' {
		return false
	}
	point, zero := false, true
	for i, c := range digits {
		switch {
		case c == '.' && i > 0 && !point:
			point = true
		case c < '0' || c > '9':
			return false
		case c != '0':
			zero = false
		}
	}
	if point {
		last := s[len(s)-1]
		return last != '0' && last != '.'
	}
	return !zero || len(s) == 1
}

// Within is the canonical form where it stands at the beginning of the text: of a
// number that has it already, or only zeros after it, as in 85.0 and 12.50.
func Within(s []byte) (form []byte, ok bool) {
	if point := bytes.IndexByte(s, '.'); point >= 0 {
		for len(s) > point+1 && s[len(s)-1] == '0' {
			s = s[:len(s)-1]
		}
		if len(s) == point+1 {
			s = s[:point]
		}
	}
	return s, Canonical(s)
}

// AppendCanonical appends the one text that all spellings of a number share: "1"
// for 1, 1.0, 1e0, +1 and 01, "0" for -0, "5e99" for what would be long. It
// reports false when s is no number, or one whose exponent is beyond half a
// thousand million, which is read inexactly.
func AppendCanonical(dst, s []byte) ([]byte, bool) {
	if form, ok := Within(s); ok {
		return append(dst, form...), true
	}
	var scratch [mostPlain]byte
	d, _, _, ok := Parse(s, scratch[:0])
	if !ok || d.Exp > maxExponent/2 || d.Exp < -maxExponent/2 {
		return dst, false
	}
	if d.plainLength() <= mostPlain {
		return d.Append(dst), true
	}
	if d.Negative {
		dst = append(dst, '-')
	}
	dst = append(dst, d.Digits...)
	dst = append(dst, 'e')
	return strconv.AppendInt(dst, int64(d.Exp-len(d.Digits)), 10), true
}

// plainLength is how many bytes Append writes.
func (d *Decimal) plainLength() int {
	n := max(d.Exp, len(d.Digits), 1)
	switch {
	case len(d.Digits) == 0:
	case d.Exp <= 0:
		n = len("0.") - d.Exp + len(d.Digits)
	case d.Exp < len(d.Digits):
		n++ // the point
	}
	if d.Negative {
		n++
	}
	return n
}
