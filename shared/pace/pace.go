// Package pace decides how fast: token buckets that keep all workers together
// inside a share of a vendor's quota over any window (I7), and what is known of a
// connection that fails. Pure: buckets and states are stored by adapters, the clock
// is an argument.
package pace

import (
	"slices"
	"time"
)

const (
	// LeaseLife is how long after its lease a token may be used.
	LeaseLife = 5 * time.Second
	// maxSkew is how far a bucket's time may be ahead of a caller's clock and still
	// be believed: AWS refuses requests whose clock is further off (Signature
	// Version 4), and processes of one machine share one clock.
	maxSkew = 5 * time.Minute
)

// A Window is a limit on a bucket: at most Calls in any span of Per.
type Window struct {
	Calls int64
	Per   time.Duration
}

// A Bucket is the stored state of one limit set. The zero value has spent nothing.
type Bucket struct {
	Levels []Level   `json:"levels,omitempty"` // sorted by Per
	At     time.Time `json:"at,omitzero"`      // when Levels held
	Rate   float64   `json:"rate,omitempty"`   // part of the limits that was granted at Slowed
	Slowed time.Time `json:"slowed,omitzero"`  // when the vendor last said that it was too fast
}

// Lease takes up to want tokens and returns how many were granted, the bucket to
// store, and, when none was, how long until one will be. One that grants nothing may be
// stored or not.
//
// Half of a window is burst and half is refill over the window (1 and the rest
// for windows of one call), so that burst plus refill never exceeds Calls in any
// span of Per. Where the limits change, both are those of the greatest that granted in it:
// what was spent counts in all of them, and comes back at the pace of the one that
// granted it. Of a smaller share nothing is granted until what was spent fits into it,
// which takes about Per at the most.
//
// A clock that runs behind the bucket's counts as the bucket's: two workers whose
// clocks differ must not refill the same time twice. A bucket that is further ahead
// than clocks can be is taken back to now as it is, so that one wrong clock stops
// nobody for long.
func Lease(b Bucket, limits []Window, want int, now time.Time) (granted int, next Bucket, wait time.Duration) {
	now = b.trust(now)
	next = b.refilled(now)
	rate := next.rate(now)
	granted = max(want, 0)
	for _, w := range limits {
		l := next.level(w)
		left := burst(w) - w.counted(l.Spent, rate) + 1e-9
		granted = min(granted, int(left))
		if left < 1 {
			wait = max(wait, lasts(rate, (1-left)/refill(l.window()))+time.Millisecond)
		}
	}
	if granted < 1 {
		return 0, next, wait
	}
	for _, w := range limits {
		next.put(Level{w.Per, w.Calls, w.counted(next.level(w).Spent, rate)})
	}
	for i := range next.Levels {
		l := &next.Levels[i]
		w := l.window()
		l.Spent = min(l.Spent+float64(granted), burst(w)+rest(w)-1) // no debt outlives Per
	}
	return granted, next, 0
}

// trust is now as the bucket sees it.
func (b Bucket) trust(now time.Time) time.Time {
	if ahead := b.At.Sub(now); ahead > 0 && ahead <= maxSkew {
		return b.At
	}
	return now
}

// refilled is the bucket at now. Levels of which nothing is spent any more are dropped,
// for they say nothing.
func (b Bucket) refilled(now time.Time) Bucket {
	next := Bucket{At: now, Rate: b.Rate, Slowed: b.Slowed}
	if b.Slowed.Sub(now) > maxSkew {
		next.Slowed = now
	}
	from := b.At
	if next.Slowed.After(from) && !next.Slowed.After(now) {
		from = next.Slowed // what was granted before is not known any more
	}
	worth := 0.0
	if from.Before(now) {
		worth = earned(next.rate(from), now.Sub(from))
	}
	if next.rate(now) == 1 {
		next.Rate, next.Slowed = 0, time.Time{}
	}
	for _, l := range b.Levels {
		if l.Spent -= worth * refill(l.window()); l.Spent > 0 {
			next.Levels = append(next.Levels, l)
		}
	}
	return next
}

// most is what may be spent at once at a rate. A slower rate lowers it only in
// windows that fill again while the rate recovers: a day's burst would be gone.
func most(w Window, rate float64) float64 {
	if w.Per > recovery {
		return burst(w)
	}
	return max(1, burst(w)*rate)
}

// Spent is how many calls of its longest window of a day or more a bucket has spent and not
// got back, and which share that is of what may be spent at once, 0 to 1. Of the window's
// calls it believes limits, which are those of now, before what granted last. It is the zero
// Window where there is none, or all of it has come back.
func (b Bucket) Spent(limits []Window, now time.Time) (w Window, calls int64, share float64) {
	next := b.refilled(b.trust(now))
	if len(next.Levels) == 0 {
		return Window{}, 0, 0
	}
	l := next.Levels[len(next.Levels)-1]
	if w = l.window(); w.Per < 24*time.Hour {
		return Window{}, 0, 0
	}
	if i := slices.IndexFunc(limits, func(known Window) bool { return known.Per == w.Per }); i >= 0 {
		w = limits[i]
	}
	spent := min(l.Spent, burst(w))
	return w, int64(spent + 0.5), spent / burst(w)
}

// Lasts is how long so many calls take at the least, from a full bucket on.
func (w Window) Lasts(calls float64) time.Duration {
	return time.Duration(max(0, calls-burst(w)) / refill(w) * float64(time.Second))
}

// burst is what may be spent at once.
func burst(w Window) float64 { return float64(max(1, w.Calls/2)) }

// rest is what is refilled over Per.
func rest(w Window) float64 { return max(1, float64(w.Calls)-burst(w)) }

// refill is tokens per second, such that burst and what is refilled over Per stay
// within Calls. Where several tokens are leased at once, those of one LeaseLife
// before a span may be used within it too, and clocks may differ by as much. A
// window of one call has no such slack, so that its span grows by what the clocks of
// two workers may differ: a quarter of it, at most 1.5 s.
func refill(w Window) float64 {
	span := w.Per
	switch {
	case burst(w) > 1:
		span += LeaseLife
	case w.Calls <= 1:
		span += min(w.Per/4, 1500*time.Millisecond)
	}
	return rest(w) / span.Seconds()
}

// Pace is the part of the limits that the bucket grants at now: 1 unless the vendor said
// lately that it was too fast.
func (b Bucket) Pace(now time.Time) float64 { return b.rate(b.trust(now)) }
