package machine

import (
	"context"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// hastened are token buckets of vendors whose windows go by faster, as those of the
// simulators do (sandbox.Settings.Window): a bucket's clock runs that much faster, so
// that all of pace's rules hold within it (I7).
type hastened struct {
	deliver.Tokens
	windows sandbox.Settings
	since   time.Time // when the clocks ran apart

	mu sync.Mutex
	by map[string]time.Duration // how much faster, by bucket
}

// hasten makes tokens of windows that go by faster; 0 and 1 leave them as they are.
func hasten(t deliver.Tokens, faster int, now time.Time) deliver.Tokens {
	if faster <= 1 {
		return t
	}
	return &hastened{Tokens: t, windows: sandbox.Settings{Faster: faster}, since: now, by: map[string]time.Duration{}}
}

// Lease implements deliver.Tokens.
func (h *hastened) Lease(ctx context.Context, bucket string, limits []pace.Window, want int, now time.Time) (int, time.Duration, error) {
	by := h.factor(limits)
	h.mu.Lock()
	h.by[bucket] = by
	h.mu.Unlock()
	granted, wait, err := h.Tokens.Lease(ctx, bucket, limits, want, h.at(now, by))
	return granted, wait / by, err
}

// Slow implements deliver.Tokens.
func (h *hastened) Slow(ctx context.Context, bucket string, now time.Time) error {
	h.mu.Lock()
	by := max(h.by[bucket], 1)
	h.mu.Unlock()
	return h.Tokens.Slow(ctx, bucket, h.at(now, by))
}

// at is what a bucket's clock shows.
func (h *hastened) at(now time.Time, by time.Duration) time.Time {
	return h.since.Add(now.Sub(h.since) * by)
}

// factor is how much faster a bucket's clock runs: as its slowest window may.
func (h *hastened) factor(limits []pace.Window) time.Duration {
	least := time.Duration(0)
	for _, w := range limits {
		if by := w.Per / h.windows.Window(w.Per); w.Per < 24*time.Hour && (least == 0 || by < least) {
			least = by
		}
	}
	return max(least, 1)
}
