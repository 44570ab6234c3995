package bigquery_test

import (
	"os"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/bigquery"
	"github.com/penstock-data/penstock/shared/wire/wiretest"
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
		`{"requestId":"r","caller":"/","calls":[]}`,
		head + `"userDefinedContext":{"function":"penstock_begin"},"calls":[["s","full"]]}`, head + `"userDefinedContext":[1],"calls":[[1]]}`,
		head + `"calls":[["s",` + strings.Repeat("[", 1100) + strings.Repeat("]", 1100) + `],["s",{"a":1}]]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b, taken := wiretest.Decoded(t, byPath, wire.Request{Method: "POST", Path: "/token/push", Body: body})
		if taken && (b.ID == "" || b.Query == "" || len(b.ID) > 2000) {
			t.Fatalf("ids %q, %q", b.ID, b.Query)
		}
		for i, r := range b.Rows {
			if r.Number != i {
				t.Fatalf("row %d has the number %d", i, r.Number)
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
