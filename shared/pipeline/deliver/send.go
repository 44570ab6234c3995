package deliver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// sent is what became of one call, as the sender saw it.
type sent struct {
	call     dest.Call // as it was made
	outcomes []dest.Outcome
	failed   *dest.CallError // the call failed as a whole
	wait     time.Duration   // it was not made: its bucket grants nothing for so long
	bucket   string          // which
	late     bool            // it was not made, or cut off: the invocation's time is over
	unsent   bool            // it was cut off before anything of it was sent
	hung     bool            // it was given up
	fault    error           // our own storage refused
	began    time.Time
	took     time.Duration // until it was answered, failed, or was cut off
}

// send makes one call: it takes its tokens and a place among the calls in flight,
// leaves time to commit, and checks that every record is answered. It decides
// nothing.
func (j *job) send(ctx context.Context, c dest.Call, b *batch, want int) sent {
	a := j.account
	leave, entered := j.enter(ctx)
	if !entered {
		return sent{call: c, late: true}
	}
	defer leave()
	seat, entered := a.seat(ctx)
	if !entered {
		return sent{call: c, late: true}
	}
	defer seat.leave()
	if s := j.pay(ctx, c, want); s.late || s.wait > 0 || s.fault != nil {
		s.call = c
		return s
	}
	if !b.look {
		var err error
		if c, err = j.intend(ctx, b, c); err != nil {
			return sent{call: c, fault: err}
		}
		if len(c.Records) == 0 {
			return sent{call: c}
		}
	}
	began := j.d.Now()
	inTime, cancel := j.d.before(ctx)
	defer cancel()
	brief, cancel := j.d.within(inTime, j.timeout(inTime, c, b))
	defer cancel()
	outcomes, err := j.call(brief, c, b)
	took := j.d.Now().Sub(began)
	switch {
	case err != nil && j.d.cutOff(inTime):
		return sent{call: c, failed: callError(err), began: began, took: took, late: true, unsent: unsent(err) && !b.look}
	case err != nil:
		failed := callError(err)
		if b.Holds(c, failed.Code) {
			failed.Code = dest.CodeUnreadable
		}
		if failed.Class == dest.Unavailable && failed.Scope == dest.ScopeUntold && j.d.cutOff(brief) {
			return sent{call: c, failed: failed, began: began, hung: true}
		}
		if failed.Class == dest.Throttled && failed.Quota == dest.QuotaConcurrent {
			seat.refused()
		}
		return sent{call: c, failed: failed, began: began, took: took}
	case len(outcomes) != len(c.Records):
		return sent{call: c, began: began, took: took, failed: &dest.CallError{Op: "read the answer", Class: dest.Unavailable, Code: "unreadable_answer", Received: true,
			Message: fmt.Sprintf("%d outcomes for %d records: report it", len(outcomes), len(c.Records))}}
	}
	j.passOn(outcomes, b, c)
	seat.answered()
	a.grow()
	a.took(j.kindOf(b), took)
	return sent{call: c, outcomes: outcomes, began: began, took: took}
}

// passOn bounds what the outcomes repeat of the vendor's answer: they are stored, and
// shown to people (I6). A field's name is the definition's, or looks like a name; a code
// is no value of any row of the call.
func (j *job) passOn(outcomes []dest.Outcome, b *batch, c dest.Call) {
	held := map[string]bool{}
	holds := func(s string) bool {
		got, known := held[s]
		if !known {
			got = b.Holds(c, s)
			held[s] = got
		}
		return got
	}
	for n := range outcomes {
		o := &outcomes[n]
		if o.Code == "" && o.Field == "" && o.Message == "" {
			continue
		}
		if o.Code = dest.ErrorCode(o.Code); holds(o.Code) {
			o.Code = dest.CodeUnreadable
		}
		if !j.names(o.Field) && (dest.Code(o.Field) == "" || holds(o.Field)) {
			o.Field = ""
		}
		o.Message = dest.Message(o.Message)
	}
}

// names reports whether a field is one of the definition's.
func (j *job) names(field string) bool {
	d := j.def()
	return strings.EqualFold(field, d.Match.Destination) ||
		slices.ContainsFunc(d.Fields, func(f syncdef.Field) bool {
			return strings.EqualFold(f.Destination, field) || strings.EqualFold(syncdef.TopField(f.Destination), field)
		})
}

// call asks the destination; a panic is a defect that is taken for content that
// cannot be sent, so that halving finds its row.
func (j *job) call(ctx context.Context, c dest.Call, b *batch) (out []dest.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, &dest.CallError{Op: "call the destination", Class: dest.Refused, Code: codePanic, Received: true,
				Message: "a defect in Penstock met a row of this call (" + kindOf(p) + "): report it"}
		}
	}()
	if b.look {
		return j.dst.Lookup(ctx, b.Batch, c)
	}
	return j.dst.Push(ctx, b.Batch, c)
}

// pay takes the call's tokens, waiting at most 2 s for each (I5).
func (j *job) pay(ctx context.Context, c dest.Call, want int) sent {
	for n, cost := range c.Costs {
		for {
			if !j.d.hasTime(ctx) {
				j.giveBack(c.Costs[:n])
				return sent{late: true}
			}
			wait, err := j.account.take(ctx, cost, want*cost.Tokens)
			if err != nil {
				j.giveBack(c.Costs[:n])
				return sent{fault: err}
			}
			if wait == 0 {
				break
			}
			if wait > maxWait {
				j.giveBack(c.Costs[:n])
				return sent{wait: wait, bucket: cost.Bucket}
			}
			if err := j.d.Sleep(ctx, wait); err != nil {
				j.giveBack(c.Costs[:n])
				return sent{late: true}
			}
		}
	}
	return sent{late: !j.d.hasTime(ctx)}
}

func (j *job) giveBack(costs []dest.Cost) {
	for _, c := range costs {
		j.account.give(c)
	}
}

// hasTime reports whether there is time for another call and for committing it.
func (d *Deliver) hasTime(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || d.Now().Add(margin).Before(end))
}

// cutOff reports whether a call's context is over: what failed then was not the call's
// or the connection's fault, but ran out of time. Its timer may lag behind the clock.
func (d *Deliver) cutOff(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !d.Now().Before(end)
}

// proves reports whether a probe that failed says something of its connection: one that its
// context cut off had no time, unless it had more than enough since it was asked.
func (d *Deliver) proves(ctx context.Context, asked time.Time) bool {
	return !d.cutOff(ctx) || d.Now().Sub(asked) >= 2*d.Timeout
}

// before is a context that ends early enough to commit a call's outcome.
func (d *Deliver) before(ctx context.Context) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, end.Add(-margin/2))
	}
	return context.WithCancel(ctx)
}
