package snowflake

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func FuzzDecode(f *testing.F) {
	request, err := os.ReadFile("testdata/request.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(request)
	for _, seed := range []string{
		`{"data":[]}`, `{"data":[[0,1],[1,"a"]]}`, `{"data":[[0,{"a":1,"a":2}],[1,"\ud800"],[2,null]]}`,
		"{\"data\":[[0,\"\xff\"],[1,{\"a\":\"\xff\",\"b\":-0}]]}", `{"x":1,"data":[[9007199254740993]]}`, `{"data":[[0,"{\"a\":1}"]]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		kept := bytes.Clone(body)
		b, err := Decode(headers(), body)
		if !bytes.Equal(body, kept) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Status != 400 || e.Message == "" {
				t.Fatalf("untyped error: %v", err)
			}
			return
		}
		var rows [][]jsontext.Value
		seen := map[int]bool{}
		for _, r := range b.Rows {
			if seen[r.Number] {
				t.Fatalf("row %d twice", r.Number)
			}
			seen[r.Number] = true
			for _, v := range r.Args {
				strict := v.IsValid()
				if !strict && r.Fault == nil {
					t.Fatalf("row %d: no fault, but %q", r.Number, v)
				}
				if !strict && !v.IsValid(jsontext.AllowDuplicateNames(true)) {
					t.Fatalf("row %d: %q is no JSON", r.Number, v)
				}
				if r.Fault == nil && !bytes.Contains(body, v) {
					t.Fatalf("row %d: %q is not in the body", r.Number, v)
				}
				if _, _, fault := Object(v, nil); fault != nil && fault.Message == "" {
					t.Fatalf("row %d: a fault without a message", r.Number)
				}
			}
			if r.Fault == nil {
				rows = append(rows, r.Args)
			}
		}
		again, err := Decode(headers(), EncodeRequest(nil, rows))
		if err != nil || len(again.Rows) != len(rows) {
			t.Fatalf("encoded again: %d of %d rows, %v", len(again.Rows), len(rows), err)
		}
		for i, args := range rows {
			if len(again.Rows[i].Args) != len(args) {
				t.Fatalf("row %d: %d arguments became %d", i, len(args), len(again.Rows[i].Args))
			}
			for j, v := range args {
				if !bytes.Equal(v, again.Rows[i].Args[j]) {
					t.Fatalf("row %d: %q became %q", i, v, again.Rows[i].Args[j])
				}
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
