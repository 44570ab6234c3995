package pace

import (
	"math"
	"testing"
	"time"
)

// perMinute is how many calls a greedy worker gets in a minute from at on.
func perMinute(b Bucket, w Window, at time.Time) (int, Bucket) {
	granted := 0
	for s := range 600 {
		n, next, _ := Lease(b, []Window{w}, 100, at.Add(time.Duration(s)*100*time.Millisecond))
		b, granted = next, granted+n
	}
	return granted, b
}

func TestSlow(t *testing.T) {
	w := Window{Calls: 200, Per: 10 * time.Second}
	_, b := perMinute(Bucket{}, w, start)
	full, b := perMinute(b, w, start.Add(time.Minute))
	at := start.Add(2 * time.Minute)
	b = Slow(b, at)
	b = Slow(b, at.Add(time.Second)) // of a call that was leased before
	half, _ := perMinute(b, w, at)
	if low, high := full*50/100, full*62/100; half < low || half > high { // it grows by a tenth meanwhile
		t.Errorf("%d calls in the minute after, %d before: want %d to %d", half, full, low, high)
	}
	for range 20 {
		at = at.Add(LeaseLife)
		b = Slow(b, at)
	}
	least, b := perMinute(b, w, at)
	if least < full/64 || least > full/10 {
		t.Errorf("%d calls in the minute after many, %d before", least, full)
	}
	_, b = perMinute(b, w, at.Add(recovery))
	again, _ := perMinute(b, w, at.Add(recovery+time.Minute))
	if again < full*99/100 || again > full*102/100 {
		t.Errorf("%d calls in a minute after the recovery, %d before", again, full)
	}
}

// A wait is as long as it must be, and no longer, also while the rate grows.
func TestWaitWhileSlow(t *testing.T) {
	for _, w := range []Window{{1, time.Second}, {60, time.Minute}, {20, time.Hour}, {4000, 24 * time.Hour}} {
		b := Bucket{}
		for range 20_000 {
			n, next, _ := Lease(b, []Window{w}, 100, start)
			if n == 0 {
				break
			}
			b = next
		}
		for i := range 8 {
			b = Slow(b, start.Add(time.Duration(i)*LeaseLife))
		}
		at := start.Add(8 * LeaseLife)
		n, b, wait := Lease(b, []Window{w}, 1, at)
		if n != 0 {
			continue // it had refilled meanwhile
		}
		if n, _, _ := Lease(b, []Window{w}, 1, at.Add(wait)); n != 1 {
			t.Errorf("%v: nothing after the wait of %v", w, wait)
		}
		if n, _, _ := Lease(b, []Window{w}, 1, at.Add(wait-10*time.Millisecond)); n != 0 {
			t.Errorf("%v: granted before the wait of %v was over", w, wait)
		}
	}
}

// A day's burst outlives a call that was too fast.
func TestSlowKeepsLongWindows(t *testing.T) {
	w := []Window{{Calls: 10_000, Per: 24 * time.Hour}}
	_, b, _ := Lease(Bucket{}, w, 1, start)
	b = Slow(b, start)
	if n, _, _ := Lease(b, w, 10_000, start.Add(recovery)); n != 4999+34 && n != 4999+35 && n != 5000 {
		t.Errorf("granted %d of the day's 5,000", n)
	}
}

func TestEarned(t *testing.T) {
	for _, c := range []struct {
		rate  float64
		d     time.Duration
		worth float64
	}{
		{1, time.Minute, 60}, {0.5, 0, 0}, {0.5, 5 * time.Minute, 225}, {0.5, 6 * time.Minute, 285},
		{0, recovery, 300}, {0.9, 2 * time.Hour, 7197},
	} {
		if got := earned(c.rate, c.d); math.Abs(got-c.worth) > 1e-6 {
			t.Errorf("earned(%v, %v) = %v, want %v", c.rate, c.d, got, c.worth)
		}
		if got := lasts(c.rate, c.worth); (got - c.d).Abs() > time.Microsecond {
			t.Errorf("lasts(%v, %v) = %v, want %v", c.rate, c.worth, got, c.d)
		}
	}
}
