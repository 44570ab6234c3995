//go:build cgo

package duckdb

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Every way to write a row ends as the same JSON, with all digits.
func TestArguments(t *testing.T) {
	for _, c := range []struct{ name, sql, body, answer string }{
		{"to_json of a row", `SELECT penstock_push('s', to_json(m)) FROM (SELECT 9007199254740993 AS n, 1234567890123456789012345::DECIMAL(25,0) AS d, 'a"é' AS t) m`,
			`{"data":[[0,"s",{"n":9007199254740993,"d":1234567890123456789012345,"t":"a\"é"}]]}`, `{"n":9007199254740993,"d":1234567890123456789012345,"t":"a\"é"}`},
		{"a struct", `SELECT penstock_push('s', m) FROM (SELECT 1234567890123456789012345::DECIMAL(25,0) AS n, 12345678901234567890.12345::DECIMAL(25,5) AS d) m`,
			`{"data":[[0,"s",{"n":1234567890123456789012345,"d":12345678901234567890.12345}]]}`, `{"n":1234567890123456789012345,"d":12345678901234567890.12345}`},
		{"JSON as it is written", `SELECT penstock_push('s', '{"n": 1234567890123456789012345.10}'::JSON)`,
			`{"data":[[0,"s",{"n": 1234567890123456789012345.10}]]}`, `{"n": 1234567890123456789012345.10}`},
		{"text stays text, as from Snowflake's VARCHAR", `SELECT penstock_push('s', '{"n":1}')`, `{"data":[[0,"s","{\"n\":1}"]]}`, `"{\"n\":1}"`},
		{"a null row is sent as null and answered NULL", `SELECT penstock_push('s', NULL)`, `{"data":[[0,"s",null]]}`, `<NULL>`},
		{"a null sync", `SELECT penstock_push(NULL, {'a': 1})`, `{"data":[[0,null,{"a":1}]]}`, `{"a":1}`},
		{"a parameter", `SELECT penstock_push(?, {'a': NULL})`, `{"data":[[0,"s",{"a":null}]]}`, `{"a":null}`},
		{"NaN is no JSON: this row goes as text", `SELECT penstock_push('s', {'a': 'NaN'::DOUBLE})`, `{"data":[[0,"s","{\"a\":NaN}"]]}`, `"{\"a\":NaN}"`},
		{"Infinity too", `SELECT penstock_push('s', {'a': '-inf'::DOUBLE})`, `{"data":[[0,"s","{\"a\":-Infinity}"]]}`, `"{\"a\":-Infinity}"`},
		{"a time", `SELECT penstock_push('s', {'t': TIMESTAMPTZ '2026-01-05 14:00:00+02'})`, `{"data":[[0,"s",{"t":"2026-01-05 12:00:00+00"}]]}`, `{"t":"2026-01-05 12:00:00+00"}`},
		{"a duplicate key is for the gateway to refuse", `SELECT penstock_push('s', '{"a":1,"a":2}'::JSON)`, `{"data":[[0,"s",{"a":1,"a":2}]]}`, `"fault: duplicate_key"`},
		{"begin", `SELECT penstock_begin('s', 'full')`, `{"data":[[0,"s","full"]]}`, `"full"`},
		{"begin without a mode", `SELECT penstock_begin('s')`, `{"data":[[0,"s",null]]}`, `<NULL>`},
		{"finish", `SELECT penstock_finish('s.1', 9007199254740993)`, `{"data":[[0,"s.1",9007199254740993]]}`, `9007199254740993`},
		{"status", `SELECT penstock_status('s')`, `{"data":[[0,"s",null,null]]}`, `<NULL>`},
		{"more of the status", `SELECT penstock_status('s', '2026-01-05', '7#s.1')`, `{"data":[[0,"s","2026-01-05","7#s.1"]]}`, `"7#s.1"`},
		{"errors", `SELECT penstock_errors('s.1')`, `{"data":[[0,"s.1",null,null]]}`, `<NULL>`},
		{"more errors", `SELECT penstock_errors('s.1', 'b#7')`, `{"data":[[0,"s.1","b#7",null]]}`, `<NULL>`},
		{"new errors", `SELECT penstock_errors('s.1', NULL, TIMESTAMP '2026-01-05 12:00:00')`, `{"data":[[0,"s.1",null,"2026-01-05 12:00:00"]]}`, `"2026-01-05 12:00:00"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGateway(t)
			w, _ := open(t, g)
			var args []any
			if strings.Contains(c.sql, "?") {
				args = append(args, "s")
			}
			got, err := column(t, w, c.sql, args...)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{c.answer}, got); d != "" {
				t.Errorf("answer: %s", d)
			}
			if len(g.calls) != 1 || g.calls[0].body != c.body {
				t.Errorf("sent %v\nwant %s", g.calls, c.body)
			}
		})
	}
}

// One statement has one query id and a batch id per chunk; the next has others.
func TestIds(t *testing.T) {
	g := newGateway(t)
	w, _ := open(t, g)
	const query = `SELECT CAST(penstock_push('s', {'i': i}) AS JSON)->>'i' FROM range(10000) r(i)`
	got, err := column(t, w, query)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if v != fmt.Sprint(i) {
			t.Fatalf("row %d was answered %s", i, v)
		}
	}
	first := len(g.calls)
	if _, err := column(t, w, query); err != nil {
		t.Fatal(err)
	}
	rows, batches, queries := 0, map[string]bool{}, map[string]int{}
	for i, c := range g.calls {
		h := c.header
		q, b := h.Get("sf-external-function-current-query-id"), h.Get("sf-external-function-query-batch-id")
		if !strings.HasPrefix(b, q+":") || batches[b] {
			t.Errorf("batch id %s of query %s is not its own", b, q)
		}
		rows, batches[b] = rows+c.rows, true
		if queries[q]++; (q == g.calls[0].header.Get("sf-external-function-current-query-id")) != (i < first) {
			t.Errorf("call %d has query id %s", i, q)
		}
	}
	if rows != 20000 || len(queries) != 2 || first < 5 {
		t.Errorf("%d rows in %d queries, %d calls in the first", rows, len(queries), first)
	}
	want := map[string]string{"format": "json", "format-version": "1.0", "name": "penstock_push", "signature": "(SYNC VARCHAR, ROW_OBJECT VARIANT)", "return-type": "VARIANT", "name-base64": "cGVuc3RvY2tfcHVzaA=="}
	for name, value := range want {
		if got := g.calls[0].header.Get("sf-external-function-" + name); got != value {
			t.Errorf("header %s is %q, want %q", name, got, value)
		}
	}
	if g.calls[0].path != "POST /push" {
		t.Error(g.calls[0].path)
	}
}

// Two syncs in one statement share its query id; run outside Query they work too,
// and a prepared statement never repeats a batch id.
func TestIdsOutsideQuery(t *testing.T) {
	g := newGateway(t)
	w, _ := open(t, g)
	if _, err := w.Exec(t.Context(), `CREATE TABLE answers AS SELECT penstock_push('a', {'i': 1}) AS a, penstock_push('b', {'i': 1}) AS b`); err != nil {
		t.Fatal(err)
	}
	if len(g.calls) != 2 || g.calls[0].header.Get("sf-external-function-current-query-id") != g.calls[1].header.Get("sf-external-function-current-query-id") {
		t.Errorf("two functions of a statement: %v", g.calls)
	}
	stmt, err := w.DB().PrepareContext(t.Context(), `SELECT penstock_push('s', {'i': 1})`)
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for range 3 {
		var s string
		if err := stmt.QueryRowContext(t.Context()).Scan(&s); err != nil || s != `{"i":1}` {
			t.Fatalf("%s %v", s, err)
		}
	}
	batches := map[string]bool{}
	for _, c := range g.calls {
		batches[c.header.Get("sf-external-function-query-batch-id")] = true
	}
	if len(batches) != 5 {
		t.Errorf("%d batch ids for 5 requests", len(batches))
	}
}

func TestRetries(t *testing.T) {
	g := newGateway(t)
	g.refuse = func(n int, w http.ResponseWriter) bool {
		switch n {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			w.WriteHeader(http.StatusTooManyRequests)
		case 3:
			panic(http.ErrAbortHandler) // the connection breaks
		}
		return n <= 3
	}
	w, c := open(t, g)
	got, err := column(t, w, `SELECT penstock_push('s', {'i': 1})`)
	if err != nil || len(got) != 1 || got[0] != `{"i":1}` {
		t.Fatalf("%v %v", got, err)
	}
	if len(g.calls) != 4 {
		t.Fatalf("%d calls", len(g.calls))
	}
	for _, call := range g.calls[1:] {
		if id := call.header.Get("sf-external-function-query-batch-id"); id != g.calls[0].header.Get("sf-external-function-query-batch-id") || call.body != g.calls[0].body {
			t.Errorf("the retry has batch id %s and body %s", id, call.body)
		}
	}
	if d := cmp.Diff([]time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond}, c.slept); d != "" {
		t.Error(d)
	}
}

func TestFailures(t *testing.T) {
	status := func(code int, text string) func(int, http.ResponseWriter) bool {
		return func(_ int, w http.ResponseWriter) bool {
			w.WriteHeader(code)
			fmt.Fprint(w, text)
			return true
		}
	}
	for _, c := range []struct {
		name   string
		change func(*gateway)
		want   string
		calls  int
	}{
		{"a refusal", func(g *gateway) { g.refuse = status(400, "no sync is called s; apply it first\n") }, "penstock_push: the gateway answered 400: no sync is called s; apply it first", 1},
		{"HTML", func(g *gateway) { g.refuse = status(404, "<html>"+strings.Repeat("é", 3000)) }, "penstock_push: the gateway answered 404: <html>é", 1},
		{"an outage", func(g *gateway) { g.refuse = status(502, "") }, "penstock_push: the gateway answered 502: Bad Gateway; given up after 2m0s of attempts", 17},
		{"another MD5", func(g *gateway) { g.sum = func([]byte) string { return "AAAAAAAAAAAAAAAAAAAAAA==" } }, "does not match its Content-MD5", 1},
		{"a row is not answered", func(g *gateway) {
			g.refuse = func(_ int, w http.ResponseWriter) bool { fmt.Fprint(w, `{"data":[]}`); return true }
		}, "penstock_push: the gateway answered 0 of 1 rows", 1},
		{"no JSON", func(g *gateway) {
			g.refuse = func(_ int, w http.ResponseWriter) bool { fmt.Fprint(w, `oops`); return true }
		}, "penstock_push: the gateway's answer", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGateway(t)
			c.change(g)
			w, clock := open(t, g)
			_, err := column(t, w, `SELECT penstock_push('s', {'i': 1})`)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
			total := time.Duration(0)
			for _, d := range clock.slept {
				total += d
			}
			if len(g.calls) != c.calls || total > 2*time.Minute {
				t.Errorf("%d calls in %s", len(g.calls), total)
			}
		})
	}
}

// A request that goes on failing is told of once, while it is tried, and a short failure is
// not.
func TestRepeats(t *testing.T) {
	for failures, want := range map[int]int{0: 0, 4: 0, 7: 1, 10: 1} {
		g := newGateway(t)
		g.answer = func() string { return `{"status":"queued"}` }
		g.refuse = func(n int, w http.ResponseWriter) bool {
			if n > failures {
				return false
			}
			w.WriteHeader(500)
			return true
		}
		told := []string{}
		w, _ := open(t, g, func(c *Config) { c.Repeats = func(err error) { told = append(told, err.Error()) } })
		if _, err := column(t, w, `SELECT penstock_push('s', {'i': 1})->>'status'`); err != nil {
			t.Fatal(err)
		}
		if len(told) != want || want > 0 && told[0] != "penstock_push: the gateway answered 500: Internal Server Error" {
			t.Errorf("%d failures: %q", failures, told)
		}
	}
}

func TestNoGateway(t *testing.T) {
	w, _ := open(t, nil)
	_, err := column(t, w, `SELECT penstock_status('s')`)
	if err == nil || !strings.Contains(err.Error(), "no gateway is configured") {
		t.Error(err)
	}
}

// A view may call the functions, a WHERE that drops every row calls nothing, and
// a database file opens again with its functions.
func TestFile(t *testing.T) {
	g := newGateway(t)
	g.answer = func() string { return `{"status":"queued"}` }
	cfg := Config{Path: filepath.Join(t.TempDir(), "w.duckdb"), Gateway: g.URL, MemoryLimit: "256MB"}
	for range 2 {
		w, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Exec(t.Context(), `CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS i`); err != nil {
			t.Fatal(err)
		}
		got, err := column(t, w, `SELECT penstock_push('s', to_json(m))->>'status' FROM t m`)
		if err != nil || len(got) != 1 || got[0] != "queued" {
			t.Errorf("%v %v", got, err)
		}
		if got, err = column(t, w, `SELECT penstock_push('s', m) FROM t m WHERE i > 1`); err != nil || len(got) != 0 {
			t.Errorf("%v %v", got, err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(g.calls) != 2 {
		t.Errorf("%d calls", len(g.calls))
	}
}

func BenchmarkPush100k(b *testing.B) {
	answer := []byte(`{"status":"queued","run":"sf_health.q0123456789abcdef","record_id":"cust_0000001"}`)
	s := newFastGateway(b, answer)
	w, err := Open(b.Context(), Config{Gateway: s, Threads: 2})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Exec(b.Context(), `CREATE TABLE m AS SELECT 'cust_' || i AS customer_id, 'someone@acme-' || i || '.com' AS email, 'ACME METALS ' || i AS company_name,
		(i % 1000) / 10 AS score, 'At Risk - Immediate Action Required' AS status, i % 90 AS users, i * 7 AS mrr, TIMESTAMP '2026-01-05 12:00:00' AS at,
		'Monitor regularly and follow standard cadence' AS action FROM range(100000) r(i)`); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		var n int
		if err := w.DB().QueryRowContext(begin(b.Context()), `SELECT count(*) FILTER (a->>'status' = 'queued') FROM (SELECT penstock_push('sf_health', to_json(m)) AS a FROM m)`).Scan(&n); err != nil || n != 100000 {
			b.Fatal(n, err)
		}
	}
}
