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
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// A Request is one HTTP request as API Gateway hands it over. It and its Body
// are valid until the next Decode of the Decoder that returned it; Body may
// also alias the raw event.
type Request struct {
	Method string // POST, GET
	Path   string // without the stage: /push
	Body   []byte // plain bytes, nil when there is none

	header, headers fields // headers, multiValueHeaders
	query, queries  fields // queryStringParameters, multiValueQueryStringParameters
	authorizer      []byte // requestContext.authorizer, an object; nil without one
}

// Verified is what a Lambda authorizer said of who calls, by name, "" where none did.
// It stands in the event beside the request, where nobody but the gateway writes.
func (r *Request) Verified(name string) string {
	return rawjson.Scalar(rawjson.Get(r.authorizer, name))
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
// valid. Errors are *row.Refusal, of kind Mistake for a broken event and TooLarge
// for a body that inflates beyond MaxBody.
func Decode(raw []byte) (Request, error) { return new(Decoder).Decode(raw) }

// Decode reads one event, as the function of that name does.
func (d *Decoder) Decode(raw []byte) (Request, error) {
	e, err := d.envelope(raw)
	if err != nil {
		return Request{}, &row.Refusal{Message: "the event is not an API Gateway proxy request: " + err.Error(), Err: err}
	}
	if e.request.Method == "" {
		return Request{}, &row.Refusal{Message: "the event is not an API Gateway proxy request: httpMethod is missing; " +
			"call this function through a REST API with Lambda proxy integration"}
	}
	body, err := d.body(e)
	if err != nil {
		return Request{}, err
	}
	e.request.Body = body
	return e.request, nil
}

// Wire is the request as a protocol reads it.
func (r *Request) Wire() wire.Request {
	return wire.Request{Method: r.Method, Path: r.Path, Header: r.Header, Body: r.Body, Verified: r.Verified}
}

// Encode writes the proxy response. Headers are sorted, so that equal responses
// are equal bytes.
func Encode(r wire.Response) []byte {
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
		b = rawjson.AppendQuote(b, name)
		b = append(b, ':')
		b = rawjson.AppendQuote(b, r.Headers[name])
	}
	b = append(b, `},"body":`...)
	b = rawjson.AppendQuote(b, r.Body)
	return append(b, `,"isBase64Encoded":false}`...)
}
