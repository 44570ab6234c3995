package deliver

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// apply takes over a call's outcomes, one per row.
func (j *job) apply(ctx context.Context, b *batch, c dest.Call, outcomes []dest.Outcome) {
	var again []int
	var wait time.Duration
	var version *dest.Outcome
	works := carriedOut(outcomes)
	for n, at := range c.Records {
		i := b.items[at]
		o := &outcomes[n]
		if o.Status == dest.Rejected && o.Scope == dest.ScopeVersion && !works {
			version = o
			continue
		}
		if !b.look || o.Status != dest.Pending && o.Status != dest.Found { // what was only looked for has not been tried
			i.tries++
		}
		i.received = i.received || o.Status == dest.Unknown || o.Written
		if repeat, w := j.take(i, o, b.look); repeat {
			again = append(again, at)
			wait = max(wait, w)
		}
	}
	if version != nil {
		j.haltFor(ctx, &dest.CallError{Op: "deliver to " + j.def().Object, Class: dest.Configuration, Scope: dest.ScopeVersion, Code: version.Code, Message: version.Message})
		return
	}
	if !b.look {
		j.prove(ctx)
	}
	j.commitAnswers(ctx, j.rules().Once)
	if len(again) == 0 || j.ended() {
		return
	}
	for _, at := range again {
		b.items[at].waits(wait)
	}
	if j.d.Sleep(ctx, wait) == nil {
		j.whole(ctx, dest.Call{Costs: c.Costs, Records: again}, b, 1)
	}
}

// waits notes that a row waits before it is tried once more.
func (i *item) waits(d time.Duration) {
	i.waited += int16((d + time.Millisecond - 1) / time.Millisecond)
}

// carriedOut reports whether some record of a call was delivered: then nothing that
// befell another one is the version's.
func carriedOut(outcomes []dest.Outcome) bool {
	for _, o := range outcomes {
		if o.Status == dest.Delivered {
			return true
		}
	}
	return false
}

// take settles a row after an answer; it reports whether the row is tried again in
// this invocation, and after what wait.
func (j *job) take(i *item, o *dest.Outcome, look bool) (again bool, wait time.Duration) {
	i.sought = i.sought || j.seeks(i, look)
	if look && o.Status == dest.Found && o.ID != "" && o.ID == i.gone {
		look, o = false, i.foundAgain()
	}
	if look && o.Status == dest.Pending { // nothing is known of it: it is pushed
		i.own().Last.Intent = ""
		i.received = i.received && !j.rules().Once && i.m.busy(j.d.Now()) // what was given up may yet come
		return false, 0
	}
	def := j.def()
	d, wait := settle(&situation{
		outcome: o, tries: int(i.tries), waited: time.Duration(i.waited) * time.Millisecond, attempts: i.attempts() - i.halted(), most: def.RetryAttempts(), base: def.RetryBase(), longest: def.RetryMax(),
		once: j.rules().Once, lookup: j.rules().Lookup, look: look, source: def.SourceStored() != syncdef.StoreNone,
		rounds: int(i.rounds), held: !i.entry.Held.Fingerprint.Void() && i.entry.Held.Fingerprint != row.Gone, partial: i.partial,
		other: i.other(o), rand: j.d.Rand(),
	})
	if look && o.Status == dest.Found { // go on to the push
		i.own().Held.ID = o.ID
		return false, 0
	}
	i.outcome = o
	switch d {
	case deliverIt:
		i.state, i.before = stateDelivered, look
		if i.lacking = i.del && look && !i.received && i.entry.Held.ID == ""; i.lacking {
			i.state = stateUnchanged // nothing was there
		}
	case tryAgain:
		return true, wait
	case goRound:
		i.goRound(o)
		return false, 0
	case storeIt, storeDue:
		i.give(o, look, d == storeDue, wait)
		j.stopAfter(i)
	case storeDoubt:
		i.inDoubt(o)
		j.stopAfter(i)
	}
	j.mu.Lock()
	j.answers = append(j.answers, i)
	j.mu.Unlock()
	return false, 0
}

// other reports whether an answer may be about another record than the one that the ledger
// knows: it names another, or names none and an answer before it was lost, which would have
// told that the record was made anew.
func (i *item) other(o *dest.Outcome) bool {
	if o.ID == "" {
		return i.received
	}
	return i.entry.Held.ID != "" && o.ID != i.entry.Held.ID
}

// seeks reports whether an answer came of looking for the row's record: not where its
// id is known, nor where a lookup asks what became of an insert.
func (j *job) seeks(i *item, look bool) bool {
	if look {
		return !j.rules().Once
	}
	return i.entry.Held.ID == "" && j.def().Operation == syncdef.Update
}

