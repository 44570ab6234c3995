package redshift

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

func decode(t *testing.T, body string) wire.Batch {
	t.Helper()
	b, err := Decode(wire.Request{Body: []byte(body)})
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return b
}

// A request in the form of Redshift's documentation: a null row, a null argument, and
// values that no float holds.
func TestDocumentedRequest(t *testing.T) {
	body, err := os.ReadFile("testdata/request.json")
	if err != nil {
		t.Fatal(err)
	}
	b := decode(t, string(body))
	if b.ID != "23FF1F97-F28A-44AA-AB67-266ED976BF40" || b.Query != cluster+"/5678234" || b.Function != wire.Push || b.Caller.Role != "etl" || b.Caller.Within != "dev" {
		t.Errorf("%+v", b.Batch)
	}
	var got [][3]string
	for _, r := range b.Rows {
		rule := ""
		if r.Fault != nil {
			rule = r.Fault.Rule
		}
		got = append(got, [3]string{r.Target, string(r.Object), rule})
	}
	if d := cmp.Diff([][3]string{
		{"sf_health", `{"customer_id":"cust_001","id":9007199254740993,"price":1234567890123456789012345.6789012345,"f":1.50e+3,"note":"caf\u00e9 \ud83d\ude00 é","n":null}`, ""},
		{"sf_health", "", "not_an_object"},
		{"", "", "unknown_sync"},
		{"sf_health.r0123456789abcdef", `{"customer_id":"cust_002","id":2,"price":0.1,"f":-0.0,"note":"a \"b\"\n","n":true}`, ""},
	}, got); d != "" {
		t.Error(d)
	}
}

// What one argument looks like: an array of one, the bare value, or null.
func TestShapesOfArguments(t *testing.T) {
	call := func(function, arguments string, n string) wire.Batch {
		return decode(t, `{"request_id":"r","user":"u","database":"d","query_id":7,"external_function":"`+function+`","num_records":`+n+`,"arguments":`+arguments+`}`)
	}
	b := call("penstock_reset", `["a",["b"],null,[null],["{x}"]]`, "5")
	var got []string
	for _, c := range b.Calls {
		got = append(got, c.Text(wire.Sync))
		if c.Fault != nil {
			t.Error(c.Fault)
		}
	}
	if d := cmp.Diff([]string{"a", "b", "", "", "{x}"}, got); d != "" {
		t.Error(d)
	}
	if b := call("penstock_finish", `[null]`, "1"); b.Calls[0].Fault != nil || b.Calls[0].Text(wire.Run) != "" {
		t.Errorf("a null row: %+v", b.Calls[0])
	}
	if b := call("penstock_finish", `["s.r1"]`, "1"); b.Calls[0].Fault == nil {
		t.Error("one bare argument of two is taken")
	}
	if b := call("penstock_cancel", `[["s.r1","{not an object, a reason}"]]`, "1"); b.Calls[0].Text(wire.Reason) != "{not an object, a reason}" {
		t.Errorf("%+v", b.Calls[0])
	}
}

// Nobody says what stands under arguments for a function that has none.
func TestFunctionWithoutArguments(t *testing.T) {
	for _, rest := range []string{`"num_records":1`, `"num_records":1,"arguments":null`, `"num_records":1,"arguments":[]`, `"num_records":1,"arguments":[[]]`, `"num_records":"1","arguments":[null]`, `"arguments":[[]]`} {
		b := decode(t, `{"request_id":"r","external_function":"penstock_syncs",`+rest+`}`)
		if len(b.Calls) != 1 || b.Calls[0].Fault != nil || b.Calls[0].Number != 0 {
			t.Errorf("%s: %+v", rest, b.Calls)
		}
	}
	for _, rest := range []string{`"num_records":18446744073709551615`, `"num_records":1000000`, `"num_records":2,"arguments":[[]]`, `"num_records":-1`, `"num_records":1.5`, `"num_records":"many"`} {
		if _, err := Decode(wire.Request{Body: []byte(`{"request_id":"r","external_function":"penstock_syncs",` + rest + `}`)}); err == nil {
			t.Errorf("%s is taken", rest)
		}
	}
}

func TestContradictingCountsAreRefused(t *testing.T) {
	const rows = `"arguments":[["s","{}"],["s","{}"]]`
	for _, n := range []string{"0", "1", "3", "-2", "2.0", `"x"`, "18446744073709551616"} {
		_, err := Decode(wire.Request{Body: []byte(`{"request_id":"r","external_function":"penstock_push","num_records":` + n + `,` + rows + `}`)})
		if refusal, ok := errors.AsType[*row.Refusal](err); !ok || refusal.Kind != row.Mistake || !strings.Contains(refusal.Message, "num_records") {
			t.Errorf("num_records %s: %v", n, err)
		}
	}
	for _, n := range []string{"2", `"2"`, "null"} {
		if b := decode(t, `{"request_id":"r","external_function":"penstock_push","num_records":`+n+`,`+rows+`}`); len(b.Rows) != 2 {
			t.Errorf("num_records %s: %d rows", n, len(b.Rows))
		}
	}
	if b := decode(t, `{"request_id":"r","external_function":"penstock_push",`+rows+`}`); len(b.Rows) != 2 {
		t.Error("no num_records")
	}
}

