package awstest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// What comes by itself costs in the state table without any work: docs/cost.md counts
// with it.
func TestIdle(t *testing.T) {
	servers(t)
	w := newRoad(t)
	const syncs = 10
	first, err := w.state.Current(t.Context(), "salesforce_customer_health")
	if err != nil {
		t.Fatal(err)
	}
	for n := range syncs {
		d := first.Definition
		d.Frequency = "hourly"
		if n > 0 {
			d.Sync = fmt.Sprint("sync_", n)
		}
		if err := w.state.Apply(t.Context(), syncdef.NewVersion(d, first.Rules, at)); err != nil {
			t.Fatal(err)
		}
	}
	s, m, now := w.state, w.memory, func() time.Time { return w.now }
	stores := runs.Stores{Syncs: s, Connections: s, Runs: s, History: s, Recorded: s, Marks: s, Due: s, Halts: s, Errors: m, Depths: m, Ledger: m, Firings: s, Freshness: s, Pauses: s}
	sweep := &runs.Sweep{Stores: stores, Replayer: &w.intake, Alerts: s, Quotas: s, Policy: run.DefaultPolicy(), Now: now}
	schedules := &runs.Schedules{Stores: stores, Policy: run.DefaultPolicy(), Now: now}
	w.worker.Freshness = s
	freshen := func(ctx context.Context) error { _, err := w.worker.Freshen(ctx); return err }
	if err := freshen(t.Context()); err != nil { // it stores that this destination tells nothing
		t.Fatal(err)
	}
	if err := sweep.Run(t.Context()); err != nil { // it remembers of which syncs nobody is told
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		do   func(context.Context) error
		want int
	}{
		{"sweep", sweep.Run, IdleSweep + syncs*IdleSweepPerSync},
		{"schedules", schedules.Sweep, IdleSchedule + syncs*IdleSchedulePerSync},
		{"freshness", freshen, IdleFreshness + syncs*(IdleFreshnessPerSync+IdleFreshnessPerOwn)},
	} {
		w.units.read, w.units.written, w.units.calls = 0, 0, 0
		if err := c.do(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s without work over %d syncs: %d requests, %.1f read units, %.1f write units", c.name, syncs, w.units.calls, w.units.read, w.units.written)
		if w.units.calls != c.want || w.units.written != 0 || w.units.read > float64(c.want) {
			t.Errorf("%s: %d requests of %.1f read and %.1f write units, want %d that read and write no more than a unit each", c.name, w.units.calls, w.units.read, w.units.written, c.want)
		}
	}
}
