package deliver

import (
	"context"
	"slices"

	"github.com/penstock-data/penstock/shared/dest"
)

// bring makes the lookups that the rows need, takes over what they say, and pushes the
// rows that are left. Where lookups had to become smaller, the rows of a few are pushed
// before the next are made: an invocation keeps nothing that it only looked up, and its
// time may not be enough for all.
func (j *job) bring(ctx context.Context, b *batch) {
	whole := j.cut(b, func(b dest.Batch) []dest.Call { return j.dst.Lookups(b) })
	if len(whole) == 0 {
		j.push(ctx, b)
		return
	}
	b.look = true
	calls := smaller(whole, j.reached(b))
	if len(calls) == len(whole) {
		j.each(ctx, calls, b)
		j.push(ctx, j.left(b, func(int) bool { return true }))
		return
	}
	part, parts := make([]int, len(b.items)), 0 // which part a record is looked up in, 0 for none
	for some := range slices.Chunk(calls, max(1, j.atOnce())) {
		parts++
		for _, c := range some {
			for _, at := range c.Records {
				part[at] = parts
			}
		}
		j.each(ctx, some, b)
		j.push(ctx, j.left(b, func(at int) bool { return part[at] == parts }))
	}
	j.push(ctx, j.left(b, func(at int) bool { return part[at] == 0 }))
}

// smaller are lookups of at most so many records each, 0 for any number: a destination's
// Lookups are told none, unlike its Calls. What has a bucket of its own stays whole: it is
// one search of a place, which fewer records do not make shorter.
func smaller(calls []dest.Call, most int) []dest.Call {
	if most == 0 {
		return calls
	}
	var all []dest.Call
	for _, c := range calls {
		if slices.ContainsFunc(c.Costs, func(c dest.Cost) bool { return c.Bucket != "" }) {
			all = append(all, c)
			continue
		}
		for some := range slices.Chunk(c.Records, most) {
			all = append(all, dest.Call{Costs: c.Costs, Records: some})
		}
	}
	return all
}

// left is what lookups leave to be pushed of a batch's records that are wanted.
func (j *job) left(b *batch, wanted func(at int) bool) *batch {
	rest := j.newBatch(len(b.items))
	rest.fill(b, wanted)
	return rest
}

// fill adds what lookups leave to be pushed of a batch's records that are wanted: a record
// that had all its fields already gets no more than the id that was found.
func (b *batch) fill(looked *batch, wanted func(at int) bool) {
	var fields []dest.Field
	for at, i := range looked.items {
		if i.state != stateOpen || i.rounds >= maxRounds || i.slow && !looked.slow || !wanted(at) {
			continue
		}
		b.Records = append(b.Records, looked.Records[at])
		r := &b.Records[len(b.Records)-1]
		if i.partial || len(r.Fields) == 0 {
			fields = i.record(r, fields)
		}
		r.ID, r.Intent = i.entry.Held.ID, i.entry.Last.Intent != ""
		b.note(i)
	}
}
