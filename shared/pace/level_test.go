package pace

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// grant leases as often as anything is granted, and answers how much was.
func grant(b *Bucket, w Window, at time.Time) (total int, wait time.Duration) {
	for {
		n, next, wait := Lease(*b, []Window{w}, 50, at)
		if *b = next; n == 0 {
			return total, wait
		}
		total += n
	}
}

// What a share was raised by is there at once, and once: lowering and raising it again
// gives nothing back, whichever workers still ask for which.
func TestRaisedShare(t *testing.T) {
	tenth, half := Window{1000, 24 * time.Hour}, Window{5000, 24 * time.Hour}
	b := Bucket{}
	for i, c := range []struct {
		w     Window
		after time.Duration
		want  int
	}{
		{tenth, 0, 500}, {half, 0, 2000}, {tenth, 0, 0}, {half, 0, 0},
		{half, time.Hour, 104}, // what came back in an hour of the half
		{tenth, time.Hour, 0}, {half, time.Hour, 0}, {tenth, 2 * time.Hour, 0},
		{half, 2 * time.Hour, 104},
	} {
		if n, _ := grant(&b, c.w, start.Add(c.after)); n != c.want {
			t.Errorf("%d, %v after %v: %d granted, want %d", i, c.w, c.after, n, c.want)
		}
	}
}

// Of a lowered share nothing is granted until what was spent fits into it, which the wait
// tells, and which takes a day at the most; from then on its own pace holds.
func TestLoweredShare(t *testing.T) {
	half, tenth := Window{5000, 24 * time.Hour}, Window{1000, 24 * time.Hour}
	b := Bucket{}
	grant(&b, half, start)
	_, wait := grant(&b, tenth, start)
	if wait < 19*time.Hour || wait > 20*time.Hour { // 2,001 of 2,500 in a day
		t.Fatalf("wait %v", wait)
	}
	if n, _ := grant(&b, tenth, start.Add(wait-time.Second)); n != 0 {
		t.Errorf("%d granted before the wait was over", n)
	}
	if n, _ := grant(&b, tenth, start.Add(wait)); n != 1 {
		t.Errorf("%d granted after the wait", n)
	}
	if n, _ := grant(&b, tenth, start.Add(wait+2*time.Hour)); n != 41 {
		t.Errorf("%d granted in two hours of a tenth, want 41", n)
	}
}

// A store may keep what a lease stored that granted nothing, or not.
func TestRefusalsChangeNothing(t *testing.T) {
	less, more := Window{20, 10 * time.Second}, Window{200, 10 * time.Second}
	rng := rand.New(rand.NewPCG(5, 6))
	var kept, left Bucket
	for now := start; now.Before(start.Add(5 * time.Minute)); now = now.Add(time.Duration(rng.IntN(900)) * time.Millisecond) {
		w := []Window{less, more}[rng.IntN(8)/7]
		want := 1 + rng.IntN(30)
		n, next, _ := Lease(kept, []Window{w}, want, now)
		m, other, _ := Lease(left, []Window{w}, want, now)
		if n != m {
			t.Fatalf("%v after %v: %d and %d granted of %d", w, now.Sub(start), n, m, want)
		}
		if kept = next; m > 0 {
			left = other
		}
	}
}

// I7: whatever the settings, the workers that hold older ones, and their clocks, no span of
// a window has more calls than the greatest setting in force grants; and once the last
// worker has the new one, that one alone.
func TestNeverOverTheGreatestShare(t *testing.T) {
	skews := []time.Duration{0, 300 * time.Millisecond, -300 * time.Millisecond, time.Second}
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 3))
		per := time.Duration(6+rng.IntN(60)) * time.Second
		shares := make([]int64, 4) // of the workers
		most := int64(0)
		var b Bucket
		var used []time.Time
		now, settled := start, start
		check := func(share int64) {
			slices.SortFunc(used, time.Time.Compare)
			for i := int(share); i < len(used); i++ {
				if d := used[i].Sub(used[i-int(share)]); d < per {
					t.Fatalf("seed %d: %d calls within %v, at most %d in %v were granted", seed, share+1, d, share, per)
				}
			}
		}
		for step := range 1200 {
			if step%300 == 0 { // the last setting holds alone from 900 on
				most = 0
				for i := range shares {
					if shares[i] = int64(1 + rng.IntN(80)); step == 900 {
						shares[i] = shares[0]
					}
					most = max(most, shares[i])
				}
				used, settled = nil, now
			}
			now = now.Add(time.Duration(rng.IntN(500)) * time.Millisecond)
			worker := rng.IntN(len(shares))
			skew := time.Duration(0)
			if seed%2 == 1 {
				skew = skews[worker]
			}
			if rng.IntN(100) == 0 {
				b = Slow(b, now.Add(skew))
			}
			n, next, _ := Lease(b, []Window{{shares[worker], per}}, 1+rng.IntN(50), now.Add(skew))
			if n > 0 || rng.IntN(2) == 0 { // one store keeps refusals, the other does not
				b = next
			}
			for i := range n {
				late := time.Duration(0)
				if i > 0 {
					late = time.Duration(rng.Int64N(int64(LeaseLife)))
				}
				used = append(used, now.Add(late))
			}
			if step%300 == 299 {
				check(most)
			}
		}
		if now.Sub(settled) < time.Minute {
			t.Fatalf("seed %d: too short", seed)
		}
	}
}

// The format before this one had what is left; nothing is granted twice by reading it.
func TestLevelOfTheFormatBefore(t *testing.T) {
	w := Window{1000, 24 * time.Hour}
	for left, want := range map[string]float64{"500": 0, "120.5": 379.5, "0": 500, "-30": 530} {
		var l Level
		if err := json.Unmarshal([]byte(`{"per":86400000000000,"calls":1000,"left":`+left+`}`), &l); err != nil || l != (Level{w.Per, w.Calls, want}) {
			t.Errorf("left %s: %+v, %v", left, l, err)
		}
	}
	in := Level{w.Per, w.Calls, 379.5}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out Level
	if err := json.Unmarshal(b, &out); err != nil || out != in {
		t.Errorf("%s: %+v, %v", b, out, err)
	}
}