// goRound prepares a row that goes round once more: found under another id, gone,
// made anew, or sent without an answer.
func (i *item) goRound(o *dest.Outcome) {
	i.rounds++
	switch o.Status {
	case dest.Found:
		held := i.entry.Held.ID
		if i.own().Held.ID = o.ID; o.ID == "" {
			i.gone = held
		}
		if o.ID == "" || held != "" && o.ID != held { // what the ledger knew is gone, or became another record: it gets the whole row
			i.forget()
		}
	case dest.Delivered: // with a part of its fields, should there be no time for the rest now
		i.own().Held.ID, i.received = o.ID, true
		i.forget()
	case dest.Unknown:
		i.own().Last.Intent, i.received = i.intent(), true
	}
}

// foundAgain is the outcome of a row whose record a push was told to be gone, and which is
// found all the same.
func (i *item) foundAgain() *dest.Outcome {
	i.own().Held.ID = i.gone
	return &dest.Outcome{Status: dest.Rejected, ID: i.gone, Code: i.outcome.Code,
		Message: "the destination takes the record for deleted, and finds it: correct the row where it refers to another one, which may be deleted"}
}

// forget drops what the ledger knew of the record's fields.
func (i *item) forget() {
	i.whole = true
	e := i.own()
	e.Held = e.Held.InDoubt(true)
}

// give ends a row as an error.
func (i *item) give(answer *dest.Outcome, look, due bool, after time.Duration) {
	o := *answer
	if o.Status != dest.Rejected {
		if o.Code == "" {
			o.Code = dest.NoAnswer
		}
		if o.Message == "" {
			o.Message = "the destination did not take the record"
		}
		if !due {
			o.Message = fmt.Sprintf("given up after %d attempts: %s", i.attempts()+1, o.Message)
		}
		o.After = after
	}
	i.state, i.due, i.outcome = stateFailed, due, &o
	i.stage = "deliver"
	if look {
		i.stage = "match"
	}
}

// codeUnknown is the error of an insert that may have arrived.
const codeUnknown = "unknown"

// inDoubt ends an insert of which nobody knows whether it arrived.
func (i *item) inDoubt(o *dest.Outcome) {
	i.state, i.stage, i.due = stateUnknown, "deliver", false
	i.outcome = &dest.Outcome{Status: dest.Unknown, Code: codeUnknown,
		Message: "the record may have arrived, and that cannot be found out: look for it there, and only if it is missing send it again with a retry of the type unknown (" + o.Message + ")"}
}

// inDoubt deals with the rows of an insert whose answer was lost: they are looked
// for, or else stored as unknown.
func (j *job) inDoubt(items []*item, failed *dest.CallError) {
	o := &dest.Outcome{Status: dest.Unknown, Code: failed.Code, Message: failed.Error()}
	if len(items) > 1 {
		j.lower(items, (len(items)+1)/2)
	}
	for _, i := range items {
		i.tries++
		if again, _ := j.take(i, o, false); again {
			// It was looked for as often as may be: the rest is a later attempt's.
			i.tries = tries
			j.take(i, o, false)
		}
	}
}

// stopAfter stops further calls of a stop_on_error sync.
func (j *job) stopAfter(i *item) {
	if !stops(j.def()) {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.stop == "" {
		j.stop = stopReason(i)
	}
}

// intend stores, before an insert is sent, that it is about to be: a worker that
// finds the intent looks, or stores it as unknown, before it sends again. A row
// whose entry somebody else has changed since it was read is left out of the call:
// it goes back, and is compared anew.
func (j *job) intend(ctx context.Context, b *batch, c dest.Call) (dest.Call, error) {
	if !j.rules().Once {
		return c, nil
	}
	var entries []ledger.Entry
	var fresh []*item
	for _, i := range b.pick(c) {
		if i.intended {
			continue
		}
		e := *i.entry
		e.Key = i.key
		e.Intends, e.Attempt = true, i.intent()
		// An error of the key, the row's own or an older row's, stays open until this try is settled.
		e.Last = ledger.Last{Run: i.m.run.ID, Sequence: i.sequence(), Intent: e.Attempt, Error: i.entry.Last.Error}
		if i.row.Replay != nil {
			e.Last.Error = i.ref()
		}
		entries = append(entries, e)
		fresh = append(fresh, i)
	}
	if len(entries) == 0 {
		return c, nil
	}
	lost, err := j.d.Ledger.Commit(ctx, j.w.target, entries)
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, i := range fresh { // stored, perhaps, where storage says no: it is taken back then
		i.intended = true
	}
	if err != nil {
		return c, fmt.Errorf("store the intent to send: %w", err)
	}
	for _, n := range lost {
		fresh[n].intended, fresh[n].state = false, stateWaiting
		fresh[n].m.postpone(time.Second)
	}
	if len(lost) > 0 {
		c.Records = slices.DeleteFunc(slices.Clone(c.Records), func(at int) bool { return b.items[at].state == stateWaiting })
	}
	return c, nil
}
