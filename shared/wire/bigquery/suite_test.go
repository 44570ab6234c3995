package bigquery_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/bigquery"
	"github.com/penstock-data/penstock/shared/wire/gateway"
	"github.com/penstock-data/penstock/shared/wire/wiretest"
)

const (
	job       = "//bigquery.googleapis.com/projects/acme/jobs/acme:US.bquxjob_5b4c112c_17961fafeaf"
	query     = "acme:US.bquxjob_5b4c112c_17961fafeaf"
	person    = "jo@acme.example"
	forwarder = "penstock@acme.iam.gserviceaccount.com"
)

// verified is what the authorizer said.
func verified(pairs ...string) func(string) string {
	said := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		said[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return said[name] }
}

func post(path string, r bigquery.Request) wire.Request {
	return wire.Request{Method: "POST", Path: path, Header: func(string) string { return "" }, Body: r.Append(nil)}
}

// react is what BigQuery does, by its documentation.
func react(r wire.Response) (wiretest.Reaction, string) {
	switch r.Status {
	case 200:
		return wiretest.Takes, ""
	case 429:
		return wiretest.Waits, ""
	case 408, 500, 503, 504:
		return wiretest.Retries, ""
	}
	if len(r.Body) >= 1024 {
		return wiretest.Fails, "" // too long to be shown
	}
	return wiretest.Fails, bigquery.Message(r.Body)
}

// caller sends the function's name by path, or in the context.
func caller(path func(function string) string) wiretest.Caller {
	return wiretest.Caller{
		Protocol: bigquery.Protocol,
		Request: func(id, function string, rows [][]jsontext.Value) wire.Request {
			return post(path(function), bigquery.Request{ID: id, Job: job, User: person, Context: []string{bigquery.ContextFunction, function}, Calls: rows})
		},
		ID: func(id string) string { return query + "/" + id },
		As: func(r wire.Request, role string) wire.Request {
			r.Verified = verified(bigquery.VerifiedEmail, role)
			return r
		},
		Values:  func(r wire.Response) ([]jsontext.Value, error) { return bigquery.DecodeReply(r.Body) },
		React:   react,
		Sent:    func(r wire.Response) int { return len(gateway.Encode(r)) },
		Limit:   6 << 20,
		Gateway: true,
	}
}

var byPath = caller(func(function string) string { return "/token/" + function[len("penstock_"):] })

func TestSuite(t *testing.T) {
	t.Run("by path", func(t *testing.T) { wiretest.Run(t, byPath) })
	t.Run("by context", func(t *testing.T) {
		wiretest.Run(t, caller(func(string) string { return "/" }))
	})
}
