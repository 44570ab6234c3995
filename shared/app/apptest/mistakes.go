package apptest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/local"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/wire/gateway"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// A Mistake is a request that only its caller can mend.
type Mistake struct {
	Name  string
	To    string // push or control
	Event []byte
	Says  string // a part of the message
	Kept  bool   // it is answered row by row, each rejected
	Reads bool   // it only reads, and may answer with the message alone: no statement fails by it
}

// refusalIn is why a function that only reads answered its one row nothing: an answer
// that holds anything beside the reason is none.
func refusalIn(rows []jsontext.Value) string {
	var a struct {
		Version, Message string
		Runs, Errors     []json.RawMessage
	}
	if len(rows) != 1 || json.Unmarshal(rows[0], &a) != nil || len(a.Runs)+len(a.Errors) > 0 || a.Version != "" || len(rows[0]) > 2000 {
		return ""
	}
	return a.Message
}

// RunMistakes hands every Mistake to the functions, over whatever storage they have,
// and wants each refused as its caller's, in one line: whatever else is answered makes
// a warehouse send the same again.
func RunMistakes(t *testing.T, functions map[string]local.Invoker, sync, id string) {
	t.Helper()
	for _, m := range Mistakes(sync, id) {
		raw, err := functions[m.To].Invoke(t.Context(), m.Event)
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		status, rows, message := Status(t, raw)
		if m.Kept {
			ok := status == http.StatusOK && len(rows) > 0
			for _, r := range rows {
				ok = ok && strings.Contains(string(r), `"rejected"`) && strings.Contains(string(r), m.Says) && len(r) < 2000
			}
			if !ok {
				t.Errorf("%s: %d, %.300s%.300s", m.Name, status, rows, message)
			}
			continue
		}
		if why := refusalIn(rows); why != "" && m.Reads {
			status, message = http.StatusBadRequest, why
		}
		if status < 400 || status >= 500 || status == http.StatusTooManyRequests {
			t.Errorf("%s: status %d: %.300s", m.Name, status, message)
		}
		if !strings.Contains(message, m.Says) || len(message) > 1000 || strings.ContainsAny(message, "\n\r\x00") {
			t.Errorf("%s: told %.1200q, want %q", m.Name, message, m.Says)
		}
	}
}

// Mistakes are requests about a sync that is applied and a run of it, each wrong in
// another way.
func Mistakes(sync, id string) []Mistake {
	return slices.Concat(wrongNames(sync, id), wrongArguments(sync, id), wrongRows(sync), wrongRequests(sync))
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }

// names that lead nowhere, of every length and alphabet.
func wrongNames(sync, id string) (all []Mistake) {
	for what, name := range map[string]string{
		"that is not applied": `"no_such_sync"`, "of a run that is not": quoted("no_such_sync.r0123456789abcdef"),
		"of 3,000 bytes": quoted(strings.Repeat("s", 3000)), "of 5 MB": quoted(strings.Repeat("s", 4<<20)),
		"with a part of 3,000 bytes": quoted(sync + "." + strings.Repeat("r", 3000)), "in capitals": quoted(strings.ToUpper(sync)),
		"with a key's separator": quoted(sync + "#V"), "with a wild card": `"%"`, "with a quote": `"s' OR '1'='1"`, "with a path": `"../../etc/passwd"`,
		"with NUL": `"s\u0000"`, "of another alphabet": `"синк"`, "with an end of line": `"s\nt"`, "of blanks": `"  "`, "of a point": `"."`, "with two points": quoted(id + ".x"),
	} {
		for _, f := range []string{"begin", "reset", "status", "errors", "retry", "cancel"} {
			all = append(all, Mistake{Name: f + " of a name " + what, To: "control", Event: Request(f, "q", "q:1", []string{name}), Says: "there is no sync", Reads: f == "status" || f == "errors"})
		}
		all = append(all,
			Mistake{Name: "finish of a name " + what, To: "control", Event: Request("finish", "q", "q:1", []string{name, "1"}), Says: "there is no sync"},
			Mistake{Name: "push to a name " + what, To: "push", Event: Request("push", "q", "q:1", []string{name, `{"a":1}`}), Says: "there is no sync"})
	}
	unknown := quoted(sync + ".r00000000000000ff")
	for _, f := range []string{"status", "errors", "retry", "cancel"} {
		all = append(all, Mistake{Name: f + " of a run that is not", To: "control", Event: Request(f, "q", "q:1", []string{unknown}), Says: "there is no run", Reads: f == "status" || f == "errors"})
	}
	var many [][]string
	for i := range 101 {
		many = append(many, []string{quoted(fmt.Sprintf("customer_%d", i)), `{"a":1}`})
	}
	return append(all, Mistake{Name: "a column in place of the name", To: "push", Event: Request("push", "q", "q:1", many...), Says: "name 101 syncs or runs"})
}

