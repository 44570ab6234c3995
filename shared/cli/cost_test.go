package cli

import (
	"math"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/cost"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

// A run's cost is the formula of docs/cost.md over its counts, and an hourly sync has as
// many runs as a month has hours.
func TestCostOfARun(t *testing.T) {
	r := runs.RunStatus{Run: run.Run{ID: "a.r1", Counts: run.Counts{Received: 1_000_000, Delivered: 900_000, Unchanged: 90_000, Failed: 4_000, Rejected: 6_000, Calls: 5_000}}}
	want := cost.Work{Rows: 1_000_000, Changed: 904_000, Calls: 5_000, Lanes: 4, Errors: 10_000, ErrorKB: 1}.Dollars()
	if got := costOf(r, 4); math.Abs(got.Dollars-want) > 1e-9 || got.Rows != 1_000_000 || got.Calls != 5_000 {
		t.Errorf("got %+v, want %f", got, want)
	}
	if got := costOf(runs.RunStatus{}, 0); got.Dollars != 0 {
		t.Errorf("a run without rows costs %f", got.Dollars)
	}
	p, err := frequency.Of(&syncdef.Definition{Sync: "a", Frequency: "hourly"})
	if err != nil {
		t.Fatal(err)
	}
	if got := monthly(p, time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)); got != cost.MonthHours {
		t.Errorf("an hourly sync runs %f times a month", got)
	}
}
