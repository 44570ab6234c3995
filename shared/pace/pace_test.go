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

// Workers with skewed clocks, each using its leased tokens at any time of their life.
func TestQuotaOverAnySpan(t *testing.T) {
	skews := []time.Duration{0, 300 * time.Millisecond, -300 * time.Millisecond, time.Second}
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := Window{int64(1 + rng.IntN(60)), time.Duration(1+rng.IntN(60)) * time.Second}
		if w.Calls == 1 { // a window of one call bears a quarter of itself
			w.Per = max(w.Per, 6*time.Second)
		}
		var b Bucket
		var used []time.Time
		now := start
		for range 800 {
			now = now.Add(time.Duration(rng.IntN(800)) * time.Millisecond)
			skew := time.Duration(0)
			if seed%2 == 1 {
				skew = skews[rng.IntN(4)]
			}
			n, next, _ := Lease(b, []Window{w}, 1+rng.IntN(50), now.Add(skew))
			b = next
			for i := range n {
				late := time.Duration(0)
				if i > 0 {
					late = time.Duration(rng.Int64N(int64(LeaseLife)))
				}
				used = append(used, now.Add(late))
			}
		}
		slices.SortFunc(used, time.Time.Compare)
		for i := int(w.Calls); i < len(used); i++ {
			if d := used[i].Sub(used[i-int(w.Calls)]); d < w.Per {
				t.Errorf("seed %d: %d calls of %v within %v", seed, w.Calls+1, w, d)
				break
			}
		}
	}
}

// A clock that was ahead once stops nobody for longer than clocks may differ.
func TestClockAheadOnce(t *testing.T) {
	limits := []Window{{Calls: 20, Per: 10 * time.Second}}
	for _, c := range []struct {
		name  string
		ahead time.Duration
		least int // grants within an hour; all of it is 2,400
	}{
		{"a second", time.Second, 2350}, {"four minutes", 4 * time.Minute, 2200},
		{"a day", 24 * time.Hour, 2350}, {"ten years", 87_600 * time.Hour, 2350},
	} {
		_, b, _ := Lease(Bucket{}, limits, 10, start.Add(c.ahead))
		b = Slow(b, start.Add(c.ahead))
		b.Rate = 1 // only its time is of interest
		granted := 0
		for s := range 3600 {
			n, next, _ := Lease(b, limits, 1, start.Add(time.Duration(s)*time.Second))
			b, granted = next, granted+n
		}
		if granted < c.least || granted > 3600 {
			t.Errorf("%s ahead: %d calls granted within an hour, want at least %d", c.name, granted, c.least)
		}
	}
	// Taking the bucket's time back gives nothing back.
	_, b, _ := Lease(Bucket{}, limits, 10, start.Add(24*time.Hour))
	if n, _, _ := Lease(b, limits, 10, start); n != 0 {
		t.Errorf("%d calls granted by a bucket that was empty a day ahead", n)
	}
}

// I7: versions with other windows, or another share of one, count the same calls.
func TestVersionsShareABucket(t *testing.T) {
	ten, less, more := Window{20, 10 * time.Second}, Window{8, 10 * time.Second}, Window{200, 10 * time.Second}
	day, hour := Window{1000, 24 * time.Hour}, Window{60, time.Hour}
	for _, c := range []struct {
		name string
		sets [][]Window // asked for in turn, at one instant
		most int        // calls that may be granted in all
	}{
		{"one more window", [][]Window{{ten}, {ten, day}}, 10},
		{"the other way round", [][]Window{{ten, day}, {ten}}, 10},
		{"other windows, in another order", [][]Window{{day, ten}, {ten, hour}}, 10},
		{"nothing in common", [][]Window{{ten}, {day}}, 510}, // the first 10 were made before the day was known
		{"no windows and one", [][]Window{{}, {ten}}, 10},
		{"a smaller share and a greater", [][]Window{{less}, {more}}, 100}, // what the greater grants, not both
		{"a greater share, then a smaller", [][]Window{{ten}, {less}}, 10},
	} {
		var b Bucket
		granted := 0
		for i := range 100 {
			set := c.sets[i%len(c.sets)]
			n, next, _ := Lease(b, set, 10, start)
			if b = next; len(set) > 0 {
				granted += n
			}
		}
		if granted > c.most {
			t.Errorf("%s: %d calls granted at one instant, want at most %d", c.name, granted, c.most)
		}
	}
}

