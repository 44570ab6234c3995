package intake_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var mixed = []string{object("a", 1, "10"), object("b", `"x"`, "99"), object("a", 2, "20"), object("c", 3, "30")}

// A retry is answered as the first time, whatever has happened since.
func TestRetryAnsweredAlike(t *testing.T) {
	for name, since := range map[string]func(w *world, id string){
		"nothing": func(*world, string) {},
		"run cancelled": func(w *world, id string) {
			w.status(id, func(r *run.Run) { r.Status, r.Reason = run.Cancelled, "stopped" })
		},
		"run complete": func(w *world, id string) { w.status(id, func(r *run.Run) { r.Status = run.Complete }) },
		"run failed":   func(w *world, id string) { w.status(id, func(r *run.Run) { r.Status = run.Failed }) },
		"run taken over": func(w *world, id string) {
			w.status(id, func(r *run.Run) { r.Status, r.TakenBy = run.Cancelled, "accounts.r0" })
		},
		"sync removed": func(w *world, _ string) { w.ok(w.store.Remove(w.t.Context(), syncName)) },
		"another mapping": func(w *world, _ string) {
			w.apply(func(d *syncdef.Definition, _ *syncdef.Rules) { d.Fields[0].Source, d.Lanes = "other", 7 })
		},
		"queue full":       func(w *world, _ string) { w.intake.Queue = deep{w.mortal, run.MaxDepth + 1} },
		"another process":  func(w *world, _ string) { w.boot() },
		"six hours passed": func(w *world, _ string) { w.now = w.now.Add(6 * time.Hour) },
	} {
		for _, target := range []string{syncName, "accounts.r1"} {
			w := newWorld(t, nil)
			id := theRun
			if target != syncName {
				id = target
				v, err := w.store.Current(t.Context(), syncName)
				w.ok(err)
				w.ok(w.store.BeginRun(t.Context(), run.Run{ID: id, Sync: syncName, Version: v.ID, Bracketed: true, Status: run.Open, Expected: -1}, ""))
			}
			b := batch(target, "b", mixed...)
			first := w.push(b)
			pinned := w.pinned(id, target, "b")
			sent := len(w.messages())
			since(w, id)
			if got := text(w.push(b)); got != text(first) {
				t.Errorf("%s, %s: answered\n%s\nwant\n%s", name, target, got, text(first))
			}
			if n := len(w.messages()); n != 0 {
				t.Errorf("%s, %s: %d of %d messages were sent again", name, target, n, sent)
			}
			if diff := cmp.Diff(pinned, w.pinned(id, target, "b")); diff != "" {
				t.Errorf("%s, %s: the pinned batch changed:\n%s", name, target, diff)
			}
		}
	}
}

