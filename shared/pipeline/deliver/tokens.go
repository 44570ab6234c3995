package deliver

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
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

// bucket is the stored name of one of the connection's buckets.
func (a *account) bucket(name string) string { return a.name + "/" + name }

// take takes a cost's tokens, from the lease in hand or by a new one of up to want,
// or says how long to wait (I7). What is owed of the bucket is paid first, one by one,
// since it may be more than the bucket ever holds.
func (a *account) take(ctx context.Context, c dest.Cost, want int) (time.Duration, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.countOver()
	for a.owed > 0 && c.Bucket == a.opened.Limits().Beyond {
		if wait, err := a.lease(ctx, c.Bucket, 1, want+a.owed); err != nil || wait > 0 {
			return wait, err
		}
		a.owed--
	}
	wait, err := a.lease(ctx, c.Bucket, c.Tokens, want)
	if err != nil || wait > 0 {
		return wait, err
	}
	if a.pays(c.Bucket) {
		a.paid += int64(c.Tokens)
	}
	return 0, nil
}

// pays reports whether a bucket's tokens stand for requests. Where the account's own
// bucket has limits every request takes its token there, and those of another bucket
// beside it are of the same request. a.mu is held.
func (a *account) pays(bucket string) bool {
	if bucket == "" || a.opened == nil {
		return true
	}
	windows := a.opened.Limits().Windows
	return windows == nil || len(windows("")) == 0
}

// lease takes so many tokens of a bucket out of the lease in hand, which it fills up
// with up to want; a.mu is held. What is granted of too few is kept while it lasts.
func (a *account) lease(ctx context.Context, bucket string, need, want int) (time.Duration, error) {
	now := a.d.Now()
	name := a.bucket(bucket)
	l := a.leases[name]
	if !now.Before(l.until) || l.tokens == 0 {
		l = lease{until: now.Add(cmp.Or(a.d.LeaseLife, pace.LeaseLife))}
	}
	if l.tokens < need {
		var limits []pace.Window
		most := leasedPerCall
		if a.opened != nil {
			known := a.opened.Limits()
			most *= max(1, known.Concurrency)
			if known.Windows != nil {
				limits = known.Windows(bucket)
			}
		}
		granted, wait, err := a.d.Tokens.Lease(ctx, name, limits, max(min(want, most, maxLease), need-l.tokens), now)
		if err != nil {
			return 0, fmt.Errorf("lease calls of %s: %w", name, err)
		}
		l.tokens += granted
		if l.tokens < need {
			a.leases[name] = l
			return max(wait, time.Millisecond), nil
		}
	}
	l.tokens -= need
	a.leases[name] = l
	return 0, nil
}

// give puts tokens back that were taken and not used.
func (a *account) give(c dest.Cost) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name := a.bucket(c.Bucket)
	if l := a.leases[name]; a.d.Now().Before(l.until) {
		l.tokens += c.Tokens
		a.leases[name] = l
	}
	if a.pays(c.Bucket) {
		a.paid -= int64(c.Tokens)
	}
}

// settleUp notes the calls that were made beyond those paid for.
func (a *account) settleUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.countOver()
}

// countOver counts the calls that were made beyond those paid for: further pages, a
// repetition after a login, a record's tags. The next call that takes from the bucket for
// them pays before itself (I7). a.mu is held.
func (a *account) countOver() {
	if a.opened == nil {
		return
	}
	if over := a.opened.APICalls() - a.paid; over > 0 {
		a.paid += over
		a.owed += int(over)
	}
}

// asked notes a call that no run makes, once its cost is taken: it counts how old the data
// is, or checks it.
func (a *account) asked(c dest.Cost) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pays(c.Bucket) {
		a.aside++
	}
}

// book counts the calls that were made since the last booking as a run's, but for those
// that no run made.
func (a *account) book(runID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.opened == nil {
		return
	}
	now := a.opened.APICalls()
	if made := now - a.seen; made > 0 {
		aside := min(made, a.aside)
		a.aside -= aside
		a.spent[runID] += made - aside
	}
	a.seen = now
}

// booked answers a run's calls that are not recorded yet, to be recorded with a message.
func (a *account) booked(runID string) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := a.spent[runID]
	delete(a.spent, runID)
	return n
}

// The call size after a 429: halved down to a floor, and doubled again after so
// many answered calls. The figures are the sample's.
const (
	leastCall = 100
	growAfter = 10
)

// slow halves the calls and the rate of what a 429 named.
func (a *account) slow(ctx context.Context, c dest.Call) error {
	a.mu.Lock()
	size := len(c.Records)
	if size > leastCall {
		a.most, a.answered = max(leastCall, size/2), 0
	}
	now := a.d.Now()
	a.mu.Unlock()
	for _, cost := range c.Costs {
		if err := a.d.Tokens.Slow(ctx, a.bucket(cost.Bucket), now); err != nil {
			return fmt.Errorf("slow down %s: %w", a.bucket(cost.Bucket), err)
		}
	}
	return nil
}

// yield slows down what a 429 named to a call that delivers no rows. Where that is the
// connection's own bucket its rows wait as well, as long as the vendor asks: they go by no
// other.
func (a *account) yield(ctx context.Context, failed *dest.CallError, costs []dest.Cost) error {
	if err := a.ease(ctx, failed, costs); err != nil {
		return err
	}
	named := slices.ContainsFunc(costs, func(c dest.Cost) bool { return c.Bucket != "" })
	if failed.Class != dest.Throttled || failed.Quota == dest.QuotaConcurrent || failed.Scope != dest.ScopeConnection || named {
		return nil
	}
	_, err := a.pause(ctx, failed)
	return err
}

// ease is yield for who only looks, and pauses nothing.
func (a *account) ease(ctx context.Context, failed *dest.CallError, costs []dest.Cost) error {
	if failed.Class != dest.Throttled {
		return nil
	}
	return a.slow(ctx, dest.Call{Costs: costs})
}

// grow lets the calls grow back after one that was answered.
func (a *account) grow() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.alive = a.d.Now()
	if a.most == 0 {
		return
	}
	if a.answered++; a.answered >= growAfter {
		a.most, a.answered = a.most*2, 0
		if a.most > 10*leastCall {
			a.most = 0
		}
	}
}

// callSize is the greatest call that is made now: of what halving reached for a
// message and what a 429 left, 0 when neither bounds it.
func (a *account) callSize(reached int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.most == 0 || reached > 0 && reached < a.most {
		return reached
	}
	return a.most
}
