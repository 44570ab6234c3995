package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/run"
)

// arrives pushes a row that arrives at the vendor, and whose worker dies before the ledger
// has it. Its message may be received again.
func (w *world) arrives(query, object string) (runID string) {
	w.t.Helper()
	runID = w.push(batch(query, "b", "accounts", object))[0].Run
	w.deliver.Ledger = &brokenCommit{Store: w.store}
	w.once()
	w.boot()
	w.now = w.now.Add(2 * hidden)
	return runID
}

// cancel ends a run.
func (w *world) cancel(id string) {
	w.t.Helper()
	r, err := w.store.Run(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Status = run.Cancelled
	if err := w.store.UpdateRun(w.t.Context(), r); err != nil {
		w.t.Fatal(err)
	}
}

// A worker died on an upsert that arrived, and its run was cancelled: a delete that comes
// to a worker together with it removes the record.
func TestDeleteBesideACancelledAttempt(t *testing.T) {
	w := deleting(t, nil)
	first := w.arrives("q1", object("a", 1))
	w.cancel(first)
	_, c := w.through("q2", deletion("a"))
	if c.Delivered != 1 || w.crm.records["a"] != nil {
		t.Errorf("counts %+v, the vendor holds %v", c, w.crm.records)
	}
	if c := w.counts(first); c.Failed != 1 {
		t.Errorf("the cancelled run: %+v", c)
	}
}

// Where both are too old they are errors, the ledger knows that a record may be there, and
// the next delete removes it.
func TestDeleteBesideAnExpiredAttempt(t *testing.T) {
	w := deleting(t, nil)
	w.arrives("q1", object("a", 1))
	id := w.push(batch("q2", "b", "accounts", deletion("a")))[0].Run
	w.now = w.now.Add(13*24*time.Hour + time.Hour)
	w.drain(time.Hour)
	if errs := w.errors(id); len(errs) != 1 || errs[0].Type != "expired" {
		t.Errorf("errors %+v", errs)
	}
	if _, c := w.through("q3", deletion("a")); c.Delivered != 1 || w.crm.records["a"] != nil {
		t.Errorf("counts %+v, the vendor holds %v", c, w.crm.records)
	}
}

// A value that was held before a cancelled row arrived is sent again, also where both come
// to a worker together; and so is a record that a cancelled delete removed.
func TestUpsertBesideACancelledAttempt(t *testing.T) {
	for name, ended := range map[string]string{"upsert": object("a", 2), "delete": deletion("a")} {
		w := deleting(t, nil)
		w.through("q1", object("a", 1))
		w.cancel(w.arrives("q2", ended))
		if _, c := w.through("q3", object("a", 1)); c.Delivered != 1 || w.crm.records["a"] == nil || w.crm.value("a") != 1 {
			t.Errorf("%s: counts %+v, the vendor holds %v", name, c, w.crm.records)
		}
	}
}

// A dead letter may have arrived, however often its queue says that it was received.
func TestDeleteAfterADeadLetter(t *testing.T) {
	w := deleting(t, nil)
	w.arrives("q1", object("a", 1))
	w.deliver.Dead = true
	in := w.receive()
	in[0].Receives = 1
	w.handle(in)
	w.boot()
	if _, c := w.through("q2", deletion("a")); c.Delivered != 1 || w.crm.records["a"] != nil {
		t.Errorf("counts %+v, the vendor holds %v", c, w.crm.records)
	}
}

// A row that was queued, and of which the push could not say so before its run was cancelled,
// is counted alike by a worker and by the push that comes again, whichever is first.
func TestCancelledIsCountedAlike(t *testing.T) {
	for _, worker := range []bool{false, true} {
		w := newWorld(t, 1, nil)
		w.intake.Batches = unmarked{w.store}
		b := batch("q", "b", "accounts", object("a", 1))
		if _, err := w.intake.Push(t.Context(), b); err == nil {
			t.Fatal("the push is answered")
		}
		w.intake.Batches = w.store
		id := run.ImplicitID("accounts", "q")
		w.cancel(id)
		if worker {
			w.once()
		}
		w.push(b)
		w.drain(time.Hour)
		if c := w.counts(id); c != (run.Counts{Failed: 1}) || len(w.errors(id)) != 1 {
			t.Errorf("worker first %v: %+v, errors %v", worker, c, w.errorTypes(id))
		}
	}
}

// unmarked are batches of which it cannot be noted that they are sent.
type unmarked struct{ intake.Batches }

func (unmarked) MarkSent(context.Context, string, string) error { return errStorage }
