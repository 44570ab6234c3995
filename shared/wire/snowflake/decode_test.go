package snowflake

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// request is a batch of penstock_push, its headers changed by pairs of name and
// value.
func request(body string, changes ...string) wire.Request {
	return wire.Request{Method: "POST", Header: headers(changes...), Body: []byte(body)}
}

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
	got, err := Decode(request(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	want := row.Batch{ID: "01b2c3d4:1:1:0:0", Query: "01b2c3d4", Function: "penstock_push", Caller: row.Caller{Names: row.Upper, Remedy: remedy}, Rows: []row.Row{
		{Number: 0, Target: "salesforce_customer_health", Object: jsontext.Value(`{"CUSTOMER_ID":"cust_001","EMAIL":"john@acmecorp.com","ID":9007199254740993,` +
			`"PRICE":1234567890123456789012345.6789012345,"F":1.50e+3,"NOTE":"caf\u00e9 \ud83d\ude00 é","N":null,"FACTORS":{"b":1,"a":[0.10,-0]}}`)},
		{Number: 1, Target: "salesforce_customer_health", Object: jsontext.Value(`{"customer_id": "cust_002", "id": 9007199254740993}`)},
		{Number: 2, Fault: &row.Fault{Rule: "wrong_arguments", Message: "penstock_push(sync or run, row) takes other arguments than the 4 that came"}},
	}}
	if d := cmp.Diff(want, got.Batch); d != "" || got.Poll || len(got.Calls) != 0 {
		t.Errorf("%+v\n%s", got, d)
	}
}

// A word that JSON has no value for is its row's fault alone.
func TestAWordIsItsRowsFault(t *testing.T) {
	b, err := Decode(request(`{"data":[[0,"s",{"id":1,"v":[1,undefined]}],[1,"s",{"id":2,"v":-Infinity}],[2,NaN,{"id":3}],[3,"s",{"id":4}]]}`))
	if err != nil || len(b.Rows) != 4 {
		t.Fatal(err, len(b.Rows))
	}
	for i, want := range []string{`{"id":1,"v":[1,null]}`, `{"id":2,"v":null}`, `{"id":3}`, `{"id":4}`} {
		r := b.Rows[i]
		if string(r.Object) != want || (r.Fault != nil) != (i < 3) || i < 2 && (r.Fault.Rule != wire.NotFinite || r.Fault.Field != "v") {
			t.Errorf("row %d: %s, %v", i, r.Object, r.Fault)
		}
	}
}

func TestObjectsCannotRunIntoEachOther(t *testing.T) {
	b, err := Decode(request(`{"data":[[0,"s",{"a":1}],[1,"s",{"a":2}]]}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = append(b.Rows[0].Object, '9')
	if got := string(b.Rows[0].Object) + string(b.Rows[1].Object); got != `{"a":1}{"a":2}` {
		t.Error(got)
	}
}

func TestNoRows(t *testing.T) {
	for _, body := range []string{`{"data":[]}`, ` { "data" : [ ] } `, `{"x":{"y":[1]},"data":[]}`, `{"d\u0061ta":[]}`} {
		b, err := Decode(request(body))
		if err != nil || b.Len() != 0 || b.ID == "" {
			t.Errorf("%s: %+v, %v", body, b, err)
		}
	}
}

func TestRowsOfAnyNumber(t *testing.T) {
	b, err := Decode(request(`{"data":[[7,"s",{}],[3 , "s" , {} ] , [ 0,"s",{}]]}`))
	if err != nil || len(b.Rows) != 3 || b.Number(0) != 7 || b.Number(1) != 3 || b.Number(2) != 0 {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestNamesFromHeaders(t *testing.T) {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, c := range []struct {
		path                string
		changes             []string
		id, query, function string
	}{
		{"", nil, "01b2c3d4:1:1:0:0", "01b2c3d4", wire.Push},
		{"", []string{HeaderName, `"DB"."My.Schema"."PENSTOCK_BEGIN"`}, "01b2c3d4:1:1:0:0", "01b2c3d4", wire.Begin},
		{"/", []string{HeaderName, `DB.S.PENSTOCK_PUSH(VARCHAR, OBJECT)`}, "01b2c3d4:1:1:0:0", "01b2c3d4", wire.Push},
		{"", []string{HeaderName, "?", HeaderName + "-base64", encode("penstock_status")}, "01b2c3d4:1:1:0:0", "01b2c3d4", wire.Status},
		{"/reset", []string{HeaderName, "MY_OWN_NAME"}, "01b2c3d4:1:1:0:0", "01b2c3d4", wire.Reset},
		{"/penstock/finish", []string{HeaderName, ""}, "01b2c3d4:1:1:0:0", "01b2c3d4", wire.Finish},
		{"/push", []string{HeaderQueryID, "", HeaderBatchID, "opaque"}, "opaque", "opaque", wire.Push},
		{"/push", []string{HeaderQueryID, ""}, "01b2c3d4:1:1:0:0", "01b2c3d4", wire.Push},
		{"/push", []string{HeaderQueryID, "x", HeaderQueryID + "-base64", encode("twin")}, "01b2c3d4:1:1:0:0", "twin", wire.Push},
	} {
		for _, method := range []string{"POST", "GET"} {
			r := request(`{"data":[]}`, c.changes...)
			r.Path, r.Method = c.path, method
			b, err := Decode(r)
			if err != nil || b.ID != c.id || b.Query != c.query || b.Function != c.function || b.Poll != (method == "GET") {
				t.Errorf("%s %s %q: %+v, %v", method, c.path, c.changes, b, err)
			}
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	var ok []string
	for _, c := range []struct {
		name    string
		changes []string
		body    string
		says    string
	}{
		{"no batch id", []string{HeaderBatchID, ""}, `{"data":[]}`, "query-batch-id is missing"},
		{"broken twin", []string{HeaderName + "-base64", "%"}, `{"data":[]}`, "not base64"},
		{"another function", []string{HeaderName, "MY_FUNCTION"}, `{"data":[]}`, "names no function of Penstock"},
		{"no function", []string{HeaderName, ""}, `{"data":[]}`, "penstock_push, penstock_plan, penstock_begin"},
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
		{"wrong bracket in an object", ok, `{"data":[[0,{"a":1]]]}`, "not JSON"},
		{"wrong bracket, deep", ok, `{"data":[[0,"s",{"a":` + strings.Repeat("[", 1500) + "x" + strings.Repeat("]", 1500) + `,}]]}`, "not JSON"},
		{"a word", ok, `{"data":[[0,Name]]}`, "not JSON"},
		{"a word for a number", ok, `{"data":[[NaN,1]]}`, "not JSON"},
		{"a word and a wrong bracket", ok, `{"data":[[0,"s",{"v":NaN,}],[1,"s",{}]]}`, "not JSON"},
		{"nothing between commas", ok, `{"data":[[0,,1]]}`, "not JSON"},
		{"comma at the end of a row", ok, `{"data":[[0,1,]]}`, "not JSON"},
		{"comma at the end of the rows", ok, `{"data":[[0,1],]}`, "not JSON"},
		{"comma at the end of the body", ok, `{"data":[],}`, "not JSON"},
		{"comma first", ok, `{,"data":[]}`, "not JSON"},
		{"no colon", ok, `{"data"[]}`, "not JSON"},
		{"cut off, deep", ok, `{"data":[[0,"s",` + strings.Repeat("[", 20_000), "ends in the middle"},
	} {
		b, err := Decode(request(c.body, c.changes...))
		var e *row.Refusal
		if !errors.As(err, &e) {
			t.Errorf("%s: error %v (batch %+v)", c.name, err, b)
			continue
		}
		if e.Kind != row.Mistake || !strings.Contains(e.Error(), c.says) {
			t.Errorf("%s: kind %d %q, want a mistake and %q", c.name, e.Kind, e, c.says)
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
		"[6,\"s\",{\"a\":1,\"deep\":" + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + ",\"b\":2}]," +
		"[7,\"s\",{\"deep\":" + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + ",\"caf\\u00e9\":2}]," +
		"[8,\"s\"," + strings.Repeat("[", 1001) + strings.Repeat("]", 1001) + "]," +
		"[9,\"s\",\"{\\\"a\\\":1,\\\"a\\\":2}\"]," +
		"[10,\"s\",{\"id\":9007199254740993}]]}"
	b, err := Decode(request(body))
	if err != nil {
		t.Fatal(err)
	}
	type outcome struct{ Rule, Field, Arg string }
	var got []outcome
	for i, r := range b.Rows {
		if r.Number != i {
			t.Errorf("row %d has number %d", i, r.Number)
		}
		o := outcome{Arg: string(r.Object)}
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
		{"too_deep", "deep", `{"a":1,"deep":null,"b":2}`},
		{"too_deep", "deep", `{"deep":null,"café":2}`},
		{"too_deep", "", ``},
		{"duplicate_key", "a", `{"a":1,"a":2}`},
		{Arg: `{"id":9007199254740993}`},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// 1,000 levels are a row's own affair: as many as are allowed pass.
func TestDeepestRow(t *testing.T) {
	for _, c := range []struct {
		levels int // of the row, which is one of them
		quoted bool
		rule   string
	}{{1000, false, ""}, {1001, false, "too_deep"}, {1000, true, ""}, {1001, true, "too_deep"}, {9_990, false, "too_deep"}, {100_000, true, "too_deep"}} {
		object := `{"a":` + strings.Repeat("[", c.levels-1) + strings.Repeat("]", c.levels-1) + `}`
		if c.quoted {
			object = strconv.Quote(object)
		}
		b, err := Decode(request(`{"data":[[0,"s",{"a":1}],[1,"s",` + object + `],[2,"s",{"a":2}]]}`))
		if err != nil || len(b.Rows) != 3 || b.Rows[0].Fault != nil || b.Rows[2].Fault != nil {
			t.Fatalf("%d levels: %d rows, %v", c.levels, len(b.Rows), err)
		}
		rule := ""
		if f := b.Rows[1].Fault; f != nil {
			rule = f.Rule
		}
		if rule != c.rule {
			t.Errorf("%d levels: rule %q, want %q", c.levels, rule, c.rule)
		}
	}
}

// A table of more columns than the checker compares by itself, and rows that leave
// some of them out, as OBJECT_CONSTRUCT does with nulls.
func TestWideRows(t *testing.T) {
	var rows [][]jsontext.Value
	for i := range 50 {
		var b strings.Builder
		for c := range 200 {
			if (c+i)%7 == 0 {
				continue
			}
			fmt.Fprintf(&b, `,"COLUMN_%d":%d`, c, i)
		}
		rows = append(rows, values(`"s"`, "{"+b.String()[1:]+"}"))
	}
	rows = append(rows, values(`"s"`, strings.Replace(string(rows[49][1]), "COLUMN_199", "COLUMN_1", 1)))
	b, err := Decode(request(string(EncodeRequest(nil, rows))))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range b.Rows {
		if (r.Fault != nil) != (i == 50) || string(r.Object) != string(rows[i][1]) {
			t.Errorf("row %d: %+v", i, r.Fault)
		}
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
		r := request(string(EncodeRequest(nil, c.rows)))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b, err := Decode(r)
		runtime.ReadMemStats(&after)
		if err != nil || len(b.Rows) != len(c.rows) {
			t.Fatalf("%s: %d rows, %v", name, len(b.Rows), err)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > c.most {
			t.Errorf("%s: %d bytes of body allocate %d", name, len(r.Body), got)
		}
		for i, r := range b.Rows {
			if r.Number != i || (r.Fault == nil) != (len(c.rows[i]) == 2) || r.Fault == nil && string(r.Object) != string(c.rows[i][1]) {
				t.Fatalf("%s: row %d is %d: %v", name, i, r.Number, r.Fault)
			}
		}
	}
}