// arguments of other kinds, numbers and forms than a function takes.
func wrongArguments(sync, id string) (all []Mistake) {
	add := func(says, f string, args ...string) {
		all = append(all, Mistake{Name: fmt.Sprintf("%s(%.60s)", f, strings.Join(args, ", ")), To: "control", Event: Request(f, "q", "q:1", args), Says: says})
	}
	name, run := quoted(sync), quoted(id)
	for _, f := range []string{"begin", "reset", "status", "errors", "retry", "cancel"} {
		add("takes other arguments", f)
		add("takes other arguments", f, name, name, name, name)
		add("missing, null or no text", f, `null`)
		add("missing, null or no text", f, `""`)
		for _, v := range []string{`12`, `1.5e400`, `true`, `{}`, `{"sync": ` + name + `}`, `[` + name + `]`} {
			add("must be text", f, v)
		}
	}
	for _, v := range []string{`-1`, `1.5`, `"x"`, `""`, `null`, `true`, `{}`, `[1]`, `1e400`, `9223372036854775808`, `"` + strings.Repeat("9", 400) + `"`} {
		add("penstock_finish", "finish", run, v)
	}
	for _, v := range []string{`"sideways"`, `"FULL"`, `"` + strings.Repeat("x", 4000) + `"`} {
		add("use incremental, full, cdc or dry_run", "begin", name, v)
	}
	for _, v := range []string{`{}`, `["full"]`, `1`} {
		add("must be text", "begin", name, v)
	}
	for _, v := range []string{`"nonsense"`, `"#"`, `"b#1#2"`, `"b#99999999999999999999"`, `"` + strings.Repeat("b", 3000) + `#1"`} {
		add("no place to go on from", "errors", run, v)
	}
	for _, v := range []string{`"nonsense"`, `"1#no_such_sync.r1"`, `"1#` + sync + "." + strings.Repeat("r", 3000) + `"`, `"x#` + id + `"`, `"99999999999999999999#` + id + `"`} {
		add("no place in the runs", "status", name, `""`, v)
	}
	for _, v := range []string{`"yesterday"`, `"2024-13-01"`, `"` + strings.Repeat("2", 3000) + `"`} {
		add("since is no time", "status", name, v)
		add("since is no time", "errors", run, `""`, v)
	}
	add("must be text", "errors", run, `{}`)
	for _, v := range []string{`"x"`, `[]`, `12`, `true`, `{"record": "1"}`, `{"records": "1"}`, `{"records": [1]}`, `"{\"records\": }"`, `"{} {}"`, `{"records": {}}`} {
		add("the selector is an object such as", "retry", run, v)
	}
	add("no place to go on from", "retry", run, `{"after": "x"}`)
	return append(all, Mistake{Name: "a selector of 2,000 records", To: "control", Says: "at most 1000",
		Event: Request("retry", "q", "q:1", []string{run, `{"records": ["1"` + strings.Repeat(`,"1"`, 2000) + `]}`})})
}

// rows that are wrong in ways that would fill an item, or break one.
func wrongRows(sync string) (all []Mistake) {
	long := strings.Repeat("k", 200_000)
	var different [][]string
	for i := range 60 {
		key := fmt.Sprintf("%s%d", long[:20_000], i)
		different = append(different, []string{quoted(sync), fmt.Sprintf(`{%q:1,%[1]q:2}`, key)})
	}
	row := func(object string) []string { return []string{quoted(sync), object} }
	return []Mistake{
		{"a key of 200 KB twice", "push", Request("push", "q-long", "q-long:1", row(`{"`+long+`":1,"`+long+`":2}`)), "duplicate_key", true, false},
		{"60 keys of 20 KB twice", "push", Request("push", "q-many", "q-many:1", different...), "rejected", true, false},
		{"a row of 300 KB", "push", Request("push", "q-large", "q-large:1", row(`{"a":"`+strings.Repeat("x", 300_000)+`"}`)), "row_too_large", true, false},
		{"rows of other kinds", "push", Request("push", "q-kinds", "q-kinds:1", row(`null`), row(`12`), row(`"x"`), row(`[]`), row(`true`)), "not_an_object", true, false},
		{"an empty row", "push", Request("push", "q-empty", "q-empty:1", row(`{}`)), "rejected", true, false},
		{"more rows than a batch has", "push", Request("push", "q-rows", "q-rows:1", slices.Repeat([][]string{row(`{}`)}, run.MaxRows+1)...), "send fewer at a time", false, false},
	}
}

