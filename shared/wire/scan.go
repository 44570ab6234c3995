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

	unfolds bool // objects may come as their text, in strings
	fold    rawjson.Unfolder
	learnt  int
	objects []byte // those that were unfolded
}

// Scan reads a body.
func Scan(body []byte) *Scanner { return &Scanner{body: body, clean: utf8.Valid(body)} }

// Unfold lets Value read the object that a string holds in the string's place, where
// that is certain: for callers without objects. No other argument may begin with {.
func (s *Scanner) Unfold() { s.unfolds = true }

// maxLearnt is how many rows an Unfolder is taught by: of rows that it cannot read
// it would be taught in vain.
const maxLearnt = 8

// unfolded is the object that the string at i holds, and the index after it; -1 when
// it is to be read as a string.
func (s *Scanner) unfolded(i int) (jsontext.Value, int) {
	if i+1 >= len(s.body) || s.body[i] != '"' || s.body[i+1] != '{' || s.learnt == 0 {
		return nil, -1
	}
	if s.objects == nil {
		s.objects = make([]byte, 0, len(s.body)-i+8)
	}
	from := len(s.objects)
	objects, end := s.fold.Object(s.objects, s.body, i)
	if end < 0 || !s.clean && !utf8.Valid(s.body[i:end]) {
		return nil, -1
	}
	s.objects = objects
	return s.objects[from:len(s.objects):len(s.objects)], end
}

// Value reads the value that starts at i: a span of the body, or beside a fault
// what can be stored of it. end is the index after it, -1 when the body ends
// within it. Of a fault InvalidJSON nobody knows where the value really ends: the
// request as a whole is no JSON.
func (s *Scanner) Value(i int) (v jsontext.Value, end int, fault *row.Fault) {
	if s.unfolds {
		if v, end = s.unfolded(i); end >= 0 {
			return v, end, nil
		}
	}
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
	if s.unfolds && fault == nil && s.learnt < maxLearnt {
		s.learnt++
		s.fold.Learn(read)
	}
	return read, fault
}
