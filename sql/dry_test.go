//go:build cgo

package sql_test

import (
	"testing"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

// A dry run plans what an incremental run would select, however that is, begins nothing
// and moves nothing.
func TestDryRun(t *testing.T) {
	for name, c := range map[string]struct{ incremental, columns, first, change, dry string }{
		"watermark": {"{cursor: moved}", "moved INTEGER", "INSERT INTO health VALUES ('x@a.com', 1, 1), ('x@b.com', 1, 2)",
			"INSERT INTO health VALUES ('x@c.com', 2, 3), (NULL, 2, 3)", "planned since 3 2 1 1 1"},
		"what changed": {"{changed_only: true}", "moved INTEGER", "INSERT INTO health VALUES ('x@a.com', 1, 1), ('x@b.com', 1, 2)",
			"UPDATE health SET score = 2 WHERE email = 'x@b.com'", "planned changed 1 1 0 1 0"},
		"all": {"{order_by: score}", "moved INTEGER", "INSERT INTO health VALUES ('x@a.com', 1, 1)", "INSERT INTO health VALUES ('x@b.com', 1, 2)", "planned all 2 2 0 1 1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := selecting(t, c.incremental, c.columns)
			r.exec(c.first)
			r.ran("incremental")
			r.exec(c.change)
			before := r.last("accounts").ID
			status, err := r.world.Control.Status(t.Context(), "accounts")
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				got := read(t, r.w.DB(), "SELECT concat_ws(' ', status, selected, received, queued, rejected, updated, unchanged) FROM penstock_run('accounts', 'dry_run')")
				r.same(got[0], c.dry)
			}
			again, err := r.world.Control.Status(t.Context(), "accounts")
			if err != nil || again.Watermark != status.Watermark || r.last("accounts").ID != before || r.world.Depth(t, "salesforce") != 0 {
				t.Errorf("%v: %+v", err, again)
			}
			if b, err := r.world.Control.Begin(t.Context(), "accounts", "dry_run", "t"); err != nil || b.Run != "" || b.Select == runs.Wait {
				t.Errorf("%+v %v", b, err)
			}
		})
	}
}
