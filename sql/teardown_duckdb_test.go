//go:build cgo

package sql_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	statements "github.com/penstock-data/penstock/sql"
)

// DuckDB runs the script and its teardown, each twice and in turn; the landing tables stay
// with their rows.
func TestDuckDBTeardown(t *testing.T) {
	db := open(t, "")
	exec(t, db, "CREATE TABLE customers (customer_id VARCHAR, score DECIMAL(5, 2), address JSON, since DATE, updated_at TIMESTAMP)")
	params := statements.Params{Syncs: []statements.Sync{statements.Scored}}
	script, err := statements.Setup(statements.DuckDB, params)
	if err != nil {
		t.Fatal(err)
	}
	teardown, err := statements.Teardown(statements.DuckDB, params)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for range 2 {
			exec(t, db, script)
		}
		read(t, db, "SELECT * FROM scored")
		for range 2 {
			exec(t, db, teardown)
		}
		want := []string{"customer_health_comprehensive", "customer_health_history", "customer_health_scores", "customers", "deleted_customers"}
		if d := cmp.Diff(want, read(t, db, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY 1")); d != "" {
			t.Error(d)
		}
	}
	if got := read(t, db, "SELECT count(*) FROM customer_health_scores")[0]; got != "3" {
		t.Errorf("%s rows are left", got)
	}
}
