//go:build cgo

package sql_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/local"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// A monitored is Penstock behind a gateway: what is stored of syncs, runs and errors is
// put there by the test, and a warehouse reads it over HTTP.
type monitored struct {
	t     *testing.T
	store *sqlite.Store
	url   string
	w     *duckdb.Warehouse
	db    *sql.DB
	now   time.Time
	runs  int

	mu      sync.Mutex
	calls   map[string]int // by path
	refuses string         // a path
}

// asked are the calls of a path since the last time.
func (m *monitored) asked(path string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.calls[path]
	delete(m.calls, path)
	return n
}

func (m *monitored) refuse(path string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuses = path
}

// same compares what queries give with what they should.
func (m *monitored) same(want map[string][]string) {
	m.t.Helper()
	for query, rows := range want {
		if d := cmp.Diff(rows, read(m.t, m.db, query)); d != "" {
			m.t.Errorf("%s: %s", query, d)
		}
	}
}

func newMonitored(t *testing.T) *monitored {
	t.Helper()
	m := &monitored{t: t, now: time.Now().UTC().Truncate(time.Second), calls: map[string]int{}} //nolint:forbidigo // the warehouse's clock is the machine's
	var err error
	if m.store, err = sqlite.Open("", func() time.Time { return m.now }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.store.Close() })
	s := m.store
	h := &control.Handler{Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})), Control: &runs.Control{
		Stores: runs.Stores{Syncs: s, Connections: s, Runs: s, History: s, Recorded: s, Marks: s, Errors: s, Due: s, Ledger: s, Halts: s, Depths: s, Freshness: s},
		Policy: run.DefaultPolicy(), Now: func() time.Time { return m.now },
	}}
	routes := map[string]local.Invoker{}
	for _, path := range control.Paths() {
		routes[path] = h
	}
	gateway := local.Gateway(routes)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		m.calls[r.URL.Path]++
		refused := m.refuses == r.URL.Path
		m.mu.Unlock()
		if refused {
			http.Error(w, "refused by the test", http.StatusBadRequest)
			return
		}
		gateway.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	m.url = server.URL
	m.ok(s.PutConnection(t.Context(), syncdef.Connection{Name: "crm_prod", Type: "crm"}))
	m.w, m.db = warehouse(t, m.url)
	return m
}

func (m *monitored) ok(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// apply applies a sync.
func (m *monitored) apply(name string, change func(*syncdef.Definition)) {
	m.t.Helper()
	d := syncdef.Definition{Sync: name, Connection: "crm_prod", Object: "Account", Operation: syncdef.Upsert, Frequency: "hourly"}
	if change != nil {
		change(&d)
	}
	m.ok(m.store.Apply(m.t.Context(), syncdef.NewVersion(d, syncdef.Rules{Type: "crm"}, m.now)))
}

// ran stores a run that ended so long ago, a minute after it began, with these counts,
// and an error for every row of which it failed.
func (m *monitored) ran(name string, ago time.Duration, c run.Counts, change func(*run.Run)) run.Run {
	m.t.Helper()
	m.runs++
	v, err := m.store.Current(m.t.Context(), name)
	m.ok(err)
	r := run.Run{
		ID: run.BegunID(name, fmt.Sprint(m.runs)), Sync: name, Version: v.ID, Mode: run.Incremental, Bracketed: true, Status: run.Complete,
		BegunAt: m.now.Add(-ago - time.Minute), FinishedAt: m.now.Add(-ago), EndedAt: m.now.Add(-ago), Expected: c.Received, Counts: c,
	}
	if change != nil {
		change(&r)
	}
	r.Outcome = run.OutcomeOf(r, r.Counts)
	latest, err := m.store.Latest(m.t.Context(), name)
	m.ok(err)
	m.ok(m.store.BeginRun(m.t.Context(), r, latest))
	if r.Status != run.Complete { // such a run is counted anew from what is recorded of it
		m.batch(r.ID, c)
	}
	m.fail(r, 0, int(c.Rejected+c.Blocked+c.Failed))
	return r
}

// batch records a batch that counts so.
func (m *monitored) batch(id string, c run.Counts) {
	m.t.Helper()
	_, _, err := m.store.PinBatch(m.t.Context(), run.Batch{Run: id, ID: "b", Sync: run.SyncOf(id), Sent: true, At: m.now, Counts: c})
	m.ok(err)
}

// batchCounts records another batch that counts so.
func (m *monitored) batchCounts(id string, c run.Counts) {
	m.t.Helper()
	_, _, err := m.store.PinBatch(m.t.Context(), run.Batch{Run: id, ID: "b2", Sync: run.SyncOf(id), Sent: true, At: m.now, Counts: c})
	m.ok(err)
}

// fail stores errors of a run's rows, from one to before another.
func (m *monitored) fail(r run.Run, from, to int) {
	m.t.Helper()
	at := r.EndedAt
	if at.IsZero() {
		at = m.now
	}
	var errs []run.RowError
	for n := from; n < to; n++ {
		errs = append(errs, run.RowError{
			Sync: r.Sync, Run: r.ID, Batch: "b", Row: n, RecordID: fmt.Sprintf("c%d", n), Type: "above_max", Message: "column x: found 120", Field: "x",
			Stage: "intake", At: at, Source: []byte(fmt.Sprintf(`{"customer_id":"c%d","n":9007199254740993}`, n)),
		})
	}
	m.ok(m.store.StoreErrors(m.t.Context(), errs))
}

// update changes a stored run.
func (m *monitored) update(id string, change func(*run.Run)) {
	m.t.Helper()
	r, err := m.store.Run(m.t.Context(), id)
	m.ok(err)
	change(&r)
	r.Outcome = run.OutcomeOf(r, r.Counts)
	m.ok(m.store.UpdateRun(m.t.Context(), r))
}

// refresh calls penstock_refresh.
func (m *monitored) refresh() []string {
	m.t.Helper()
	return read(m.t, m.db, "FROM penstock_refresh()")
}
