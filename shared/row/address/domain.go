package address

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Domain is AppendDomain's for texts; "" when s has no domain.
func Domain(s string) string {
	d, _ := AppendDomain(nil, []byte(s))
	return string(d)
}

// AppendDomain appends the domain of an email address, a URL or a host name: in
// lower case and ASCII, without scheme, user, www., port, path and trailing dot. It
// appends nothing and reports false when s is none of these; IP addresses and
// single labels have no domain. Where a text can be read as a URL and as an address,
// as acme.com/@name or intranet?user=a@acme.com, it is the URL.
func AppendDomain(dst, s []byte) ([]byte, bool) {
	s = bytes.TrimSpace(s)
	at := At(s)
	if at >= 0 && !urlBefore(s[:at]) { // most are addresses in their normal form
		if host := s[at+1:]; hostShape(host) && !bytes.HasPrefix(host, www) {
			return append(dst, host...), true
		}
	}
	if host, ok := hostOf(s); ok {
		if dst, ok = appendHost(dst, host); ok {
			return dst, true
		}
	}
	if at >= 0 && !urlShape(s[:at]) { // customer/department@acme.com
		return appendHost(dst, s[at+1:])
	}
	return dst, false
}

// urlShape reports whether what stands before an @, an address's local part by the
// standard, looks like a URL whose host has no domain: /path/@name, intranet/@name,
// intranet?user=name, localhost/name, 10.0.0.1/name.
func urlShape(s []byte) bool {
	end := bytes.IndexAny(s, "/?#")
	if end <= 0 {
		return end == 0 && s[0] == '/'
	}
	host := string(s[:end])
	return s[len(s)-1] == '/' || bytes.ContainsAny(s, "?#") || host == "localhost" || strings.Contains(host, ".") && strings.Trim(host, ".0123456789") == ""
}

// appendHost appends a host without www. and trailing dot, in lower case and ASCII.
func appendHost(dst, host []byte) ([]byte, bool) {
	start := len(dst)
	dst, ok := appendASCII(dst, host)
	if !ok {
		return dst[:start], false
	}
	host = bytes.TrimSuffix(dst[start:], []byte("."))
	for {
		short, ok := bytes.CutPrefix(host, www)
		if !ok || bytes.IndexByte(short, '.') < 0 { // www.com is a domain of its own
			break
		}
		host = host[:copy(host, short)]
	}
	if !hostShape(host) {
		return dst[:start], false
	}
	return dst[:start+len(host)], true
}

// urlBefore reports whether an @ stands in a URL's path, query or fragment, as in
// medium.com/@name, which the standard would take for an address.
func urlBefore(s []byte) bool {
	for _, c := range s {
		if c == '/' || c == '?' || c == '#' {
			return s[0] != '"'
		}
	}
	return false
}

var www = []byte("www.")

// Unicode is a domain as people write it, with its xn-- labels decoded: what else
// a lookup must ask for. A domain that has none comes back as it is.
func Unicode(domain string) string {
	if !strings.Contains(domain, "xn--") && hostShape([]byte(domain)) { // nearly all: without a label to decode
		return domain
	}
	if u, err := international.ToUnicode(domain); err == nil {
		return u
	}
	return domain
}

// Spellings are what a vendor that compares letter by letter is asked for to find a
// domain in lower case and ASCII: itself, and where it has xn-- labels as people write
// it, in both Unicode forms.
func Spellings(domain string) []string {
	written := Unicode(domain)
	if written == domain {
		return []string{domain}
	}
	return slices.Compact([]string{domain, written, norm.NFD.String(written)})
}

// Spelled reports whether a host is one of a domain's spellings, in any case.
func Spelled(host, domain []byte) bool { return written(host, domain, bytes.Equal) }

// Named reports whether a text has one of a domain's spellings in it, in any case.
func Named(text, domain []byte) bool { return written(text, domain, bytes.Contains) }

func written(text, domain []byte, has func(text, part []byte) bool) bool {
	if !slices.ContainsFunc(text, func(c byte) bool { return c >= utf8.RuneSelf }) {
		return true // ASCII has no other spelling
	}
	text = bytes.ToLower(text)
	return slices.ContainsFunc(Spellings(string(domain)), func(s string) bool { return has(text, []byte(s)) })
}

// international maps as browsers do (UTS 46, non-transitional: ß stays ß).
var international = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(true))

// appendASCII appends a host in lower case and ASCII; false when a letter beyond
// ASCII cannot be in one, or a byte is no part of a letter. What is ASCII already is
// not judged.
func appendASCII(dst, host []byte) ([]byte, bool) {
	start := len(dst)
	for _, c := range host {
		if c >= utf8.RuneSelf {
			if !utf8.Valid(host) { // it would become the mark for what is unreadable
				return dst[:start], false
			}
			ascii, err := international.ToASCII(string(host))
			return append(dst[:start], ascii...), err == nil
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst, true
}

// hostOf cuts scheme, path, user, port and trailing dot off.
func hostOf(s []byte) ([]byte, bool) {
	url := false
	if i := bytes.IndexByte(s, '/'); i >= 0 && (i == 0 || s[i-1] == ':') && bytes.HasPrefix(s[i:], []byte("//")) {
		s, url = s[i+2:], true
	}
	if len(s) > 0 && s[0] == '"' { // a quoted local part may hold what ends a host
		i := At(s)
		if i < 0 {
			return nil, false
		}
		s, url = s[i+1:], false
		if bytes.IndexByte(s, '@') >= 0 {
			return nil, false
		}
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

// localShape reports whether s may stand before the @: it is not held to At's
// letters, as only the domain is used.
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
