package mapping

import "bytes"

// A decimal is an exact number: 0.digits × 10^exp. It has neither leading nor
// trailing zeros; no digits is zero.
type decimal struct {
	negative bool
	digits   []byte
	exp      int
}

// maxExponent bounds exponents while they are read: far beyond any number that a
// destination takes, far below what overflows. maxWritten bounds the zeros that
// writing a number out may cost; float64 ends at 10^308.
const (
	maxExponent = 1_000_000_000
	maxWritten  = 400
)

// parseDecimal reads [+-]digits[.digits][e[+-]digits], using scratch for the
// digits and returning it grown. json says that the text is a JSON number as it
// is: without plus sign, leading zero, or point at an end.
func parseDecimal(s, scratch []byte) (d decimal, json bool, grown []byte, ok bool) {
	json, d.digits = true, scratch[:0]
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		d.negative, json = s[i] == '-', s[i] == '-'
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
		d.digits = append(d.digits, s[i])
	}
	grown = d.digits
	d.exp = len(d.digits)
	if d.exp == 0 {
		return d, false, grown, false
	}
	if point >= 0 {
		d.exp = point - first
		json = json && point > first && point < i-1
	}
	json = json && (s[first] != '0' || d.exp == 1)
	if i < len(s) {
		e, ok := parseExponent(s[i:])
		if !ok {
			return d, false, grown, false
		}
		d.exp += e
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
func (d *decimal) normalise() {
	for len(d.digits) > 0 && d.digits[0] == '0' {
		d.digits = d.digits[1:]
		d.exp--
	}
	for n := len(d.digits); n > 0 && d.digits[n-1] == '0'; n-- {
		d.digits = d.digits[:n-1]
	}
	if len(d.digits) == 0 {
		d.negative, d.exp = false, 0
	}
}

// whole reports whether there is no fraction.
func (d decimal) whole() bool { return len(d.digits) <= d.exp || len(d.digits) == 0 }

// compare returns -1, 0 or 1, exactly.
func (d *decimal) compare(e *decimal) int {
	if s, t := d.sign(), e.sign(); s != t || s == 0 {
		return max(-1, min(1, s-t))
	}
	c := 1
	switch {
	case d.exp < e.exp:
		c = -1
	case d.exp == e.exp:
		c = bytes.Compare(d.digits, e.digits)
	}
	if d.negative {
		return -c
	}
	return c
}

func (d *decimal) sign() int {
	switch {
	case len(d.digits) == 0:
		return 0
	case d.negative:
		return -1
	}
	return 1
}

// round keeps scale digits after the point, half going away from zero, and
// reports whether that changed the value. It works in place.
func (d *decimal) round(scale int) bool {
	keep := d.exp + scale
	if len(d.digits) <= keep || len(d.digits) == 0 {
		return false
	}
	if keep < 0 {
		d.digits = d.digits[:0]
		d.normalise()
		return true
	}
	up := d.digits[keep] >= '5'
	d.digits = d.digits[:keep]
	for i := keep - 1; up && i >= 0; i-- {
		if up = d.digits[i] == '9'; up {
			d.digits[i] = '0'
		} else {
			d.digits[i]++
		}
	}
	if up { // all nines, or nothing kept: one digit more in front, and zeros behind
		d.digits = append(d.digits[:0], '1')
		d.exp++
	}
	d.normalise()
	return true
}

// append writes the number without exponent.
func (d decimal) append(dst []byte) []byte {
	if len(d.digits) == 0 {
		return append(dst, '0')
	}
	if d.negative {
		dst = append(dst, '-')
	}
	if d.exp <= 0 {
		dst = append(dst, '0', '.')
		for range -d.exp {
			dst = append(dst, '0')
		}
		return append(dst, d.digits...)
	}
	for i := range max(d.exp, len(d.digits)) {
		switch {
		case i >= len(d.digits):
			dst = append(dst, '0')
			continue
		case i == d.exp:
			dst = append(dst, '.')
		}
		dst = append(dst, d.digits[i])
	}
	return dst
}
