// Package address reads email addresses and the domains in addresses and URLs, by
// the standards' rules: RFC 5321 and 5322 for what stands before the @, RFC 1123
// and UTS 46 for what stands behind it. It knows neither vendors nor providers.
package address

import "bytes"

// The longest parts, in bytes: RFC 5321, 4.5.3.1, with the erratum that makes a
// path of 256 an address of 254; labels and names are RFC 1035's.
const (
	maxAddress = 254
	maxLocal   = 64
	maxHost    = 253
	maxLabel   = 63
)

// At is the position of the @ in an address, or -1 when no local part that the
// standard allows stands before one: atoms with single dots between them, or a
// quoted text. Letters beyond ASCII are in no local part: hardly a vendor takes them.
func At(s []byte) int {
	end := 0
	if len(s) > 0 && s[0] == '"' {
		end = quotedEnd(s)
	} else {
		end = atomsEnd(s)
	}
	if end < 1 || end > maxLocal || end == len(s) || s[end] != '@' {
		return -1
	}
	return end
}

// atomsEnd is the end of the dot-atom at the beginning of s, 0 for none.
func atomsEnd(s []byte) int {
	dot := true // so that none stands at the start
	i := 0
	for ; i < len(s) && kinds[s[i]]&inLocal != 0; i++ {
		if s[i] == '.' && dot {
			return 0
		}
		dot = s[i] == '.'
	}
	if dot {
		return 0
	}
	return i
}

// quotedEnd is the end of the quoted text at the beginning of s, 0 for none.
func quotedEnd(s []byte) int {
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			if i == 1 {
				return 0
			}
			return i + 1
		case c < ' ' || c > '~':
			return 0
		case c == '\\':
			if i++; i == len(s) || s[i] < ' ' || s[i] > '~' {
				return 0
			}
		}
	}
	return 0
}

// Append appends an address with its domain in lower case and ASCII, or nothing
// and false when s is no address. Blanks around it are the caller's to take off.
func Append(dst, s []byte) ([]byte, bool) {
	at := At(s)
	if at < 0 {
		return dst, false
	}
	start := len(dst)
	dst = append(dst, s[:at+1]...)
	dst, ok := appendASCII(dst, s[at+1:])
	if !ok || len(dst)-start > maxAddress || !hostShape(dst[start+at+1:]) {
		return dst[:start], false
	}
	return dst, true
}

// Normal reports whether s is an address that Append would leave as it is.
func Normal(s []byte) bool {
	at := At(s)
	return at >= 0 && len(s) <= maxAddress && hostShape(s[at+1:])
}

// hostShape reports whether s is a domain in lower case and ASCII: at least two
// labels of 1 to 63 letters, digits and inner hyphens, the last of two or more
// letters (or an internationalised one): there is no other top-level domain.
func hostShape(s []byte) bool {
	label, letters := 0, true // where the current label starts, and whether it is letters only
	for i, c := range s {
		switch k := kinds[c]; {
		case c == '.':
			if !labelShape(s[label:i]) {
				return false
			}
			label, letters = i+1, true
		case k&inHost == 0:
			return false
		case k&letter == 0:
			letters = false
		}
	}
	top := s[label:]
	return label > 0 && len(s) <= maxHost && labelShape(top) && len(top) >= 2 && (letters || bytes.HasPrefix(top, []byte("xn--")))
}

func labelShape(s []byte) bool {
	return len(s) > 0 && len(s) <= maxLabel && s[0] != '-' && s[len(s)-1] != '-'
}

// kind says where a byte may stand.
type kind uint8

const (
	letter  kind = 1 << iota // in a top-level domain
	inHost                   // in a domain in lower case, beside the dots
	inLocal                  // before the @: RFC 5322's atext, and the dot
)

var kinds = func() (k [256]kind) {
	for c := range 256 {
		switch c := byte(c); {
		case c >= 'a' && c <= 'z':
			k[c] = letter | inHost | inLocal
		case c >= 'A' && c <= 'Z':
			k[c] = inLocal
		case c >= '0' && c <= '9', c == '-':
			k[c] = inHost | inLocal
		case bytes.IndexByte([]byte(".!#$%&'*+/=?^_`{|}~"), c) >= 0:
			k[c] = inLocal
		}
	}
	return k
}()
