package wiretest

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/gateway"
)

// good are rows that every caller can send.
var good = [][]jsontext.Value{
	args(`"sf_health"`, `{"id":9007199254740993,"p":1234567890123456789012345.6789012345,"n":null,"t":true,"e":1.50e+3}`),
	args(`"sf_health"`, `{"id":2,"note":"caf\u00e9 \ud83d\ude00 é","factors":{"b":1,"a":[0.10,-0]}}`),
	args(`"sf_health.r0123456789abcdef"`, `{}`),
	args(`"sf_health"`, `"{\"id\":9007199254740993}"`),
	args(`"sf_health"`, `"{}"`),
}

func goodRows(t *testing.T, c Caller) {
	b := decode(t, c, c.Request("b-1", wire.Push, good))
	if b.ID != c.id("b-1") || b.Query == "" || b.Function != wire.Push || b.Poll || len(b.Calls) != 0 || len(b.Rows) != len(good) {
		t.Fatalf("%+v", b)
	}
	for i, r := range b.Rows {
		target, _ := rawjson.Text(good[i][0])
		object := string(good[i][1])
		if object[0] == '"' {
			object, _ = rawjson.Text(good[i][1])
		}
		if r.Fault != nil || r.Target != target || string(r.Object) != object || r.Number != b.Number(i) {
			t.Errorf("row %d: target %q, object %s, fault %v", i, r.Target, r.Object, r.Fault)
		}
	}
}

// secret stands where a row's values do: no fault may quote it (I6).
const secret = "s3cret@example.com"

func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

func quoted(text string) string { return string(rawjson.AppendQuote(nil, text)) }

// faulty are rows of which each is refused by itself.
var faulty = []struct {
	name  string
	args  []jsontext.Value
	rule  string
	field string
	reads string // the object beside the fault, "" none
}{
	{"no target", args(`null`, `{"a":1}`), "unknown_sync", "sync", `{"a":1}`},
	{"an empty target", args(`""`, `{"a":1}`), "unknown_sync", "sync", `{"a":1}`},
	{"a number for a target", args(`12`, `{"a":1}`), "unknown_sync", "sync", `{"a":1}`},
	{"null", args(`"s"`, `null`), "not_an_object", "", ""},
	{"a text", args(`"s"`, quoted(secret)), "not_an_object", "", ""},
	{"an empty text", args(`"s"`, `""`), "not_an_object", "", ""},
	{"an array in a text", args(`"s"`, quoted(`["`+secret+`"]`)), "not_an_object", "", ""},
	{"a key twice", args(`"s"`, quoted(`{"email":"`+secret+`","email":2}`)), "duplicate_key", "email", `{"email":"` + secret + `","email":2}`},
	{"a key twice, in another spelling", args(`"s"`, quoted(`{"a":1,"\u0061":2}`)), "duplicate_key", "a", `{"a":1,"a":2}`},
	{"a key twice further in", args(`"s"`, quoted(`{"a":[{"`+secret+`":1,"`+secret+`":2}]}`)), "duplicate_key", "a", `{"a":[{"` + secret + `":1,"` + secret + `":2}]}`},
	{"cut off", args(`"s"`, quoted(`{"email":"`+secret)), "invalid_json", "", ""},
	{"followed by more", args(`"s"`, quoted(`{"a":1} "`+secret+`"`)), "invalid_json", "", ""},
	{"no number", args(`"s"`, quoted(`{"a":NaN,"b":"`+secret+`"}`)), "not_finite", "a", `{"a":null,"b":"` + secret + `"}`},
	{"half a surrogate", args(`"s"`, quoted(`{"name":"`+secret+`\ud800"}`)), "invalid_utf8", "name", `{"name":"` + secret + "\uFFFD" + `"}`},
	{"1,001 levels", args(`"s"`, quoted(`{"id":1,"deep":`+nested(1000)+`}`)), "too_deep", "deep", `{"id":1,"deep":null}`},
	{"1,000,000 levels", args(`"s"`, quoted(`{"id":1,"deep":`+nested(1_000_000)+`}`)), "too_deep", "deep", `{"id":1,"deep":null}`},
	{"1,000,000 levels that do not end", args(`"s"`, quoted(`{"deep":`+strings.Repeat("[", 1_000_000))), "invalid_json", "", ""},
}

// faultyRows sends each faulty row between good ones, and all of them together.
func faultyRows(t *testing.T, c Caller) {
	var all [][]jsontext.Value
	for _, f := range faulty {
		all = append(all, good[0], f.args)
		rows := [][]jsontext.Value{good[1], f.args, good[1]}
		b := decode(t, c, c.Request("b-1", wire.Push, rows))
		if len(b.Rows) != 3 || b.Rows[0].Fault != nil || b.Rows[2].Fault != nil || string(b.Rows[2].Object) != string(good[1][1]) {
			t.Fatalf("%s: its neighbours have its fault: %d rows", f.name, len(b.Rows))
		}
		checkFault(t, f.name, b.Rows[1], f.rule, f.field, f.reads)
	}
	b := decode(t, c, c.Request("b-2", wire.Push, all))
	if len(b.Rows) != len(all) {
		t.Fatalf("%d of %d rows", len(b.Rows), len(all))
	}
	for i, f := range faulty {
		if b.Rows[2*i].Fault != nil {
			t.Errorf("before %s: %v", f.name, b.Rows[2*i].Fault)
		}
		checkFault(t, f.name+", among all", b.Rows[2*i+1], f.rule, f.field, f.reads)
	}
}

