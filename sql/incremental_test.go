//go:build cgo

package sql_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// A refresh reads page by page what is new since the last one, and no error twice.
func TestRefreshIsIncremental(t *testing.T) {
	m := newMonitored(t)
	m.apply("busy", nil)
	m.apply("quiet", nil)
	for n := range 250 { // three pages of runs
		m.ran("busy", time.Duration(260-n)*time.Hour, run.Counts{Received: 1, Delivered: 1}, nil)
	}
	m.ran("quiet", 40*time.Hour, run.Counts{Received: 3000, Failed: 2500, Delivered: 500}, nil) // three pages of errors
	m.refresh()
	// Two syncs are asked about in one request, or in two where DuckDB's threads share them.
	if status, errs := m.asked("/status"), m.asked("/errors"); status < 3 || status > 4 || errs != 3 {
		t.Errorf("%d requests about runs and %d about errors, want 3 pages each", status, errs)
	}
	m.same(map[string][]string{
		"SELECT sync_name, count(*), count(DISTINCT sync_run_id) FROM penstock_runs GROUP BY ALL ORDER BY ALL": {"busy | 250 | 250", "quiet | 1 | 1"},
		"SELECT count(*), count(DISTINCT error_ref), count(DISTINCT record_id) FROM reverse_etl_sync_errors":   {"2500 | 2500 | 2500"},
	})

	m.refresh()
	if status, errs := m.asked("/status"), m.asked("/errors"); status < 1 || status > 2 || errs != 0 {
		t.Errorf("nothing is new: %d requests about runs and %d about errors", status, errs)
	}

	// A run that goes on is asked about until it has ended, and for its new errors only.
	open := m.ran("quiet", 0, run.Counts{Received: 2500, Queued: 2500}, func(r *run.Run) { r.Status, r.EndedAt = run.Open, time.Time{} })
	m.batchCounts(open.ID, run.Counts{Received: 2500, Rejected: 1500})
	m.fail(open, 0, 1500)
	m.refresh()
	if errs := m.asked("/errors"); errs != 2 {
		t.Errorf("%d requests, want 2 pages", errs)
	}
	m.update(open.ID, func(r *run.Run) {
		r.Status, r.EndedAt, r.Counts = run.Complete, m.now, run.Counts{Received: 2500, Delivered: 999, Rejected: 1500, Failed: 1}
	})
	m.fail(open, 1500, 1501)
	m.refresh()
	m.asked("/errors")
	m.same(map[string][]string{
		"SELECT status, delivered FROM penstock_runs WHERE sync_run_id = '" + open.ID + "'":  {"complete | 999"},
		"SELECT count(*) FROM reverse_etl_sync_errors WHERE sync_run_id = '" + open.ID + "'": {"1501"},
	})
	m.refresh()
	if errs := m.asked("/errors"); errs != 0 {
		t.Errorf("%d requests about errors that are merged", errs)
	}
}

// What retries deliver of an old run's errors is noticed, and never forgotten.
func TestRetriesAreNoticed(t *testing.T) {
	m := newMonitored(t)
	m.apply("s", nil)
	old := m.ran("s", 100*time.Hour, run.Counts{Received: 4, Failed: 4}, nil)
	m.ran("s", time.Hour, run.Counts{Received: 1, Delivered: 1}, nil)
	m.refresh()
	const shown = "SELECT outcome, due, retried_delivered FROM penstock_runs ORDER BY begun_at LIMIT 1"
	m.same(map[string][]string{shown: {"failed | 0 | 0"}})
	retry := run.Run{
		ID: run.AskedID(old.ID, "t"), Sync: "s", Version: old.Version, Mode: run.Incremental, Original: old.ID, Status: run.Open, BegunAt: m.now, Expected: -1,
	}
	_, err := m.store.EnsureRun(t.Context(), retry)
	m.ok(err)
	m.batch(retry.ID, run.Counts{Received: 4, Queued: 4})
	m.refresh()
	m.same(map[string][]string{shown: {"failed | 4 | 0"}})
	m.update(retry.ID, func(r *run.Run) {
		r.Status, r.EndedAt, r.Counts = run.Complete, m.now, run.Counts{Received: 4, Delivered: 3, Failed: 1}
	})
	m.refresh()
	m.same(map[string][]string{shown: {"failed | 0 | 3"}})
	m.refresh()
	m.same(map[string][]string{shown: {"failed | 0 | 3"}})
}

