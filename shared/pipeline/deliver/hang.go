package deliver

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
)

// Timeout is a worker's: about twice what a call of 200 records takes where triggers and
// flows at the vendor are slow, and half of what Salesforce counts as a long call (Apex
// developer guide, "Execution governors and limits": 20 s).
const Timeout = 10 * time.Second

// longest is how long a destination's client waits for one answer at most, and so how long
// a call that was given up is taken to go on.
const longest = time.Minute

// A kind is the calls of a version that take about the same time: its lookups, or its pushes.
// The zero kind is the account's own: a probe, or asking which one it is.
type kind struct {
	sync, version string
	look          bool
}

func (j *job) kindOf(b *batch) kind {
	return kind{j.def().Sync, j.version.Version.ID, b.look}
}

// took notes what an answered call took: the longest of late counts, and is forgotten by
// an eighth with every shorter one. So is what the account's own took.
func (a *account) took(k kind, d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.times[k] = max(d, a.times[k]*7/8)
	if own := a.times[kind{}]; d < own {
		a.times[kind{}] = own * 7 / 8
	}
}

// timeout is how long to wait for the answer to a call of a kind: three times as long as
// one of late took, or as a vendor takes that is slow in all it does.
func (a *account) timeout(k kind) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return max(a.d.Timeout, 3*a.times[k], 3*a.times[kind{}])
}

// sluggish reports whether it is no single row's fault that a call of a kind hangs: calls of it
// are waited for, or the vendor takes its time for all it is asked.
func (a *account) sluggish(k kind) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return 3*a.times[k] >= longest || 2*a.times[kind{}] > a.d.Timeout
}

// timeout is how long to wait for the answer to a call; 0 is as long as the destination
// does. A row that failed before may need all that time, and so may one that is alone where
// there is not enough left to put it off. Where several rows hung already though each was
// alone, the next are waited for: that their calls fail proves something, that they were
// given up does not.
func (j *job) timeout(ctx context.Context, c dest.Call, b *batch) time.Duration {
	if j.d.Timeout == 0 || b.refused || b.patient || !j.repeatable(c, b) {
		return 0
	}
	j.mu.Lock()
	enough := j.hung >= sampled
	j.mu.Unlock()
	wait := j.account.timeout(j.kindOf(b))
	if enough || wait >= longest || len(c.Records) == 1 && !j.hasLong(ctx, wait) {
		return 0
	}
	return wait
}

// repeatable reports whether a call may be made again while it is still under way: then it
// must not create records, unless the destination sees to it that they are created once.
// One search of a place does not become shorter by fewer records.
func (j *job) repeatable(c dest.Call, b *batch) bool {
	if bucketed(c) {
		return false
	}
	if b.look || j.rules().Idempotent {
		return true
	}
	for _, at := range c.Records {
		if r := &b.Records[at]; r.ID == "" && !r.Delete {
			return false
		}
	}
	return !j.rules().Once
}

// within is a context that ends after a timeout; 0 ends it no sooner.
func (d *Deliver) within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, d.Now().Add(timeout))
}

// enter takes a place among the job's calls that are under way; false when the time is over.
func (j *job) enter(ctx context.Context) (leave func(), entered bool) {
	select {
	case j.calls <- struct{}{}:
		return func() { <-j.calls }, true
	case <-ctx.Done():
		return nil, false
	}
}

// abandoned notes that a push was given up which the vendor may still carry out, for longest
// from a time on: until it cannot any more, its messages stay in front of their lanes, or it
// would overwrite what the next ones bring (I3).
func (j *job) abandoned(items []*item, b *batch, failed *dest.CallError, from time.Time) {
	if b.look || !failed.Received {
		return
	}
	until := from.Add(longest)
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, i := range items {
		i.received = true
		if until.After(i.m.busyUntil) {
			i.m.busyUntil = until
		}
	}
}

// inParts makes a call that hung again in parts, all at once, and what hangs of them again
// in smaller ones, down to the rows that make it hang: these are tried last. So the others
// wait for them a few timeouts at most. Where the vendor is slow in all it does, or answers
// the parts no sooner though they are smaller, it is no row's fault: what hung is made once
// more, and waited for.
func (j *job) inParts(ctx context.Context, c dest.Call, b *batch, e *evidence) {
	hung := []dest.Call{c}
	var failed []failedPart
	for len(hung) > 0 && !j.ended() && !e.done.Load() {
		if j.account.sluggish(j.kindOf(b)) {
			j.patiently(ctx, hung, b, e)
			break
		}
		var parts []dest.Call
		for _, h := range hung {
			if len(h.Records) == 1 {
				j.putOff(b.items[h.Records[0]])
				continue
			}
			some := inSizes(h, root(len(h.Records)))
			j.hangs(b.pick(h), len(some[0].Records))
			parts = append(parts, some...)
		}
		t := j.together(ctx, parts, b, e)
		failed = append(failed, t.failed...)
		switch {
		case t.none() && len(t.hung) == t.parts:
			j.account.took(j.kindOf(b), longest)
		case t.most():
			hung = t.hung
			j.account.took(j.kindOf(b), longest)
		default:
			hung = t.hung
			if t.took > 0 { // it may have been as slow as all of them in a row
				j.account.took(j.kindOf(b), t.took)
			}
		}
	}
	for _, f := range failed {
		j.split(ctx, f.call, b, e, f.made)
	}
}

