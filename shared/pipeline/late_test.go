package pipeline_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
)

// A batch whose sending failed, and that the warehouse sends again only after newer rows of
// its keys were accepted, overwrites none of them, though they changed nothing and the
// ledger has no trace of them; its other rows arrive (I3).
func TestLateBatchAndUnchangedRows(t *testing.T) {
	up, down := func(v int) string { return object("k", v) }, deletion("k")
	for name, c := range map[string]struct{ before, late, newer, want string }{
		"a value":                           {up(1), up(2), up(1), "1"},
		"a delete":                          {up(1), down, up(1), "1"},
		"a row of a record that was absent": {"", up(2), down, ""},
		"nothing newer":                     {up(1), up(2), object("another", 7), "2"},
	} {
		for _, why := range []string{"the queue refuses", "dead before it sent"} {
			w := deleting(t, nil)
			w.through("q0", object("another", 7))
			if c.before != "" {
				w.through("q1", c.before)
			}
			if why == "the queue refuses" {
				w.intake.Queue = &failingQueue{Queue: w.store}
			} else {
				w.intake.Batches = deadAfterPin{w.store}
			}
			late := batch("q2", "q2:1", "accounts", c.late, object("beside", 5))
			if _, err := w.intake.Push(t.Context(), late); err == nil {
				t.Fatal("the batch was sent")
			}
			w.boot()
			w.now = w.now.Add(time.Minute)
			if _, got := w.through("q3", c.newer); got.Unchanged != 1 {
				t.Fatalf("%s: the newer row %+v", name, got)
			}
			w.now = w.now.Add(20 * time.Hour)
			answers := w.push(late)
			w.drain(time.Hour)
			held := ""
			if w.crm.records["k"] != nil {
				held = w.crm.records["k"]["Value__c"]
			}
			if held != c.want || w.crm.value("beside") != 5 {
				t.Errorf("%s, %s: the destination holds %q, want %q, and %v beside it", name, why, held, c.want, w.crm.value("beside"))
			}
			want := run.Counts{Superseded: 1, Delivered: 1}
			if name == "nothing newer" {
				want = run.Counts{Delivered: 2}
			}
			if got := w.counts(answers[0].Run); got.Superseded != want.Superseded || got.Delivered != want.Delivered {
				t.Errorf("%s, %s: counted %+v", name, why, got)
			}
		}
	}
}

// So does a batch whose first sending took long, while newer rows were settled.
func TestSlowlySentBatch(t *testing.T) {
	for slow, want := range map[time.Duration]int{3 * time.Second: 1, 0: 2} { // at once: no newer row is looked for
		w := newWorld(t, 4, nil)
		w.through("q1", object("k", 1))
		w.intake.Queue = &slowQueue{Queue: w.store, meanwhile: func() {
			if w.intake.Queue = w.store; slow > 0 {
				w.now = w.now.Add(slow)
				w.through("q3", object("k", 1))
			}
		}}
		w.push(batch("q2", "q2:1", "accounts", object("k", 2)))
		w.drain(time.Hour)
		if got := w.crm.value("k"); got != want {
			t.Errorf("sent after %v: the destination holds %d, want %d", slow, got, want)
		}
	}
}

// slowQueue takes its time once.
type slowQueue struct {
	intake.Queue
	meanwhile func()
}

func (q *slowQueue) Send(ctx context.Context, queue string, msgs []envelope.Message) ([]bool, error) {
	q.meanwhile()
	return q.Queue.Send(ctx, queue, msgs)
}

// Of a sync of very many runs, a late batch reads those that its time concerns, and the run
// that was begun last, however long that goes on.
func TestLateBatchOfManyRuns(t *testing.T) {
	w := newWorld(t, 4, nil)
	w.through("q0", object("k", 1))
	for n := range 300 {
		id := w.push(batch(fmt.Sprint("old", n), fmt.Sprint("old:", n), "accounts", object("other", n)))[0].Run
		w.drain(time.Hour)
		r, err := w.store.Run(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		r.Status, r.EndedAt = run.Complete, w.now
		if err := w.store.UpdateRun(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Minute)
	}
	w.intake.Queue = &failingQueue{Queue: w.store}
	late := batch("q2", "q2:1", "accounts", object("k", 2))
	if _, err := w.intake.Push(t.Context(), late); err == nil {
		t.Fatal("the batch was sent")
	}
	w.boot()
	w.through("q3", object("k", 1))
	counted := &brokenUnchanged{Store: w.store}
	w.deliver.Unchanged = counted
	w.push(late)
	w.drain(time.Hour)
	if w.crm.value("k") != 1 || counted.lists > 2 {
		t.Errorf("the destination holds %d; %d lists of runs", w.crm.value("k"), counted.lists)
	}
}

// deadAfterPin dies once a batch is pinned.
type deadAfterPin struct{ intake.Batches }

func (d deadAfterPin) PinBatch(ctx context.Context, b run.Batch) (run.Batch, bool, error) {
	if _, _, err := d.Batches.PinBatch(ctx, b); err != nil {
		return b, false, err
	}
	return b, false, errStorage
}

// A storage that does not tell what was left unchanged, or does not take it, costs nobody
// an attempt: the message comes back.
func TestUnchangedKeysOfABrokenStorage(t *testing.T) {
	for _, fails := range []string{"StoreUnchanged", "Unchanged", "RecentRuns"} {
		w := newWorld(t, 4, nil)
		w.through("q1", object("k", 1))
		w.intake.Queue = &failingQueue{Queue: w.store}
		late := batch("q2", "q2:1", "accounts", object("k", 2))
		if _, err := w.intake.Push(t.Context(), late); err == nil {
			t.Fatal("the batch was sent")
		}
		w.boot()
		broken := &brokenUnchanged{Store: w.store, fails: fails, left: 3}
		w.deliver.Unchanged = broken
		_, newer := w.through("q3", object("k", 1))
		id := w.push(late)[0].Run
		w.drain(time.Hour)
		if c := w.counts(id); c.Superseded != 1 || newer.Unchanged != 1 || w.crm.value("k") != 1 || broken.left != 0 || len(w.errors(id)) != 0 {
			t.Errorf("%s refused: %+v, %+v, held %d, %d refusals left", fails, newer, c, w.crm.value("k"), broken.left)
		}
	}
}

// brokenUnchanged refuses what it is asked for some times.
type brokenUnchanged struct {
	*sqlite.Store
	fails string
	left  int
	lists int
}

func (b *brokenUnchanged) refuses(what string) bool {
	if b.fails != what || b.left == 0 {
		return false
	}
	b.left--
	return true
}

func (b *brokenUnchanged) StoreUnchanged(ctx context.Context, runID, batch string, index int, hashes []byte) error {
	if b.refuses("StoreUnchanged") {
		return errStorage
	}
	return b.Store.StoreUnchanged(ctx, runID, batch, index, hashes)
}

func (b *brokenUnchanged) Unchanged(ctx context.Context, runID string, each func(string, int, []byte) error) error {
	if b.refuses("Unchanged") {
		return errStorage
	}
	return b.Store.Unchanged(ctx, runID, each)
}

func (b *brokenUnchanged) RecentRuns(ctx context.Context, sync string, limit int) ([]run.Run, error) {
	if b.lists++; b.refuses("RecentRuns") {
		return nil, errStorage
	}
	return b.Store.RecentRuns(ctx, sync, limit)
}

func (b *brokenUnchanged) RunsBefore(ctx context.Context, sync string, begun time.Time, id string, limit int) ([]run.Run, error) {
	b.lists++
	return b.Store.RunsBefore(ctx, sync, begun, id, limit)
}
