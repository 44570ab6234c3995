package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
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
		wantLease(t, s, "chat", 4, start, 4) // another bucket
	}},
	{"raced (I7)", func(t *testing.T, s Stores) {
		var granted atomic.Int64
		race(t, 8, func(int) error {
			for range 3 {
				n, _, err := s.Lease(t.Context(), "sf", hourly, 1, start)
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
		n, _, err := s.Lease(t.Context(), "sf", hourly, 10, start)
		ok(t, err)
		if total := granted.Load() + int64(n); total != 10 {
			t.Errorf("%d tokens in all, want 10", total)
		}
	}},
	{"read and not taken", func(t *testing.T, s Stores) {
		same(t, "none", pace.Bucket{}, must(s.Bucket(t.Context(), "sf/"))(t))
		wantLease(t, s, "sf/", 4, start, 4)
		for range 2 {
			b := must(s.Bucket(t.Context(), "sf/"))(t)
			if w, calls, share := b.Spent(nil, start); w != hourly[1] || calls != 4 || share != 4.0/500 {
				t.Errorf("%d, %v of %v is spent, want 4 of 500", calls, share, w)
			}
		}
		same(t, "another", pace.Bucket{}, must(s.Bucket(t.Context(), "sf"))(t))
		s = s.Reopen()
		wantLease(t, s, "sf/", 10, start, 6)
	}},
	{"a share that is raised, and lowered (I7)", func(t *testing.T, s Stores) {
		less, more := []pace.Window{{Calls: 20, Per: time.Hour}}, []pace.Window{{Calls: 100, Per: time.Hour}}
		for i, c := range []struct {
			limits []pace.Window
			want   int
		}{{less, 10}, {less, 0}, {more, 40}, {less, 0}, {more, 0}} {
			s = s.Reopen()
			n, wait, err := s.Lease(t.Context(), "sf", c.limits, 100, start)
			ok(t, err)
			if n != c.want || (n == 0) != (wait > 0) {
				t.Errorf("%d: %d granted of %v, wait %s; want %d", i, n, c.limits, wait, c.want)
			}
		}
	}},
	{"slow", func(t *testing.T, s Stores) {
		w := []pace.Window{{Calls: 200, Per: 10 * time.Second}}
		n, _, err := s.Lease(t.Context(), "sf", w, 200, start)
		ok(t, err)
		ok(t, s.Slow(t.Context(), "sf", start))
		ok(t, s.Slow(t.Context(), "other", start))
		m, _, err := s.Lease(t.Context(), "sf", w, 200, start.Add(20*time.Second))
		ok(t, err)
		if n != 100 || m < 45 || m > 60 {
			t.Errorf("granted %d and, slowed, %d; want 100 and about a half", n, m)
		}
	}},
	{"the state of a connection", func(t *testing.T, s Stores) {
		same(t, "none", pace.State{}, must(s.Pace(t.Context(), "sf"))(t))
		fails(t, "SetPace over none", s.SetPace(t.Context(), "sf", pace.State{Revision: 1}), run.ErrConflict)
		state := pace.State{Since: start, Until: start.Add(time.Hour), Code: "INVALID", Reason: "größer als <erlaubt>"}
		ok(t, s.SetPace(t.Context(), "sf", state))
		fails(t, "SetPace of one that was read before", s.SetPace(t.Context(), "sf", state), run.ErrConflict)
		state.Revision = 1
		same(t, "stored", state, must(s.Pace(t.Context(), "sf"))(t))
		same(t, "another", pace.State{}, must(s.Pace(t.Context(), "chat"))(t))
		ok(t, s.SetPace(t.Context(), "sf", state.Answered(start.Add(time.Hour))))
		s = s.Reopen()
		answered := pace.State{Was: start, Mended: start.Add(time.Hour), Revision: 2}
		same(t, "answered", answered, must(s.Pace(t.Context(), "sf"))(t))
		ok(t, s.SetPace(t.Context(), "sf", answered.Mend()))
		same(t, "mended", pace.State{Revision: 3}, must(s.Pace(t.Context(), "sf"))(t))
	}},
	{"one probe (raced)", func(t *testing.T, s Stores) {
		for revision := range int64(3) {
			if n := won(t, 8, func(i int) error {
				return s.SetPace(t.Context(), "sf", pace.State{Since: start, Probe: start.Add(time.Duration(i)), Revision: revision})
			}); n != 1 {
				t.Errorf("revision %d: %d workers claimed the probe, want 1", revision, n)
			}
		}
	}},
	{"reopened", func(t *testing.T, s Stores) {
		wantLease(t, s, "sf", 10, start, 10)
		s = s.Reopen()
		wantLease(t, s, "sf", 1, start, 0)
	}},
}

func wantLease(t *testing.T, s Stores, bucket string, want int, now time.Time, granted int) time.Duration {
	t.Helper()
	n, wait, err := s.Lease(t.Context(), bucket, hourly, want, now)
	ok(t, err)
	if n != granted || (n == 0) != (wait > 0) {
		t.Errorf("Lease %d: granted %d, wait %s; want %d", want, n, wait, granted)
	}
	return wait
}
