//go:build cgo

package sql_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/apptest"
	controlled "github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/local"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// A road is Penstock behind a gateway on loopback, and a warehouse that calls it.
type road struct {
	*testing.T
	set   yamlfile.Set
	world *apptest.World
	w     *duckdb.Warehouse
	// refuse answers a path in the gateway's place, from the nth call on; calls counts.
	refuse    map[string]int
	arrived   func(body []byte) // is told of every push
	status    int
	onRefusal func()
	calls     map[string]*atomic.Int64
}

const connections = "connections:\n  crm: {type: salesforce, url: https://acme.my.salesforce.com}\n"

// definition is a sync of Accounts by their web site; extra are more keys.
func definition(extra string) string {
	return "destination_object: Account\nmatching_strategy: email_domain\nfield_mappings: [{source: score, destination: Health_Score__c, data_type: number}]\n" + extra
}

// newRoad applies the definitions, by name, and makes an Account per web site.
func newRoad(t *testing.T, definitions map[string]string) *road {
	t.Helper()
	dir := t.TempDir()
	definitions["connections"] = connections
	for name, text := range definitions {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set := apptest.Load(t, dir)
	r := roadOf(t, apptest.NewWith(t, set))
	r.set = set
	r.world.Vendors.SeedAccounts(t, "https://a.com", "https://b.com", "https://c.com", "https://d.com")
	return r
}

// roadOf is a warehouse in front of a World.
func roadOf(t *testing.T, world *apptest.World) *road {
	t.Helper()
	r := &road{T: t, world: world, refuse: map[string]int{}, status: http.StatusBadRequest, calls: map[string]*atomic.Int64{}}
	paths := map[string]local.Invoker{"/push": r.world.Functions["push"]}
	for _, path := range controlled.Paths() {
		paths[path] = r.world.Functions["control"]
	}
	for path := range paths {
		r.calls[path] = new(atomic.Int64)
	}
	gateway := local.Gateway(paths)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		n := int(r.calls[q.URL.Path].Add(1))
		if from := r.refuse[q.URL.Path]; from > 0 && n >= from {
			if r.onRefusal != nil {
				r.onRefusal()
			}
			http.Error(w, "refused by the test", r.status)
			return
		}
		if r.arrived != nil && q.URL.Path == "/push" {
			body, err := io.ReadAll(q.Body)
			if err != nil {
				t.Error(err)
			}
			r.arrived(body)
			q.Body = io.NopCloser(bytes.NewReader(body))
		}
		gateway.ServeHTTP(w, q)
	}))
	t.Cleanup(server.Close)
	w, err := duckdb.Open(t.Context(), duckdb.Config{
		Gateway: server.URL, Threads: 2, Now: r.world.Clock.Now,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	r.w = w
	return r
}

func (r *road) exec(statement string, args ...any) {
	r.Helper()
	exec(r.T, r.w.DB(), statement, args...)
}

// call runs a CALL and gives its row as one text: run ids are written RUN.
func (r *road) call(statement string) (string, error) {
	r.Helper()
	r.world.Clock.Advance(time.Minute) // runs are told apart by when they began
	rows, err := r.w.Query(r.Context(), "SELECT sync, run, status, selected, received, queued, rejected, superseded, blocked, reason FROM "+statement)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		v := make([]sql.NullString, 10)
		into := make([]any, len(v))
		for i := range v {
			into[i] = &v[i]
		}
		if err := rows.Scan(into...); err != nil {
			r.Fatal(err)
		}
		texts := make([]string, len(v))
		for i := range v {
			if texts[i] = v[i].String; !v[i].Valid {
				texts[i] = "-"
			}
		}
		if run.IsID(texts[1]) {
			texts[1] = "RUN"
		}
		out = append(out, strings.Join(texts, " "))
	}
	return strings.Join(out, "\n"), rows.Err()
}

// settle delivers what is queued and ends the runs.
func (r *road) settle() {
	r.Helper()
	r.world.Drain(r.T, "salesforce")
	r.world.Invoke(r.T, "sweep", apptest.Tick())
}

// last is the newest run of a sync.
func (r *road) last(sync string) runs.RunStatus {
	r.Helper()
	s, err := r.world.Control.Status(r.Context(), sync)
	if err != nil {
		r.Fatal(err)
	}
	if len(s.Runs) == 0 {
		return runs.RunStatus{}
	}
	return s.Runs[0]
}

