package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
)

// A lease is tokens taken in advance; unused ones are lost when it expires.
type lease struct {
	tokens int
	until  time.Time
}

// What is leased at once: so many tokens for each call that may be in flight, as
// are used up before they expire where a call takes a second or two.
const (
	maxLease      = 50
	leasedPerCall = 4
)

// acquire takes one token, from the lease in hand or by a new one of up to want
// tokens, or says how long to wait (I7).
func (d *Deliver) acquire(ctx context.Context, name string, windows func(string) []pace.Window, bucket string, want int) (time.Duration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.Now()
	if l := d.leases[name]; l.tokens > 0 && now.Before(l.until) {
		l.tokens--
		d.leases[name] = l
		return 0, nil
	}
	var limits []pace.Window
	if windows != nil {
		limits = windows(bucket)
	}
	granted, wait, err := d.Pace.Lease(ctx, name, limits, min(max(want, 1), maxLease), now)
	if err != nil {
		return 0, fmt.Errorf("lease calls of %s: %w", name, err)
	}
	if granted < 1 {
		return max(wait, time.Millisecond), nil
	}
	if d.leases == nil {
		d.leases = map[string]lease{}
	}
	d.leases[name] = lease{granted - 1, now.Add(pace.LeaseLife)}
	return 0, nil
}

// pay notes a token that was taken for a destination's call.
func (d *Deliver) pay(dst Destination) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.paid == nil {
		d.paid = map[Destination]int64{}
	}
	d.paid[dst]++
}

// settleUp takes tokens for the calls that a destination made beyond those paid for:
// further pages, a repetition after a login (I7). What the bucket does not hold any
// more is let go.
func (d *Deliver) settleUp(ctx context.Context, dst Destination, name, bucket string) {
	c, ok := dst.(counter)
	windows := dst.Limits().Windows
	if !ok || windows == nil {
		return
	}
	d.mu.Lock()
	owed := c.APICalls() - d.paid[dst]
	if owed > 0 {
		d.paid[dst] += owed
	}
	d.mu.Unlock()
	if owed > 0 {
		// Best effort: the calls are made, and the next ones pay for themselves.
		_, _, _ = d.Pace.Lease(ctx, name, windows(bucket), int(owed), d.Now())
	}
}

// counter is a destination that counts its API calls.
type counter interface{ APICalls() int64 }

// spend books the calls that a destination made since the last booking.
func (d *Deliver) spend(runID string, dst Destination) {
	c, ok := dst.(counter)
	if !ok {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.spent == nil {
		d.spent, d.seen = map[string]int64{}, map[Destination]int64{}
	}
	now := c.APICalls()
	d.spent[runID] += now - d.seen[dst]
	d.seen[dst] = now
}

// take returns a run's booked calls, to be recorded with the next chunk.
func (d *Deliver) take(runID string) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.spent[runID]
	delete(d.spent, runID)
	return n
}

// update changes a run under its optimistic lock; change says whether to store.
func (d *Deliver) update(ctx context.Context, id string, change func(*run.Run) bool) error {
	for range 5 {
		r, err := d.Runs.Run(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read run %q: %w", id, err)
		}
		if !change(&r) {
			return nil
		}
		err = d.Runs.UpdateRun(ctx, r, "")
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("update run %q: %w", id, ErrConflict)
}