// A batch id stands for one request only.
func TestRetryWithOtherRows(t *testing.T) {
	w := newWorld(t, nil)
	w.push(batch(syncName, "b", mixed...))
	for name, b := range map[string]row.Batch{
		"a value":    batch(syncName, "b", object("a", 1, "10"), object("b", `"x"`, "99"), object("a", 2, "20"), object("c", 4, "30")),
		"fewer rows": batch(syncName, "b", mixed[:3]...),
		"order":      batch(syncName, "b", mixed[1], mixed[0], mixed[2], mixed[3]),
	} {
		var refused *row.Refusal
		if _, err := w.intake.Push(t.Context(), b); !errors.As(err, &refused) || refused.Kind != row.Mistake || !strings.Contains(refused.Message, "came before with other rows") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Wherever a process dies, the retry is answered as an undisturbed first time would
// be, every row is queued in the message and lane that was pinned, and the rejected
// ones are stored.
func TestDeath(t *testing.T) {
	var objects []string
	for n := range 40 {
		objects = append(objects, object(fmt.Sprint("k", n%30), n, fmt.Sprint(1000-n)))
	}
	objects[7] = object("bad", `"x"`, "1")
	calm := newWorld(t, nil)
	want := text(calm.push(batch(syncName, "b", objects...)))
	queued, lanes := contents(t, calm.messages())
	for fuse := 1; ; fuse++ {
		for _, after := range []bool{false, true} {
			w := newWorld(t, nil)
			w.mortal.fuse, w.mortal.after = fuse, after
			b := batch(syncName, "b", objects...)
			_, err := w.intake.Push(t.Context(), b)
			if err == nil {
				if fuse < 6 {
					t.Fatalf("a push makes %d writes only", fuse-1)
				}
				return
			}
			w.boot()
			w.now = w.now.Add(time.Minute) // within the queue's memory of ids
			if got := text(w.push(b)); got != want {
				t.Errorf("death %d, after %v: answered\n%s\nwant\n%s", fuse, after, got, want)
			}
			got, gotLanes := contents(t, w.messages())
			if diff := cmp.Diff(queued, got); diff != "" {
				t.Errorf("death %d, after %v: queued:\n%s", fuse, after, diff)
			}
			if diff := cmp.Diff(lanes, gotLanes); diff != "" {
				t.Errorf("death %d, after %v: lanes:\n%s", fuse, after, diff)
			}
			if e := w.errors(theRun); len(e) != 1 || e[7].Type != "not_a_number" || e[7].RecordID != "id-bad" || e[7].Key != "bad" || len(e[7].Source) == 0 {
				t.Errorf("death %d, after %v: errors %+v", fuse, after, e)
			}
			if p := w.pinned(theRun, syncName, "b"); !p.Sent {
				t.Errorf("death %d, after %v: the batch is not sent", fuse, after)
			}
		}
	}
}

// contents are the queued rows by number, and the lanes of the messages by index.
func contents(t *testing.T, chunks []envelope.Chunk) (rows map[int]string, lanes map[int]int) {
	t.Helper()
	rows, lanes = map[int]string{}, map[int]int{}
	for _, c := range chunks {
		lanes[c.Index] = c.Lane
		for _, r := range c.Rows {
			if _, twice := rows[r.Number]; twice {
				t.Errorf("row %d is queued twice", r.Number)
			}
			rows[r.Number] = string(r.Object)
		}
	}
	return rows, lanes
}

// interrupted pins a batch and dies before its messages are sent.
func interrupted(t *testing.T, b row.Batch) *world {
	t.Helper()
	w := newWorld(t, nil)
	w.mortal.fuse = 5 // NextSequence, EnsureRun, PinBatch, StoreErrors, Send
	w.swap(b)
	return w
}

// swap pushes until the process dies, and starts another.
func (w *world) swap(b row.Batch) {
	w.t.Helper()
	if _, err := w.intake.Push(w.t.Context(), b); !errors.Is(err, errDied) {
		w.t.Fatal(err)
	}
	w.boot()
}

// Rows that come late by a retried batch say so, and carry the least cursor of the
// rows that were superseded: they hold the mark. Sequence and ids stay.
func TestLate(t *testing.T) {
	b := batch(syncName, "b", mixed...)
	w := interrupted(t, b)
	pinned := w.pinned(theRun, syncName, "b")
	w.push(batch(syncName, "later", object("a", 9, "40")))
	for _, c := range w.messages() {
		if c.Late || c.Sequence <= pinned.Sequence {
			t.Errorf("the later batch: late %v, sequence %d after %d", c.Late, c.Sequence, pinned.Sequence)
		}
	}
	w.push(b)
	chunks := w.messages()
	if len(chunks) == 0 {
		t.Fatal("nothing is sent")
	}
	for _, c := range chunks {
		if !c.Late || c.Sequence != pinned.Sequence || string(c.Rows[0].Least) != "10" {
			t.Errorf("late %v, sequence %d, least %s; want true, %d and 10", c.Late, c.Sequence, c.Rows[0].Least, pinned.Sequence)
		}
	}
}

// A retry sends the chunks that were pinned, however this release would cut them.
func TestRetryIsNotCutAnew(t *testing.T) {
	objects := []string{object("a", 1, "1"), object("b", 2, "1"), object("c", 3, "1")}
	b := batch(syncName, "b", objects...)
	w := interrupted(t, b)
	other := newWorld(t, nil) // where an older release pinned the same request otherwise
	v, err := other.store.Current(t.Context(), syncName)
	other.ok(err)
	_, err = other.store.EnsureRun(t.Context(), run.Run{ID: theRun, Sync: syncName, Version: v.ID, Status: run.Open, Expected: -1})
	other.ok(err)
	pinned := w.pinned(theRun, syncName, "b")
	pinned.Chunks, pinned.Lanes = 3, []byte{1, 0, 1}
	pinned.Rows = run.PackCodes([]run.Code{run.ChunkCode(2), run.ChunkCode(0), run.ChunkCode(1)})
	_, _, err = other.store.PinBatch(t.Context(), pinned)
	other.ok(err)
	other.push(b)
	got := map[int]string{}
	for _, c := range other.messages() {
		got[c.Index] = fmt.Sprint(c.Lane, len(c.Rows), string(c.Rows[0].Object))
	}
	want := map[int]string{0: "1 1" + objects[1], 1: "0 1" + objects[2], 2: "1 1" + objects[0]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// When rejected rows cannot be stored, nothing is answered and nothing is sent.
func TestErrorsMustBeStored(t *testing.T) {
	w := newWorld(t, nil)
	w.intake.Errors = forgetful{}
	for range 2 {
		if _, err := w.intake.Push(t.Context(), batch(syncName, "b", mixed...)); err == nil {
			t.Error("a push is answered though its rejected row is not stored")
		}
		if n := len(w.messages()); n != 0 || w.pinned(theRun, syncName, "b").Sent {
			t.Errorf("%d messages are sent", n)
		}
	}
}

// Beyond the queue's memory of ids, what is recorded is not sent again.
func TestRetryAfterDedupWindow(t *testing.T) {
	b := batch(syncName, "b", object("a", 1, "1"), object("b", 1, "1"), object("c", 1, "1"), object("d", 1, "1"))
	w := newWorld(t, nil)
	w.mortal.fuse = 6 // dies at MarkSent
	w.swap(b)
	sent := w.messages()
	if len(sent) < 2 {
		t.Fatalf("%d messages", len(sent))
	}
	done := sent[0]
	_, err := w.store.RecordChunk(t.Context(), done.Run, done.Batch, done.Index, run.Chunk{Done: true, At: w.now})
	w.ok(err)
	w.now = w.now.Add(6 * time.Minute)
	w.push(b)
	for _, c := range w.messages() {
		if c.Index == done.Index {
			t.Error("a recorded message is sent again")
		}
	}
	if !w.pinned(theRun, syncName, "b").Sent {
		t.Error("the batch is not sent")
	}
}

// What is unsent of a batch whose run was cancelled is stored as errors before the
// answer, and settled: counted as a worker counts it that has the rows after all.
func TestUnsentOfCancelledRun(t *testing.T) {
	for _, c := range []struct {
		bracketed bool
		mode      run.Mode
		want      run.Counts
	}{
		{false, run.Incremental, run.Counts{Failed: 2}},
		{true, run.Incremental, run.Counts{Cancelled: 2}},
		{true, run.CDC, run.Counts{Failed: 2}},
	} {
		b := batch(syncName, "b", mixed...)
		w := interrupted(t, b)
		w.status(theRun, func(r *run.Run) {
			r.Bracketed, r.Mode, r.Status, r.Reason = c.bracketed, c.mode, run.Cancelled, "a person stopped it"
		})
		w.push(b)
		if n := len(w.messages()); n != 0 {
			t.Errorf("%d messages are sent", n)
		}
		e := w.errors(theRun)
		if len(e) != 3 || e[2].Type != "run_cancelled" || e[2].RecordID != "id-a" || len(e[3].Source) == 0 || !strings.Contains(e[3].Message, "a person stopped it") {
			t.Errorf("errors %+v", e)
		}
		var got run.Counts
		var grouped int64
		w.ok(w.store.Chunks(t.Context(), theRun, func(_ string, _ int, chunk run.Chunk) error {
			got = got.Add(chunk.Counts)
			for _, g := range chunk.Groups {
				grouped += g.Rows
			}
			return nil
		}))
		if got != c.want || grouped != got.Failed || !w.pinned(theRun, syncName, "b").Sent {
			t.Errorf("%+v: counted %+v, %d in groups, sent %v", c, got, grouped, w.pinned(theRun, syncName, "b").Sent)
		}
	}
}

// A late batch reopens the run that had ended meanwhile.
func TestLateBatchReopens(t *testing.T) {
	for _, status := range []run.Status{run.Complete, run.Incomplete, run.Failed, run.Finishing} {
		b := batch(syncName, "b", mixed...)
		w := interrupted(t, b)
		w.status(theRun, func(r *run.Run) { r.Status, r.Reason, r.EndedAt, r.Expected = status, "given up", w.now, 2 })
		w.push(b)
		r, err := w.store.Run(t.Context(), theRun)
		w.ok(err)
		if r.Status != run.Open || r.Reason != "" || !r.EndedAt.IsZero() || r.Expected != -1 {
			t.Errorf("%s: %+v", status, r)
		}
	}
}

// So does a first attempt whose run the sweeper closed while it was on its way.
func TestPushIntoClosingRun(t *testing.T) {
	w := newWorld(t, nil)
	w.push(batch(syncName, "b1", object("a", 1, "1")))
	w.intake.Batches = closing{w.mortal, func() {
		w.status(theRun, func(r *run.Run) { r.Status = run.Complete })
	}}
	w.push(batch(syncName, "b2", object("b", 1, "1")))
	r, err := w.store.Run(t.Context(), theRun)
	w.ok(err)
	if r.Status != run.Open {
		t.Errorf("the run is %s with a batch on its way", r.Status)
	}
}

// A page of removals takes back that its run, which ended meanwhile, was counted for the last time.
func TestRemovalOfAnEndedRun(t *testing.T) {
	w := newWorld(t, nil)
	w.push(batch(syncName, "b", object("a", 1, "1")))
	w.status(theRun, func(r *run.Run) { r.Status, r.EndedAt, r.Final = run.Cancelled, w.now, true })
	page := run.Removal{Run: theRun, Sync: syncName, ID: run.RemovalBatch(theRun, 0), Sequence: 1, Keys: []string{"b.co"}}
	w.ok(w.intake.Remove(t.Context(), page))
	r, err := w.store.Run(t.Context(), theRun)
	w.ok(err)
	if r.Status != run.Cancelled || r.Final {
		t.Errorf("the run is %s, counted for the last time: %v", r.Status, r.Final)
	}
}

// A version that this program cannot compile any more: its pinned rows are answered
// and sent all the same.
func TestRetryOfVersionThatDoesNotCompile(t *testing.T) {
	b := batch(syncName, "b", mixed...)
	w := interrupted(t, b)
	w.intake.Syncs = broken{w.mortal}
	got := w.push(b)
	if got[2].Status != row.Queued || got[1].Status != row.Rejected || got[1].Fault.Rule != "not_a_number" {
		t.Errorf("answered %s", text(got))
	}
	if rows, _ := contents(t, w.messages()); len(rows) != 2 {
		t.Errorf("queued %v", rows)
	}
	var refused *row.Refusal
	if _, err := w.intake.Push(t.Context(), batch(syncName, "new", mixed...)); !errors.As(err, &refused) || !strings.Contains(refused.Message, "cannot be carried out") {
		t.Errorf("a new batch: %v", err)
	}
}
