package redshift

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
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
	f.Fuzz(func(t *testing.T, body []byte) {
		kept := bytes.Clone(body)
		b, err := Decode(wire.Request{Body: body})
		if !bytes.Equal(body, kept) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			if e, ok := errors.AsType[*row.Refusal](err); !ok || e.Kind != row.Mistake || e.Message == "" {
				t.Fatalf("untyped error: %v", err)
			}
			return
		}
		var rows [][]jsontext.Value
		for _, r := range b.Rows {
			switch {
			case r.Fault != nil && r.Fault.Message == "":
				t.Fatalf("row %d: a fault without a message", r.Number)
			case r.Fault != nil && r.Object != nil && !r.Object.IsValid(jsontext.AllowDuplicateNames(true)):
				t.Fatalf("row %d: %q cannot be stored", r.Number, r.Object)
			case r.Fault != nil:
				continue
			case r.Target == "" || !r.Object.IsValid() || r.Object.Kind() != '{':
				t.Fatalf("row %d: no fault, but target %q, object %q", r.Number, r.Target, r.Object)
			}
			rows = append(rows, []jsontext.Value{rawjson.AppendQuote(nil, r.Target), r.Object})
		}
		again, err := Decode(request("r", wire.Push, rows))
		if err != nil || len(again.Rows) != len(rows) {
			t.Fatalf("encoded again: %d of %d rows, %v", len(again.Rows), len(rows), err)
		}
		for i := range rows {
			if r := again.Rows[i]; r.Fault != nil || !bytes.Equal(r.Object, rows[i][1]) {
				t.Fatalf("row %d: %q became %q, %v", i, rows[i][1], r.Object, r.Fault)
			}
		}
	})
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
