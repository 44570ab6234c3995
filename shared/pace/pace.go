// Package pace decides how fast: token buckets that keep all workers together
// inside a share of a vendor's quota over any window (I7). Pure: buckets are
// stored by adapters, the clock is an argument.
package pace

import "time"

// LeaseLife is how long after its lease a token may be used.
const LeaseLife = 5 * time.Second

// A Window is a limit on a bucket: at most Calls in any span of Per.
type Window struct {
	Calls int64
	Per   time.Duration
}

// A Bucket is the stored state of one limit set: a level per window.
type Bucket struct {
	Levels []float64 `json:"levels"` // tokens left, one per window
	At     time.Time `json:"at"`     // when Levels held
	Pause  time.Time `json:"pause,omitzero"`
}

// Lease takes up to want tokens and returns how many were granted, the bucket to
// store, and, when none was, how long until one will be.
//
// Half of a window is burst and half is refill over the window (1 and the rest
// for windows of one call), so that burst plus refill never exceeds Calls in any
// span of Per.
//
// A clock that runs behind the bucket's counts as the bucket's: two workers whose
// clocks differ must not refill the same time twice.
func Lease(b Bucket, limits []Window, want int, now time.Time) (granted int, next Bucket, wait time.Duration) {
	if now.Before(b.At) {
		now = b.At
	}
	if now.Before(b.Pause) {
		return 0, b, b.Pause.Sub(now)
	}
	if len(b.Levels) != len(limits) {
		b.Levels = make([]float64, len(limits))
		for i, w := range limits {
			b.Levels[i] = burst(w)
		}
		b.At = now
	}
	next = Bucket{Levels: make([]float64, len(limits)), At: now, Pause: b.Pause}
	elapsed := max(now.Sub(b.At), 0)
	granted = want
	for i, w := range limits {
		level := min(burst(w), b.Levels[i]+elapsed.Seconds()*refill(w))
		next.Levels[i] = level
		granted = min(granted, int(level+1e-9))
		if level+1e-9 < 1 {
			wait = max(wait, time.Duration((1-level)/refill(w)*float64(time.Second))+time.Millisecond)
		}
	}
	if granted < 1 {
		return 0, next, wait
	}
	for i := range next.Levels {
		next.Levels[i] -= float64(granted)
	}
	return granted, next, 0
}

// Paused returns the bucket with its pause moved out to until, never back.
func Paused(b Bucket, until time.Time) Bucket {
	if until.After(b.Pause) {
		b.Pause = until
	}
	return b
}

// burst is what may be spent at once.
func burst(w Window) float64 { return float64(max(1, w.Calls/2)) }

// refill is tokens per second, such that burst and what is refilled over Per stay
// within Calls (a window of one call refills once per Per). Where several tokens are
// leased at once, those of one LeaseLife before a span may be used within it too.
func refill(w Window) float64 {
	rest := max(1, w.Calls-int64(burst(w)))
	span := w.Per
	if burst(w) > 1 {
		span += LeaseLife
	}
	return float64(rest) / span.Seconds()
}
