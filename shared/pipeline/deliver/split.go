package deliver

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/penstock-data/penstock/shared/dest"
)

// split halves a call that failed as a whole: both halves are tried before either
// is halved further, so that good rows do not wait for bad ones. One that failed after a long
// time is cut into more parts, which are tried at once.
func (j *job) split(ctx context.Context, c dest.Call, b *batch, e *evidence, m made) {
	failed, items := m.failed, b.pick(c)
	if j.doubts(items, b, failed) {
		return
	}
	long := j.long(c, m)
	if len(items) == 1 {
		if i := items[0]; long && !b.slow {
			if j.hasLong(ctx, 0) { // the others first
				j.putOff(i)
				return
			}
			if m.took >= 2*j.d.Timeout || i.m.Receives > 1 { // nor would the next invocation have more time, or had it
				i.tries = tries
			}
		}
		j.single(ctx, c, b, e, failed)
		return
	}
	size, atOnce := (len(items)+1)/2, 1
	if long {
		size, atOnce = j.afterLong(b, len(items), m), max(1, j.atOnce())
		j.hangs(items, max(size, root(len(items)))) // what comes back begins with larger ones again
	} else {
		j.lower(items, size)
	}
	b, parts := j.again(ctx, c, b, size)
	bad := j.tryParts(ctx, parts, b, e, atOnce)
	allBad := len(parts) > 0 && !slices.ContainsFunc(bad, func(f *made) bool { return f != nil && f.failed == nil })
	if allBad && !e.good.Load() && !b.refused && len(items) >= sampled {
		b, parts = j.again(ctx, joined(c, parts), b, len(items))
		bad = slices.Repeat([]*made{&m}, len(parts))
		if c = joined(c, parts); len(c.Records) >= sampled {
			if c = j.sample(ctx, c, b, e, failed.Class == dest.Refused); len(c.Records) == 0 {
				return
			}
			b, parts = j.again(ctx, c, b, size)
			bad = make([]*made, len(parts))
		}
	}
	parallel(atOnce, len(parts), func(n int) {
		f := bad[n]
		switch {
		case f == nil && (long || len(parts[n].Records) == 1): // it was not tried
			f = j.tryPart(ctx, parts[n], b, len(parts)-n, e)
		case f == nil:
			f = &m
		}
		if f.failed != nil {
			j.split(ctx, parts[n], b, e, *f)
		}
	})
}

// tryParts makes the parts of a call that failed, and answers what became of each. Until one
// of them is answered it makes no more than at once, two at the least: the rest is nil.
func (j *job) tryParts(ctx context.Context, parts []dest.Call, b *batch, e *evidence, atOnce int) []*made {
	out := make([]*made, len(parts))
	var begun atomic.Int32
	parallel(atOnce, len(parts), func(n int) {
		if begun.Add(1) <= int32(max(atOnce, 2)) || e.good.Load() {
			out[n] = j.tryPart(ctx, parts[n], b, len(parts)-n, e)
		}
	})
	return out
}

// tryPart makes a part of a call that failed.
func (j *job) tryPart(ctx context.Context, c dest.Call, b *batch, want int, e *evidence) *made {
	m := j.once(ctx, c, b, want, e)
	if m.failed != nil && j.doubts(b.pick(c), b, m.failed) {
		return &made{}
	}
	return &m
}

// again cuts what is open of a call that failed into parts of so many records. Where the call
// may have created records, they are looked for before they are sent again, and what is found
// is an update.
func (j *job) again(ctx context.Context, c dest.Call, b *batch, size int) (*batch, []dest.Call) {
	created := j.created(c, b)
	if !created && !b.cut {
		return b, inSizes(c, size)
	}
	open := &batch{Batch: dest.Batch{Run: b.Run, Total: b.Total}, look: created, patient: b.patient}
	for _, at := range c.Records {
		if i := b.items[at]; i.state == stateOpen {
			open.Records = append(open.Records, b.Records[at])
			open.note(i)
		}
	}
	if created {
		for _, c := range j.cut(open, func(b dest.Batch) []dest.Call { return j.dst.Lookups(b) }) {
			j.whole(ctx, c, open, 1)
		}
	}
	rest := &batch{Batch: dest.Batch{Run: b.Run, Total: b.Total}, cut: true, patient: b.patient}
	rest.fill(open, func(int) bool { return true })
	return rest, j.cut(rest, func(b dest.Batch) []dest.Call { return j.dst.Calls(b, size) })
}