// A refresh that fails half way is made good by the next; what it left is removed.
func TestRefreshAfterAFailure(t *testing.T) {
	m := newMonitored(t)
	m.apply("s", nil)
	m.ran("s", time.Hour, run.Counts{Received: 1500, Failed: 1200, Delivered: 300}, nil)
	m.refuse("/errors")
	for range 2 {
		if _, err := m.w.Exec(t.Context(), "CALL penstock_refresh()"); err == nil || !strings.Contains(err.Error(), "read the errors") {
			t.Fatalf("%v, want the step that failed", err)
		}
	}
	m.refuse("")
	m.refresh()
	m.same(map[string][]string{
		"SELECT count(*) FROM reverse_etl_sync_errors":                        {"1200"},
		"SELECT records_failed FROM multi_destination_sync_state":             {"1200"},
		"SELECT count(DISTINCT refresh) <= 2 FROM penstock_pages":             {"true"},
		"SELECT freshness_status FROM reverse_etl_sync_health":                {"HEALTHY"},
		"SELECT count(*) FROM (FROM penstock_refresh()) WHERE changed > 2000": {"0"},
	})
	exec(t, m.db, "UPDATE penstock_pages SET read_at = read_at - INTERVAL 2 DAYS")
	m.refresh()
	m.same(map[string][]string{"SELECT count(*) FROM penstock_pages": {"0"}})
}

