package pipeline_test

import (
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A message that is recorded at its second attempt stores its due item twice, under
// two times: handed in, the two are one batch.
func TestDueStoredTwiceIsOneBatch(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.crm.outcome = func(string) *dest.Outcome {
		return &dest.Outcome{Status: dest.Retry, Code: "locked", Message: "locked"}
	}
	id := w.send("q", "a")
	w.once()
	w.crm.outcome = nil
	due, err := w.store.DueItems(t.Context(), "accounts", time.Time{}, 10)
	if err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	due[0].At = due[0].At.Add(7 * time.Second)
	if err := w.store.StoreDue(t.Context(), due); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	w.sweep()
	if left, err := w.store.DueItems(t.Context(), "accounts", time.Time{}, 10); err != nil || len(left) > 0 {
		t.Errorf("%d due items are left, %v", len(left), err)
	}
	batches, err := w.store.Batches(t.Context(), run.RetryID(id, 1))
	if err != nil || len(batches) != 1 {
		t.Errorf("handed in as %d batches, %v", len(batches), err)
	}
}

// A row that waits, after a worker that was too slow to notice that another one delivered
// it, does not open an error again that the delivery closed.
func TestARowThatWaitsOpensNoClosedError(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.crm.outcome = func(string) *dest.Outcome {
		return &dest.Outcome{Status: dest.Rejected, Code: "INVALID", Message: "no"}
	}
	w.send("q1", "a")
	w.once()
	w.crm.outcome = nil
	entry := func() ledger.Entry {
		e, err := w.store.Entries(t.Context(), w.target(), []string{"a"})
		if err != nil {
			t.Fatal(err)
		}
		return e["a"]
	}
	if entry().Last.Error == "" {
		t.Fatal("no error is open")
	}
	w.send("q2", "a")
	in := w.receive()
	w.crm.late = func([]string) *dest.CallError {
		w.crm.late = nil
		w.crm.mu.Unlock()
		defer w.crm.mu.Lock()
		w.handle(in) // the message came again, to a worker that is faster
		if e := entry(); e.Last.Error != "" {
			t.Errorf("after it was delivered: %+v", e)
		}
		return &dest.CallError{Op: "upsert", Class: dest.Unavailable, Scope: dest.ScopeConnection, Code: "reset", Message: "no answer", Received: true}
	}
	w.handle(in)
	if e := entry(); e.Last.Error != "" || e.Last.Sequence == 0 {
		t.Errorf("after the slow worker: %+v", e)
	}
}

// A retry that does not name the type unknown leaves an insert alone that may have
// arrived.
func TestRetryLeavesUnknown(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) { c.once, d.Operation = true, syncdef.Insert })
	w.crm.late = func([]string) *dest.CallError {
		return &dest.CallError{Op: "create", Class: dest.Unavailable, Code: "reset", Message: "no answer", Received: true}
	}
	id := w.send("q", "a")
	w.drain(time.Hour)
	w.crm.late = nil
	out, err := w.control().Retry(t.Context(), id, runs.Selector{}, "token")
	if err != nil || out.Unknown != 1 || out.Queued != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	w.drain(time.Hour)
	if w.crm.sends["a"] != 1 {
		t.Errorf("it was sent %d times", w.crm.sends["a"])
	}
}