// requests that are none.
func wrongRequests(sync string) (all []Mistake) {
	for _, to := range []string{"push", "control"} {
		f := map[string]string{"push": "push", "control": "status"}[to]
		for body, says := range map[string]string{
			"": "no body", "x": "not JSON", "null": "is null", "[]": "is an array", `{"data":`: "ends in the middle", `{"data":null}`: `"data" is null`,
			`{"data":[1]}`: "row 0", `{"data":[[]]}`: "row 0", `{"data":[["0"]]}`: "row 0", `{"data":[[-1,"a"]]}`: "row 0", `{"data":[[0,"a"],[0,"a"]]}`: "the number 0",
			`{"data":[]} x`: "goes on after", `{"data":[],"data":[]}`: "twice", "{\"data\":[[0,\"\xff\"]]}": "", "\xff\xfe": "", "\x1f\x8b\x08broken": "broken gzip",
			`{"data":[[0,` + strings.Repeat("[", 100_000): "ends in the middle",
		} {
			if body == "{\"data\":[[0,\"\xff\"]]}" && to == "push" {
				continue // the row's fault, which is refused with it
			}
			all = append(all, Mistake{Name: fmt.Sprintf("%s with the body %.30q", f, body), To: to, Event: RawRequest(f, "q", "q:1", []byte(body)), Says: says})
		}
		body := []byte(`{"data":[[0,"` + sync + `"]]}`)
		for name, c := range map[string]struct {
			method string
			header http.Header
			says   string
		}{
			"no batch id":          {"POST", http.Header{}, "is missing"},
			"a batch id of 9 KB":   {"POST", http.Header{snowflake.HeaderBatchID: {strings.Repeat("a", 9000)}}, "at most 256"},
			"a batch id no base64": {"POST", http.Header{snowflake.HeaderBatchID + "-base64": {"%"}}, "is not base64"},
			"a role no base64":     {"POST", http.Header{snowflake.HeaderBatchID: {"a"}, snowflake.HeaderRole + "-base64": {"%"}}, "is not base64"},
			"a poll":               {"GET", http.Header{snowflake.HeaderBatchID: {"a"}}, "answered at once"},
			"another method":       {"DELETE", http.Header{snowflake.HeaderBatchID: {"a"}}, "use POST"},
		} {
			all = append(all, Mistake{Name: f + " with " + name, To: to, Event: gateway.EncodeRequest(c.method, "/"+f, c.header, nil, body), Says: c.says})
		}
		for _, event := range []string{``, `null`, `[]`, `{}`, `{"httpMethod":1}`, `{"httpMethod":"POST"`, `{"httpMethod":"POST","body":{}}`, `{"httpMethod":"POST","body":"%","isBase64Encoded":true}`, `{"Records":[]}`} {
			all = append(all, Mistake{Name: to + " with the event " + event, To: to, Event: []byte(event), Says: "event"})
		}
		all = append(all, Mistake{Name: to + " at an address of nothing", To: to, Event: RawRequest("nothing", "q", "q:1", body), Says: "names no function"})
	}
	return append(all,
		Mistake{Name: "rows at the address of another function", To: "control", Event: Request("push", "q", "q:1", []string{quoted(sync), `{}`}), Says: "does not take rows"},
		Mistake{Name: "a call at the address of rows", To: "push", Event: Request("status", "q", "q:1", []string{quoted(sync)}), Says: "takes penstock_push only"},
		Mistake{Name: "2,049 calls", To: "control", Event: Request("status", "q", "q:1", slices.Repeat([][]string{{quoted(sync)}}, 2049)...), Says: "MAX_BATCH_ROWS"})
}