// Two refreshes at once do no harm.
func TestRefreshTwiceAtOnce(t *testing.T) {
	m := newMonitored(t)
	m.apply("s", nil)
	m.ran("s", time.Hour, run.Counts{Received: 50, Failed: 20, Delivered: 30}, nil)
	errs := make(chan error)
	for range 4 {
		go func() {
			_, err := m.w.Exec(t.Context(), "CALL penstock_refresh()")
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	m.same(map[string][]string{
		"SELECT count(*) FROM reverse_etl_sync_errors":                                        {"20"},
		"SELECT (SELECT count(*) FROM penstock_runs), (SELECT count(*) FROM penstock_models)": {"1 | 1"},
	})
}

// Where a warehouse enforces no keys, two refreshes at once may put a run and its errors in
// twice: a later one reads and merges each once, and counts no error of a run twice.
func TestRefreshOfDoubledRows(t *testing.T) {
	m := newMonitored(t)
	m.apply("s", nil)
	r := m.ran("s", time.Hour, run.Counts{Received: 5, Failed: 2, Delivered: 3}, nil)
	m.refresh()
	exec(t, m.db, "INSERT INTO penstock_runs FROM penstock_runs")
	m.update(r.ID, func(r *run.Run) { r.Counts.Failed, r.Counts.Delivered = 3, 2 })
	m.fail(r, 2, 3)
	m.asked("/errors")
	m.refresh()
	if n := m.asked("/errors"); n != 1 {
		t.Errorf("%d pages of errors are read, want 1", n)
	}
	m.same(map[string][]string{"SELECT count(*), count(DISTINCT error_ref) FROM reverse_etl_sync_errors": {"3 | 3"}})

	m.ran("s", time.Minute, run.Counts{Received: 9, Delivered: 9}, nil)
	m.refresh()
	exec(t, m.db, "INSERT INTO penstock_runs FROM penstock_runs WHERE received = 9")
	m.same(map[string][]string{"SELECT previous_record_count, record_count_change FROM reverse_etl_sync_health": {"2 | 7"}})

	const pushing = "INSERT INTO penstock_pushing (sync, run, answer, hash) VALUES ('s', ?, '{\"status\":\"queued\",\"record_id\":\"ok\"}', 'h')"
	m.refresh()
	exec(t, m.db, pushing, r.ID)
	exec(t, m.db, "UPDATE reverse_etl_sync_errors SET stage = 'deliver'")
	exec(t, m.db, "CREATE TABLE one AS FROM reverse_etl_sync_errors WHERE record_id = 'c0'")
	exec(t, m.db, "DELETE FROM reverse_etl_sync_errors WHERE record_id = 'c0'")
	exec(t, m.db, "INSERT INTO reverse_etl_sync_errors FROM reverse_etl_sync_errors") // 4 of 2, where 3 failed
	m.refresh()
	m.same(map[string][]string{"SELECT count(*) FROM penstock_pushed": {"0"}})
	exec(t, m.db, "INSERT INTO reverse_etl_sync_errors FROM one")
	exec(t, m.db, pushing, r.ID)
	m.refresh()
	m.same(map[string][]string{"SELECT key, count(*) FROM penstock_pushed GROUP BY 1": {"ok | 1"}})
}

// store_source: none keeps no source, also of errors that were merged before.
func TestStoreSource(t *testing.T) {
	m := newMonitored(t)
	m.apply("s", nil)
	m.apply("none", func(d *syncdef.Definition) { d.StoreSource = syncdef.StoreNone })
	for _, name := range []string{"s", "none"} {
		m.ran(name, time.Hour, run.Counts{Received: 2, Failed: 1, Delivered: 1}, nil)
	}
	m.refresh()
	exec(t, m.db, `INSERT INTO reverse_etl_sync_errors (sync_run_id, source_data) VALUES ('none.mine', '{"a": 1}')`)
	const kept = "SELECT split_part(sync_run_id, '.', 1), source_data IS NOT NULL FROM reverse_etl_sync_errors ORDER BY ALL"
	m.same(map[string][]string{kept: {"none | false", "none | true", "s | true"}})
	m.apply("s", func(d *syncdef.Definition) { d.StoreSource = syncdef.StoreNone })
	m.refresh()
	m.same(map[string][]string{kept: {"none | false", "none | true", "s | false"}})
}

// Statements over syncs that are not there, or not applied any more, do not fail.
func TestUnknownSyncsFailNothing(t *testing.T) {
	m := newMonitored(t)
	m.apply("s", nil)
	exec(t, m.db, "INSERT INTO penstock_models (sync, model) VALUES ('nobody', 'm'), ('not a name', 'm')")
	exec(t, m.db, "INSERT INTO penstock_runs (sync_name, sync_run_id) VALUES ('nobody', 'nobody.r1')")
	m.refresh()
	for _, query := range []string{
		"SELECT penstock_status(sync) FROM penstock_models ORDER BY 1",
		"SELECT penstock_errors(sync_run_id) FROM penstock_runs",
		"SELECT penstock_status('s', '2026-01-05 12:00:00+00')",
		"FROM reverse_etl_sync_health", "FROM reverse_etl_dashboard", "FROM reverse_etl_alerts",
	} {
		read(t, m.db, query)
	}
	m.same(map[string][]string{
		"SELECT (a->>'message') LIKE '%there is no sync \"nobody\"%', a->'runs' FROM (SELECT CAST(penstock_status('nobody') AS JSON) AS a)": {"true | []"},
	})
}

// Tables that are missing are made, as in a warehouse that was set up for one's own sync.
func TestRefreshMakesTheTables(t *testing.T) {
	m := newMonitored(t)
	m.apply("s", nil)
	for _, view := range []string{"reverse_etl_alerts", "reverse_etl_dashboard", "reverse_etl_sync_health"} {
		exec(t, m.db, "DROP VIEW "+view)
	}
	for _, table := range []string{"penstock_models", "penstock_runs", "reverse_etl_sync_state", "reverse_etl_sync_errors", "multi_destination_sync_state", "penstock_pages", "penstock_pushed", "penstock_pushing"} {
		exec(t, m.db, "DROP TABLE "+table)
	}
	m.refresh()
	m.same(map[string][]string{"SELECT sync_name FROM reverse_etl_sync_health": {"s"}})
	if got := fmt.Sprint(m.refresh()); !strings.Contains(got, "penstock_models | 1") {
		t.Error(got)
	}
}

// On one machine there is no task: a statement of a session that names a monitoring
// relation finds it refreshed, and made where it was missing.
func TestSessionRefreshes(t *testing.T) {
	m := newMonitored(t)
	m.apply("s", nil)
	session, err := m.w.Session(t.Context())
	m.ok(err)
	defer func() { m.ok(session.Close()) }()
	for n, statement := range []string{
		"SELECT count(*) FROM REVERSE_ETL_SYNC_HEALTH", "SELECT count(*) FROM penstock_runs", "SELECT count(*) FROM reverse_etl_sync_errors",
	} {
		m.ran("s", time.Hour, run.Counts{Received: 2, Delivered: 1, Failed: 1}, nil)
		var got int64
		m.ok(session.Read(t.Context(), statement, false, func(_ []duckdb.Column, rows *sql.Rows) error {
			rows.Next()
			return rows.Scan(&got)
		}))
		if want := []int64{1, 2, 3}[n]; got != want {
			t.Errorf("%s: %d, want %d", statement, got, want)
		}
	}
}
