package deliver

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/dest"
)

// Patience is a worker's, unless a test has another: twice what a call of 200 records takes
// where triggers and flows of the vendor's are slow, and half of what Salesforce counts as
// a long call (Apex developer guide, "Execution governors and limits": 20 s).
const Patience = 10 * time.Second

// longest is how long a destination's client waits for an answer at most, and so how long
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
// an eighth with every one that is shorter.
func (a *account) took(k kind, d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.times[k] = max(d, a.times[k]*7/8)
	if k != (kind{}) {
		a.times[kind{}] = a.times[kind{}] * 7 / 8
	}
}

// unknown has the next calls of a kind waited for where none was answered yet: that all of
// them fail is evidence, that they were given up is not.
func (a *account) unknown(k kind) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.times[k]; !known {
		a.times[k] = longest
	}
}

// patience is how long to wait for the answer to a call of a kind: three times as long as
// one of late took, or as a vendor takes that is slow in all it does.
func (a *account) patience(k kind) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return max(a.d.Patience, 3*a.times[k], 3*a.times[kind{}])
}

// patience is how long to wait for the answer to a call; 0 is as long as the destination
// does. A call is given up only where it can be made again whatever became of it: a row
// that failed before may need all the time, and what may have created a record is not
// looked for while the call may still go on.
func (j *job) patience(c dest.Call, b *batch) time.Duration {
	if j.d.Patience == 0 || b.refused || b.patient || !j.repeatable(c, b) {
		return 0
	}
	if wait := j.account.patience(j.kindOf(b)); wait < longest {
		return wait
	}
	return 0
}

// repeatable reports whether a call does the same when it is made twice, or while the first
// time is still under way. One search of a place does not become shorter by fewer records.
func (j *job) repeatable(c dest.Call, b *batch) bool {
	for _, cost := range c.Costs {
		if cost.Bucket != "" {
			return false
		}
	}
	if b.look || j.rules().Once {
		return b.look
	}
	creates, defect := safely(func() bool { return j.creates(c, b, func(*item) bool { return true }) })
	return !creates && defect == ""
}

// within is a context that ends after a call's patience; 0 ends it no sooner.
func (d *Deliver) within(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	if patience == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, d.Now().Add(patience))
}

// abandoned notes that a push was given up which the vendor may still carry out: until it
// cannot any more, its messages stay in front of their lanes, or it would overwrite what
// the next ones bring (I3).
func (j *job) abandoned(items []*item, b *batch, began time.Time) {
	if b.look {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, i := range items {
		i.received = true
		if until := began.Add(longest); until.After(i.m.until) {
			i.m.until = until
		}
	}
}

// inParts makes a call that hung again in parts, all at once, and what hangs of them again
// in smaller ones, down to the rows that make it hang: these are tried last. So the others
// wait for them a few times the patience at most. Where the vendor is slow in all it does,
// or answers nothing any sooner though it is smaller, it is no row's fault: the call is made
// once more, and waited for.
func (j *job) inParts(ctx context.Context, c dest.Call, b *batch, e *evidence) {
	if j.account.patience(kind{}) > j.d.Patience {
		j.waitedFor(ctx, c, b, e)
		return
	}
	var failed []failedPart
	hung := []dest.Call{c}
	for level := 1; len(hung) > 0; level++ {
		var parts []dest.Call
		for _, h := range hung {
			if len(h.Records) == 1 {
				i := b.items[h.Records[0]]
				i.slow, i.tries = true, max(i.tries, tries-1)
				j.account.unknown(j.kindOf(b))
				continue
			}
			some := inRoots(h)
			j.hangs(b.pick(h), len(some[0].Records))
			parts = append(parts, some...)
		}
		t := j.together(ctx, parts, b, e)
		if j.ended() || e.done.Load() {
			return
		}
		if level == 1 && len(parts) > 0 {
			if len(t.hung) == len(parts) {
				j.account.took(j.kindOf(b), longest)
				j.waitedFor(ctx, c, b, e)
				return
			}
			j.account.took(j.kindOf(b), t.took) // it may have been as slow as all of them in a row
		}
		hung, failed = t.hung, append(failed, t.failed...)
	}
	for _, f := range failed {
		j.split(ctx, f.call, b, e, f.failed)
	}
}

// hangs notes the size of the parts of a call that hung, for when the time is over before
// they are answered.
func (j *job) hangs(items []*item, size int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, i := range items {
		i.m.parts = size
	}
}

// waitedFor makes a call and those that it is halved into without giving one up.
func (j *job) waitedFor(ctx context.Context, c dest.Call, b *batch, e *evidence) {
	patient := *b
	patient.patient = true
	if failed := j.once(ctx, c, &patient, 1, e); failed != nil {
		j.split(ctx, c, &patient, e, failed)
	}
}

// fewRecords are tried one by one at once: as many as a call of 200 leaves after one cut.
const fewRecords = 15

// inRoots cuts a call into about as many parts as each has records.
func inRoots(c dest.Call) []dest.Call {
	size := int(math.Ceil(math.Sqrt(float64(len(c.Records)))))
	if len(c.Records) <= fewRecords {
		size = 1
	}
	var parts []dest.Call
	for at := 0; at < len(c.Records); at += size {
		parts = append(parts, dest.Call{Costs: c.Costs, Records: c.Records[at:min(at+size, len(c.Records))]})
	}
	return parts
}

// A failedPart is a part of a call that failed as a whole.
type failedPart struct {
	call   dest.Call
	failed *dest.CallError
}

// parts are what became of the parts of a call: those that were answered took so long together.
type parts struct {
	hung   []dest.Call
	failed []failedPart
	took   time.Duration
}

// together makes calls, as many at a time as may be.
func (j *job) together(ctx context.Context, calls []dest.Call, b *batch, e *evidence) parts {
	var mu sync.Mutex
	var all parts
	g := errgroup.Group{}
	g.SetLimit(max(1, j.atOnce()))
	for _, c := range calls {
		g.Go(func() error {
			began := j.d.Now()
			failed, hung := j.attempt(ctx, c, b, 1, e)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case hung:
				all.hung = append(all.hung, c)
			case failed != nil:
				all.failed = append(all.failed, failedPart{c, failed})
			default:
				all.took += j.d.Now().Sub(began)
			}
			return nil
		})
	}
	_ = g.Wait() // the calls report to the job
	return all
}