// The whole flow: all rows, nothing while they settle, then those from the watermark
// on, and all again when asked.
func TestPenstockRun(t *testing.T) {
	r := newRoad(t, map[string]string{"accounts": definition("model: health\nincremental: {cursor: Updated_At}\n")})
	r.exec("CREATE TABLE health (email VARCHAR, score DECIMAL(5, 2), updated_at TIMESTAMP)")
	r.exec(`INSERT INTO health VALUES ('x@a.com', 1, '2024-01-15 10:00:00'), ('x@b.com', 2, '2024-01-15 10:30:00.123456'),
		('x@c.com', 3, '2024-01-15 10:40:00'), (NULL, 3, '2024-01-15 10:10:00'), ('x@d.com', 4, NULL)`)
	for _, c := range []struct{ do, call, want string }{
		{"", "penstock_run('accounts')", "accounts RUN finishing all 5 4 1 0 0 -"},
		{"", "penstock_run('accounts')", "accounts - skipped - - - - - - run"},
		{"settle", "penstock_run('accounts')", "accounts RUN finishing since 2 2 0 0 0 -"},
		{"settle", "penstock_run('accounts', mode := 'full')", "accounts RUN finishing all 5 4 1 0 0 -"},
		{"settle", "penstock_run('accounts', NULL)", "accounts RUN finishing since 2 2 0 0 0 -"},
	} {
		if c.do == "settle" {
			r.settle()
			// The row without a cursor is told.
			if got := r.last("accounts"); got.Status != run.Complete || got.Mode == run.Full && got.Counts.NoCursor != 1 {
				t.Fatalf("before %s: %+v", c.call, got)
			}
		}
		got, err := r.call(c.call)
		if err != nil || !strings.HasPrefix(got, c.want) {
			t.Fatalf("%s: %q, %v; want %q", c.call, got, err, c.want)
		}
	}
	r.settle()
	if d := cmp.Diff(map[string]string{"https://a.com": "1.0", "https://b.com": "2.0", "https://c.com": "3.0", "https://d.com": "4.0"}, r.world.Vendors.Accounts("Health_Score__c")); d != "" {
		t.Error(d)
	}
}

// Whatever fails, the run is closed with its reason, and no reason tells a value.
func TestPenstockRunFails(t *testing.T) {
	const secret = "s3cret"
	for _, c := range []struct {
		name   string
		set    func(r *road)
		call   string
		err    string // in the caller's error
		reason string // in the run's, "" where none was begun
		status run.Status
	}{
		{"unknown sync", nil, "penstock_run('nobody')", "nobody", "", ""},
		{"no sync", nil, "penstock_run(NULL)", "penstock_run: begin: ", "", ""},
		{"unknown mode", nil, "penstock_run('accounts', 'some')", "use incremental, full, cdc or dry_run", "", ""},
		{"missing model", func(r *road) { r.exec("DROP TABLE health") }, "penstock_run('accounts')", "health does not exist", "push of the model health: Catalog Error: Table with name health does not exist", run.Cancelled},
		{"a model that fails midway", func(r *road) {
			r.exec("ALTER TABLE health RENAME TO facts")
			r.exec("INSERT INTO facts SELECT email, score, updated_at, note FROM facts, range(5000)")
			r.exec("INSERT INTO facts VALUES ('x@a.com', 1, '2024-01-15 10:00:00', '" + secret + "')")
			r.exec("CREATE VIEW health AS SELECT email, CAST(note AS INTEGER) AS score, updated_at FROM facts")
		}, "penstock_run('accounts')", secret, "push of the model health: Conversion Error;", run.Cancelled},
		{"a model whose column is gone", func(r *road) {
			r.exec("ALTER TABLE health RENAME TO facts")
			r.exec("CREATE VIEW health AS SELECT email, score, updated_at FROM facts")
			r.exec("ALTER TABLE facts DROP COLUMN score")
		}, "penstock_run('accounts')", "Binder Error", `push of the model health: Binder Error: Referenced column "score" not found`, run.Cancelled},
		{"push refused", func(r *road) { r.refuse["/push"] = 1 }, "penstock_run('accounts')", "refused by the test", "push of the model health: penstock_push: the gateway answered 400", run.Cancelled},
		{"push refused midway", func(r *road) {
			r.refuse["/push"] = 3
			r.exec("INSERT INTO health SELECT email, score, updated_at, note FROM health, range(20000)")
		}, "penstock_run('accounts')", "refused by the test", "push of the model health: penstock_push: the gateway answered 400", run.Cancelled},
		{"finish refused", func(r *road) { r.refuse["/finish"] = 1 }, "penstock_run('accounts')", "refused by the test", "finish: penstock_finish: the gateway answered 400", run.Cancelled},
		{"closing refused", func(r *road) { r.refuse["/push"], r.refuse["/cancel"] = 1, 1 }, "penstock_run('accounts')", "is still open, because closing it failed too", "", run.Open},
		{"begin refused", func(r *road) { r.refuse["/begin"] = 1 }, "penstock_run('accounts')", "refused by the test", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoad(t, map[string]string{"accounts": definition("model: health\nincremental: {cursor: updated_at}\n")})
			r.exec("CREATE TABLE health (email VARCHAR, score DECIMAL(5, 2), updated_at TIMESTAMP, note VARCHAR)")
			r.exec("INSERT INTO health VALUES ('x@a.com', 1, '2024-01-15 10:00:00', '1')")
			if c.set != nil {
				c.set(r)
			}
			if got, err := r.call(c.call); err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("answers %q, %v; want an error with %s", got, err, c.err)
			}
			last := r.last("accounts")
			if last.Status != c.status || !strings.Contains(last.Reason, c.reason) || strings.Contains(last.Reason, secret) {
				t.Errorf("the run is %q, %q; want %q, %q", last.Status, last.Reason, c.status, c.reason)
			}
			if left := read(t, r.w.DB(), "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'penstock_receipts' AND estimated_size > 0"); c.reason != "" && !strings.HasPrefix(c.name, "finish") && left[0] != "0" {
				t.Errorf("receipts of a failed push stay")
			}
			// The tables are refreshed, so that they show it.
			if c.reason != "" && r.calls["/status"].Load() == 0 {
				t.Error("the failed run is not refreshed into the tables")
			}
			// The next run need not wait for the one that failed.
			clear(r.refuse)
			b, err := r.world.Control.Begin(t.Context(), "accounts", "", "next")
			if err != nil || (b.Select == runs.Wait) != (c.status == run.Open) {
				t.Errorf("the next begin answers %+v, %v", b, err)
			}
		})
	}
}

