package pipeline_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// stuckHalts refuses to end a halt so many times.
type stuckHalts struct {
	*sqlite.Store
	refusals int
}

func (s *stuckHalts) DeleteHalt(ctx context.Context, sync, version string) error {
	if s.refusals--; s.refusals < 0 {
		return s.Store.DeleteHalt(ctx, sync, version)
	}
	return errStorage
}

// deadlyHalts kills the process that has claimed the try of a halted version.
type deadlyHalts struct{ *sqlite.Store }

func (d deadlyHalts) SetHalt(ctx context.Context, h run.Halt) error {
	if err := d.Store.SetHalt(ctx, h); err != nil {
		return err
	}
	panic(death{})
}

// halted reads the halt of the world's version.
func (w *world) halted() (h run.Halt, halted bool) {
	w.t.Helper()
	h, err := w.store.Halt(w.t.Context(), "accounts", w.version.ID)
	if err != nil && !errors.Is(err, run.ErrNotFound) {
		w.t.Fatal(err)
	}
	return h, err == nil
}

// haltingLedger notes whether a halt stood when it was written.
type haltingLedger struct {
	*sqlite.Store
	w      *world
	halted bool
}

func (l *haltingLedger) Commit(ctx context.Context, target string, entries []ledger.Entry) ([]int, error) {
	_, halted := l.w.halted()
	l.halted = l.halted || halted
	return l.Store.Commit(ctx, target, entries)
}

// A halt ends with the first answer of its version, before the ledger is told of it: a worker
// that dies between the two leaves rows that are sent again, and no halt.
func TestHaltEndsWithTheFirstAnswer(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.halt()
	l := &haltingLedger{Store: w.store, w: w}
	w.deliver.Ledger = l
	id := w.send("q", "a", "b")
	w.once()
	if _, halted := w.halted(); halted || l.halted || w.counts(id).Delivered != 2 {
		t.Errorf("halted at the commit: %v, after it: %v, %+v", l.halted, halted, w.counts(id))
	}
}

// A halt whose end is refused is told as a failure of storage, and its message comes back
// until it ends: no later row of the run fails for a version that works.
func TestHaltThatCannotBeEnded(t *testing.T) {
	for name, refused := range map[string]bool{"delivered": false, "refused": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1, nil)
			w.halt()
			if refused {
				w.crm.outcome = func(string) *dest.Outcome {
					return &dest.Outcome{Status: dest.Rejected, Code: "INVALID", Message: "no"}
				}
			}
			w.deliver.Halts = &stuckHalts{Store: w.store, refusals: 2}
			id := w.send("q", "a")
			for n := range 2 {
				if r := w.once(); len(r.Storage) != 1 || len(r.Stay) != 1 {
					t.Fatalf("receive %d: storage %v, %d messages stay", n+1, r.Storage, len(r.Stay))
				}
				w.now = w.now.Add(2 * time.Second)
			}
			if _, halted := w.halted(); !halted {
				t.Fatal("the halt was ended though that was refused")
			}
			w.once()
			if h, halted := w.halted(); halted {
				t.Errorf("still halted: %+v", h)
			}
			w.crm.outcome = nil
			w.push(batch("q", "q:2", "accounts", object("b", 9), object("c", 9)))
			w.drain(time.Minute)
			want := run.Counts{Delivered: 3}
			if refused {
				want = run.Counts{Delivered: 2, Failed: 1}
			}
			c := w.counts(id)
			if c.Delivered != want.Delivered || c.Failed != want.Failed || w.crm.sends["a"] > 1 || w.crm.value("b") != 9 {
				t.Errorf("%+v, a was sent %d times", c, w.crm.sends["a"])
			}
		})
	}
}

// A worker that dies in the one try of a halted version costs nobody the try: its message
// goes on with it, and no row fails for what was mended.
func TestHaltedTryGoesOnAfterADeath(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.halt()
	w.deliver.Halts = deadlyHalts{w.store}
	b, err := w.control().Begin(t.Context(), "accounts", "", "t1")
	if err != nil {
		t.Fatal(err)
	}
	w.push(batch("t1", "t1", b.Run, object("a", 5), object("b", 7)))
	if w.survives(w.receive()) {
		t.Fatal("the worker did not die")
	}
	w.boot()
	w.now = w.now.Add(hidden + time.Second)
	w.once()
	if _, halted := w.halted(); halted || w.counts(b.Run).Delivered != 2 {
		t.Errorf("halted: %v, %+v", halted, w.counts(b.Run))
	}
}

// What was delivered before the version failed proves nothing: the message ends no halt when
// it comes back. Neither does a try whose first call is taken, and another one is not.
func TestEarlierAnswersEndNoHalt(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most = 1 })
	w.crm.fail = func(keys []string) *dest.CallError {
		if keys[0] != "bad" {
			return nil
		}
		return &dest.CallError{Op: "upsert", Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "INVALID_FIELD", Message: "no such field"}
	}
	w.send("q", "a", "bad")
	w.once()
	w.now = w.now.Add(90 * time.Second)
	w.once() // too early for a try
	h, halted := w.halted()
	if !halted || h.Tries != 1 || w.crm.value("a") == 0 {
		t.Fatalf("halted: %v, %+v, a is %d", halted, h, w.crm.value("a"))
	}
	w.drain(4 * time.Minute)
	w.push(batch("q", "q:2", "accounts", object("b", 9), object("bad", 9)))
	w.drain(15 * time.Minute)
	if again, _ := w.halted(); w.crm.value("b") != 9 || again.Tries < 3 || !again.Since.Equal(h.Since) || w.depth() > 0 {
		t.Errorf("b is %d, %+v, %d messages", w.crm.value("b"), again, w.depth())
	}
}

// A message that was delivered before its version halted, and comes back for its record, ends
// no halt.
func TestDeliveredBeforeTheHalt(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.deliver.Chunks = unrecorded{w.store}
	id := w.send("q", "a")
	if w.survives(w.receive()) {
		t.Fatal("the worker did not die")
	}
	w.halt()
	w.boot()
	w.now = w.now.Add(hidden + time.Second)
	w.once()
	if _, halted := w.halted(); !halted || w.counts(id).Delivered != 1 {
		t.Errorf("halted: %v, %+v", halted, w.counts(id))
	}
}
