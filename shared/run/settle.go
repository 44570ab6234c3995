package run

import (
	"cmp"
	"fmt"
	"time"
)

// Policy holds the waits of Settle.
type Policy struct {
	Quiet  time.Duration // an implicit run with no new batch for this long is finished
	GiveUp time.Duration // a run that lacks finish or rows is given up after this long without a sign of life
	Idle   time.Duration // the same of a begun run that has named no row yet
	Keep   time.Duration // how long a queue keeps a message: so long queued rows keep a run alive
}

// DefaultPolicy is the design's.
func DefaultPolicy() Policy {
	return Policy{Quiet: 2 * time.Minute, GiveUp: time.Hour, Idle: 3 * time.Hour, Keep: 14 * 24 * time.Hour}
}

// quiet reports whether no request has named a run for so long that it is given up,
// by the sweeper, or may be taken over by the next begin.
func (p Policy) quiet(r Run, t *Tally, now time.Time) bool {
	last, wait := r.BegunAt, p.Idle
	if t.Counts.Received > 0 || !r.Bracketed {
		wait = p.GiveUp
	}
	for _, at := range []time.Time{t.Last, r.FinishedAt} {
		if at.After(last) {
			last = at
		}
	}
	return now.Sub(last) >= wait
}

// Abandoned reports whether an open begun run may be taken over by the next begin.
func (p Policy) Abandoned(r Run, t *Tally, now time.Time) bool {
	return r.Bracketed && r.Status == Open && p.quiet(r, t, now)
}

// Settle decides where a run stands, by all of its batches and records; of one that was ended
// without completing, what its rows in hand have come to since. The run that it returns is
// stored when it differs.
func Settle(r Run, t *Tally, now time.Time, p Policy) Run {
	r.Counts, r.Groups = t.Counts, t.Groups
	if r.Status.Ended() {
		r.Outcome = OutcomeOf(r, t.Counts)
		r.Final = r.Status != Complete && (t.Pending == 0 && t.Left() <= 0 || now.Sub(r.EndedAt) >= p.Keep)
		return r
	}
	r.Holds = t.Held
	r.Cursor, r.Hold = t.Cursor, Least(r.Hold, t.Hold) // what was a cursor may be none beside later rows
	if r.Status == Open && !r.Bracketed && t.Pending == 0 && now.Sub(later(t.Queued, r.BegunAt)) >= p.Quiet {
		r.Status, r.FinishedAt, r.Expected = Finishing, now, t.Counts.Received
	}
	if r.Status == Finishing && !r.Bracketed {
		r.Expected = max(r.Expected, t.Counts.Received) // a late batch of the same query
	}
	r.Reason = waiting(r, t)
	switch {
	case complete(r, t):
		r.Status, r.EndedAt = Complete, later(t.Last, r.BegunAt)
		r.Reason = cmp.Or(surplus(r, t), stopped(r, t))
	case gone(r, t, now, p):
		r.Reason = why(r, t)
		r.Status, r.EndedAt = Incomplete, now
	}
	r.Outcome = OutcomeOf(r, t.Counts)
	return r
}

// complete: finished, no batch pending, at least the expected rows received, and
// all of them settled.
func complete(r Run, t *Tally) bool {
	return r.Status == Finishing && t.Pending == 0 && !t.Counts.Lacks(r.Expected) && t.Left() == 0
}

// gone: nothing more is to be expected. Rows that are queued keep a finished run
// alive as long as a queue keeps messages.
func gone(r Run, t *Tally, now time.Time, p Policy) bool {
	lacks := r.Status == Open || t.Pending > 0 || t.Counts.Lacks(r.Expected)
	if lacks && (r.Status != Open || r.Bracketed || t.Pending > 0) {
		return p.quiet(r, t, now)
	}
	return t.Left() > 0 && now.Sub(later(t.Queued, r.BegunAt)) >= p.Keep
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// waiting is what a person may mend while a finished run goes on.
func waiting(r Run, t *Tally) string {
	if r.Status == Finishing && r.Bracketed && t.Pending == 0 && t.Counts.Lacks(r.Expected) {
		return short(r, t.Counts)
	}
	return ""
}

// surplus says that a complete run has more rows than finish announced: its mark
// stays, because somebody counted wrong.
func surplus(r Run, t *Tally) string {
	if !r.Bracketed || t.Counts.Received <= r.Expected {
		return ""
	}
	return fmt.Sprintf("%d rows were received, finish announced %d: the watermark stays", t.Counts.Received, r.Expected)
}

// stopped says that the gate let only a part of a complete run pass: its mark stays.
func stopped(r Run, t *Tally) string {
	if !r.Gate.Blocks() || t.Counts.Blocked == 0 {
		return ""
	}
	return fmt.Sprintf("the quality gate stopped %d rows after the first %d: %s", t.Counts.Blocked, r.Gate.Before, r.Gate.Why())
}

// why says in one sentence what an incomplete run lacks.
func why(r Run, t *Tally) string {
	switch {
	case r.Status == Open && r.Bracketed:
		return "penstock_finish was not called, and no request named the run for long"
	case t.Pending > 0:
		return fmt.Sprintf("%d batches were not wholly queued, and the warehouse did not send them again", t.Pending)
	case t.Counts.Lacks(r.Expected):
		return short(r, t.Counts)
	}
	return fmt.Sprintf("%d of %d rows did not settle as long as a queue keeps messages", t.Left(), t.Counts.Received)
}
