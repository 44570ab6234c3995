package deliver

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
)

// sampled is how many single rows of a call, spread over it, have to fail while the
// connection answers before the failure is taken for the version's; half of them
// where the quota or the time ends first.
const sampled = 8

// An evidence is what is known of one call that failed as a whole, while it is
// halved down to the rows that make it fail.
type evidence struct {
	good  atomic.Bool // some part of it was answered
	alive atomic.Bool // the connection answered after it, or a part of it, had failed
	done  atomic.Bool // the failure was found to be the version's, or the connection's
}

// whole makes one of the destination's calls, and halves it where it fails.
func (j *job) whole(ctx context.Context, c dest.Call, b *batch, want int) {
	e := &evidence{}
	if m := j.once(ctx, c, b, want, e); m.failed != nil {
		j.split(ctx, c, b, e, m)
	}
}

// once makes a call and takes over what became of it, in parts where it was given up. Where
// it failed, its scope has to be found out by halving; all else is dealt with.
func (j *job) once(ctx context.Context, c dest.Call, b *batch, want int, e *evidence) made {
	m := j.attempt(ctx, c, b, want, e)
	if m.hung {
		j.inParts(ctx, c, b, e)
	}
	return m
}

// made is what became of a call that is not dealt with yet: it failed and its scope has to
// be found out, it was given up, or neither.
type made struct {
	failed   *dest.CallError
	hung     bool
	answered bool
	took     time.Duration // until it was answered, or failed
}

// attempt makes a call and takes over what became of it.
func (j *job) attempt(ctx context.Context, c dest.Call, b *batch, want int, e *evidence) made {
	waited := time.Duration(0)
	for tried := 1; ; tried++ {
		items := b.pick(c)
		if j.ended() || e.done.Load() {
			return made{}
		}
		if wait := j.bucketWait(c); wait > 0 {
			j.spare(items, wait)
			return made{}
		}
		settings := j.account.settings()
		s := j.send(ctx, c, b, want)
		c, items = s.call, b.pick(s.call)
		switch {
		case s.fault != nil:
			j.broken(s.fault)
		case s.unsent:
			j.unreached(ctx, s)
		case s.failed != nil && s.late:
			j.abandoned(items, b, s.failed, j.d.Now())
			j.ranOut(c, b, made{failed: s.failed, took: s.took})
		case s.late:
		case s.hung:
			j.abandoned(items, b, s.failed, j.d.Now())
			j.hangs(items, (len(items)+1)/2)
			return made{hung: j.lives(ctx, s.began)}
		case s.wait > 0:
			wait := j.byNow(ctx, settings, s.wait)
			j.waitFor(s.bucket, wait)
			j.spare(items, wait)
		case s.failed == nil:
			e.good.Store(true)
			j.apply(ctx, b, c, s.outcomes)
		default:
			if s.failed.Code == dest.NoAnswer && 2*s.took >= longest { // its client gave it up
				j.abandoned(items, b, s.failed, s.began)
			}
			failed, again := j.classify(ctx, c, b, e, s, tried, &waited)
			if again {
				continue
			}
			return made{failed: failed, took: s.took}
		}
		return made{answered: s.outcomes != nil, took: s.took}
	}
}

// classify finds out whose a failed call is: it answers the call's own failure, or
// nil when it has been dealt with; again says that the call is to be made once more.
func (j *job) classify(ctx context.Context, c dest.Call, b *batch, e *evidence, s sent, tried int, waited *time.Duration) (failed *dest.CallError, again bool) {
	failed = s.failed
	items := b.pick(c)
	if failed.Received && !b.look {
		for _, i := range items {
			i.received = true
		}
	}
	switch {
	case failed.Class == dest.Throttled:
		return nil, j.throttled(ctx, c, items, failed, tried, waited)
	case failed.Scope == dest.ScopeConnection:
		j.pause(ctx, failed)
		return nil, false
	case failed.Scope == dest.ScopeVersion && failed.Class == dest.Refused && e.good.Load():
		return failed, false // too large though alone, and its neighbours were taken: the row's own
	case failed.Scope == dest.ScopeVersion:
		j.haltFor(ctx, failed)
		return nil, false
	case failed.Class == dest.Refused && e.alive.Load():
		return failed, false // it is the content, of which a part is no other than the whole
	}
	if !j.lives(ctx, s.began) {
		return nil, false
	}
	e.alive.Store(true)
	return failed, false
}

// lives finds out whether the connection answers, after a call that failed without a word of
// whose failure it is: by a probe, unless the vendor has answered something else since it
// began. Else it pauses. Of calls that failed together one probes. Where the invocation's time
// ends before a probe had long enough, its rows stay open.
func (j *job) lives(ctx context.Context, began time.Time) bool {
	if j.account.livesSince(began) {
		return true
	}
	inTime, cancel := j.d.before(ctx)
	defer cancel()
	select {
	case j.account.probing <- struct{}{}:
		defer func() { <-j.account.probing }()
	case <-inTime.Done():
		return false
	}
	if j.account.livesSince(began) {
		return true
	}
	if j.ended() {
		return false
	}
	asked := j.d.Now()
	down := j.account.probe(ctx)
	if down != nil && j.d.proves(inTime, asked) {
		j.pause(ctx, down)
	}
	return down == nil
}

// throttled waits for a quota: for a moment in here, for longer with the message.
// It reports whether the call is made once more at once, halved by the caller's
// next cut. waited is how long the call has waited so far.
func (j *job) throttled(ctx context.Context, c dest.Call, items []*item, failed *dest.CallError, tried int, waited *time.Duration) bool {
	if failed.Quota == dest.QuotaConcurrent {
		return j.crowded(ctx, c, items, failed, tried, waited)
	}
	if err := j.account.slow(ctx, c); err != nil {
		j.broken(err)
		return false
	}
	j.lower(items, j.account.callSize(0))
	wait := failed.After
	if wait == 0 {
		wait = time.Duration(tried) * 250 * time.Millisecond
	}
	if *waited += wait; *waited <= maxWait && tried < tries && failed.Quota != dest.QuotaDay && j.d.hasTime(ctx) {
		return j.d.Sleep(ctx, wait) == nil
	}
	j.giveWay(ctx, c, items, failed, wait)
	return false
}

// crowdTries is how often a call is made that was refused for those beside it: halved as
// often, 16 at once are one.
const crowdTries = 5

// crowded waits for a moment for calls that are under way: they were too many at once, and
// say nothing against the rate or the size of a call.
func (j *job) crowded(ctx context.Context, c dest.Call, items []*item, failed *dest.CallError, tried int, waited *time.Duration) bool {
	wait := failed.After
	if wait == 0 {
		wait = time.Duration(tried) * (50*time.Millisecond + time.Duration(j.d.Rand()*float64(50*time.Millisecond)))
	}
	if *waited += wait; *waited <= maxWait && tried < crowdTries && j.d.hasTime(ctx) {
		return j.d.Sleep(ctx, wait) == nil
	}
	j.giveWay(ctx, c, items, failed, wait)
	return false
}

// giveWay sends the rows of a throttled call back with their messages: those of one bucket
// for themselves, else all of the connection.
func (j *job) giveWay(ctx context.Context, c dest.Call, items []*item, failed *dest.CallError, wait time.Duration) {
	for _, cost := range c.Costs {
		if cost.Bucket != "" && failed.Scope != dest.ScopeConnection { // one bucket's: the others go on
			j.waitFor(cost.Bucket, min(wait, maxHide))
			j.hold(items, min(wait, maxHide))
			return
		}
	}
	j.pause(ctx, failed)
}
