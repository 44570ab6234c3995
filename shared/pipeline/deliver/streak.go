package deliver

import (
	"context"
	"slices"
	"sync"

	"github.com/penstock-data/penstock/shared/dest"
)

// A streak is calls of one record each that failed as a whole one after the other, with no
// answer in between: together they are what one call of these records would be.
type streak struct {
	mu     sync.Mutex
	looked bool // it is known already not to be the version's
	good   bool // some call was answered
	failed []alone
	before []alone     // failed before the last answer: each is its row's own
	unmade []dest.Call // held back, because the streak is long enough to be looked into
}

// An alone is a call of one record that failed as a whole.
type alone struct {
	call dest.Call
	made
}

// singly reports whether calls have one record each, are enough to prove something, and may
// go on beside a row that failed.
func (j *job) singly(calls []dest.Call, b *batch) bool {
	return len(calls) >= sampled && !b.refused && !stops(j.def()) &&
		!slices.ContainsFunc(calls, func(c dest.Call) bool { return len(c.Records) != 1 })
}

// oneByOne makes calls of one record each, several at a time. Where so many fail in
// succession as prove a call's failure to be the version's, single rows are sampled from
// those that are left, once; else each that failed follows its own rule, after the others.
func (j *job) oneByOne(ctx context.Context, calls []dest.Call, b *batch, atOnce int) {
	var rest []alone
	for looked := false; len(calls) > 0 && !j.ended(); {
		s := &streak{looked: looked}
		parallel(atOnce, len(calls), func(n int) { j.oneOf(ctx, s, calls[n], b, len(calls)-n) })
		rest, calls = slices.Concat(rest, s.before, s.failed), s.unmade
		if !looked && len(s.failed) >= sampled && !j.ended() {
			calls, looked = j.lookInto(ctx, s, b), true
		}
	}
	parallel(atOnce, len(rest), func(n int) {
		if a := rest[n]; b.items[a.call.Records[0]].state == stateOpen && !j.ended() {
			j.split(ctx, a.call, b, &evidence{}, a.made)
		}
	})
}

// oneOf makes one call of a streak.
func (j *job) oneOf(ctx context.Context, s *streak, c dest.Call, b *batch, want int) {
	if s.hold(c) {
		return
	}
	e := &evidence{}
	m := j.once(ctx, c, b, want, e)
	switch {
	case e.good.Load():
		s.answered()
	case m.failed != nil && !j.doubts(b.pick(c), b, m.failed):
		s.add(alone{c, m})
	}
}

// lookInto finds out whether a long streak is the version's, and answers the calls that are
// still to be made where it is not. Where hardly any are left to be sampled, it is if
// nothing was answered at all; where rows are refused, whose content that may be, if none of
// these is taken either.
func (j *job) lookInto(ctx context.Context, s *streak, b *batch) []dest.Call {
	last := s.failed[len(s.failed)-1].failed
	refused := last.Class == dest.Refused
	if few := len(s.unmade) < sampled; few && (s.good || !refused || len(s.unmade) == 0) {
		if s.good {
			return s.unmade
		}
		last.Scope = dest.ScopeVersion
		j.haltFor(ctx, last)
		return nil
	}
	left := j.sample(ctx, joined(s.unmade[0], s.unmade), b, &evidence{}, refused)
	var calls []dest.Call
	for _, at := range left.Records {
		calls = append(calls, dest.Call{Costs: left.Costs, Records: []int{at}})
	}
	return calls
}

// hold keeps a call back where the streak is to be looked into first.
func (s *streak) hold(c dest.Call) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.looked || len(s.failed) < sampled {
		return false
	}
	s.unmade = append(s.unmade, c)
	return true
}

func (s *streak) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.good = true
	s.before, s.failed = append(s.before, s.failed...), nil
}

func (s *streak) add(a alone) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = append(s.failed, a)
}
