package intake_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// replay is a due item's batch of rows that failed at the current target.
func (w *world) replay(objects ...string) run.Replay {
	w.t.Helper()
	v, err := w.store.Current(w.t.Context(), syncName)
	w.ok(err)
	target := ledger.Target(&v.Definition, &v.Rules, 0)
	b := run.Replay{Sync: syncName, Original: theRun, Run: run.RetryID(theRun, 1), ID: "due1"}
	for n, o := range objects {
		r := run.ReplayRow{Ref: run.ErrorRef(theRun, "b", n+10), Sequence: int64(100 - n), Attempts: 1, Target: target}
		if o != "" {
			r.Object = []byte(o)
		}
		b.Rows = append(b.Rows, r)
	}
	return b
}

func (w *world) handIn(b run.Replay) []row.Answer {
	w.t.Helper()
	answers, err := w.intake.Replay(w.t.Context(), b)
	w.ok(err)
	return answers
}

// Rows sent again keep their ref, sequence and attempts, go through their own lane,
// and are a run of their own at the current version.
func TestReplay(t *testing.T) {
	w := newWorld(t, nil)
	w.push(batch(syncName, "b", object("a", 1, "1"), object("b", 1, "1"), object("c", 1, "1")))
	lanes := map[string]int{}
	for _, c := range w.messages() {
		for _, r := range c.Rows {
			lanes[string(r.Object)] = c.Lane
		}
	}
	current := w.apply(func(d *syncdef.Definition, _ *syncdef.Rules) { d.Fields[0].Destination = "Other__c" })
	b := w.replay(object("a", 1, "1"), object("b", `"x"`, "1"), "", object("c", 1, "1"), object("a", 1, "2"))
	b.Rows[3].Target = "elsewhere"
	got := w.handIn(b)
	want := []string{"queued", "rejected not_a_number", "superseded", "superseded target_changed", "superseded"}
	for n, a := range got {
		s := string(a.Status)
		if a.Fault != nil {
			s += " " + a.Fault.Rule
		}
		if s != want[n] {
			t.Errorf("row %d: %s, want %s", n, s, want[n])
		}
	}
	chunks := w.messages()
	if len(chunks) != 1 || len(chunks[0].Rows) != 1 {
		t.Fatalf("queued %+v", chunks)
	}
	c, r := chunks[0], chunks[0].Rows[0]
	if diff := cmp.Diff(&envelope.Replay{Ref: run.ErrorRef(theRun, "b", 10), Sequence: 100, Attempts: 1}, r.Replay); diff != "" {
		t.Error(diff)
	}
	if c.Run != theRun+"~1" || c.Version != current.ID || c.Batch != "due1" || c.Late || c.Lane != lanes[string(r.Object)] {
		t.Errorf("%+v in lane %d", c, lanes[string(r.Object)])
	}
	stored, err := w.store.Run(t.Context(), c.Run)
	w.ok(err)
	if stored.Original != theRun || stored.Bracketed || stored.Status != run.Open || stored.Version != current.ID {
		t.Errorf("run %+v", stored)
	}
	if e := w.errors(c.Run); len(e) != 0 {
		t.Errorf("a row sent again has its one error already; stored are %+v", e)
	}
}

// The same batch handed in again, by another sweeper or after a death, is one batch.
func TestReplayTwice(t *testing.T) {
	objects := []string{object("a", 1, "1"), object("b", 2, "1"), object("c", `"x"`, "1")}
	calm := newWorld(t, nil)
	want := text(calm.handIn(calm.replay(objects...)))
	for fuse := 1; ; fuse++ {
		w := newWorld(t, nil)
		w.mortal.fuse, w.mortal.after = fuse, fuse%2 == 0
		b := w.replay(objects...)
		_, err := w.intake.Replay(t.Context(), b)
		if err == nil {
			if fuse < 4 {
				t.Fatalf("a replay makes %d writes only", fuse-1)
			}
			break
		}
		w.boot()
		for range 2 {
			if got := text(w.handIn(b)); got != want {
				t.Errorf("death %d: answered\n%s\nwant\n%s", fuse, got, want)
			}
		}
		rows, _ := contents(t, w.messages())
		if len(rows) != 2 {
			t.Errorf("death %d: queued %v", fuse, rows)
		}
	}
}

// A row whose error was closed before the batch was sent is left out of it.
func TestReplayOfClosedError(t *testing.T) {
	w := newWorld(t, nil)
	b := w.replay(object("a", 1, "1"), object("b", 2, "1"))
	w.mortal.fuse = 3 // EnsureRun, PinBatch, Send
	if _, err := w.intake.Replay(t.Context(), b); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	w.boot()
	b.Rows[1].Object = nil
	w.handIn(b)
	if rows, _ := contents(t, w.messages()); len(rows) != 1 || rows[0] != object("a", 1, "1") {
		t.Errorf("queued %v", rows)
	}
}

// When none of its rows is left, a chunk is recorded instead.
func TestReplayOfGoneErrors(t *testing.T) {
	w := newWorld(t, nil)
	b := w.replay(object("a", 1, "1"))
	w.mortal.fuse = 3 // EnsureRun, PinBatch, Send
	if _, err := w.intake.Replay(t.Context(), b); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	w.boot()
	b.Rows[0].Object = nil
	w.handIn(b)
	if n := len(w.messages()); n != 0 {
		t.Errorf("%d messages", n)
	}
	done, err := w.store.ChunksDone(t.Context(), b.Run, b.ID, 1)
	w.ok(err)
	if !done[0] {
		t.Error("the chunk is not recorded")
	}
}

// Of two rows with one key the one of the greater sequence goes, wherever it stands.
func TestReplayOrder(t *testing.T) {
	for _, swapped := range []bool{false, true} {
		w := newWorld(t, nil)
		b := w.replay(object("a", 1, "1"), object("a", 2, "1"))
		b.Rows[0].Sequence, b.Rows[1].Sequence = 7, 8
		winner := 1
		if swapped {
			b.Rows[0], b.Rows[1], winner = b.Rows[1], b.Rows[0], 0
		}
		got := w.handIn(b)
		if got[winner].Status != row.Queued || got[1-winner].Status != row.Superseded {
			t.Errorf("swapped %v: %s", swapped, text(got))
		}
		if rows, _ := contents(t, w.messages()); rows[winner] != object("a", 2, "1") {
			t.Errorf("swapped %v: queued %v", swapped, rows)
		}
	}
}

func TestReplayOfRemovedSync(t *testing.T) {
	w := newWorld(t, nil)
	b := w.replay(object("a", 1, "1"))
	w.ok(w.store.Remove(t.Context(), syncName))
	if _, err := w.intake.Replay(t.Context(), b); !errors.Is(err, run.ErrNotFound) {
		t.Errorf("%v, want not found", err)
	}
}