func TestFunctionsByName(t *testing.T) {
	for name, want := range map[string]string{
		"penstock_push": wire.Push, "public.penstock_push": wire.Push, "dev.public.penstock_push": wire.Push, "PUBLIC.PENSTOCK_PUSH": wire.Push, `"Team A"."penstock_push"`: wire.Push,
		"f_penstock_push": wire.Push, "public.f_penstock_status": wire.Status, "public.penstock_push(character varying, character varying)": wire.Push,
		"penstock_drop": "", "f_push": "", "f_f_penstock_push": "", "penstock_push.other": "", "": "",
	} {
		b, err := Decode(wire.Request{Body: EncodeRequest(nil, Head{Request: "r", Function: name, Records: -1}, nil)})
		if got := b.Function; got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v; want %q", name, got, err, want)
		}
	}
}

// The payload's keys have no order that anybody promises.
func TestOrderOfKeys(t *testing.T) {
	one := decode(t, `{"request_id":"r","query_id":7,"external_function":"penstock_push","num_records":1,"arguments":[["s","{\"a\":1}"]]}`)
	other := decode(t, `{"arguments":[["s","{\"a\":1}"]],"more":{"x":[1]},"num_records":1,"external_function":"penstock_push","query_id":"7","request_id":"r"}`)
	if d := cmp.Diff(one, other); d != "" {
		t.Error(d)
	}
}

// What a batch sent again under another request id has in common with the first, and
// with no other batch.
func TestIdentityByContent(t *testing.T) {
	base := headOf("r-1", "penstock_push")
	same := func(h Head, rows ...string) string {
		var all [][]jsontext.Value
		for _, r := range rows {
			all = append(all, []jsontext.Value{jsontext.Value(`"s"`), jsontext.Value(r)})
		}
		b, err := Decode(wire.Request{Body: EncodeRequest(nil, h, all)})
		if err != nil {
			t.Fatal(err)
		}
		return b.Same
	}
	first := same(base, `{"a":1}`, `{"a":2}`)
	again := base
	again.Request, again.Function, again.User = "r-2", "f_penstock_push", "somebody"
	if first == "" || same(again, `{"a":1}`, `{"a":2}`) != first {
		t.Error("a batch that is sent again is another one")
	}
	for name, change := range map[string]func(*Head){
		"query": func(h *Head) { h.Query++ }, "cluster": func(h *Head) { h.Cluster += "2" }, "database": func(h *Head) { h.Database = "prod" }, "function": func(h *Head) { h.Function = "penstock_status" },
	} {
		h := base
		if change(&h); same(h, `{"a":1}`, `{"a":2}`) == first {
			t.Errorf("another %s has the same identity", name)
		}
	}
	for _, rows := range [][]string{{`{"a":2}`, `{"a":1}`}, {`{"a":1}`}, {`{"a":1}`, `{"a":2}`, `{"a":2}`}, {`{"a":1}`, `{"a":"2"}`}} {
		if same(base, rows...) == first {
			t.Errorf("%v has the same identity", rows)
		}
	}
	for _, query := range []string{"0", `"00"`, "-1", "null", `""`, `"x"`, "1.5"} {
		b := decode(t, `{"request_id":"r","external_function":"penstock_push","query_id":`+query+`,"arguments":[["s","{}"]]}`)
		if b.Same != "" || b.Query != "r" {
			t.Errorf("query %s: the batches of all queries would be one: %q, query %q", query, b.Same, b.Query)
		}
	}
}

func TestLongIdsAreRefused(t *testing.T) {
	for _, h := range []Head{{Request: strings.Repeat("r", 300)}, {Request: "r", User: strings.Repeat("u", 300)}, {Request: "r", Database: strings.Repeat("d", 300)}, {Request: "r", Cluster: strings.Repeat("c", 300)}} {
		h.Function = "penstock_syncs"
		if _, err := Decode(wire.Request{Body: EncodeRequest(nil, h, nil)}); err == nil {
			t.Errorf("%.20v is taken", h)
		}
	}
}

// A row that is too long for a VARCHAR comes as its length and its record's id.
func TestLongRowsAreMarked(t *testing.T) {
	b := decode(t, `{"request_id":"r","external_function":"penstock_push","arguments":[["s","{\"penstock_too_large\":70123,\"id\":\"a\"}"],["s","{\"id\":\"penstock_too_large\"}"],["s","{\"penstock_too_large\":70123}"]]}`)
	for i, want := range []string{"row_too_large", "", "row_too_large"} {
		got := ""
		if f := b.Rows[i].Fault; f != nil {
			got = f.Rule
			if !strings.Contains(f.Message, "70123 bytes") || !strings.Contains(f.Message, "65535") {
				t.Error(f.Message)
			}
		}
		if got != want {
			t.Errorf("row %d: %q, want %q", i, got, want)
		}
	}
	if string(b.Rows[0].Object) != `{"penstock_too_large":70123,"id":"a"}` {
		t.Errorf("its record is lost: %s", b.Rows[0].Object)
	}
}