// fewRecords are tried one by one at once: as many as a call of 200 leaves after one cut.
const fewRecords = 15

// root is the size of about as many parts as each has of so many records.
func root(records int) int {
	if records <= fewRecords {
		return 1
	}
	return int(math.Ceil(math.Sqrt(float64(records))))
}

// inSizes cuts a call into parts of so many records.
func inSizes(c dest.Call, size int) (parts []dest.Call) {
	for records := range slices.Chunk(c.Records, max(size, 1)) {
		parts = append(parts, dest.Call{Costs: c.Costs, Records: records})
	}
	return parts
}

// long reports whether a call failed after so long that its halves, of which there are some
// eight in a row, would make the others wait too long: it is cut into smaller parts, which
// wait beside each other. One search of a place does not become shorter by that.
func (j *job) long(c dest.Call, m made) bool {
	return j.d.Timeout > 0 && 2*m.took >= j.d.Timeout && !bucketed(c)
}

// mostSingles is how many rows are made one by one at once: a call of Salesforce.
const mostSingles = 200

// afterLong is the size of the parts of a call of so many records that failed after a long
// time: single rows where a second wait like it would keep the good ones for more than a
// minute, unless there are many, or calls like it take long anyway.
func (j *job) afterLong(b *batch, records int, m made) int {
	k := j.kindOf(b)
	if 3*m.took >= longest && m.took >= j.account.timeout(k) && records <= mostSingles && !j.account.sluggish(k) {
		return 1
	}
	return root(records)
}

// bucketed reports whether a call takes tokens of one place's bucket.
func bucketed(c dest.Call) bool {
	return slices.ContainsFunc(c.Costs, func(cost dest.Cost) bool { return cost.Bucket != "" })
}

// hangs notes the size of the parts of a call that hung, for when the time is over before
// they are answered.
func (j *job) hangs(items []*item, size int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, i := range items {
		if i.m.part == 0 || size < i.m.part {
			i.m.part = size
		}
	}
}

// putOff leaves a row that hung, or failed late, though it was alone to the end of the job: it
// is tried once more then, and waited for.
func (j *job) putOff(i *item) {
	i.slow, i.tries = true, max(i.tries, tries-1)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.hung++
}

// hasLong reports whether a row that hung will have more time than it had, after so long;
// else it is tried in the next invocation, which has less to do.
func (j *job) hasLong(ctx context.Context, after time.Duration) bool {
	end, ok := ctx.Deadline()
	return !ok || j.d.Now().Add(after+2*j.d.Timeout+margin/2).Before(end)
}

// patiently makes calls and those that they are halved into without giving one up.
func (j *job) patiently(ctx context.Context, calls []dest.Call, b *batch, e *evidence) {
	b = b.waitedFor()
	for _, f := range j.together(ctx, calls, b, e).failed {
		j.split(ctx, f.call, b, e, f.made)
	}
}

// A failedPart is a part of a call that failed as a whole.
type failedPart struct {
	call dest.Call
	made
}

// A tally is what became of the parts of calls: those that were answered took so long in
// all. hung has those too that were not made any more.
type tally struct {
	parts    int
	hung     []dest.Call
	failed   []failedPart
	answered int
	took     time.Duration
}

// none reports whether parts hung and none was answered: not one of the rows is known to be
// good.
func (t *tally) none() bool { return len(t.hung) > 0 && t.answered+len(t.failed) == 0 }

// most reports whether so many parts of several records hung that a few rows do not explain it.
func (t *tally) most() bool {
	return len(t.hung) >= 4 && 2*len(t.hung) >= t.parts && slices.ContainsFunc(t.hung, func(c dest.Call) bool { return len(c.Records) > 1 })
}

// together makes calls, as many at a time as may be, and no more of them where those that
// were made show that the vendor is slow.
func (j *job) together(ctx context.Context, calls []dest.Call, b *batch, e *evidence) tally {
	var mu sync.Mutex
	all, atOnce := tally{parts: len(calls)}, max(1, j.atOnce())
	parallel(atOnce, len(calls), func(n int) {
		c := calls[n]
		mu.Lock()
		if len(c.Records) > 1 && (all.most() || all.none() && len(all.hung) >= max(atOnce, 2)) {
			all.hung = append(all.hung, c)
			mu.Unlock()
			return
		}
		mu.Unlock()
		m := j.attempt(ctx, c, b, len(calls)-n, e)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case m.hung:
			all.hung = append(all.hung, c)
		case m.failed != nil:
			all.failed = append(all.failed, failedPart{c, m})
		case m.answered:
			all.answered++
			all.took += m.took
		}
	})
	return all
}
