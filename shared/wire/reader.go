package wire

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
)

// space goes to the next byte that is no white space; 0 is the end.
func (r *reader) space() byte {
	if r.at < len(r.body) && r.body[r.at] > ' ' {
		return r.body[r.at]
	}
	if r.at = rawjson.Space(r.body, r.at); r.at >= len(r.body) {
		return 0
	}
	return r.body[r.at]
}

// step takes the byte c, or says what is wrong with what stands there.
func (r *reader) step(c byte) error {
	if r.space() != c {
		return r.broken(r.at)
	}
	r.at++
	return nil
}

// broken refuses a request whose JSON is wrong at a place.
func (r *reader) broken(at int) error {
	if at >= len(r.body) {
		return row.Refuse("the request's body ends in the middle; send %s", r.Form)
	}
	return row.Refuse("the request's body is not JSON (byte %d); send %s", at, r.Form)
}

// other refuses a value of another kind than the one that belongs there.
func (r *reader) other(what string) error {
	r.space()
	if r.at >= len(r.body) {
		return r.broken(r.at)
	}
	k := jsontext.Value(r.body[r.at:]).Kind()
	if k == 0 || k == ']' || k == '}' {
		return r.broken(r.at)
	}
	return row.Refuse("%s is %s; send %s", what, kindName(k), r.Form)
}

// name reads a key of the top level and its colon.
func (r *reader) name() (string, error) {
	if r.space() != '"' {
		return "", r.broken(r.at)
	}
	end := rawjson.StringEnd(r.body, r.at)
	if end < 0 {
		return "", r.broken(len(r.body))
	}
	quoted := r.body[r.at:end]
	name, ok := rawjson.Text(quoted)
	if !ok && !utf8.Valid(quoted) {
		return "", row.Refuse("a key of the request's body is broken UTF-8 (byte %d)", r.at)
	}
	if !ok {
		return "", r.broken(r.at)
	}
	r.at = end
	return name, r.step(':')
}

// value reads a value, which starts right here.
func (r *reader) value() (jsontext.Value, *row.Fault, error) {
	start := r.at
	v, end, fault := r.scan.Value(start)
	switch {
	case end < 0 && start < len(r.body) && bytes.IndexByte([]byte(",:]}"), r.body[start]) >= 0:
		return nil, nil, r.broken(start)
	case end < 0:
		return nil, nil, r.broken(len(r.body))
	case fault != nil && fault.Rule == InvalidJSON:
		return nil, nil, r.broken(start)
	}
	r.at = end
	return v, fault, nil
}

// number reads a row's number. Nothing above 2^31 is one: a request is 10 MB.
func (r *reader) number() (int, error) {
	if c := r.space(); c == ']' {
		return 0, row.Refuse("row %d of the request has no number: it is empty", r.rows)
	} else if c != '-' && (c < '0' || c > '9') {
		return 0, r.other(fmt.Sprintf("row %d of the request has no number: its first element", r.rows))
	}
	v, fault, err := r.value()
	if err != nil {
		return 0, err
	}
	n := 0
	for _, c := range v {
		if c < '0' || c > '9' || n > 1<<31/10 {
			fault = &row.Fault{}
			break
		}
		n = n*10 + int(c-'0')
	}
	if fault != nil || n >= 1<<31 {
		return 0, row.Refuse("row %d of the request has a number that is none; it must be an integer from 0 on", r.rows)
	}
	return n, nil
}
