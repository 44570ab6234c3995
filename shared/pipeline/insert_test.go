package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// An insert whose answer was lost, and that could not be looked for either, is
// looked for before it is sent again when it is due.
func TestInsertLookedForWhenDue(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) { c.once, c.lookup, d.Operation = true, true, syncdef.Insert })
	w.crm.late = func([]string) *dest.CallError {
		w.crm.down = failed(dest.Unavailable, "reset") // lookups too, but not the probe
		return &dest.CallError{Op: "create", Class: dest.Unavailable, Code: "reset", Message: "no answer", Received: true}
	}
	w.crm.probed = true
	id := w.send("q", "a")
	w.once()
	if errs := w.errors(id); len(errs) != 1 || errs[0].Due.IsZero() {
		t.Fatalf("errors %+v", errs)
	}
	w.crm.late, w.crm.down = nil, nil
	w.now = w.now.Add(time.Hour)
	w.boot()
	w.sweep()
	w.drain(time.Hour)
	if w.crm.sends["a"] != 1 {
		t.Errorf("it was sent %d times", w.crm.sends["a"])
	}
}

// slowLedger lets somebody else go first before it commits.
type slowLedger struct {
	*sqlite.Store
	before func()
}

func (s *slowLedger) Commit(ctx context.Context, target string, entries []ledger.Entry) ([]int, error) {
	if f := s.before; f != nil {
		s.before = nil
		f()
	}
	return s.Store.Commit(ctx, target, entries)
}

// A worker that stalled before it noted its intent does not send what another one
// has inserted since.
func TestInsertIntentLost(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) { c.once, d.Operation = true, syncdef.Insert })
	w.send("q", "a", "b")
	first := w.receive()
	w.deliver.Ledger = &slowLedger{Store: w.store, before: func() {
		w.now = w.now.Add(2 * hidden)
		other := w.deliver
		w.boot()
		w.once()
		w.deliver = other
	}}
	w.handle(first)
	w.drain(time.Hour)
	if w.crm.sends["a"] != 1 || w.crm.sends["b"] != 1 {
		t.Errorf("sent %v", w.crm.sends)
	}
}

// lateLedger does not store an intent, and takes it back after somebody else went first.
type lateLedger struct {
	*sqlite.Store
	commits int
	before  func()
}

func (l *lateLedger) Commit(ctx context.Context, target string, entries []ledger.Entry) ([]int, error) {
	switch l.commits++; l.commits {
	case 1:
		return nil, errStorage
	case 2:
		l.before()
	}
	return l.Store.Commit(ctx, target, entries)
}

// A worker that takes its intent back so late that another one has inserted the row does
// not take that back.
func TestInsertTakenBackLate(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) { c.once, d.Operation = true, syncdef.Insert })
	w.send("q1", "a")
	first := w.receive()
	w.deliver.Ledger = &lateLedger{Store: w.store, before: func() {
		w.now = w.now.Add(2 * hidden)
		other := w.deliver
		w.boot()
		w.once()
		w.deliver = other
	}}
	w.handle(first)
	w.boot()
	w.send("q2", "a")
	w.drain(time.Hour)
	if w.crm.sends["a"] != 1 {
		t.Errorf("it was sent %d times", w.crm.sends["a"])
	}
}

// A call of inserts that failed before it was carried out is halved; halves whose
// answers are lost are not tried row by row.
func TestInsertHalvesInDoubt(t *testing.T) {
	for _, lookup := range []bool{false, true} {
		w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) {
			c.once, c.lookup, c.most, d.Operation = true, lookup, 20, syncdef.Insert
		})
		w.crm.fail = func(keys []string) *dest.CallError {
			if len(keys) > 6 {
				return failed(dest.Unavailable, "502") // refused at the door
			}
			return nil
		}
		w.crm.late = func([]string) *dest.CallError {
			return &dest.CallError{Op: "create", Class: dest.Unavailable, Code: "reset", Message: "no answer", Received: true}
		}
		w.send("q", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l")
		w.drain(time.Hour)
		for key, n := range w.crm.sends {
			if n != 1 {
				t.Errorf("lookup %v: %s was sent %d times", lookup, key, n)
			}
		}
	}
}

