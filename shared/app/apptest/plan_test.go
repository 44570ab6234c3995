package apptest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// plan asks what would become of rows, the arguments of a push.
func (w *World) plan(t *testing.T, mode run.Mode, rows ...[]string) []string {
	t.Helper()
	p := runs.PlanRequest{Sync: "accounts", Mode: mode}
	for n, r := range rows {
		p.Rows = append(p.Rows, row.Row{Number: n, Target: "accounts", Object: jsontext.Value(r[1])})
	}
	planned, err := w.Control.Plan(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(planned))
	for i, one := range planned {
		out[i] = fmt.Sprintln(one.Action, one.RecordID, one.Fields, one.Type)
	}
	return out
}

// A plan says what the push would do, and does nothing.
func TestPlan(t *testing.T) {
	w := faulty(t)
	w.Push(t, "q", "q:1", accounts("accounts", 3)...)
	w.Pass(t, soon)
	before, calls := len(w.stored(t)), w.Vendors.Salesforce.Core().Calls().Total
	rows := [][]string{
		account("accounts", "c000", 0), account("accounts", "c001", 77), account("accounts", "new", 1),
		{`"accounts"`, `{"name":"nobody","n":1,"u":1}`}, account("accounts", "twice", 1), account("accounts", "twice", 2),
	}
	want := []string{"unchanged c000 [] \n", "update c001 [Daily_Active_Users__c] \n", "create new [] \n", "rejected  [] missing_record_id\n", "superseded twice [] \n", "create twice [] \n"}
	if d := cmp.Diff(want, w.plan(t, "", rows...)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want, w.plan(t, "", rows...)); d != "" {
		t.Error("the second time: ", d)
	}
	w.Pass(t, soon)
	list, err := w.Control.List(t.Context(), "accounts", 10)
	if err != nil || len(list) != 1 {
		t.Errorf("%d runs, %v", len(list), err)
	}
	if got := w.Vendors.Salesforce.Core().Calls().Total; got != calls || len(w.stored(t)) != before || w.Depth(t, "salesforce") != 0 {
		t.Errorf("%d calls after %d, %d records after %d", got, calls, len(w.stored(t)), before)
	}
	// The push then does what the plan said.
	answers := w.Push(t, "q2", "q2:1", rows...)
	var statuses []string
	for _, a := range answers {
		statuses = append(statuses, a.Status)
	}
	if !slices.Equal(statuses, []string{"queued", "queued", "queued", "rejected", "superseded", "queued"}) {
		t.Errorf("answered %v", statuses)
	}
	w.Pass(t, soon)
	if r := w.Run(t, answers[0].Run); r.Counts.Unchanged != 1 || r.Counts.Delivered != 3 || r.Counts.Queued != 0 {
		t.Errorf("%+v", r.Counts)
	}
}

// A run pushes what is not below the watermark; a full one everything, again.
func TestPlanOfARun(t *testing.T) {
	w := faulty(t)
	begun := Call[struct{ Run string }](t, w.Functions["control"], "begin", `"accounts"`)
	w.Push(t, "q", "q:1", accounts(begun.Run, 3)...)
	Call[struct{}](t, w.Functions["control"], "finish", fmt.Sprintf("%q", begun.Run), "3")
	w.Pass(t, soon)
	rows := accounts("accounts", 4)
	if d := cmp.Diff([]string{"not_selected c000 [] \n", "not_selected c001 [] \n", "unchanged c002 [] \n", "create c003 [] \n"}, w.plan(t, run.Incremental, rows...)); d != "" {
		t.Error(d)
	}
	if got := w.plan(t, run.Full, rows...); got[0] != "update c000 [] \n" || got[3] != "create c003 [] \n" {
		t.Errorf("full: %q", got)
	}
}

// A cancelled run waits for nothing, whatever is still on its way.
func TestCancelledRunWaitsForNothing(t *testing.T) {
	w := faulty(t)
	begun := Call[struct{ Run string }](t, w.Functions["control"], "begin", `"accounts"`)
	w.Push(t, "q", "q:1", accounts(begun.Run, 3)...)
	if r := w.Run(t, begun.Run); r.Waits == "" || r.Counts.Queued != 3 {
		t.Errorf("open: waits for %q, %d queued", r.Waits, r.Counts.Queued)
	}
	Call[struct{}](t, w.Functions["control"], "cancel", fmt.Sprintf("%q", begun.Run))
	if r := w.Run(t, begun.Run); r.Waits != "" || r.Status != run.Cancelled {
		t.Errorf("%s waits for %q", r.Status, r.Waits)
	}
	w.Pass(t, soon)
	if r := w.Run(t, begun.Run); r.Counts.Queued != 0 || r.Counts.Cancelled != 3 {
		t.Errorf("%+v", r.Counts)
	}
}
