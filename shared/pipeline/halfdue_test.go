package pipeline_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// unsent is a queue that takes nothing.
type unsent struct{ intake.Queue }

var errUnsent = errors.New("the queue takes nothing")

// A batch of due rows that was pinned, and not sent before a retry took its rows, is sent
// all the same: its run counts all of it, and none of them is sent twice.
func TestHalfHandedIn(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.busy()
	id := w.send("q", "a", "b")
	w.once()
	w.now = w.now.Add(time.Hour)
	w.intake.Queue = unsent{w.store}
	s := &runs.Sweep{Stores: w.stores(), Replayer: w.intake, Remover: w.intake, Policy: run.DefaultPolicy(), Now: w.clock}
	if err := s.Run(t.Context()); !errors.Is(err, errUnsent) {
		t.Fatal(err)
	}
	w.intake.Queue = w.store
	if _, err := w.control().Retry(t.Context(), id, runs.Selector{}, "token"); err != nil {
		t.Fatal(err)
	}
	w.once() // they fail once more, and are due later
	w.crm.outcome = nil
	w.sweep()
	w.drain(time.Hour)
	due := id + "~1"
	if all, err := w.store.Batches(t.Context(), due); err != nil || len(all) != 1 || !all[0].Sent {
		t.Errorf("%+v, %v", all, err)
	}
	if c := w.counts(due); c.Failed != 2 {
		t.Errorf("%+v", c)
	}
	if len(w.crm.sends) > 0 {
		t.Errorf("sent %v", w.crm.sends)
	}
}

func (unsent) Send(_ context.Context, _ string, msgs []envelope.Message) ([]bool, error) {
	return make([]bool, len(msgs)), errUnsent
}