func checkFault(t *testing.T, name string, r row.Row, rule, field, reads string) {
	t.Helper()
	if r.Fault == nil {
		t.Errorf("%s: no fault, object %.100s", name, r.Object)
		return
	}
	if r.Fault.Rule != rule || r.Fault.Field != field || string(r.Object) != reads {
		t.Errorf("%s: rule %q, field %q, object %.100q; want %q, %q, %q", name, r.Fault.Rule, r.Fault.Field, r.Object, rule, field, reads)
	}
	if r.Fault.Message == "" || strings.Contains(r.Fault.Message, secret) {
		t.Errorf("%s: the message is %q", name, r.Fault.Message)
	}
}

func wrongArguments(t *testing.T, c Caller) {
	for n := range 4 {
		if n == 2 {
			continue
		}
		row := args(`"s"`, `{"a":1}`, `3`)[:n]
		b := decode(t, c, c.Request("b-1", wire.Push, [][]jsontext.Value{row, row}))
		for i, r := range b.Rows {
			if r.Fault == nil || r.Fault.Rule != "wrong_arguments" {
				t.Errorf("%d arguments, row %d: %v", n, i, r.Fault)
			}
		}
		if len(b.Rows) != 2 {
			t.Errorf("%d arguments: %d rows", n, len(b.Rows))
		}
	}
}

func noRows(t *testing.T, c Caller) {
	b := decode(t, c, c.Request("b-1", wire.Push, nil))
	r, err := c.Protocol.Answer(&b, nil)
	if err != nil || b.Len() != 0 || len(values(t, c, r)) != 0 {
		t.Errorf("%+v, %v", b, err)
	}
}

// brokenRequests are refused as the caller's mistake, at whatever byte they break.
func brokenRequests(t *testing.T, c Caller) {
	whole := c.Request("b-1", wire.Push, good[:2])
	refused := func(name string, r wire.Request) {
		t.Helper()
		b, err := c.Protocol.Decode(r)
		e, ok := errors.AsType[*row.Refusal](err)
		if !ok || e.Kind != row.Mistake || e.Message == "" || b.Len() != 0 {
			t.Fatalf("%s: %+v, %v", name, b, err)
		}
		answer, ours := c.Protocol.Fail(err)
		if reaction, text := c.React(answer); reaction != Fails || text != e.Message || ours != nil {
			t.Errorf("%s: the caller %s: %q, %v", name, reaction, text, ours)
		}
	}
	for n := range len(whole.Body) {
		r := whole
		r.Body = whole.Body[:n:n]
		refused(fmt.Sprintf("cut off at byte %d", n), r)
	}
	for name, body := range map[string]string{"spaces": " \n", "no JSON": "hello", "HTML": "<html></html>", "null": "null", "a list": "[]",
		"a text": `"data"`, "an empty object": "{}", "two documents": string(whole.Body) + string(whole.Body)} {
		r := whole
		r.Body = []byte(body)
		refused(name, r)
	}
	refused("no batch id", c.Request("", wire.Push, good))
	refused("an unknown function", c.Request("b-1", "penstock_drop", good))
}

// largeRequests are read whole: many rows, and one row of megabytes.
func largeRequests(t *testing.T, c Caller) {
	rows := make([][]jsontext.Value, 50_000)
	for i := range rows {
		rows[i] = args(`"s"`, fmt.Sprintf(`{"id":%d,"note":%q}`, i, strings.Repeat("x", i%200)))
	}
	rows[20_000] = args(`"s"`, `{"note":"`+strings.Repeat("y", 2<<20)+`"}`)
	b := decode(t, c, c.Request("b-1", wire.Push, rows))
	if len(b.Rows) != len(rows) {
		t.Fatalf("%d of %d rows", len(b.Rows), len(rows))
	}
	for i, r := range b.Rows {
		if r.Fault != nil || !bytes.Equal(r.Object, rows[i][1]) {
			t.Fatalf("row %d: %v, object %.100s", i, r.Fault, r.Object)
		}
	}
}

// compressed requests are the same batch, whatever the headers say of them.
func compressed(t *testing.T, c Caller) {
	if !c.Gateway {
		t.Skip("the caller has no API Gateway before it")
	}
	sent := c.Request("b-1", wire.Push, good)
	want := decode(t, c, sent)
	var zip bytes.Buffer
	w := gzip.NewWriter(&zip)
	if _, err := w.Write(sent.Body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{"plain": sent.Body, "gzip": zip.Bytes()} {
		for _, encoding := range []string{"", "gzip"} {
			event := gateway.EncodeRequest(sent.Method, sent.Path, headers(sent, encoding), nil, body)
			r, err := gateway.Decode(event)
			if err != nil {
				t.Fatalf("%s, header %q: %v", name, encoding, err)
			}
			if d := cmp.Diff(want, decode(t, c, r.Wire())); d != "" {
				t.Errorf("%s, header %q: %s", name, encoding, d)
			}
		}
	}
}

// headers are those of a request, as far as any protocol reads them.
func headers(r wire.Request, encoding string) http.Header {
	h := http.Header{}
	for _, name := range []string{"sf-external-function-query-batch-id", "sf-external-function-current-query-id", "sf-external-function-name", "Idempotency-Key", "Authorization"} {
		if v := r.Header(name); v != "" {
			h.Set(name, v)
		}
	}
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	return h
}
