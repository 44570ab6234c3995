// Package gateway reads and writes Amazon API Gateway's REST proxy events, the
// JSON that a Lambda behind a Regional REST API gets and must answer with. Its
// job ends at the body: unquoted, decoded and inflated bytes in, a response out.
// It knows no warehouse, routes nothing and checks no signature (API Gateway's
// AWS_IAM and resource policy did).
//
// Format: AWS documentation, "Set up Lambda proxy integrations in API Gateway",
// input and output format.
package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// An Error is a request that cannot be read, with the HTTP status to refuse it
// by: 400 for a broken one, 413 for one that inflates beyond MaxBody.
type Error struct {
	Status  int
	Message string // what is wrong and how to mend it; holds nothing of the body
	Err     error  // the cause, or nil
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// A Request is one HTTP request as API Gateway hands it over. It and its Body
// are valid until the next Decode of the Decoder that returned it; Body may
// also alias the raw event.
type Request struct {
	Method string // POST, GET
	Path   string // without the stage: /push
	Body   []byte // plain bytes, nil when there is none

	header, headers fields // headers, multiValueHeaders
	query, queries  fields // queryStringParameters, multiValueQueryStringParameters
}

// Header is the value of a header whose name matches regardless of case, ""
// when it is absent.
func (r *Request) Header(name string) string {
	if v, ok := r.header.get(name, strings.EqualFold); ok {
		return v
	}
	v, _ := r.headers.get(name, strings.EqualFold)
	return v
}

// Query is the value of a query parameter, "" when it is absent. Names are
// case-sensitive.
func (r *Request) Query(name string) string {
	same := func(a, b string) bool { return a == b }
	if v, ok := r.query.get(name, same); ok {
		return v
	}
	v, _ := r.queries.get(name, same)
	return v
}

// A Decoder reads events and keeps its buffers from one to the next. The zero
// value is ready. Not safe for concurrent use.
type Decoder struct {
	dec      jsontext.Decoder
	src      bytes.Buffer // what dec reads
	rest     []byte       // the event without its body
	text     []byte       // names and values of headers and parameters
	unquoted []byte       // the body without its JSON escapes
	decoded  []byte       // the body without base64
	inflate  inflater
}

// Decode reads one event with buffers of its own, so that the request stays
// valid. Errors are *Error.
func Decode(raw []byte) (Request, error) { return new(Decoder).Decode(raw) }

// Decode reads one event. Errors are *Error.
func (d *Decoder) Decode(raw []byte) (Request, error) {
	e, err := d.envelope(raw)
	if err != nil {
		return Request{}, &Error{Status: 400, Message: "the event is not an API Gateway proxy request", Err: err}
	}
	if e.request.Method == "" {
		return Request{}, &Error{Status: 400, Message: "the event is not an API Gateway proxy request: httpMethod is missing; " +
			"call this function through a REST API with Lambda proxy integration"}
	}
	body, err := d.body(e)
	if err != nil {
		return Request{}, err
	}
	e.request.Body = body
	return e.request, nil
}

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
	if end := stretch(s); end < len(s) && s[end] == '"' {
		if !utf8.Valid(s[:end]) {
			return nil, 0, errUTF8
		}
		return s[:end:end], end + 1, nil
	}
	d.unquoted, n, err = unquote(d.unquoted[:0], s)
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

// A fields list holds names and values as spans of one string, so that a
// request costs a few allocations however many headers it carries.
type fields struct {
	text string
	cuts []cut
}

// A cut is text[start:mid] for the name and text[mid:end] for the value.
type cut struct{ start, mid, end int }

func (f *fields) get(name string, same func(a, b string) bool) (string, bool) {
	for _, c := range f.cuts {
		if same(f.text[c.start:c.mid], name) {
			return f.text[c.mid:c.end], true
		}
	}
	return "", false
}

// fields reads {"name": "value"} or {"name": ["value", ...]}, of which the first
// value counts; null and other shapes are passed over.
func (d *Decoder) fields(dec *jsontext.Decoder, f *fields) error {
	if dec.PeekKind() != '{' {
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	f.cuts = make([]cut, 0, 24)
	for dec.PeekKind() == '"' {
		name, err := dec.ReadValue()
		if err != nil {
			return err
		}
		c := cut{start: len(d.text)}
		if d.text, err = jsontext.AppendUnquote(d.text, name); err != nil {
			return err
		}
		c.mid = len(d.text)
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if value = first(value); value.Kind() != '"' {
			continue
		}
		if d.text, err = jsontext.AppendUnquote(d.text, value); err != nil {
			return err
		}
		c.end = len(d.text)
		f.cuts = append(f.cuts, c)
	}
	_, err := dec.ReadToken()
	return err
}

// first is the first element of an array, or the value itself.
func first(v jsontext.Value) jsontext.Value {
	if v.Kind() != '[' {
		return v
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(v[1:]))
	if k := dec.PeekKind(); k != '"' {
		return jsontext.Value("null")
	}
	s, err := dec.ReadValue()
	if err != nil {
		return jsontext.Value("null")
	}
	return s
}

// A Response is what the function answers.
type Response struct {
	Status  int
	Headers map[string]string
	Body    []byte // UTF-8 text
}

// Encode writes the proxy response. Headers are sorted, so that equal responses
// are equal bytes.
func Encode(r Response) []byte {
	b := make([]byte, 0, 256+len(r.Body)+len(r.Body)/4)
	b = append(b, `{"statusCode":`...)
	b = strconv.AppendInt(b, int64(r.Status), 10)
	b = append(b, `,"headers":{`...)
	names := make([]string, 0, len(r.Headers))
	for name := range r.Headers {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuote(b, name)
		b = append(b, ':')
		b = appendQuote(b, r.Headers[name])
	}
	b = append(b, `},"body":`...)
	b = appendQuote(b, r.Body)
	return append(b, `,"isBase64Encoded":false}`...)
}
