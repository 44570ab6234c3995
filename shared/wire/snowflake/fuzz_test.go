package snowflake

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
	request, err := os.ReadFile("testdata/request.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(request)
	for _, seed := range []string{
		`{"data":[]}`, `{"data":[[0,1],[1,"a"]]}`, `{"data":[[0,{"a":1,"a":2}],[1,"\ud800"],[2,null]]}`,
		"{\"data\":[[0,\"\xff\"],[1,{\"a\":\"\xff\",\"b\":-0}]]}", `{"x":1,"data":[[9007199254740993]]}`, `{"data":[[0,"s","{\"a\":1}"]]}`, `{"data":[[0,"s",{"a":1}],[1,"s",{"b":[{}],"a":2}],[2,"t",{"a":1,"a":2}]]}`,
		`{"data":[[0,"s",` + strings.Repeat("[", 1100) + strings.Repeat("]", 1100) + `],[1,"s",{"a":1}]]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		kept := bytes.Clone(body)
		b, err := Decode(wire.Request{Method: "POST", Header: headers(), Body: body})
		if !bytes.Equal(body, kept) {
			t.Fatal("the body was changed")
		}
		// A reader of its own is the judge of what is JSON.
		whole := jsontext.Value(body)
		if err != nil {
			var e *row.Refusal
			if !errors.As(err, &e) || e.Kind != row.Mistake || e.Message == "" {
				t.Fatalf("untyped error: %v", err)
			}
			return
		}
		if end, deepest := rawjson.Extent(body, rawjson.Space(body, 0)); deepest < rawjson.MaxDepth && end > 0 &&
			!whole.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
			t.Fatalf("%q is no JSON, but was taken", body)
		}
		var rows [][]jsontext.Value
		seen := map[int]bool{}
		for _, r := range b.Rows {
			if seen[r.Number] {
				t.Fatalf("row %d twice", r.Number)
			}
			seen[r.Number] = true
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
		again, err := Decode(wire.Request{Method: "POST", Header: headers(), Body: EncodeRequest(nil, rows)})
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
	f.Add([]byte(`{"data":[[0,{"a":1}],[1,null]]}`))
	f.Add([]byte(`{"data":[[1,1],[0,2]]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		values, err := DecodeReply(body)
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
