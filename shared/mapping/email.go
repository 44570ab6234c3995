package mapping

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// emailAt is the position of the @ in an address, -1 when s is none. The shape
// is [A-Za-z0-9._%+'-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}: what people's mailboxes
// look like, apostrophe included, not all that RFC 5322 allows. Empty labels in
// the domain are refused too.
func emailAt(s []byte) int {
	at := 0
	for at < len(s) && kinds[s[at]]&inLocal != 0 {
		at++
	}
	if at == 0 || at == len(s) || s[at] != '@' || !hostShape(s[at+1:], inHost) {
		return -1
	}
	return at
}

// hostShape reports whether s has at least two labels of the kinds allowed, the
// last of two or more letters (or punycode).
func hostShape(s []byte, allowed kind) bool {
	label, letters := 0, true // where the current label starts, and whether it is letters only
	for i, c := range s {
		k := kinds[c]
		switch {
		case c == '.':
			if i == label {
				return false
			}
			label, letters = i+1, true
		case k&allowed == 0:
			return false
		case k&letter == 0:
			letters = false
		}
	}
	top := s[label:]
	return label > 0 && len(s) <= 253 && len(top) >= 2 && (letters || bytes.HasPrefix(top, []byte("xn--")))
}

// kind says where a byte may stand.
type kind uint8

const (
	letter  kind = 1 << iota // in a top-level domain
	inHost                   // in a domain
	inLocal                  // before the @
	foreign                  // part of a letter beyond ASCII: people write Websites with internationalised names
)

var kinds = func() (k [256]kind) {
	for c := range 256 {
		switch c := byte(c); {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			k[c] = letter | inHost | inLocal
		case c >= '0' && c <= '9', c == '-':
			k[c] = inHost | inLocal
		case c == '.':
			k[c] = inHost | inLocal
		case bytes.IndexByte([]byte("_%+'"), c) >= 0:
			k[c] = inLocal
		case c >= utf8.RuneSelf:
			k[c] = letter | foreign
		}
	}
	return k
}()

// Domain is the normalised domain of an email address, a URL or a host name:
// lower case, without scheme, user, www., port, path and trailing dot. It is ""
// when s is none of these; IP addresses and single labels have no domain.
func Domain(s string) string {
	d, _ := appendDomain(nil, []byte(s))
	return string(d)
}

// appendDomain appends the domain of s, or nothing and false.
func appendDomain(dst, s []byte) ([]byte, bool) {
	host, ok := hostOf(bytes.TrimSpace(s))
	if !ok {
		return dst, false
	}
	start := len(dst)
	if touches(host, utf8.RuneSelf, 255) {
		for _, r := range string(host) {
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
	} else {
		dst = appendLower(dst, host)
	}
	host = dst[start:]
	for {
		short, ok := bytes.CutPrefix(host, []byte("www."))
		if !ok || bytes.IndexByte(short, '.') < 0 { // www.com is a domain of its own
			break
		}
		host = host[:copy(host, short)]
	}
	if !hostShape(host, inHost|foreign) {
		return dst[:start], false
	}
	return dst[:start+len(host)], true
}

// hostOf cuts scheme, path, user, port and trailing dot off.
func hostOf(s []byte) ([]byte, bool) {
	url := false
	if i := bytes.IndexByte(s, '/'); i >= 0 && (i == 0 || s[i-1] == ':') && bytes.HasPrefix(s[i:], []byte("//")) {
		s, url = s[i+2:], true
	}
	at, colon, end := -1, -1, len(s)
	for i := 0; i < end; i++ {
		switch s[i] {
		case '/', '?', '#':
			end = i
		case '@':
			at, colon = i, -1
		case ':':
			colon = i
		}
	}
	s = s[:end]
	if at >= 0 && !url && !localShape(s[:at]) {
		return nil, false
	}
	if colon >= 0 && allDigits(s[colon+1:]) {
		s = s[:colon]
	}
	return bytes.TrimSuffix(s[at+1:], []byte(".")), true
}

// localShape reports whether s may stand before the @: it is not held to
// emailAt's letters, as only the domain is used.
func localShape(s []byte) bool {
	for _, c := range s {
		if c <= ' ' || c == '@' {
			return false
		}
	}
	return len(s) > 0
}

func allDigits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
