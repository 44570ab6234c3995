package wire

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
)

// A Scanner reads the values of a request's body, each checked as strictly as
// jsontext does. A value at fault does not end the reading: the one after it is
// read as if nothing were.
type Scanner struct {
	body  []byte
	clean bool // the body is UTF-8
	check rawjson.Checker
}

// Scan reads a body.
func Scan(body []byte) *Scanner { return &Scanner{body: body, clean: utf8.Valid(body)} }

// Value reads the value that starts at i: a span of the body, or beside a fault
// what can be stored of it. end is the index after it, -1 when the body ends
// within it. Of a fault InvalidJSON nobody knows where the value really ends: the
// request as a whole is no JSON.
func (s *Scanner) Value(i int) (v jsontext.Value, end int, fault *row.Fault) {
	if end = s.check.Value(s.body, i); end >= 0 && (s.clean || utf8.Valid(s.body[i:end])) {
		return s.body[i:end:end], end, nil
	}
	end, deepest := rawjson.Extent(s.body, i)
	if end < 0 {
		return nil, -1, invalid("")
	}
	v, fault = mend(s.body[i:end:end], deepest)
	if fault == nil && v.Kind() == '{' {
		s.check.Learn(v)
	}
	return v, end, fault
}

// object is the JSON object that an argument holds, as raw JSON or as text in a
// JSON string; the text is checked as strictly as the argument was. Beside a
// fault it is what can be stored, or nil.
func (s *Scanner) object(v jsontext.Value) (jsontext.Value, *row.Fault) {
	switch v.Kind() {
	case '{':
		return v, nil
	case '"':
	default:
		return nil, notAnObject(v)
	}
	text, _, err := rawjson.AppendUnquote(make([]byte, 0, len(v)+8), v[1:])
	if err != nil {
		return nil, flaw(v)
	}
	text = bytes.TrimSpace(text)
	if jsontext.Value(text).Kind() != '{' {
		return nil, notAnObject(v)
	}
	// The text has a Scanner's checks, but no neighbours: all of it is the value.
	inner := Scanner{body: text, clean: true, check: s.check}
	read, end, fault := inner.Value(0)
	s.check = inner.check
	switch {
	case end < 0 || fault != nil && fault.Rule == InvalidJSON:
		return nil, fault
	case end != len(text):
		return nil, invalid("")
	}
	return read, fault
}
