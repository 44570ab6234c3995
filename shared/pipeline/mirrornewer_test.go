package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// full begins a full run.
func (w *world) full(token string) string {
	w.t.Helper()
	b, err := w.control().Begin(w.t.Context(), "accounts", "full", token)
	if err != nil || b.Run == "" {
		w.t.Fatalf("begin: %+v, %v", b, err)
	}
	return b.Run
}

// finish says that a run has so many rows, and lets it end.
func (w *world) finish(id string, rows int64) {
	w.t.Helper()
	if _, err := w.control().Finish(w.t.Context(), id, rows); err != nil {
		w.t.Fatal(err)
	}
	w.live(5 * time.Minute)
}

// What is pushed between begin and the run's first rows may be newer than the model was
// when it was read: it stays.
func TestMirrorLeavesWhatCameBeforeItsRows(t *testing.T) {
	w := mirroring(t, "100%")
	w.bracket("t1", "full", objects("a", "b", "c")...)
	id := w.full("t2")
	w.through("q1", object("b", 9), object("new", 9))
	w.push(batch("t2", "t2", id, object("a", 1)))
	w.finish(id, 1)
	w.holds("a", "b", "new")
	if r := w.status(id); r.Status != run.Complete || r.Mirror.Rows != 1 {
		t.Errorf("%+v, %+v", r, r.Mirror)
	}
}

// What is pushed after the full run began stays, also where the destination holds it
// already and nothing is sent.
func TestMirrorLeavesWhatCameUnchanged(t *testing.T) {
	w := mirroring(t, "100%")
	w.bracket("t1", "full", object("a", 1), object("b", 2), object("c", 3))
	id := w.full("t2")
	w.push(batch("t2", "t2", id, object("a", 1)))
	w.live(time.Minute)
	if _, c := w.through("q1", object("b", 2)); c.Unchanged != 1 {
		t.Fatalf("%+v", c)
	}
	w.finish(id, 1)
	w.holds("a", "b")
	if w.crm.removed != 1 {
		t.Errorf("%d removed", w.crm.removed)
	}
}

// Of two keys the vendor may say that they are one record: while the model has one of
// them, the record is not removed for the other.
func TestMirrorLeavesARecordThatAnotherKeyHas(t *testing.T) {
	w := mirroring(t, "100%")
	w.bracket("t1", "full", objects("old", "b", "c")...)
	var removed []string
	w.crm.outcome = func(key string) *dest.Outcome {
		if key == "new" { // a person gave the record another address at the vendor
			return &dest.Outcome{Status: dest.Delivered, ID: "id-old"}
		}
		removed = append(removed, key)
		return nil
	}
	r := w.bracket("t2", "full", objects("new", "b")...)
	w.holds("old", "b") // old's record is new's
	if r.Mirror.Rows != 1 || r.Status != run.Complete {
		t.Errorf("%+v, %+v, removed %q", r, r.Mirror, removed)
	}
	// It uses nothing of max_deletes up either.
	d := w.version.Definition
	d.Mirror = &syncdef.Mirror{MaxDeletes: "0"}
	w.apply(d)
	if r := w.bracket("t3", "full", objects("new", "b")...); r.Mirror.Refused != "" || r.Mirror.Rows != 0 || r.Outcome != run.Succeeded {
		t.Errorf("%+v, %+v", r, r.Mirror)
	}
	w.holds("old", "b")
}

// slow lets something happen while the ledger is listed, and counts the pages that are
// stored.
type slow struct {
	runs.Ledger
	runs.Mirrors
	amid  func()
	pages int
}

func (s *slow) EntriesAfter(ctx context.Context, target, after string, limit int) ([]ledger.Entry, string, error) {
	all, next, err := s.Ledger.EntriesAfter(ctx, target, after, limit)
	if s.amid != nil {
		s.amid()
		s.amid = nil
	}
	return all, next, err
}

func (s *slow) StoreLeft(ctx context.Context, id string, page int, keys []string) error {
	s.pages++
	return s.Mirrors.StoreLeft(ctx, id, page, keys)
}

// A sweeper that is slower than another one leaves the pages alone that the other may
// have handed in.
func TestMirrorOfTwoSweepers(t *testing.T) {
	w := mirroring(t, "100%")
	w.bracket("t1", "full", objects("a", "b", "c")...)
	id := w.full("t2")
	w.push(batch("t2", "t2", id, object("a", 1)))
	w.drain(time.Hour)
	if _, err := w.control().Finish(t.Context(), id, 1); err != nil {
		t.Fatal(err)
	}
	stores := w.stores()
	late := &slow{Ledger: stores.Ledger, Mirrors: stores.Mirrors, amid: w.sweep}
	stores.Ledger, stores.Mirrors = late, late
	s := &runs.Sweep{Stores: stores, Replayer: w.intake, Remover: w.intake, Policy: run.DefaultPolicy(), Now: w.clock}
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.live(5 * time.Minute)
	w.holds("a")
	if r := w.status(id); late.pages != 0 || r.Status != run.Complete || r.Counts.Received != 3 {
		t.Errorf("%d pages, %+v", late.pages, r)
	}
}