// A row that was not sent at all, its message being a dead letter, hides no doubt
// about an earlier row of its key.
func TestInsertDoubtOutlivesDeadLetter(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) { c.once, d.Operation = true, syncdef.Insert })
	w.crm.late = func([]string) *dest.CallError {
		return &dest.CallError{Op: "create", Class: dest.Unavailable, Code: "reset", Message: "no answer", Received: true}
	}
	w.send("q1", "a")
	w.drain(time.Hour)
	w.crm.late = nil
	w.deliver.Dead = true
	w.send("q2", "a")
	w.drain(time.Hour)
	w.boot()
	w.send("q3", "a")
	w.drain(time.Hour)
	if w.crm.sends["a"] != 1 {
		t.Errorf("it was sent %d times", w.crm.sends["a"])
	}
}

// intentOnly fails after the first commit: a worker that sends and cannot say so.
type intentOnly struct {
	*sqlite.Store
	commits int
}

func (o *intentOnly) Commit(ctx context.Context, target string, entries []ledger.Entry) ([]int, error) {
	if o.commits++; o.commits > 1 {
		return nil, errStorage
	}
	return o.Store.Commit(ctx, target, entries)
}

// A person's retry of an unknown insert that dies after it was sent stays open: the
// row is unknown again, neither lost nor sent twice.
func TestRetriedInsertDies(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) { c.once, d.Operation = true, syncdef.Insert })
	w.crm.fail = func([]string) *dest.CallError {
		return &dest.CallError{Op: "create", Class: dest.Unavailable, Code: "reset", Message: "no answer", Received: true}
	}
	id := w.send("q", "a")
	w.drain(time.Hour)
	w.crm.fail = nil
	if _, err := w.control().Retry(t.Context(), id, runs.Selector{Types: []string{"unknown"}}, "token"); err != nil {
		t.Fatal(err)
	}
	w.deliver.Ledger = &intentOnly{Store: w.store}
	w.once()
	w.boot()
	w.now = w.now.Add(2 * hidden)
	w.drain(time.Hour)
	errs := w.errors(id)
	if w.crm.sends["a"] != 1 || len(errs) != 1 || errs[0].Type != "unknown" {
		t.Fatalf("sent %d times, errors %+v", w.crm.sends["a"], errs)
	}
	if e, err := w.store.Entries(t.Context(), w.target(), []string{"a"}); err != nil || e["a"].Last.Error != errs[0].Ref() {
		t.Errorf("the error is not open any more: %+v, %v", e["a"].Last, err)
	}
}

// When a connection fails and nothing is queued, a due item is what it is probed with.
func TestDueProbes(t *testing.T) {
	for _, ahead := range []time.Duration{0, 8 * time.Hour} { // the clock that told the failure was ahead
		dueProbes(t, ahead)
	}
}

func dueProbes(t *testing.T, ahead time.Duration) {
	t.Helper()
	w := newWorld(t, 1, nil)
	w.crm.outcome = func(string) *dest.Outcome {
		return &dest.Outcome{Status: dest.Retry, Code: "locked", Message: "locked"}
	}
	id := w.send("q", "a")
	w.once()
	w.crm.outcome = nil
	s, err := w.store.Pace(t.Context(), "prod")
	if err == nil {
		err = w.store.SetPace(t.Context(), "prod", s.Fail(w.now.Add(ahead), 0, "503", "it was down"))
	}
	if err != nil {
		t.Fatal(err)
	}
	w.live(time.Hour)
	if w.crm.sends["a"] != 1 {
		t.Errorf("the row of run %s never came back: %+v", id, w.errors(id))
	}
}
