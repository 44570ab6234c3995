package pace

import (
	"math"
	"time"
)

// How a bucket slows down when the vendor says that it was too fast, and recovers.
const (
	leastRate = 1.0 / 64
	// recovery is how long the rate takes to grow from nothing to full.
	recovery = 10 * time.Minute
)

// Slow halves what the bucket grants from now on, down to 1/64; it grows back by as
// much a second, within 10 minutes. Within one LeaseLife it halves once: calls of
// tokens that were leased before say nothing of the new rate.
func Slow(b Bucket, now time.Time) Bucket {
	now = b.trust(now)
	if !b.Slowed.IsZero() && now.Before(b.Slowed.Add(LeaseLife)) && !b.Slowed.After(now) {
		return b
	}
	b.Rate, b.Slowed = max(b.rate(now)/2, leastRate), now
	return b
}

// rate is the part of the limits that the bucket grants at now: 1/64 to 1.
func (b Bucket) rate(now time.Time) float64 {
	if b.Slowed.IsZero() {
		return 1
	}
	return min(1, b.Rate+max(now.Sub(b.Slowed), 0).Seconds()/recovery.Seconds())
}

// earned is how many seconds at the full rate d is worth when the rate is r at its begin.
func earned(r float64, d time.Duration) float64 {
	s, t := d.Seconds(), recovery.Seconds()
	grow := min(s, (1-r)*t) // seconds until the rate is full
	return r*grow + grow*grow/(2*t) + (s - grow)
}

// lasts is the inverse of earned: how long it takes to earn s seconds.
func lasts(r, s float64) time.Duration {
	t := recovery.Seconds()
	grow := (1 - r) * t
	if e := r*grow + grow*grow/(2*t); s >= e {
		s = grow + s - e
	} else {
		s = t * (math.Sqrt(r*r+2*s/t) - r)
	}
	return time.Duration(s * float64(time.Second))
}
