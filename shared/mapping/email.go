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
	at := bytes.IndexByte(s, '@')
	if at < 1 {
		return -1
	}
	for _, c := range s[:at] {
		if !alphanumeric(c) && bytes.IndexByte([]byte("._%+'-"), c) < 0 {
			return -1
		}
	}
	if !hostShape(s[at+1:]) {
		return -1
	}
	for _, c := range s[at+1:] {
		if c >= utf8.RuneSelf {
			return -1
		}
	}
	return at
}

// hostShape reports whether s has at least two labels of letters, digits and
// hyphens, the last of two or more letters (or punycode). Letters beyond ASCII
// pass: a Website field may hold an internationalised name as people write it.
func hostShape(s []byte) bool {
	dots, label := 0, 0 // label: where the current one starts
	for i, c := range s {
		switch {
		case c == '.':
			if i == label {
				return false
			}
			dots++
			label = i + 1
		case !alphanumeric(c) && c != '-' && c < utf8.RuneSelf:
			return false
		}
	}
	top := s[label:]
	if dots == 0 || len(top) < 2 || len(s) > 253 {
		return false
	}
	if bytes.HasPrefix(top, []byte("xn--")) {
		return true
	}
	for _, c := range top {
		if c < utf8.RuneSelf && (!alphanumeric(c) || c <= '9') {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// Domain is the normalised domain of an email address, a URL or a host name:
// lower case, without scheme, user, www., port, path and trailing dot. It is ""
// when s is none of these; IP addresses and single labels have no domain.
func Domain(s string) string {
	d, _ := appendDomain(nil, []byte(s))
	return string(d)
}

// appendDomain appends the domain of s, or nothing and false.
func appendDomain(dst, s []byte) ([]byte, bool) {
	s = bytes.TrimSpace(s)
	url := false
	if i := bytes.Index(s, []byte("//")); i == 0 || i > 0 && s[i-1] == ':' {
		s, url = s[i+2:], true
	}
	if i := bytes.IndexAny(s, "/?#"); i >= 0 {
		s = s[:i]
	}
	if i := bytes.LastIndexByte(s, '@'); i >= 0 {
		if !url && !localShape(s[:i]) {
			return dst, false
		}
		s = s[i+1:]
	}
	if i := bytes.LastIndexByte(s, ':'); i >= 0 && allDigits(s[i+1:]) {
		s = s[:i]
	}
	s = bytes.TrimSuffix(s, []byte("."))
	start := len(dst)
	for _, r := range string(s) {
		dst = utf8.AppendRune(dst, unicode.ToLower(r))
	}
	host := dst[start:]
	if short, ok := bytes.CutPrefix(host, []byte("www.")); ok && bytes.IndexByte(short, '.') >= 0 {
		host = host[:copy(host, short)]
	}
	if !hostShape(host) {
		return dst[:start], false
	}
	return dst[:start+len(host)], true
}

// localShape reports whether s may stand before the @: it is not held to
// emailAt's letters, as only the domain is used.
func localShape(s []byte) bool {
	return len(s) > 0 && !bytes.ContainsFunc(s, func(r rune) bool {
		return r == '@' || r <= ' ' || unicode.IsSpace(r)
	})
}

func allDigits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
