package intake_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// attempt is a request whose caller may send the same batch under another id.
func attempt(id, same string, objects ...string) row.Batch {
	b := batch(syncName, id, objects...)
	b.Same = same
	return b
}

func (w *world) tally() run.Counts {
	w.t.Helper()
	all, err := w.store.Batches(w.t.Context(), theRun)
	w.ok(err)
	var t run.Tally
	for i := range all {
		t.AddBatch(&all[i])
	}
	return t.Counts
}

// A batch that comes again under another id is answered as the first time, queued once
// and counted once, and its rows are counted as repeated once per id.
func TestAgainUnderAnotherID(t *testing.T) {
	w := newWorld(t, nil)
	rows := []string{object("a", 1, "10"), object("b", `"x"`, "20"), object("a", 2, "30")}
	first := text(w.push(attempt("r-1", "content", rows...)))
	for _, id := range []string{"r-2", "r-2", "r-1", "r-3"} {
		if got := text(w.push(attempt(id, "content", rows...))); got != first {
			t.Errorf("%s is answered\n%s\nthe first was\n%s", id, got, first)
		}
	}
	if n := len(w.messages()); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
	if n := len(w.errors(theRun)); n != 1 {
		t.Errorf("%d errors, want 1", n)
	}
	want := run.Counts{Received: 3, Queued: 1, Rejected: 1, Superseded: 1, Repeated: 6}
	if d := cmp.Diff(want, w.tally()); d != "" {
		t.Error(d)
	}
	w.push(attempt("r-4", "other content", object("c", 1, "10")))
	if got := w.tally(); got.Received != 4 || got.Repeated != 6 {
		t.Errorf("another batch: %+v", got)
	}
}

// A first request that died at any of its calls is finished by one under another id.
func TestAgainAfterADeath(t *testing.T) {
	for fuse := range 12 {
		w := newWorld(t, nil)
		w.mortal.fuse = fuse
		_, died := w.intake.Push(t.Context(), attempt("r-1", "content", object("a", 1, "10"), object("b", `"x"`, "20")))
		w.boot()
		answers := w.push(attempt("r-2", "content", object("a", 1, "10"), object("b", `"x"`, "20")))
		if answers[0].Status != row.Queued || answers[1].Status != row.Rejected {
			t.Fatalf("dead after %d calls (%v): %s", fuse, died, text(answers))
		}
		got := w.tally()
		if n := len(w.messages()); n != 1 || len(w.errors(theRun)) != 1 || got.Received != 2 || got.Repeated > 2 {
			t.Errorf("dead after %d calls (%v): %d messages, %+v", fuse, died, n, got)
		}
	}
}

// The run of a query whose parts had equal rows is complete with as many rows as the
// statement counted; so is one whose batch came again.
func TestFinishAnnouncesRepeatedRowsOrNot(t *testing.T) {
	c := run.Counts{Received: 2, Delivered: 2, Repeated: 2}
	for announced, want := range map[int64]run.Status{2: run.Complete, 3: run.Complete, 4: run.Complete, 5: run.Finishing} {
		r := run.Run{ID: theRun, Bracketed: true, Status: run.Finishing, Expected: announced, BegunAt: noon}
		got := run.Settle(r, &run.Tally{Counts: c, Last: noon}, noon, run.DefaultPolicy())
		if got.Status != want || got.Status == run.Complete && got.Reason != "" {
			t.Errorf("%d announced: %s (%s), want %s", announced, got.Status, got.Reason, want)
		}
	}
}
