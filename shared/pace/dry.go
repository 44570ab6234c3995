package pace

import (
	"slices"
	"time"
)

// A Drought is a window of a bucket that is spent: calls are granted no faster than they
// come back.
type Drought struct {
	Window Window
	Spent  int64         // of Burst, as Bucket.Spent counts them
	Burst  int64         // how many of the window's calls may be made at once
	Every  time.Duration // a call comes back, at the rate of the moment
	Wait   time.Duration // until the next call is granted; 0: one is
}

// longDrought is the least wait that is told of: shorter ones a worker sits out (I5).
const longDrought = 2 * time.Second

// Dry is the window for which a bucket's callers wait longest at now; false where none is
// spent. Of a window's calls it believes limits, which are those of now, before what granted
// last. One of a day or more counts as spent while less than two of its calls are left, or
// than come back in a LeaseLife: those are taken as soon as they are there.
func (b Bucket) Dry(limits []Window, now time.Time) (out Drought, dry bool) {
	now = b.trust(now)
	next := b.refilled(now)
	rate := next.rate(now)
	for _, l := range next.Levels {
		w, back := l.window(), refill(l.window())
		if i := slices.IndexFunc(limits, func(known Window) bool { return known.Per == w.Per }); i >= 0 {
			w = limits[i]
		}
		left := burst(w) - w.counted(l.Spent, rate) + 1e-9
		var wait time.Duration
		if left < 1 {
			wait = lasts(rate, (1-left)/back) + time.Millisecond
		}
		few := w.Per >= 24*time.Hour && left < min(burst(w), max(2, back*LeaseLife.Seconds()))
		if !few && wait <= longDrought || dry && wait <= out.Wait {
			continue
		}
		every := time.Duration(float64(time.Second) / back / rate).Round(time.Millisecond)
		out, dry = Drought{w, int64(min(l.Spent, burst(w)) + 0.5), int64(burst(w)), every, wait}, true
	}
	return out, dry
}
