package records

import (
	"bytes"
	"cmp"
	"strconv"
)

// Fit is whether a number can be kept.
type Fit int

// The answers of Round.
const (
	Fits     Fit = iota
	Bad          // not a number
	TooLarge     // more digits before the point than there is room for
)

// Round rounds a decimal half up, away from zero, to scale digits after the point,
// without floats; whole is how many digits it may have before it. A nil result with
// Fits means: keep it as it was sent, which is what happens to every number that
// fits already.
func Round(dst, number []byte, whole, scale int) ([]byte, Fit) {
	negative, digits, point, ok := splitDecimal(number)
	if !ok {
		return nil, Bad
	}
	plain := !bytes.ContainsAny(number, "eE+")
	if len(digits)-point <= scale && plain {
		if point > whole && len(bytes.TrimLeft(digits[:point], "0")) > whole {
			return nil, TooLarge
		}
		return nil, Fits
	}
	for point < 0 || len(digits) < point { // 1e3, 1e-3: write the zeros out
		if point < 0 {
			digits = append([]byte{'0'}, digits...)
			point++
		} else {
			digits = append(digits, '0')
		}
	}
	if cut := point + scale; cut < len(digits) {
		up := digits[cut] >= '5'
		digits = append([]byte{'0'}, digits[:cut]...)
		point++
		for i := len(digits) - 1; up; i-- {
			if digits[i]++; digits[i] <= '9' {
				break
			}
			digits[i] = '0'
		}
	}
	for point > 1 && digits[0] == '0' {
		digits, point = digits[1:], point-1
	}
	if point == 0 {
		digits, point = append([]byte{'0'}, digits...), 1
	}
	if point > whole && (point > 1 || digits[0] != '0') {
		return nil, TooLarge
	}
	if negative && len(bytes.Trim(digits, "0")) > 0 {
		dst = append(dst, '-')
	}
	dst = append(dst, digits[:point]...)
	if point < len(digits) {
		dst = append(append(dst, '.'), digits[point:]...)
	}
	return dst, Fits
}

// FitsPlainly reports whether a number has no exponent and few enough digits to be
// kept as it is: the common case, without an allocation.
func FitsPlainly(b []byte, whole, scale int) bool {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	before, after, seen := 0, 0, false
	for _, c := range b {
		switch {
		case '0' <= c && c <= '9' && seen:
			after++
		case '0' <= c && c <= '9':
			before++
		case c == '.' && !seen:
			seen = true
		default:
			return false
		}
	}
	return before > 0 && before <= max(whole, 1) && after <= scale && (!seen || after > 0) && (whole > 0 || b[0] == '0')
}

// splitDecimal reads sign, digits without the point, and where the point stands,
// the exponent applied.
func splitDecimal(b []byte) (negative bool, digits []byte, point int, ok bool) {
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		negative = b[0] == '-'
		b = b[1:]
	}
	exponent := 0
	if e := bytes.IndexAny(b, "eE"); e >= 0 {
		n, err := strconv.Atoi(string(b[e+1:]))
		if err != nil || n > 400 || n < -400 {
			return false, nil, 0, false
		}
		exponent, b = n, b[:e]
	}
	var buf [40]byte
	digits, point = buf[:0], -1
	for _, c := range b {
		switch {
		case '0' <= c && c <= '9':
			digits = append(digits, c)
		case c == '.' && point < 0:
			point = len(digits)
		default:
			return false, nil, 0, false
		}
	}
	if point < 0 {
		point = len(digits)
	}
	return negative, digits, point + exponent, len(digits) > 0
}

// AppendCanonical appends a decimal's shortest form, so that 85 equals 85.0; ok is
// false for what is no number.
func AppendCanonical(dst, b []byte) (out []byte, ok bool) {
	negative, digits, point, ok := splitDecimal(b)
	if !ok {
		return dst, false
	}
	for len(digits) > 0 && digits[0] == '0' {
		digits, point = digits[1:], point-1
	}
	digits = bytes.TrimRight(digits, "0")
	if len(digits) == 0 {
		return append(dst, '0'), true
	}
	if negative {
		dst = append(dst, '-')
	}
	if point <= 0 {
		dst = append(dst, "0."...)
		for ; point < 0; point++ {
			dst = append(dst, '0')
		}
		return append(dst, digits...), true
	}
	dst = append(dst, digits[:min(point, len(digits))]...)
	for n := len(digits); n < point; n++ {
		dst = append(dst, '0')
	}
	if point < len(digits) {
		dst = append(append(dst, '.'), digits[point:]...)
	}
	return dst, true
}

// compareDecimals orders two canonical decimals.
func compareDecimals(a, b []byte) int {
	negA, negB := len(a) > 0 && a[0] == '-', len(b) > 0 && b[0] == '-'
	switch {
	case negA && negB:
		return compareDecimals(b[1:], a[1:])
	case negA:
		return -1
	case negB:
		return 1
	}
	wholeA, _, _ := bytes.Cut(a, []byte("."))
	wholeB, _, _ := bytes.Cut(b, []byte("."))
	if n := cmp.Compare(len(wholeA), len(wholeB)); n != 0 {
		return n
	}
	return bytes.Compare(a, b)
}
