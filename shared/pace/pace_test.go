package pace

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// I7: in any span of Per, never more than Calls are made, however greedily they
// are asked for and however late in their lease they are made.
func TestNeverOverAnyWindow(t *testing.T) {
	for _, limits := range [][]Window{
		{{Calls: 1, Per: time.Second}},
		{{Calls: 100, Per: 10 * time.Second}},
		{{Calls: 20, Per: time.Second}, {Calls: 60, Per: 10 * time.Second}},
	} {
		rng := rand.New(rand.NewPCG(1, 2))
		var b Bucket
		var grants []time.Time
		for now := start; now.Before(start.Add(time.Minute)); {
			n, next, wait := Lease(b, limits, 1+rng.IntN(30), now)
			b = next
			for i := range n { // the first is used at once, the others before the lease expires
				used := now
				if i > 0 {
					used = now.Add(time.Duration(rng.Int64N(int64(LeaseLife))))
				}
				grants = append(grants, used)
			}
			now = now.Add(max(wait, time.Duration(rng.IntN(50))*time.Millisecond))
		}
		slices.SortFunc(grants, time.Time.Compare)
		for _, w := range limits {
			for i, g := range grants {
				if j := i + int(w.Calls); j < len(grants) && grants[j].Sub(g) < w.Per {
					t.Fatalf("%v: %d calls within %v", w, w.Calls+1, grants[j].Sub(g))
				}
			}
		}
		if len(grants) < 20 {
			t.Errorf("%v: only %d grants in a minute", limits, len(grants))
		}
	}
}

// The worst that late use can do: a full bucket is leased and used at the end of
// the lease's life, and all that comes after at once.
func TestTokensUsedLate(t *testing.T) {
	for _, w := range []Window{{Calls: 100, Per: 10 * time.Second}, {Calls: 40, Per: time.Minute}, {Calls: 3, Per: time.Second}} {
		used, b, _ := Lease(Bucket{}, []Window{w}, 1000, start)
		if used == 1 { // a lease of one is used at once
			used = 0
		}
		for now := start.Add(LeaseLife); now.Before(start.Add(LeaseLife + w.Per)); now = now.Add(50 * time.Millisecond) {
			n, next, _ := Lease(b, []Window{w}, 1000, now)
			b = next
			used += n
		}
		if used > int(w.Calls) {
			t.Errorf("%d calls within %v, the limit is %d", used, w.Per, w.Calls)
		}
	}
}

func TestWaitIsEnough(t *testing.T) {
	limits := []Window{{Calls: 1, Per: time.Second}}
	n, b, _ := Lease(Bucket{}, limits, 1, start)
	if n != 1 {
		t.Fatal("a full bucket grants")
	}
	_, b, wait := Lease(b, limits, 1, start)
	if n, _, _ := Lease(b, limits, 1, start.Add(wait)); n != 1 {
		t.Errorf("after the wait of %v nothing was granted", wait)
	}
}

func TestPause(t *testing.T) {
	limits := []Window{{Calls: 10, Per: time.Second}}
	b := Paused(Bucket{}, start.Add(30*time.Second))
	b = Paused(b, start.Add(10*time.Second)) // never back
	n, b, wait := Lease(b, limits, 1, start)
	if n != 0 || wait != 30*time.Second {
		t.Errorf("granted %d, wait %v", n, wait)
	}
	if n, _, _ := Lease(b, limits, 1, start.Add(30*time.Second)); n != 1 {
		t.Error("nothing after the pause")
	}
}

// Two workers whose clocks are a second apart refill the bucket once.
func TestSkewedClocks(t *testing.T) {
	limits := []Window{{Calls: 10, Per: 10 * time.Second}}
	var b Bucket
	total := 0
	for s := range 20 { // 10 s, seen by one clock on time and by one a second late
		now := start.Add(time.Duration(s) * 500 * time.Millisecond)
		if s%2 == 1 {
			now = now.Add(-time.Second)
		}
		n, next, _ := Lease(b, limits, 10, now)
		b = next
		total += n
	}
	if total > 10 {
		t.Errorf("%d calls granted within 10 s, the limit is 10", total)
	}
}

func TestNoLimits(t *testing.T) {
	if n, _, _ := Lease(Bucket{}, nil, 7, start); n != 7 {
		t.Error("a bucket without limits grants what is asked")
	}
}
