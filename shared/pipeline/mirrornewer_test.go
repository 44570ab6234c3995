package pipeline_test

import (
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/run"
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
}