// An interrupt closes the run too.
func TestPenstockRunInterrupted(t *testing.T) {
	r := newRoad(t, map[string]string{"accounts": definition("model: health\n")})
	r.exec("CREATE TABLE health AS SELECT 'x@a.com' AS email, 1 AS score FROM range(10000)")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r.refuse["/push"], r.status = 2, http.StatusInternalServerError
	r.onRefusal = cancel
	_, err := r.w.Exec(ctx, "CALL penstock_run('accounts')")
	if last := r.last("accounts"); err == nil || last.Status != run.Cancelled || !strings.HasPrefix(last.Reason, run.BrokeOff+"push of the model health") {
		t.Errorf("%v; the run is %q, %q", err, last.Status, last.Reason)
	}
}

// Each type of watermark finds the rows at and above it, and those without a cursor,
// whatever the session's time zone.
func TestPenstockRunWatermarks(t *testing.T) {
	for _, c := range []struct {
		name, kind string
		cursors    [3]string // below, at and above the watermark, as SQL
		late       string    // of a row that comes later and equals the watermark
	}{
		{"whole number", "BIGINT", [3]string{"1", "5", "7"}, "5"},
		{"long number", "HUGEINT", [3]string{"9007199254740000", "9007199254740993", "9007199254740995"}, "9007199254740993"},
		{"decimal", "DECIMAL(10, 3)", [3]string{"0.999", "1.5", "10.25"}, "1.5"},
		{"timestamp", "TIMESTAMP", [3]string{"'2024-01-15 09:59:59.999999'", "'2024-01-15 10:00:00.000001'", "'2024-01-15 10:00:00.000002'"}, "'2024-01-15 10:00:00.000001'"},
		{"timestamp with zone", "TIMESTAMPTZ", [3]string{"'2024-01-15 10:59:00+01'", "'2024-01-15 10:00:00+00'", "'2024-01-15 05:30:00-05'"}, "'2024-01-15 11:00:00+01'"},
		{"timestamp as text", "VARCHAR", [3]string{"'2024-01-15T10:59:00+01:00'", "'2024-01-15T10:00:00Z'", "'2024-01-15T05:30:00-05:00'"}, "'2024-01-15T10:00:00.000Z'"},
		{"day", "DATE", [3]string{"'2024-01-12'", "'2024-01-13'", "'2024-01-14'"}, "'2024-01-13'"},
		{"text", "VARCHAR", [3]string{"'A9'", "'a1'", "'z'"}, "'a1'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoad(t, map[string]string{"accounts": definition("model: health\nincremental: {cursor: moved}\n")})
			r.exec("CREATE TABLE health (email VARCHAR, score INTEGER, moved " + c.kind + ")")
			r.exec(fmt.Sprintf("INSERT INTO health VALUES ('x@a.com', 1, %s), ('x@b.com', 2, %s)", c.cursors[0], c.cursors[1]))
			if _, err := r.call("penstock_run('accounts')"); err != nil {
				t.Fatal(err)
			}
			r.settle()
			r.exec(fmt.Sprintf("INSERT INTO health VALUES ('x@c.com', 3, %s), ('x@d.com', 4, NULL), ('y@b.com', 2, %s)", c.cursors[2], c.late))
			got, err := r.call("penstock_run('accounts')")
			if err != nil || !strings.HasPrefix(got, "accounts RUN finishing since 4 ") {
				t.Errorf("%q, %v; want 4 rows", got, err)
			}
			var pushed string
			if err := r.w.DB().QueryRow("SELECT string_agg(answer->>'record_id', ' ' ORDER BY answer->>'record_id') FROM penstock_receipts WHERE run = ?", r.last("accounts").ID).Scan(&pushed); err != nil {
				t.Fatal(err)
			}
			if want := "x@b.com x@c.com x@d.com y@b.com"; pushed != want {
				t.Errorf("pushed %s, want %s", pushed, want)
			}
		})
	}
}

