package wiretest_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/wiretest"
)

// direct is a made-up caller of another shape than Snowflake, as a reader would
// add one: a function that is invoked directly, without headers, paths and
// statuses. Its rows have no numbers, objects come as text, and failures stand in
// the body; only a failed invocation makes it try again.
var direct = wire.Protocol{Name: "direct", Decode: decodeDirect, Encode: encodeDirect, Refuse: refuseDirect}

func decodeDirect(r wire.Request) (wire.Batch, error) {
	id, _ := rawjson.Text(rawjson.Get(r.Body, "request_id"))
	name, _ := rawjson.Text(rawjson.Get(r.Body, "function"))
	f, known := wire.Lookup(name)
	if !known {
		f, _ = wire.Lookup(wire.Push) // so that a broken body is told as such
	}
	scan := wire.Scan(r.Body)
	rows := wire.NewRows(f, scan)
	if err := (wire.Table{Key: "arguments", Form: `{"arguments":[[...],...]}`, Row: rows.Add, Reserve: rows.Reserve}).Read(scan); err != nil {
		return wire.Batch{}, err
	}
	switch {
	case !known:
		return wire.Batch{}, wire.Unknown()
	case id == "":
		return wire.Batch{}, row.Refuse("request_id is missing")
	}
	b := rows.Batch()
	b.ID, b.Query = id, id
	b.Caller.Remedy = "the role is the direct caller's user"
	b.Caller.Role, _ = rawjson.Text(rawjson.Get(r.Body, "user"))
	return b, nil
}

const directLimit = 1 << 20

func encodeDirect(b *wire.Batch, value func([]byte, int) []byte) (wire.Response, error) {
	body := []byte(`{"success":true,"results":[`)
	var text []byte
	for i := range b.Len() {
		if i > 0 {
			body = append(body, ',')
		}
		text = value(text[:0], i)
		body = rawjson.AppendQuote(body, text)
		if len(body) > directLimit-2 {
			return wire.Response{}, &row.Refusal{Kind: row.TooLarge, Message: "lower MAX_BATCH_ROWS"}
		}
	}
	return wire.Response{Status: 200, Body: append(body, "]}"...)}, nil
}

func refuseDirect(kind row.RefusalKind, message string) wire.Response {
	switch kind {
	case row.SlowDown:
		return wire.Response{Status: 503, Body: []byte("throttled")}
	case row.Failure:
		return wire.Response{Status: 500, Body: []byte(message)}
	}
	return wire.Response{Status: 200, Body: append(rawjson.AppendMember([]byte(`{"success":false`), "error_msg", message), '}')}
}

func requestDirect(id, function string, rows [][]jsontext.Value) wire.Request {
	b := rawjson.AppendMember([]byte("{"), "function", function)
	if id != "" {
		b = rawjson.AppendMember(b, "request_id", id)
	}
	b = append(rawjson.AppendName(b, "arguments"), '[')
	for i, args := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		for j, v := range args {
			if j > 0 {
				b = append(b, ',')
			}
			if k := v.Kind(); k == '{' || k == '[' {
				b = rawjson.AppendQuote(b, []byte(v))
			} else {
				b = append(b, v...)
			}
		}
		b = append(b, ']')
	}
	return wire.Request{Body: append(b, "]}"...)}
}

func valuesDirect(r wire.Response) (vs []jsontext.Value, err error) {
	w := rawjson.Elements(rawjson.Get(r.Body, "results"))
	for w.Next() {
		text, ok := rawjson.Text(w.Value())
		if !ok {
			return nil, errors.New("a result is no text")
		}
		vs = append(vs, jsontext.Value(text))
	}
	return vs, w.Err()
}

func TestAnotherCaller(t *testing.T) {
	wiretest.Run(t, wiretest.Caller{
		Protocol: direct, Request: requestDirect, Values: valuesDirect,
		As: func(r wire.Request, role string) wire.Request {
			r.Body = append(rawjson.AppendMember([]byte("{"), "user", role), append([]byte(","), r.Body[1:]...)...)
			return r
		},
		React: func(r wire.Response) (wiretest.Reaction, string) {
			switch {
			case r.Status == 503:
				return wiretest.Waits, ""
			case r.Status >= 500:
				return wiretest.Retries, ""
			case bytes.HasPrefix(r.Body, []byte(`{"success":true`)):
				return wiretest.Takes, ""
			}
			text, _ := rawjson.Text(rawjson.Get(r.Body, "error_msg"))
			return wiretest.Fails, text
		},
		Sent:  func(r wire.Response) int { return len(r.Body) },
		Limit: directLimit,
	})
}

// How a protocol is used: the program has one request in hand, and writes one
// response whatever happens.
func Example() {
	p := direct
	b, err := p.Decode(requestDirect("r-1", wire.Push, [][]jsontext.Value{
		{jsontext.Value(`"sf_health"`), jsontext.Value(`{"id":1}`)},
		{jsontext.Value(`"sf_health"`), jsontext.Value(`null`)},
	}))
	if err != nil {
		response, ours := p.Fail(err)
		fmt.Println(response.Status, ours)
		return
	}
	answers := make([]row.Answer, len(b.Rows))
	for i, r := range b.Rows {
		answers[i] = row.Answer{Status: row.Queued}
		if r.Fault != nil {
			answers[i] = row.Answer{Status: row.Rejected, Fault: &row.Fault{Rule: r.Fault.Rule}}
		}
	}
	response, _ := p.Answer(&b, answers)
	fmt.Println(string(response.Body))
	// Output: {"success":true,"results":["{\"status\":\"queued\"}","{\"status\":\"rejected\",\"error_type\":\"not_an_object\"}"]}
}
