package deliver

import (
	"context"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
)

// A meter is an account that only counts its calls.
type meter struct {
	dest.Account
	calls   int64
	windows func(bucket string) []pace.Window
	beyond  string
}

func (m *meter) APICalls() int64     { return m.calls }
func (m *meter) Limits() dest.Limits { return dest.Limits{Windows: m.windows, Beyond: m.beyond} }

// plenty grants whatever is wanted.
type plenty struct{}

func (plenty) Lease(_ context.Context, _ string, _ []pace.Window, want int, _ time.Time) (int, time.Duration, error) {
	return want, 0, nil
}
func (plenty) Slow(context.Context, string, time.Time) error { return nil }

// A request that takes tokens of two buckets is one request: it pays for no further one,
// and hides none that a run makes. Where the account's own bucket has no limits, those
// that have a name stand for requests themselves.
func TestRequestsCountOnce(t *testing.T) {
	window := []pace.Window{{Calls: 100, Per: time.Second}}
	for name, c := range map[string]struct {
		windows func(string) []pace.Window
		costs   []dest.Cost
	}{
		"one bucket for all":          {func(string) []pace.Window { return window }, []dest.Cost{{Tokens: 1}}},
		"searches beside it":          {func(string) []pace.Window { return window }, []dest.Cost{{Tokens: 1}, {Bucket: "search", Tokens: 1}}},
		"a bucket for each method":    {func(bucket string) []pace.Window { return window[:min(len(bucket), 1)] }, []dest.Cost{{Bucket: "history", Tokens: 1}}},
		"no limits, and no name":      {nil, []dest.Cost{{Tokens: 1}}},
		"no limits, and a name alone": {nil, []dest.Cost{{Bucket: "history", Tokens: 1}}},
	} {
		now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
		d := &Deliver{Tokens: plenty{}, Now: func() time.Time { return now }}
		m := &meter{windows: c.windows}
		a := d.connection("prod")
		a.opened = m
		for range 10 {
			for _, cost := range c.costs {
				if err := a.spend(t.Context(), cost); err != nil {
					t.Fatal(err)
				}
			}
			m.calls++
		}
		a.settleUp()
		if a.paid != 10 || a.owed != 0 || a.aside != 10 {
			t.Errorf("%s: of 10 requests %d are paid, %d owed and %d no run's", name, a.paid, a.owed, a.aside)
		}
		for _, cost := range c.costs { // one that was not made after all
			if _, err := a.take(t.Context(), cost, 1); err != nil {
				t.Fatal(err)
			}
			a.give(cost)
		}
		m.calls += 10 // beyond those paid for
		a.settleUp()
		a.book("r")
		if got := a.booked("r"); a.owed != 10 || got != 10 {
			t.Errorf("%s: of a run's 10 requests %d are owed and %d are booked", name, a.owed, got)
		}
	}
}

// asks grants what is asked, and notes the buckets.
type asks struct{ taken map[string]int }

func (a asks) Lease(_ context.Context, bucket string, _ []pace.Window, want int, _ time.Time) (int, time.Duration, error) {
	a.taken[bucket]++
	return 1, 0, nil
}
func (asks) Slow(context.Context, string, time.Time) error { return nil }

// Requests beyond those paid for are paid out of the bucket that the vendor names for
// them, before the next call that takes from it; calls of other buckets do not wait.
func TestFurtherRequestsAreOwed(t *testing.T) {
	for _, beyond := range []string{"", "history"} {
		taken := map[string]int{}
		now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
		d := &Deliver{Tokens: asks{taken}, Now: func() time.Time { return now }}
		m := &meter{beyond: beyond, windows: func(bucket string) []pace.Window {
			return []pace.Window{{Calls: 100, Per: time.Second}}[:min(len(bucket), 1)]
		}}
		a := d.connection("prod")
		a.opened = m
		call := func(bucket string, requests int64) {
			if wait, err := a.take(t.Context(), dest.Cost{Bucket: bucket, Tokens: 1}, 1); err != nil || wait > 0 {
				t.Fatalf("%s, %v", wait, err)
			}
			m.calls += requests
			a.settleUp()
		}
		call(beyond, 20)
		if call("channel", 1); taken["prod/"+beyond] != 1 || taken["prod/channel"] != 1 {
			t.Errorf("%q: %v before the next call of the bucket", beyond, taken)
		}
		if call(beyond, 1); taken["prod/"+beyond] != 21 || a.owed != 0 {
			t.Errorf("%q: %v for 21 requests, %d are owed", beyond, taken, a.owed)
		}
	}
}
