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
	for _, s := range sql.Forget(sql.DuckDB, sql.Params{}, []string{"c1", "ann@acme.com", `o'brien \ co`}) {
		exec(t, m.db, s)
	}
	if d := cmp.Diff([]string{"c10", "c3"}, read(t, m.db, "SELECT record_id FROM reverse_etl_sync_errors ORDER BY 1")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"c5"}, read(t, m.db, "SELECT key FROM penstock_pushed")); d != "" {
		t.Error(d)
	}
}