// A cursor column that the model does not have is told, not pushed in full.
func TestPenstockRunWithoutItsCursor(t *testing.T) {
	r := newRoad(t, map[string]string{"accounts": definition("model: health\nincremental: {cursor: moved}\n")})
	r.exec("CREATE TABLE health AS SELECT 'x@a.com' AS email, 1 AS score, 5 AS moved")
	if _, err := r.call("penstock_run('accounts')"); err != nil {
		t.Fatal(err)
	}
	r.settle()
	r.exec("ALTER TABLE health RENAME COLUMN moved TO changed")
	got, err := r.call("penstock_run('accounts')")
	if last := r.last("accounts"); err == nil || !strings.Contains(err.Error(), "has no column moved") || !strings.Contains(last.Reason, "the model has no column moved") || last.Status != run.Cancelled {
		t.Errorf("%q, %v; the run is %q, %q", got, err, last.Status, last.Reason)
	}
}

// The rows are pushed, whatever becomes of the monitoring tables.
func TestPenstockRunWithoutRefresh(t *testing.T) {
	r := newRoad(t, map[string]string{"accounts": definition("model: health\n")})
	r.exec("CREATE TABLE health AS SELECT 'x@a.com' AS email, 1 AS score")
	r.refuse["/syncs"] = 1
	got, err := r.call("penstock_run('accounts')")
	if err != nil || !strings.HasPrefix(got, "accounts RUN finishing all 1 1 0 0 0 the monitoring tables were not refreshed") {
		t.Errorf("%q, %v", got, err)
	}
	if last := r.last("accounts"); last.Status != run.Finishing {
		t.Errorf("the run is %q, %q", last.Status, last.Reason)
	}
}

// What the caller's open transaction holds is not pushed, and its end undoes no push.
func TestPenstockRunInTransaction(t *testing.T) {
	r := newRoad(t, map[string]string{"accounts": definition("model: health\n")})
	r.exec("CREATE TABLE health AS SELECT 'x@a.com' AS email, 1 AS score")
	tx, err := r.w.DB().Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"INSERT INTO health VALUES ('x@b.com', 2)", "CALL penstock_run('accounts')"} {
		if _, err := tx.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if last := r.last("accounts"); last.Status != run.Finishing || last.Counts.Received != 1 {
		t.Errorf("the run is %q with %d rows", last.Status, last.Counts.Received)
	}
	if got := read(t, r.w.DB(), "SELECT answer->>'status' FROM penstock_receipts"); len(got) != 1 || got[0] != "queued" {
		t.Errorf("receipts: %q", got)
	}
}

// A run that somebody else began is waited for, also by the first call in a warehouse.
func TestPenstockRunWaits(t *testing.T) {
	r := newRoad(t, map[string]string{"accounts": definition("model: health\n")})
	if _, err := r.world.Control.Begin(t.Context(), "accounts", "", "elsewhere"); err != nil {
		t.Fatal(err)
	}
	got, err := r.call("penstock_run('accounts')")
	if err != nil || !strings.HasPrefix(got, `accounts - skipped - - - - - - run "accounts.`) {
		t.Errorf("%q, %v", got, err)
	}
}
