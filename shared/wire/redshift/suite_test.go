package redshift

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/wiretest"
)

const cluster = "arn:aws:redshift:eu-west-1:123456789012:cluster:warehouse"

// headOf is of a request that Redshift makes of one of the functions.
func headOf(id, function string) Head {
	return Head{Request: id, Cluster: cluster, User: "etl", Database: "dev", Function: "public." + function, Query: 5678234, Records: -1}
}

func request(id, function string, rows [][]jsontext.Value) wire.Request {
	return wire.Request{Body: EncodeRequest(nil, headOf(id, function), rows)}
}

// results are those of a good answer, however many there are.
func results(r wire.Response) ([]jsontext.Value, error) {
	text, _ := rawjson.Text(r.Body)
	n, _ := rawjson.Int(rawjson.Get([]byte(text), "num_records"))
	return DecodeReply(r.Body, int(n))
}

// caller is Redshift, by its documentation.
var caller = wiretest.Caller{
	Protocol: Protocol,
	Request:  request,
	As: func(r wire.Request, role string) wire.Request {
		r.Body = []byte(strings.Replace(string(r.Body), `"user":"etl"`, string(rawjson.AppendMember(nil, "user", role)), 1))
		return r
	},
	Values: results,
	React:  react,
	Sent:   func(r wire.Response) int { return len(r.Body) },
	Limit:  6 << 20,
}

func TestSuite(t *testing.T) { wiretest.Run(t, caller) }

// react is what Redshift does with an answer; a failed invocation it may send again.
func react(r wire.Response) (wiretest.Reaction, string) {
	switch {
	case r.Status == 503:
		return wiretest.Waits, ""
	case r.Status >= 500:
		return wiretest.Retries, ""
	}
	text, _ := rawjson.Text(r.Body)
	if ok, _ := rawjson.Bool(rawjson.Get([]byte(text), "success")); ok {
		return wiretest.Takes, ""
	}
	shown, _ := rawjson.Text(rawjson.Get([]byte(text), "error_msg"))
	return wiretest.Fails, shown
}
