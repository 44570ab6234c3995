package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pace"
)

var hourly = []pace.Window{{Calls: 20, Per: time.Hour}, {Calls: 1000, Per: 24 * time.Hour}}

var paceTests = []test{
	{"lease and refill", func(t *testing.T, s Stores) {
		wantLease(t, s, "sf", 4, start, 4)
		wantLease(t, s, "sf", 8, start, 6) // 10 of 20 are burst
		wait := wantLease(t, s, "sf", 1, start, 0)
		if wait < 5*time.Minute || wait > 7*time.Minute {
			t.Errorf("wait %s, want about 6 minutes: 10 tokens an hour", wait)
		}
		wantLease(t, s, "sf", 5, start.Add(wait), 1)
		wantLease(t, s, "slack", 4, start, 4) // another bucket
	}},
	{"raced (I7)", func(t *testing.T, s Stores) {
		var granted atomic.Int64
		race(t, 8, func(int) error {
			for range 3 {
				n, _, err := s.Pace.Lease(t.Context(), "sf", hourly, 1, start)
				if err != nil {
					return err
				}
				granted.Add(int64(n))
			}
			return nil
		})
		if n := granted.Load(); n < 1 || n > 10 {
			t.Errorf("%d tokens granted, want at most the burst of 10", n)
		}
		// Whoever lost a race may have been told to come back; the burst is still whole.
		n, _, err := s.Pace.Lease(t.Context(), "sf", hourly, 10, start)
		ok(t, err)
		if total := granted.Load() + int64(n); total != 10 {
			t.Errorf("%d tokens in all, want 10", total)
		}
	}},
	{"pause", func(t *testing.T, s Stores) {
		ok(t, s.Pace.Pause(t.Context(), "sf", start.Add(time.Minute)))
		if wait := wantLease(t, s, "sf", 1, start, 0); wait != time.Minute {
			t.Errorf("wait %s, want 1m", wait)
		}
		ok(t, s.Pace.Pause(t.Context(), "sf", start.Add(time.Second))) // never back
		wantLease(t, s, "sf", 1, start.Add(59*time.Second), 0)
		wantLease(t, s, "sf", 1, start.Add(time.Minute), 1)
	}},
	{"reopened", func(t *testing.T, s Stores) {
		wantLease(t, s, "sf", 10, start, 10)
		s = s.Reopen()
		wantLease(t, s, "sf", 1, start, 0)
	}},
}

func wantLease(t *testing.T, s Stores, bucket string, want int, now time.Time, granted int) time.Duration {
	t.Helper()
	n, wait, err := s.Pace.Lease(t.Context(), bucket, hourly, want, now)
	ok(t, err)
	if n != granted || (n == 0) != (wait > 0) {
		t.Errorf("Lease %d: granted %d, wait %s; want %d", want, n, wait, granted)
	}
	return wait
}
