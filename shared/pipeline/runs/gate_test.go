package runs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// gated is a world whose sync has a gate, and the row that its view would answer.
func gated(t *testing.T) (w *world, verdict func(total, failed int64) []byte) {
	w = newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Quality = &syncdef.Quality{WarnOver: "0.01", BlockOver: "0.05", Rules: []syncdef.QualityRule{{Column: "v", NotNull: true}}}
	})
	return w, func(total, failed int64) []byte {
		return fmt.Appendf(nil, `{"total":%d,"definition":%q,"rules":[{"rule":"not_null","failed":%d}]}`, total, w.begin("", "t").GateOf, failed)
	}
}

// A gate that blocks ends its run before the first row: outcome failed, the watermark
// where it was, the reason with counts and thresholds; the next run begins at once.
func TestGateBlocks(t *testing.T) {
	w, verdict := gated(t)
	b := w.begin("", "t")
	if b.Gate != "penstock_gate_accounts" || len(b.GateOf) != 8 {
		t.Fatalf("%+v", b)
	}
	got, err := w.control.Gate(t.Context(), b.Run, verdict(1000, 51))
	w.ok(err)
	const why = "blocked by its quality gate, and nothing was sent: not_null of column v: 51 of 1000 rows failed (5.1%), over 5%"
	if got.Decision != quality.Block || got.Status != run.Blocked || got.Reason != why || got.Rules[0].Failed != 51 {
		t.Errorf("%+v", got)
	}
	again, err := w.control.Gate(t.Context(), b.Run, verdict(1000, 0)) // whatever a retry says
	w.ok(err)
	if d := cmp.Diff(got, again); d != "" {
		t.Errorf("a retry is answered otherwise: %s", d)
	}
	w.push(b.Run, record{"a", 1, 10}) // answered blocked
	w.work()
	if finished, err := w.control.Finish(t.Context(), b.Run, 1); err != nil || finished.Status != run.Blocked {
		t.Errorf("finish: %s, %v", finished.Status, err)
	}
	w.pass(10 * time.Minute)
	s, err := w.control.Status(t.Context(), b.Run)
	w.ok(err)
	r := s.Runs[0]
	if r.Status != run.Blocked || r.Outcome != run.None || r.Reason != why || r.Gate.Total != 1000 || r.Gate.By != run.ByWarehouse || r.Counts.Queued+r.Counts.Delivered != 0 {
		t.Errorf("%+v", r)
	}
	if w.mark() != "" || len(w.vendor.values) != 0 {
		t.Errorf("watermark %q, %d records", w.mark(), len(w.vendor.values))
	}
	if next := w.begin("", "t2"); next.Run == "" || next.Select != runs.All {
		t.Errorf("the next begin: %+v", next)
	}
}

// A gate that warns, or lets pass, leaves the run as it is.
func TestGateGoesOn(t *testing.T) {
	for failed, want := range map[int64]quality.Decision{0: quality.Proceed, 10: quality.Proceed, 11: quality.Warn, 50: quality.Warn} {
		w, verdict := gated(t)
		b := w.begin("", "t")
		got, err := w.control.Gate(t.Context(), b.Run, verdict(1000, failed))
		w.ok(err)
		if got.Decision != want || got.Status != run.Open || (want == quality.Warn) != strings.HasPrefix(got.Reason, "the quality gate warns: not_null of column v: ") {
			t.Errorf("%d: %+v", failed, got)
		}
		w.push(b.Run, record{"a", 1, 10})
		w.work()
		_, err = w.control.Finish(t.Context(), b.Run, 1)
		w.ok(err)
		w.sweepOnce()
		if r := w.run(b.Run); r.Outcome != run.Succeeded || r.Gate.Decision != want || w.mark() != "10" {
			t.Errorf("%d: %+v, watermark %s", failed, r, w.mark())
		}
	}
}

// A view of another definition ends the run, and says what to do.
func TestGateOfAnotherDefinition(t *testing.T) {
	w, _ := gated(t)
	b := w.begin("", "t")
	for range 2 {
		got, err := w.control.Gate(t.Context(), b.Run, []byte(`{"total":1,"definition":"00000000","rules":[{"failed":0}]}`))
		w.ok(err)
		if got.Decision != "" || got.Status != run.Failed || got.Reason != "the view penstock_gate_accounts was made of another definition: run penstock sql-setup again" {
			t.Errorf("%+v", got)
		}
	}
	if next := w.begin("", "t2"); next.Run == "" {
		t.Errorf("the next begin: %+v", next)
	}
}

// What is no verdict, or comes for a run that has none to come, is refused.
func TestGateRefuses(t *testing.T) {
	w, verdict := gated(t)
	b := w.begin("", "t")
	_, err := w.control.Gate(t.Context(), b.Run, []byte(`{"total":"many"}`))
	refusal(t, err, "is no row of a gate's view")
	_, err = w.control.Gate(t.Context(), "accounts.rnone", verdict(1, 0))
	refusal(t, err, "there is no run")
	_, err = w.control.Finish(t.Context(), b.Run, 0)
	w.ok(err)
	_, err = w.control.Gate(t.Context(), b.Run, verdict(1, 0))
	refusal(t, err, "its gate is asked before its first push")

	w = newWorld(t, nil) // without quality
	if got, err := w.control.Gate(t.Context(), w.begin("", "t").Run, []byte(`{}`)); err != nil || got.Decision != quality.Proceed || got.Status != run.Open {
		t.Errorf("%+v, %v", got, err)
	}
}

// A run of which intake stopped a part completes without moving its watermark, and says
// so: what was stopped is selected again.
func TestGateOfIntakeHoldsTheMark(t *testing.T) {
	w, _ := gated(t)
	b := w.begin("", "t")
	var rows []record
	for n := range 600 {
		rows = append(rows, record{fmt.Sprint("k", n), n, n + 1})
	}
	stored := w.run(b.Run)
	stored.Gate = &run.Gate{Verdict: quality.Verdict{Decision: quality.Block, Total: 500, Rules: []quality.Result{{Rule: "not_null", Column: "v", Failed: 30, BlockOver: "0.05", Decision: quality.Block}}}, By: run.ByIntake, Before: 400, Batch: "other"}
	w.ok(w.store.UpdateRun(t.Context(), stored))
	w.push(b.Run, rows[:200]...)
	w.work()
	_, err := w.control.Finish(t.Context(), b.Run, 200)
	w.ok(err)
	w.sweepOnce()
	r := w.run(b.Run)
	if r.Status != run.Complete || r.Outcome != run.None || r.Counts.Blocked != 200 || r.Reason != "the quality gate stopped 200 rows after the first 400: not_null of column v: 30 of 500 rows failed (6%), over 5%" || w.mark() != "" {
		t.Errorf("%+v, watermark %q", r, w.mark())
	}
}
