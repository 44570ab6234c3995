//go:build cgo

package sql_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/sql"
)

// The statements delete the rows of a person, and no others.
func TestForgetOnDuckDB(t *testing.T) {
	m := newMonitored(t)
	exec(t, m.db, `INSERT INTO reverse_etl_sync_errors (sync_run_id, record_id, source_data) VALUES
		('s.r1', 'C1', '{"n":1}'), ('s.r1', 'c10', '{"email":"joann@acme.com"}'), ('s.r1', 'c2', '{"email":"Ann@Acme.com"}'), ('s.r1', 'c3', NULL), ('s.r1', NULL, '{"who":"O''Brien \\ Co"}')`)
	exec(t, m.db, `INSERT INTO penstock_pushed (sync, key, row_data) VALUES ('s', 'c1', NULL), ('s', 'c4', '{"email":"ann@acme.com"}'), ('s', 'c5', '{"email":"bob@acme.com"}')`)
	m.refresh() // which makes the table of receipts
	exec(t, m.db, `INSERT INTO penstock_receipts (sync, run, answer) VALUES ('s', NULL, '{"status":"queued","record_id":"C1"}'), ('s', 's.r1', '{"status":"queued","record_id":"c10"}')`)
	for _, s := range sql.Forget(sql.DuckDB, sql.Params{}, []string{"c1", "ann@acme.com", `o'brien \ co`}) {
		exec(t, m.db, s)
	}
	if d := cmp.Diff([]string{"c10", "c3"}, read(t, m.db, "SELECT record_id FROM reverse_etl_sync_errors ORDER BY 1")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"c5"}, read(t, m.db, "SELECT key FROM penstock_pushed")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"c10"}, read(t, m.db, "SELECT answer->>'record_id' FROM penstock_receipts")); d != "" {
		t.Error(d)
	}
}

// Receipts are kept for 7 days, also those of syncs that run no more, and those of no run.
func TestOldReceipts(t *testing.T) {
	m := newMonitored(t)
	m.refresh()
	exec(t, m.db, `INSERT INTO penstock_receipts (sync, run, pushed_at) SELECT 'gone', r, (CURRENT_TIMESTAMP AT TIME ZONE 'UTC') - to_days(d) FROM (VALUES (6), (8)) a(d), (VALUES (NULL), ('gone.r1')) b(r)`)
	m.refresh()
	m.same(map[string][]string{"SELECT count(*), count(run) FROM penstock_receipts": {"2 | 1"}})
}
