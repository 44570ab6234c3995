//go:build cgo

package sql_test

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"

	statements "github.com/penstock-data/penstock/sql"
)

// A dry run counts what penstock_plan says of the rows that the run would push.
func TestPlanStepCounts(t *testing.T) {
	r := newRoad(t, map[string]string{"scores": definition("connection: crm\nrecord_id: email\nmodel: health\n")})
	r.exec("CREATE TABLE health (email VARCHAR, score DOUBLE)")
	r.exec("INSERT INTO health VALUES ('x@a.com', 1), ('x@b.com', 2)")
	if _, err := r.call("penstock_run('scores')"); err != nil {
		t.Fatal(err)
	}
	r.settle()
	r.exec("UPDATE health SET score = 3 WHERE email = 'x@b.com'")
	r.exec("INSERT INTO health VALUES ('x@c.com', 3), ('nobody', 4), ('y@d.com', 4), ('z@d.com', 5)")
	s := statements.FindStep(statements.StepPlan)
	var got [7]int64
	var estimate [3]float64
	into := []any{&got[0], &got[1], &got[2], &got[3], &got[4], &got[5], &got[6], &estimate[0], &estimate[1], &estimate[2]}
	if len(into) != len(s.Into) {
		t.Fatalf("%d variables", len(s.Into))
	}
	for range 2 { // the second time the same: nothing was stored
		if err := r.w.DB().QueryRowContext(t.Context(), s.DuckDB.Statement(), sql.Named("sync", "scores"), sql.Named("model", "health")).Scan(into...); err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprint(got); text != "[6 0 3 0 1 1 1]" {
			t.Errorf("received, created, updated, deleted, unchanged, superseded, rejected: %s", text)
		}
		if estimate[0] <= 0 || estimate[1] <= 0 || estimate[2] <= 0 {
			t.Errorf("calls, seconds, dollars: %v", estimate)
		}
	}
}

// Each push step has its plan, with the same rows.
func TestEveryPushHasAPlan(t *testing.T) {
	for _, name := range []statements.StepName{statements.StepPush, statements.StepPushNumber, statements.StepPushInstant, statements.StepPushLocal, statements.StepPushText} {
		push, plan := statements.FindStep(name), statements.FindStep(statements.PlanOf(name))
		for _, d := range []statements.Dialect{statements.DuckDB, statements.Snowflake} { // Redshift and BigQuery have texts of their own
			if push.In(d).Rest == "" || plan.In(d).Rest == "" || !slices.Equal(push.In(d).Variables()[2:], plan.In(d).Variables()[1:]) {
				t.Errorf("%s in %s has no plan", name, d)
			}
		}
	}
}
