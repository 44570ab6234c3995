package pipeline_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/sqlite"
)

// mendingLedger kills the process that has the row "bad" in hand, so many times.
type mendingLedger struct {
	*sqlite.Store
	deaths *int
}

func (m mendingLedger) Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error) {
	if slices.Contains(keys, "bad") && *m.deaths > 0 {
		*m.deaths--
		panic(death{})
	}
	return m.Store.Entries(ctx, target, keys)
}

// One death with a row alone in hand is no verdict: it may have been any death.
func TestOneDeathIsNoVerdict(t *testing.T) {
	w := newWorld(t, 1, nil)
	id := w.send("q", "good1", "bad", "good2")
	deaths := 4 // at the first receive, at two more that make it suspect, and alone
	for start := w.now; w.now.Sub(start) < time.Hour && w.depth() > 0; {
		w.deliver.Ledger = mendingLedger{w.store, &deaths}
		if in := w.receive(); len(in) == 0 {
			w.now = w.now.Add(5 * time.Second)
		} else if !w.survives(in) {
			w.boot()
		}
	}
	if c := w.counts(id); c.Delivered != 3 || deaths != 0 {
		t.Errorf("%+v, errors %v, %d deaths left", c, w.errorTypes(id), deaths)
	}
}

// A message that was handed back is no death, though the note of it failed: it comes
// back sooner than a dead worker's would.
func TestHandBackIsNoDeath(t *testing.T) {
	w := newWorld(t, 1, nil)
	id := w.send("q", "a")
	w.crm.outcome = nil
	w.crm.down = &dest.CallError{Op: "upsert", Class: dest.Unavailable, Message: "503"}
	w.deliver.Chunks = brokenReturn{w.store}
	for received := 0; received < 5; w.now = w.now.Add(time.Second) {
		if in := w.receive(); len(in) > 0 {
			received++
			w.handle(in)
		}
	}
	batches, err := w.store.Batches(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.store.Chunk(t.Context(), id, batches[0].ID, 0)
	if err != nil || c.Start == nil || c.Start.Receives < 4 || c.Start.Deaths != 0 {
		t.Errorf("%+v, %v", c.Start, err)
	}
}