// From a change of share on, the new one holds over any span, whatever was left.
func TestChangeOfShare(t *testing.T) {
	old, now := Window{1000, 10 * time.Second}, Window{20, 10 * time.Second}
	b := Bucket{}
	_, b, _ = Lease(b, []Window{old}, 1, start)
	var grants []time.Time
	for ms := 0; ms < 60_000; ms += 100 {
		at := start.Add(time.Duration(ms) * time.Millisecond)
		n, next, _ := Lease(b, []Window{now}, 100, at)
		b = next
		for range n {
			grants = append(grants, at)
		}
	}
	for i := int(now.Calls); i < len(grants); i++ {
		if d := grants[i].Sub(grants[i-int(now.Calls)]); d < now.Per {
			t.Fatalf("%d calls within %v, the new share is %d", now.Calls+1, d, now.Calls)
		}
	}
	if len(grants) < 30 {
		t.Errorf("only %d calls in a minute", len(grants))
	}
}

// Calls of a version without a window count in it, and are forgotten after Per.
func TestDebt(t *testing.T) {
	ten, hour := Window{2000, 10 * time.Second}, Window{60, time.Hour}
	_, b, _ := Lease(Bucket{}, []Window{ten, hour}, 1, start)
	_, b, _ = Lease(b, []Window{ten}, 500, start)
	n, b, wait := Lease(b, []Window{ten, hour}, 1, start)
	if n != 0 || wait < 55*time.Minute || wait > 65*time.Minute {
		t.Fatalf("granted %d, wait %v; 500 calls of 60 an hour were just made", n, wait)
	}
	if n, _, _ := Lease(b, []Window{ten, hour}, 1, start.Add(wait)); n != 1 {
		t.Error("nothing after the wait")
	}
}

// What is spent of the longest window of a day or more; it comes back with time.
func TestSpent(t *testing.T) {
	day, second := Window{1000, 24 * time.Hour}, Window{1000, time.Second}
	_, spent, _ := Lease(Bucket{}, []Window{second, day}, 450, start)
	_, short, _ := Lease(Bucket{}, []Window{second}, 450, start)
	for _, c := range []struct {
		name   string
		bucket Bucket
		limits []Window // as they are now
		after  time.Duration
		window Window
		calls  int64
		share  float64
	}{
		{"nothing", Bucket{}, []Window{day}, 0, Window{}, 0, 0},
		{"450 of 500", spent, nil, 0, day, 450, 0.9},
		{"half a day later, half of the day's calls have come back", spent, nil, 12 * time.Hour, day, 200, 0.4},
		{"a day later", spent, nil, 24 * time.Hour, Window{}, 0, 0},
		{"a second's window is no day's", short, []Window{day}, 0, Window{}, 0, 0},
		{"the share was raised since", spent, []Window{second, {5000, 24 * time.Hour}}, 0, Window{5000, 24 * time.Hour}, 450, 0.18},
		{"it was lowered since", spent, []Window{{100, 24 * time.Hour}}, 0, Window{100, 24 * time.Hour}, 50, 1},
		{"another window is not it", spent, []Window{{100, 48 * time.Hour}}, 0, day, 450, 0.9},
	} {
		w, calls, share := c.bucket.Spent(c.limits, start.Add(c.after))
		if w != c.window || calls != c.calls || share < c.share-0.001 || share > c.share+0.001 {
			t.Errorf("%s: %v, %d, %v; want %v, %d, %v", c.name, w, calls, share, c.window, c.calls, c.share)
		}
	}
}