// created reports whether a call that was made may have created records that only a lookup
// finds: without an id, and not by a key of theirs that the destination keeps unique.
func (j *job) created(c dest.Call, b *batch) bool {
	if b.look || j.rules().Once {
		return false
	}
	for _, at := range c.Records {
		one := b.Batch
		if one.Records = b.Records[at : at+1]; b.items[at].received && one.Records[0].ID == "" && len(j.dst.Lookups(one)) > 0 {
			return true
		}
	}
	return false
}

// joined is one call of all records of several.
func joined(c dest.Call, parts []dest.Call) dest.Call {
	c.Records = nil
	for _, p := range parts {
		c.Records = append(c.Records, p.Records...)
	}
	return c
}

// doubts ends the rows of a failed call that may have inserted them: they are neither
// halved nor tried again before they were looked for.
func (j *job) doubts(items []*item, b *batch, failed *dest.CallError) bool {
	if !failed.Received || b.look || !j.rules().Once {
		return false
	}
	j.inDoubt(items, failed)
	return true
}

// sample tries single rows, spread over a call of which nothing was answered yet:
// when enough of them fail and none is answered, while the connection answers, the
// failure is the version's. It answers the call without the rows that it settled. What is
// refused may be the content of as many rows: of few none is left out, and no fewer are enough.
func (j *job) sample(ctx context.Context, c dest.Call, b *batch, e *evidence, refused bool) dest.Call {
	tried, enough := sampled, sampled/2
	if refused {
		enough = min(sampled, len(c.Records))
		if len(c.Records) < 2*sampled {
			tried = len(c.Records)
		}
	}
	var last *dest.CallError
	failures := 0
	answered := map[int]bool{}
	patient := b.waitedFor()
	for n := range tried {
		at := c.Records[n*len(c.Records)/tried]
		one := dest.Call{Costs: c.Costs, Records: []int{at}}
		answered[at] = true
		failed := j.once(ctx, one, patient, 1, e).failed
		if failed == nil { // answered, or not made at all: the quota is spent, the time is over
			break
		}
		if j.doubts(b.pick(one), b, failed) { // of an insert that may have arrived nothing can be tried
			failures = 0
			break
		}
		last, answered[at] = failed, false
		failures++
		b.items[at].tries++
		if e.done.Load() || j.ended() {
			break
		}
	}
	// Where the quota or the time ended first, half of them are enough: the rest is tried in
	// smaller calls next time, which could prove nothing.
	if failures >= enough && !e.good.Load() && !e.done.Load() && !j.ended() {
		e.done.Store(true)
		last.Scope = dest.ScopeVersion
		j.haltFor(ctx, last)
		return dest.Call{}
	}
	left := dest.Call{Costs: c.Costs}
	for _, at := range c.Records {
		i := b.items[at]
		// A row that was answered goes round with the job, if at all. One that may have been
		// inserted is not sent again, and is looked for all the more.
		if again := b.look || !(j.rules().Once && i.received); again && !answered[at] && i.state == stateOpen {
			left.Records = append(left.Records, at)
		}
	}
	return left
}

// single settles a row whose call failed as a whole though it was alone in it.
func (j *job) single(ctx context.Context, c dest.Call, b *batch, e *evidence, failed *dest.CallError) {
	i := b.items[c.Records[0]]
	o := &dest.Outcome{Status: dest.Retry, Code: failed.Code, Message: failed.Error(), After: failed.After}
	if failed.Class == dest.Refused {
		i.tries = tries // its content will not change within this invocation
	}
	for {
		i.tries++
		again, wait := j.take(i, o, b.look)
		if !again {
			return
		}
		i.waits(wait)
		if j.d.Sleep(ctx, wait) != nil || j.ended() {
			return
		}
		var calls []dest.Call
		if b, calls = j.again(ctx, c, b, 1); len(calls) == 0 { // the look has settled it
			return
		}
		c = calls[0]
		next := j.once(ctx, c, b, 1, e).failed
		if next == nil || j.doubts(b.pick(c), b, next) {
			return
		}
		o = &dest.Outcome{Status: dest.Retry, Code: next.Code, Message: next.Error(), After: next.After}
	}
}

// pick are the items of a call.
func (b *batch) pick(c dest.Call) []*item {
	picked := make([]*item, len(c.Records))
	for n, at := range c.Records {
		picked[n] = b.items[at]
	}
	return picked
}

// lower notes the call size that halving reached, for when the message goes back.
func (j *job) lower(items []*item, most int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, i := range items {
		i.m.lower(most)
	}
}

func (m *message) lower(most int) {
	if most > 0 && (m.most == 0 || most < m.most) {
		m.most = most
	}
}
