package snowflake

import (
	"encoding/base64"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire/gateway"
)

// headers are those of one batch, changed by pairs of name and value.
func headers(changes ...string) func(string) string {
	h := map[string]string{
		HeaderFormat: "json", HeaderFormatVersion: "1.0",
		HeaderBatchID: "01b2c3d4:1:1:0:0", HeaderQueryID: "01b2c3d4", HeaderName: "PENSTOCK_PUSH",
	}
	for i := 0; i < len(changes); i += 2 {
		h[changes[i]] = changes[i+1]
	}
	return func(name string) string { return h[name] }
}

func values(texts ...string) (vs []jsontext.Value) {
	for _, t := range texts {
		vs = append(vs, jsontext.Value(t))
	}
	return vs
}

func TestDecodeKeepsEveryByte(t *testing.T) {
	body, err := os.ReadFile("testdata/request.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(headers(), body)
	if err != nil {
		t.Fatal(err)
	}
	want := row.Batch{ID: "01b2c3d4:1:1:0:0", Query: "01b2c3d4", Function: "penstock_push", Rows: []row.Row{
		{Number: 0, Args: values(`"salesforce_customer_health"`, `{"CUSTOMER_ID":"cust_001","EMAIL":"john@acmecorp.com","ID":9007199254740993,`+
			`"PRICE":1234567890123456789012345.6789012345,"F":1.50e+3,"NOTE":"caf\u00e9 \ud83d\ude00 é","N":null,"FACTORS":{"b":1,"a":[0.10,-0]}}`)},
		{Number: 1, Args: values(`"salesforce_customer_health"`, `"{\"customer_id\": \"cust_002\", \"id\": 9007199254740993}"`)},
		{Number: 2, Args: values(`null`, `true`, `12`, `[ ]`)},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestArgsCannotRunIntoEachOther(t *testing.T) {
	b, err := Decode(headers(), []byte(`{"data":[[0,1,2],[1,3,4]]}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = append(b.Rows[0].Args, jsontext.Value("9"))
	_ = append(b.Rows[0].Args[0], '9')
	if d := cmp.Diff(values("3", "4"), b.Rows[1].Args); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(values("1", "2"), b.Rows[0].Args); d != "" {
		t.Error(d)
	}
}

func TestNoRows(t *testing.T) {
	for _, body := range []string{`{"data":[]}`, ` { "data" : [ ] } `, `{"x":{"y":[1]},"data":[]}`, `{"d\u0061ta":[]}`} {
		b, err := Decode(headers(), []byte(body))
		if err != nil || len(b.Rows) != 0 || b.ID == "" {
			t.Errorf("%s: %+v, %v", body, b, err)
		}
	}
}

func TestRowsOfAnyNumberAndWidth(t *testing.T) {
	b, err := Decode(headers(), []byte(`{"data":[[7],[3,1],[0,1,2,3]]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []row.Row{{Number: 7, Args: []jsontext.Value{}}, {Number: 3, Args: values("1")}, {Number: 0, Args: values("1", "2", "3")}}
	if d := cmp.Diff(want, b.Rows); d != "" {
		t.Error(d)
	}
}

func TestNamesFromHeaders(t *testing.T) {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, c := range []struct {
		changes             []string
		id, query, function string
	}{
		{nil, "01b2c3d4:1:1:0:0", "01b2c3d4", "penstock_push"},
		{[]string{HeaderName, `"DB"."My.Schema"."PENSTOCK_BEGIN"`}, "01b2c3d4:1:1:0:0", "01b2c3d4", "penstock_begin"},
		{[]string{HeaderName, `DB.S.PENSTOCK_PUSH(VARCHAR, OBJECT)`}, "01b2c3d4:1:1:0:0", "01b2c3d4", "penstock_push"},
		{[]string{HeaderName, "?", HeaderName + "-base64", encode("ÉTAT")}, "01b2c3d4:1:1:0:0", "01b2c3d4", "état"},
		{[]string{HeaderQueryID, "", HeaderName, ""}, "01b2c3d4:1:1:0:0", "01b2c3d4", ""},
		{[]string{HeaderQueryID, "", HeaderBatchID, "opaque"}, "opaque", "opaque", "penstock_push"},
		{[]string{HeaderQueryID, "x", HeaderQueryID + "-base64", encode("twin")}, "01b2c3d4:1:1:0:0", "twin", "penstock_push"},
	} {
		b, err := Decode(headers(c.changes...), []byte(`{"data":[]}`))
		if err != nil || b.ID != c.id || b.Query != c.query || b.Function != c.function {
			t.Errorf("%q: %+v, %v", c.changes, b, err)
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	ok := headers()
	for _, c := range []struct {
		name   string
		header func(string) string
		body   string
		says   string
	}{
		{"no batch id", headers(HeaderBatchID, ""), `{"data":[]}`, "query-batch-id is missing"},
		{"broken twin", headers(HeaderName+"-base64", "%"), `{"data":[]}`, "not base64"},
		{"no body", ok, "  \n", "no body"},
		{"no JSON", ok, `hello`, "not JSON (byte 0)"},
		{"HTML", ok, `<html></html>`, "not JSON"},
		{"an array", ok, `[[0,1]]`, "is an array"},
		{"a string", ok, `"data"`, "is a string"},
		{"no data", ok, `{"rows":[]}`, `no "data"`},
		{"data null", ok, `{"data":null}`, `"data" is null`},
		{"data object", ok, `{"data":{}}`, `"data" is an object`},
		{"cut off in a row", ok, `{"data":[[0,"abc`, "ends in the middle"},
		{"cut off after a row", ok, `{"data":[[0,1]`, "ends in the middle"},
		{"cut off in a number", ok, `{"data":[[0`, "ends in the middle"},
		{"cut off after data", ok, `{"data":[[0,1]]`, "ends in the middle"},
		{"cut off in an object", ok, `{"data":[[0,{"a":`, "ends in the middle"},
		{"trailing garbage", ok, `{"data":[]}x`, "goes on after"},
		{"second document", ok, `{"data":[]} {"data":[]}`, "goes on after"},
		{"data twice", ok, `{"data":[[0,1]],"data":[[0,2]]}`, `"data" twice`},
		{"data twice, escaped", ok, `{"data":[[0,1]],"d\u0061ta":[[0,2]]}`, `"data" twice`},
		{"another key twice", ok, `{"x":1,"data":[],"x":2}`, `"x" twice`},
		{"key of broken UTF-8", ok, "{\"\xff\":1,\"data\":[]}", "broken UTF-8"},
		{"another key's value broken", ok, "{\"x\":\"\xff\",\"data\":[]}", `under the key "x"`},
		{"row no array", ok, `{"data":[[0,1],{"a":1}]}`, "row 1 of the request is an object"},
		{"row null", ok, `{"data":[null]}`, "row 0 of the request is null"},
		{"row empty", ok, `{"data":[[]]}`, "row 0 of the request has no number"},
		{"number a string", ok, `{"data":[["0",1]]}`, "its first element is a string"},
		{"number a fraction", ok, `{"data":[[0.0,1]]}`, "must be an integer"},
		{"number with exponent", ok, `{"data":[[1e3,1]]}`, "must be an integer"},
		{"number negative", ok, `{"data":[[-1,1]]}`, "must be an integer"},
		{"number minus zero", ok, `{"data":[[-0,1]]}`, "must be an integer"},
		{"number too large", ok, `{"data":[[9007199254740993,1]]}`, "must be an integer"},
		{"number twice", ok, `{"data":[[0,1],[0,2]]}`, "two rows with the number 0"},
		{"number twice, apart", ok, `{"data":[[5,1],[0,2],[5,2]]}`, "two rows with the number 5"},
		{"missing comma", ok, `{"data":[[0 1]]}`, "not JSON"},
		{"control character", ok, "{\"data\":[[0,\"a\nb\"]]}", "not JSON"},
		{"broken UTF-8 between", ok, "{\"data\":[[0,1]\xff]}", "not JSON"},
		{"wrong bracket", ok, `{"data":[[0,1}]}`, "not JSON"},
	} {
		b, err := Decode(c.header, []byte(c.body))
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: error %v (batch %+v)", c.name, err, b)
			continue
		}
		if e.Status != 400 || !strings.Contains(e.Error(), c.says) {
			t.Errorf("%s: %d %q, want 400 and %q", c.name, e.Status, e, c.says)
		}
	}
}

func TestOneBrokenRowLeavesTheOthers(t *testing.T) {
	body := "{\"data\":[" +
		"[0,\"s\",{\"id\":9007199254740993,\"note\":\"fine\"}]," +
		"[1,\"s\",{\"email\":\"a\",\"email\":\"b\"}]," +
		"[2,\"s\",{\"name\":\"caf\xe9\",\"id\":1234567890123456789012345}]," +
		"[3,\"s\",{\"name\":\"\\ud800\"}]," +
		"[4,\"s\",{\"deep\":{\"a\":[{\"k\":1,\"k\":2}]}}]," +
		"[5,\"s\xff\",{\"a\":1,\"a\":2}]," +
		"[6,\"s\",{\"id\":9007199254740993}]]}"
	b, err := Decode(headers(), []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	type outcome struct{ Rule, Field, Arg string }
	var got []outcome
	for i, r := range b.Rows {
		if r.Number != i {
			t.Errorf("row %d has number %d", i, r.Number)
		}
		o := outcome{Arg: string(r.Args[1])}
		if r.Fault != nil {
			o.Rule, o.Field = r.Fault.Rule, r.Fault.Field
			if r.Fault.Message == "" {
				t.Errorf("row %d: no message", i)
			}
		}
		got = append(got, o)
	}
	want := []outcome{
		{Arg: `{"id":9007199254740993,"note":"fine"}`},
		{"duplicate_key", "email", `{"email":"a","email":"b"}`},
		{"invalid_utf8", "name", `{"name":"caf�","id":1234567890123456789012345}`},
		{"invalid_utf8", "name", `{"name":"�"}`},
		{"duplicate_key", "deep", `{"deep":{"a":[{"k":1,"k":2}]}}`},
		{"invalid_utf8", "", `{"a":1,"a":2}`}, // the first flaw counts
		{Arg: `{"id":9007199254740993}`},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// However rows vary, what Decode keeps of a request stays a few times its size.
func TestMemoryOfManyRows(t *testing.T) {
	small, large := values(`"s"`, `{}`), values(`"s"`, `{"note":"`+strings.Repeat("x", 1<<20)+`"}`)
	many := func(n int, first ...[]jsontext.Value) [][]jsontext.Value {
		for len(first) < n {
			first = append(first, small)
		}
		return first
	}
	for name, c := range map[string]struct {
		rows [][]jsontext.Value
		most uint64
	}{
		"tiny rows":                {many(400_000), 64 << 20},
		"a large row, then tiny":   {many(100_000, large), 24 << 20},
		"a tiny row, then large":   {[][]jsontext.Value{small, large, large, large, large, large}, 2 << 20},
		"tiny rows after an empty": {many(100_000, nil), 24 << 20},
	} {
		body := EncodeRequest(nil, c.rows)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b, err := Decode(headers(), body)
		runtime.ReadMemStats(&after)
		if err != nil || len(b.Rows) != len(c.rows) {
			t.Fatalf("%s: %d rows, %v", name, len(b.Rows), err)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > c.most {
			t.Errorf("%s: %d bytes of body allocate %d", name, len(body), got)
		}
		for i, r := range b.Rows {
			if r.Number != i || len(r.Args) != len(c.rows[i]) || len(r.Args) == 2 && string(r.Args[1]) != string(c.rows[i][1]) {
				t.Fatalf("%s: row %d is %d with %d arguments", name, i, r.Number, len(r.Args))
			}
		}
	}
}

func TestObject(t *testing.T) {
	const raw = `{"id": 9007199254740993, "p": 1234567890123456789012345.0}`
	quoted, _ := jsontext.AppendQuote(nil, " "+raw+"\n")
	var scratch []byte
	for _, c := range []struct{ in, want, rule string }{
		{raw, raw, ""},
		{string(quoted), raw, ""},
		{`"{}"`, `{}`, ""},
		{`null`, "", "not_an_object"},
		{`12`, "", "not_an_object"},
		{`[{"a":1}]`, "", "not_an_object"},
		{`"plain text"`, "", "not_an_object"},
		{`"[1]"`, "", "not_an_object"},
		{`""`, "", "not_an_object"},
		{`"{\"a\":1,\"a\":2}"`, "", "duplicate_key"},
		{`"{\"a\":1"`, "", "invalid_json"},
		{`"{\"a\":1} x"`, "", "invalid_json"},
		{`"{\"a\":NaN}"`, "", "invalid_json"},
		{`"{\"a\":\"\\ud800\"}"`, "", "invalid_utf8"},
		{"\"{\\\"a\\\":\\\"\xff\\\"}\"", "", "invalid_utf8"},
	} {
		got, grown, fault := Object(jsontext.Value(c.in), scratch)
		scratch = grown
		rule := ""
		if fault != nil {
			rule = fault.Rule
		}
		if string(got) != c.want || rule != c.rule {
			t.Errorf("%s: %s, rule %q (%v); want %s, rule %q", c.in, got, rule, fault, c.want, c.rule)
		}
	}
}

// Objects that were unquoted one after the other stay what they were.
func TestObjectsShareScratch(t *testing.T) {
	var scratch []byte
	var got []string
	var kept []jsontext.Value
	for _, in := range []string{`"{\"a\":1}"`, `"{\"b\":22}"`, `"no"`, `"{\"c\":333}"`} {
		v, grown, fault := Object(jsontext.Value(in), scratch)
		scratch = grown
		if fault == nil {
			kept = append(kept, v)
		}
	}
	for _, v := range kept {
		got = append(got, string(v))
	}
	if d := cmp.Diff([]string{`{"a":1}`, `{"b":22}`, `{"c":333}`}, got); d != "" {
		t.Error(d)
	}
}

func TestDecodeRequestTellsPollsFromBatches(t *testing.T) {
	h := map[string][]string{HeaderBatchID: {"q:1"}, HeaderQueryID: {"q"}, HeaderName: {"PENSTOCK_PUSH_WAIT"}}
	request := func(method, body string) gateway.Request {
		r, err := gateway.Decode(gateway.EncodeRequest(method, "/push", h, nil, []byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	_, err := DecodeRequest(request("GET", ""))
	var poll *PollError
	if !errors.As(err, &poll) || *poll != (PollError{ID: "q:1", Query: "q", Function: "penstock_push_wait"}) {
		t.Errorf("GET: %v", err)
	}
	b, err := DecodeRequest(request("POST", `{"data":[[0,1]]}`))
	if err != nil || len(b.Rows) != 1 {
		t.Errorf("POST: %+v, %v", b, err)
	}
	for _, r := range []gateway.Request{request("POST", ""), request("DELETE", `{"data":[]}`)} {
		_, err := DecodeRequest(r)
		if answer, ok := Refusal(err); !ok || answer.Status != 400 || len(answer.Body) == 0 {
			t.Errorf("%s: %v", r.Method, err)
		}
	}
	if _, ok := Refusal(errors.New("another")); ok {
		t.Error("an error of elsewhere is no refusal")
	}
	if answer, ok := Refusal(&gateway.Error{Status: 413, Message: "too large"}); !ok || answer.Status != 413 || string(answer.Body) != "too large" {
		t.Errorf("413: %+v", answer)
	}
}
