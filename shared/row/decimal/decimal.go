// Package decimal reads, compares, rounds and writes numbers as decimal text: in
// time linear in the text, exactly, never through a float. It knows neither JSON
// values nor fields.
package decimal

import "bytes"

// A Decimal is an exact number: 0.Digits × 10^Exp. Digits has neither leading nor
// trailing zeros; no digits is zero.
type Decimal struct {
	Negative bool
	Digits   []byte
	Exp      int
}

// maxExponent bounds exponents while they are read: far beyond any number that a
// destination takes, far below what overflows. maxWritten bounds the zeros that
// writing a number out may cost; float64 ends at 10^308.
const (
	maxExponent = 1_000_000_000
	maxWritten  = 400
)

// Parse reads [+-]digits[.digits][e[+-]digits], using scratch for the digits and
// returning it grown. json says that the text is a JSON number as it is: without
// plus sign, leading zero, or point at an end.
func Parse(s, scratch []byte) (d Decimal, json bool, grown []byte, ok bool) {
	json, d.Digits = true, scratch[:0]
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		d.Negative, json = s[i] == '-', s[i] == '-'
		i++
	}
	first, point := i, -1
	for ; i < len(s); i++ {
		if s[i] == '.' && point < 0 {
			point = i
			continue
		}
		if s[i] < '0' || s[i] > '9' {
			break
		}
		d.Digits = append(d.Digits, s[i])
	}
	grown = d.Digits
	d.Exp = len(d.Digits)
	if d.Exp == 0 {
		return d, false, grown, false
	}
	if point >= 0 {
		d.Exp = point - first
		json = json && point > first && point < i-1
	}
	json = json && (s[first] != '0' || d.Exp == 1)
	if i < len(s) {
		e, ok := parseExponent(s[i:])
		if !ok {
			return d, false, grown, false
		}
		d.Exp += e
	}
	d.normalise()
	return d, json, grown, true
}

func parseExponent(s []byte) (int, bool) {
	if s[0] != 'e' && s[0] != 'E' {
		return 0, false
	}
	s, negative := s[1:], false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		negative = s[0] == '-'
		s = s[1:]
	}
	if len(s) == 0 {
		return 0, false
	}
	e := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		e = min(e*10+int(c-'0'), maxExponent)
	}
	if negative {
		e = -e
	}
	return e, true
}

// normalise takes the zeros at both ends away.
func (d *Decimal) normalise() {
	for len(d.Digits) > 0 && d.Digits[0] == '0' {
		d.Digits = d.Digits[1:]
		d.Exp--
	}
	for n := len(d.Digits); n > 0 && d.Digits[n-1] == '0'; n-- {
		d.Digits = d.Digits[:n-1]
	}
	if len(d.Digits) == 0 {
		d.Negative, d.Exp = false, 0
	}
}

// Whole reports whether there is no fraction.
func (d Decimal) Whole() bool { return len(d.Digits) <= d.Exp || len(d.Digits) == 0 }

// maxInt is how many digits always fit into 64 bits.
const maxInt = 18

// Int is the number as an integer, if it is whole and has at most 18 digits.
func (d Decimal) Int() (n int64, ok bool) {
	if !d.Whole() || d.Exp > maxInt {
		return 0, false
	}
	for i := range d.Exp {
		n *= 10
		if i < len(d.Digits) {
			n += int64(d.Digits[i] - '0')
		}
	}
	if d.Negative {
		n = -n
	}
	return n, true
}

// TooWide reports whether writing the number without exponent would take more
// zeros than any destination's number has.
func (d Decimal) TooWide() bool { return d.Exp > maxWritten || d.Exp < -maxWritten }

// Compare returns -1, 0 or 1, exactly.
func (d *Decimal) Compare(e *Decimal) int {
	if s, t := d.sign(), e.sign(); s != t || s == 0 {
		return max(-1, min(1, s-t))
	}
	c := 1
	switch {
	case d.Exp < e.Exp:
		c = -1
	case d.Exp == e.Exp:
		c = bytes.Compare(d.Digits, e.Digits)
	}
	if d.Negative {
		return -c
	}
	return c
}

func (d *Decimal) sign() int {
	switch {
	case len(d.Digits) == 0:
		return 0
	case d.Negative:
		return -1
	}
	return 1
}

// Round keeps scale digits after the point, half going away from zero, and
// reports whether that changed the value. It works in place.
func (d *Decimal) Round(scale int) bool {
	keep := d.Exp + scale
	if len(d.Digits) <= keep || len(d.Digits) == 0 {
		return false
	}
	if keep < 0 {
		d.Digits = d.Digits[:0]
		d.normalise()
		return true
	}
	up := d.Digits[keep] >= '5'
	d.Digits = d.Digits[:keep]
	for i := keep - 1; up && i >= 0; i-- {
		if up = d.Digits[i] == '9'; up {
			d.Digits[i] = '0'
		} else {
			d.Digits[i]++
		}
	}
	if up { // all nines, or nothing kept: one digit more in front, and zeros behind
		d.Digits = append(d.Digits[:0], '1')
		d.Exp++
	}
	d.normalise()
	return true
}

// Append writes the number without exponent: in time linear in the digits and in
// Exp, so that the caller asks TooWide before.
func (d Decimal) Append(dst []byte) []byte {
	if len(d.Digits) == 0 {
		return append(dst, '0')
	}
	if d.Negative {
		dst = append(dst, '-')
	}
	if d.Exp <= 0 {
		dst = append(dst, '0', '.')
		for range -d.Exp {
			dst = append(dst, '0')
		}
		return append(dst, d.Digits...)
	}
	for i := range max(d.Exp, len(d.Digits)) {
		switch {
		case i >= len(d.Digits):
			dst = append(dst, '0')
			continue
		case i == d.Exp:
			dst = append(dst, '.')
		}
		dst = append(dst, d.Digits[i])
	}
	return dst
}
