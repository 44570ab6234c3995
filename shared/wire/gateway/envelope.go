package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
)

// An envelope is the event without its body.
type envelope struct {
	request Request
	body    []byte // still base64 or compressed, nil when absent or null
	base64  bool
}

func (d *Decoder) envelope(raw []byte) (envelope, error) {
	body, rest, err := d.split(raw)
	if err != nil {
		return envelope{}, err
	}
	e := envelope{body: body}
	d.text = d.text[:0]
	dec := d.reader(rest)
	if tok, err := dec.ReadToken(); err != nil {
		return e, err
	} else if tok.Kind() != '{' {
		return e, fmt.Errorf("want an object, got %s", tok.Kind())
	}
	for dec.PeekKind() == '"' {
		name, err := d.name(dec)
		if err != nil {
			return e, err
		}
		if err := d.member(dec, name, &e); err != nil {
			return e, err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return e, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return e, errors.Join(errors.New("data after the event"), err)
	}
	text := string(d.text)
	for _, f := range []*fields{&e.request.header, &e.request.headers, &e.request.query, &e.request.queries} {
		f.text = text
	}
	return e, nil
}

// reader is the decoder, pointed at b.
func (d *Decoder) reader(b []byte) *jsontext.Decoder {
	d.src = *bytes.NewBuffer(b)
	d.dec.Reset(&d.src)
	return &d.dec
}

// name reads an object's key, as a span that is valid for now.
func (d *Decoder) name(dec *jsontext.Decoder) ([]byte, error) {
	v, err := dec.ReadValue()
	if err != nil {
		return nil, err
	}
	if bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1], nil
	}
	return jsontext.AppendUnquote(nil, v)
}

// split takes the body out of the event: its text, and the event with null in
// its place, so that megabytes are read once. Only what stands before the body is
// checked here; the rest is a complete event again and is checked by its reader.
func (d *Decoder) split(raw []byte) (body, rest []byte, err error) {
	dec := d.reader(raw)
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return nil, raw, nil // the reader of rest says what is wrong
	}
	for dec.PeekKind() == '"' {
		name, err := d.name(dec)
		if err != nil {
			return nil, raw, nil
		}
		if string(name) != "body" || dec.PeekKind() != '"' {
			if dec.SkipValue() != nil {
				return nil, raw, nil
			}
			continue
		}
		at := int(dec.InputOffset())
		at += bytes.IndexByte(raw[at:], '"') + 1 // past colon and spaces: a string follows
		n := 0
		if body, n, err = d.quoted(raw[at:]); err != nil {
			return nil, nil, fmt.Errorf("body: %w", err)
		}
		d.rest = append(append(append(d.rest[:0], raw[:at-1]...), "null"...), raw[at+n:]...)
		return body, d.rest, nil
	}
	return nil, raw, nil
}

// quoted is the text of a JSON string without its opening quote: a part of s
// where nothing is escaped (base64), so that it is not copied.
func (d *Decoder) quoted(s []byte) (text []byte, n int, err error) {
	if end := rawjson.Plain(s); end < len(s) && s[end] == '"' {
		if !utf8.Valid(s[:end]) {
			return nil, 0, rawjson.ErrUTF8
		}
		return s[:end:end], end + 1, nil
	}
	d.unquoted, n, err = rawjson.AppendUnquote(d.unquoted[:0], s)
	return d.unquoted, n, err
}

// member reads the value of one member of the event.
func (d *Decoder) member(dec *jsontext.Decoder, name []byte, e *envelope) error {
	r := &e.request
	var err error
	switch string(name) {
	case "httpMethod":
		r.Method, err = readString(dec, "httpMethod")
	case "path":
		r.Path, err = readString(dec, "path")
	case "headers":
		err = d.fields(dec, &r.header)
	case "multiValueHeaders":
		err = d.fields(dec, &r.headers)
	case "queryStringParameters":
		err = d.fields(dec, &r.query)
	case "multiValueQueryStringParameters":
		err = d.fields(dec, &r.queries)
	case "body":
		// A string was split off, and null put in its place.
		if k := dec.PeekKind(); k != 'n' && k != 0 {
			return fmt.Errorf("body: want a string, got %s", k)
		}
		err = dec.SkipValue()
	case "requestContext":
		var v jsontext.Value
		if v, err = dec.ReadValue(); err == nil {
			r.authorizer = bytes.Clone(rawjson.Get(v, "authorizer"))
		}
	case "isBase64Encoded":
		var tok jsontext.Token
		if tok, err = dec.ReadToken(); err == nil {
			e.base64 = tok.Kind() == 't'
		}
	default:
		err = dec.SkipValue()
	}
	return err
}

func readString(dec *jsontext.Decoder, name string) (string, error) {
	tok, err := dec.ReadToken()
	if err != nil {
		return "", err
	}
	if tok.Kind() != '"' {
		return "", fmt.Errorf("%s: want a string, got %s", name, tok.Kind())
	}
	return tok.String(), nil
}
