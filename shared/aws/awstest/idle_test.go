package awstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// What a minute without any work costs in the state table: docs/cost.md counts with
// it.
func TestIdleTick(t *testing.T) {
	servers(t)
	w := newRoad(t)
	const syncs = 10
	first, err := w.state.Current(t.Context(), "salesforce_customer_health")
	if err != nil {
		t.Fatal(err)
	}
	for n := range syncs - 1 {
		d := first.Definition
		d.Sync = fmt.Sprint("sync_", n)
		if err := w.state.Apply(t.Context(), syncdef.NewVersion(d, first.Rules, at)); err != nil {
			t.Fatal(err)
		}
	}
	s, m := w.state, w.memory
	sweep := &runs.Sweep{
		Stores:   runs.Stores{Syncs: s, Connections: s, Runs: s, History: s, Marks: s, Due: s, Halts: s, Errors: m, Depths: m, Ledger: m},
		Replayer: &w.intake, Policy: run.DefaultPolicy(), Now: func() time.Time { return w.now },
	}
	w.units.read, w.units.written, w.units.calls = 0, 0, 0
	if err := sweep.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("an idle tick over %d syncs: %d requests, %.1f read units, %.1f write units", syncs, w.units.calls, w.units.read, w.units.written)
	if want := IdleReads + syncs*IdleReadsPerSync; w.units.calls != want || w.units.written != 0 || w.units.read > float64(want) {
		t.Errorf("%d requests of %.1f read and %.1f write units, want %d that read and write no more than a unit each", w.units.calls, w.units.read, w.units.written, want)
	}
}
