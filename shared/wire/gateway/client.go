package gateway

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/wire"
)

// MaxEvent is how many bytes of JSON a function takes and answers at most, body,
// headers and quotes included (AWS documentation, "Lambda quotas": invocation
// payload, synchronous).
const MaxEvent = 6 << 20

// EventSize is how many bytes the proxy event of a request has where the API hands
// every body over in base64, as template.yaml asks for (BinaryMediaTypes */*):
// four for three of the body, as it was sent.
func EventSize(method, path string, header http.Header, query url.Values, body int) int {
	return len(EncodeRequest(method, path, header, query, nil)) + base64.StdEncoding.EncodedLen(body)
}

// EncodeRequest writes the proxy event of an HTTP request, as API Gateway does:
// for a local gateway and for tests. A body that is no UTF-8 text goes as
// base64. Names are sorted; of several values the last one is the single value.
func EncodeRequest(method, path string, header http.Header, query url.Values, body []byte) []byte {
	return AppendRequest(nil, method, path, header, query, body)
}

// AppendRequest is EncodeRequest into memory that is used again.
func AppendRequest(b []byte, method, path string, header http.Header, query url.Values, body []byte) []byte {
	b = slices.Grow(b, 2048+len(body)+len(body)/2)
	b = append(b, `{"resource":"/{proxy+}","path":`...)
	b = rawjson.AppendQuote(b, path)
	b = append(b, `,"httpMethod":`...)
	b = rawjson.AppendQuote(b, method)
	b = appendFields(append(b, `,"headers":`...), header, false)
	b = appendFields(append(b, `,"multiValueHeaders":`...), header, true)
	b = appendFields(append(b, `,"queryStringParameters":`...), query, false)
	b = appendFields(append(b, `,"multiValueQueryStringParameters":`...), query, true)
	b = append(b, `,"pathParameters":null,"stageVariables":null,"requestContext":{"stage":"local","httpMethod":`...)
	b = rawjson.AppendQuote(b, method)
	b = append(b, `,"path":`...)
	b = rawjson.AppendQuote(b, path)
	b = append(b, `},"body":`...)
	switch {
	case len(body) == 0:
		return append(b, `null,"isBase64Encoded":false}`...)
	case utf8.Valid(body):
		b = rawjson.AppendQuote(b, body)
		return append(b, `,"isBase64Encoded":false}`...)
	}
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, body)
	return append(b, `","isBase64Encoded":true}`...)
}

// WithVerified is the event of a request of which a Lambda authorizer has said this, by
// name and value in turn, as API Gateway hands on an authorizer's context.
func WithVerified(event []byte, said ...string) []byte {
	const at = `"requestContext":{`
	i := bytes.Index(event, []byte(at)) + len(at)
	o := []byte(`"authorizer":{`)
	for n := 0; n+1 < len(said); n += 2 {
		o = rawjson.AppendMember(o, said[n], said[n+1])
	}
	return slices.Concat(event[:i], append(o, "},"...), event[i:])
}

// appendFields appends names with their last value, or with all of them; null
// when there are none, as API Gateway does.
func appendFields(b []byte, values map[string][]string, all bool) []byte {
	if len(values) == 0 {
		return append(b, "null"...)
	}
	b = append(b, '{')
	for _, name := range slices.Sorted(maps.Keys(values)) {
		vs := values[name]
		if len(vs) == 0 {
			continue
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(rawjson.AppendQuote(b, name), ':')
		if !all {
			b = rawjson.AppendQuote(b, vs[len(vs)-1])
			continue
		}
		b = append(b, '[')
		for i, v := range vs {
			if i > 0 {
				b = append(b, ',')
			}
			b = rawjson.AppendQuote(b, v)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// DecodeResponse reads a proxy response: the other side of Encode, with base64
// bodies decoded. API Gateway answers 502 where this returns an error.
func DecodeResponse(raw []byte) (wire.Response, error) {
	r := wire.Response{Headers: map[string]string{}}
	var body []byte
	var encoded bool
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if tok, err := dec.ReadToken(); err != nil {
		return r, fmt.Errorf("read proxy response: %w", err)
	} else if tok.Kind() != '{' {
		return r, fmt.Errorf("read proxy response: want an object, got %s", tok.Kind())
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return r, fmt.Errorf("read proxy response: %w", err)
		}
		key := name.String()
		value, err := dec.ReadValue()
		if err == nil {
			switch key {
			case "statusCode":
				r.Status, err = strconv.Atoi(string(value))
			case "headers":
				err = decodeHeaders(value, r.Headers)
			case "body":
				if value.Kind() == '"' {
					body, _, err = rawjson.AppendUnquote(make([]byte, 0, len(value)), value[1:])
				}
			case "isBase64Encoded":
				encoded = value.Kind() == 't'
			}
		}
		if err != nil {
			return r, fmt.Errorf("read proxy response: %s: %w", key, err)
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return r, fmt.Errorf("read proxy response: %w", err)
	}
	if r.Status < 100 || r.Status > 999 {
		return r, fmt.Errorf("read proxy response: statusCode %d is no HTTP status", r.Status)
	}
	if encoded {
		plain, err := base64.StdEncoding.AppendDecode(nil, body)
		if err != nil {
			return r, fmt.Errorf("read proxy response: body: %w", err)
		}
		body = plain
	}
	r.Body = body
	return r, nil
}

func decodeHeaders(v jsontext.Value, into map[string]string) error {
	if v.Kind() != '{' {
		return nil
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(v))
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() == '"' {
		name, err := readString(dec, "header")
		if err != nil {
			return err
		}
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		switch value.Kind() {
		case '"':
			text, err := jsontext.AppendUnquote(nil, value)
			if err != nil {
				return err
			}
			into[name] = string(text)
		case '0': // API Gateway takes numbers, too
			into[name] = string(value)
		}
	}
	_, err := dec.ReadToken()
	return err
}
