package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/run"
)

// A late batch whose push died between its pin and the reopening of the run is
// counted all the same once the warehouse has retried it.
func TestLateBatchOfADeadPush(t *testing.T) {
	w := quietWorld(t, nil)
	id := w.send("q", "k0")[0].Run
	w.once()
	if r := w.end(id); r.Status != run.Complete {
		t.Fatalf("run is %s", r.Status)
	}
	late := func() error {
		_, err := w.intake.Push(t.Context(), batchOf("q", "k1"))
		return err
	}
	for fuse := 1; fuse < 5; fuse++ {
		w.mortal.fuse = fuse
		_ = late()
		w.boot()
	}
	if err := late(); err != nil {
		t.Fatal(err)
	}
	w.once()
	if r := w.end(id); r.Status != run.Complete || r.Counts.Received != 2 || r.Counts.Delivered != 2 {
		t.Errorf("run is %s, %+v; want both rows", r.Status, r.Counts)
	}
}

// A batch that arrives while the sweeper looks at its run is not lost, whatever
// of the sweeper's calls it comes before.
func TestLateBatchDuringASweep(t *testing.T) {
	for at := range 6 {
		w := quietWorld(t, nil)
		id := w.send("q", "k0")[0].Run
		w.once()
		w.now = w.now.Add(time.Minute)
		arriving := &arrival{Runs: w.store, at: at, push: func() {
			if _, err := w.intake.Push(t.Context(), batchOf("q", "k1")); err != nil {
				t.Fatal(err)
			}
		}}
		s := pipeline.Sweep{Runs: arriving, Now: w.clock, Policy: run.Policy{Quiet: 10 * time.Second, GiveUp: time.Hour}}
		if err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		arriving.step() // the sweep made fewer calls than that
		w.once()
		if r := w.end(id); r.Status != run.Complete || r.Counts.Delivered != 2 {
			t.Errorf("pushed before the sweeper's call %d: run is %s, %+v; want both rows", at, r.Status, r.Counts)
		}
	}
}

// Two late batches at once reopen the run together: neither fails.
func TestLateBatchesTogether(t *testing.T) {
	w := quietWorld(t, nil)
	id := w.send("q", "k0")[0].Run
	w.once()
	w.end(id)
	arriving := &arrival{Runs: w.store, on: "update", push: func() {
		if _, err := w.intake.Push(t.Context(), batchOf("q", "k1")); err != nil {
			t.Fatal(err)
		}
	}}
	second := pipeline.Intake{Syncs: w.store, Runs: arriving, Errors: w.store, Queue: w.store, Now: w.clock}
	b := batchOf("q", "k2")
	b.ID = "q:3"
	if _, err := second.Push(t.Context(), b); err != nil {
		t.Errorf("the second late batch failed: %v", err)
	}
	w.once()
	if r := w.end(id); r.Counts.Delivered != 3 {
		t.Errorf("run is %s, %+v; want three rows", r.Status, r.Counts)
	}
}

// arrival lets something happen just before one call of a sweep or an intake.
type arrival struct {
	pipeline.Runs
	at   int    // which of Batches and UpdateRun, counted from 0
	on   string // or: the first UpdateRun
	push func()
	n    int
}

func (a *arrival) step() {
	if a.on == "" && a.n <= a.at {
		a.n = a.at
	}
	a.call("")
}

func (a *arrival) call(name string) {
	due := a.n == a.at
	if a.on != "" {
		due = name == a.on
	}
	a.n++
	if due && a.push != nil {
		push := a.push
		a.push = nil
		push()
	}
}

// Batches implements pipeline.Runs.
func (a *arrival) Batches(ctx context.Context, id string) ([]run.Batch, error) {
	a.call("batches")
	return a.Runs.Batches(ctx, id)
}

// UpdateRun implements pipeline.Runs.
func (a *arrival) UpdateRun(ctx context.Context, r run.Run, watermark string) error {
	a.call("update")
	return a.Runs.UpdateRun(ctx, r, watermark)
}
