package redshift

import (
	"os"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/wiretest"
)

func FuzzDecode(f *testing.F) {
	seed, err := os.ReadFile("testdata/request.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	const head = `{"request_id":"r","external_function":"penstock_push","query_id":7,"arguments":`
	for _, rows := range []string{
		`[]`, `null`, `[null]`, `["s"]`, `[["s","{\"a\":1}"],["s","{\"a\":2}"],["s","{\"a\":\"\\\\n\"}"]]`, `[["s","{\"a\":1,\"a\":2}"],["t","{\"a\":\"\\ud800\"}"]]`,
		"[[\"s\",\"{\\\"a\\\":1}\"],[\"s\",\"{\\\"a\\\":\\\"\xff\\\"}\"]]", `[["s","{\"a\":[1]}"],["s",{"a":1}]]`, `[["s","` + strings.Repeat("[", 1100) + `"],["s","{}"]]`,
	} {
		f.Add([]byte(head + rows + `}`))
	}
	f.Add([]byte(`{"request_id":"r","external_function":"penstock_syncs","num_records":3}`))
	f.Fuzz(func(t *testing.T, body []byte) { wiretest.Decoded(t, caller, wire.Request{Body: body}) })
}

func FuzzDecodeReply(f *testing.F) {
	f.Add([]byte(`"{\"success\":true,\"num_records\":1,\"results\":[\"{}\"]}"`), 1)
	f.Add([]byte(`"{\"success\":false,\"error_msg\":\"x\"}"`), 1)
	f.Fuzz(func(t *testing.T, body []byte, n int) {
		values, err := DecodeReply(body, n)
		if err == nil && len(values) != n {
			t.Fatalf("%d values for %d rows", len(values), n)
		}
	})
}
