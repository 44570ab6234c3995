package dest

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// CodeUnreadable stands for a vendor's code that is not passed on.
const CodeUnreadable = "unreadable_code"

// The lengths, in bytes, of what is passed on of a vendor's answer. Codes and names
// are of a few dozen; a message is for people, and is stored with every row.
const (
	maxCode    = 80
	maxMessage = 2000
)

// Code is a vendor's error code, or a field's name, as it may be passed on: 1 to 80
// letters, digits and the signs _ . : - of ASCII. Anything else is "", as it may hold
// what was sent (I6).
func Code(s string) string {
	if s == "" || len(s) > maxCode {
		return ""
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '.', c == ':', c == '-':
		default:
			return ""
		}
	}
	return s
}

// ErrorCode is Code for an answer's error, whose code is never absent:
// CodeUnreadable stands for what is not passed on, and "" stays.
func ErrorCode(s string) string {
	if s != "" && Code(s) == "" {
		return CodeUnreadable
	}
	return s
}

// Message is a text for people as it may be passed on: one line of at most 2,000
// bytes without control characters.
func Message(s string) string {
	long := len(s) > maxMessage
	if long {
		end := maxMessage
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029':
			return ' '
		case r == utf8.RuneError:
			return '?'
		}
		return r
	}, s)
	if long {
		s += " …"
	}
	return s
}

// Holds reports whether a text is one of a record's values, in any case: a vendor
// that repeats a value where a code is expected must not make it one (I6).
func (r *Record) Holds(s string) bool {
	if strings.EqualFold(s, r.Key) || strings.EqualFold(s, r.Match) || strings.EqualFold(s, r.RecordID) {
		return s != ""
	}
	holds := func(f Field) bool {
		switch v := f.Value; v.Kind() {
		case '"':
			text, err := jsontext.AppendUnquote(nil, v)
			return err == nil && strings.EqualFold(string(text), s) && s != ""
		case '0':
			return string(v) == s
		}
		return false
	}
	return slices.ContainsFunc(r.Fields, holds) || slices.ContainsFunc(r.Along, holds)
}

// Holds reports whether a text is a value of any record of a call: an answer may put one
// record's value into another's code. A number of three digits is a status, and tells
// nothing of a row.
func (b *Batch) Holds(c Call, s string) bool {
	if len(s) == 3 && strings.Trim(s, "0123456789") == "" {
		return false
	}
	return slices.ContainsFunc(c.Records, func(at int) bool { return b.Records[at].Holds(s) })
}
