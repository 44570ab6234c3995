package bigquery_test

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
	"github.com/penstock-data/penstock/shared/wire/bigquery"
)

func FuzzDecode(f *testing.F) {
	request, err := os.ReadFile("testdata/request.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(request)
	const head = `{"requestId":"r","caller":"//b/jobs/p:US.j",`
	for _, seed := range []string{
		head + `"calls":[]}`, head + `"calls":[[],[null]]}`, head + `"calls":[["s",{"a":1,"a":2}],["s","\ud800"],["s",null]]}`,
		head + "\"calls\":[[\"s\",\"\xff\"],[\"s\",{\"a\":\"\xff\",\"b\":-0}]]}", `{"calls":[["s",{}]],"caller":"j","requestId":"r"}`,
		head + `"userDefinedContext":{"function":"penstock_begin"},"calls":[["s","full"]]}`, head + `"userDefinedContext":[1],"calls":[[1]]}`,
		head + `"calls":[["s",` + strings.Repeat("[", 1100) + strings.Repeat("]", 1100) + `],["s",{"a":1}]]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		kept := bytes.Clone(body)
		b, err := bigquery.Decode(wire.Request{Method: "POST", Path: "/token/push", Body: body})
		if !bytes.Equal(body, kept) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			var e *row.Refusal
			if !errors.As(err, &e) || e.Kind != row.Mistake || e.Message == "" {
				t.Fatalf("untyped error: %v", err)
			}
			return
		}
		// A reader of its own is the judge of what is JSON.
		if end, deepest := rawjson.Extent(body, rawjson.Space(body, 0)); deepest < rawjson.MaxDepth && end > 0 &&
			!jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
			t.Fatalf("%q is no JSON, but was taken", body)
		}
		if b.ID == "" || b.Query == "" || len(b.ID) > 2000 {
			t.Fatalf("ids %q, %q", b.ID, b.Query)
		}
		var rows [][]jsontext.Value
		for i, r := range b.Rows {
			switch {
			case r.Number != i:
				t.Fatalf("row %d has the number %d", i, r.Number)
			case r.Fault != nil && r.Fault.Message == "":
				t.Fatalf("row %d: a fault without a message", i)
			case r.Fault != nil && r.Object != nil && !r.Object.IsValid(jsontext.AllowDuplicateNames(true)):
				t.Fatalf("row %d: %q cannot be stored", i, r.Object)
			case r.Fault != nil:
				continue
			case r.Target == "" || !r.Object.IsValid() || r.Object.Kind() != '{':
				t.Fatalf("row %d: no fault, but target %q, object %q", i, r.Target, r.Object)
			}
			rows = append(rows, []jsontext.Value{rawjson.AppendQuote(nil, r.Target), r.Object})
		}
		again, err := bigquery.Decode(post("/token/push", bigquery.Request{ID: "r", Job: job, Calls: rows}))
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
	f.Add([]byte(`{"replies":[{"a":1},null,"9007199254740993"]}`))
	f.Add([]byte(`{"replies":{}}`))
	f.Add([]byte(`{"errorMessage":"no"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		values, err := bigquery.DecodeReply(body)
		if err != nil {
			return
		}
		for i, v := range values {
			if !v.IsValid() {
				t.Fatalf("value %d: %q", i, v)
			}
		}
	})
}
