package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

var dueTests = []test{
	{"empty", func(t *testing.T, s Stores) {
		ok(t, s.StoreDue(t.Context(), nil))
		wantDue(t, s, "health", time.Time{}, 10)
		ok(t, s.DeleteDue(t.Context(), aDue("health", 1, 0)))
	}},
	{"by time, oldest first", func(t *testing.T, s Stores) {
		a, b, c := aDue("health", 1, 3*time.Hour), aDue("health", 2, time.Nanosecond), aDue("health", 3, time.Hour)
		other := aDue("health2", 1, 0)
		ok(t, s.StoreDue(t.Context(), []run.Due{a, b, c, other}))
		wantDue(t, s, "health", start, 10)
		wantDue(t, s, "health", start.Add(time.Nanosecond), 10, b) // its time itself counts
		wantDue(t, s, "health", start.Add(2*time.Hour), 10, b, c)
		wantDue(t, s, "health", start.Add(3*time.Hour), 10, b, c, a)
		wantDue(t, s, "health", start.Add(3*time.Hour), 2, b, c)
		wantDue(t, s, "health", time.Time{}, 10, b, c, a)
		wantDue(t, s, "health", time.Time{}, 0)
		wantDue(t, s, "health2", time.Time{}, 10, other)
		ok(t, s.DeleteDue(t.Context(), b))
		ok(t, s.DeleteDue(t.Context(), b))
		wantDue(t, s, "health", time.Time{}, 10, c, a)
	}},
	{"stored twice", func(t *testing.T, s Stores) {
		d := aDue("health", 1, time.Hour)
		ok(t, s.StoreDue(t.Context(), []run.Due{d}))
		again := d
		again.Rows = []int{7}
		ok(t, s.StoreDue(t.Context(), []run.Due{again}))
		wantDue(t, s, "health", time.Time{}, 10, d)
		// Of another time it is an item of its own, and one batch at intake.
		later := d
		later.At = d.At.Add(time.Minute)
		ok(t, s.StoreDue(t.Context(), []run.Due{later}))
		wantDue(t, s, "health", time.Time{}, 10, d, later)
		ok(t, s.DeleteDue(t.Context(), d))
		wantDue(t, s, "health", time.Time{}, 10, later)
		if later.ID() != d.ID() {
			t.Error("the id holds the time")
		}
	}},
	{"several at one time", func(t *testing.T, s Stores) {
		want := map[string]bool{}
		var all []run.Due
		for i := range 60 {
			d := aDue("health", i, time.Hour)
			all, want[d.ID()] = append(all, d), true
		}
		ok(t, s.StoreDue(t.Context(), all))
		for _, d := range must(s.DueItems(t.Context(), "health", start.Add(time.Hour), 100))(t) {
			if !want[d.ID()] {
				t.Errorf("%s came twice, or was never stored", d.By)
			}
			delete(want, d.ID())
		}
		if len(want) != 0 {
			t.Errorf("%d of 60 did not come", len(want))
		}
	}},
	{"reopened", func(t *testing.T, s Stores) {
		d := aDue("health", 1, time.Hour)
		ok(t, s.StoreDue(t.Context(), []run.Due{d}))
		s = s.Reopen()
		wantDue(t, s, "health", time.Time{}, 10, d)
	}},
}

func aDue(sync string, chunk int, after time.Duration) run.Due {
	id := sync + ".q1"
	return run.Due{
		Sync: sync, At: start.Add(after), Run: id, Batch: "b1", By: fmt.Sprint(id, "#b1#", chunk), Attempts: 1,
		Rows: []int{0, 7, 2047}, Version: "v0123456789ab",
	}
}

func wantDue(t *testing.T, s Stores, sync string, now time.Time, limit int, want ...run.Due) {
	t.Helper()
	same(t, "DueItems", want, must(s.DueItems(t.Context(), sync, now, limit))(t))
}
