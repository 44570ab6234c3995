package deliver

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// commitAnswers commits what was answered so far: all of it, or when there is much.
func (j *job) commitAnswers(ctx context.Context, all bool) {
	j.mu.Lock()
	var due []*item
	if all || len(j.answers) >= commitEvery {
		due, j.answers = j.answers, nil
	}
	j.mu.Unlock()
	if len(due) > 0 {
		j.w.commit(ctx, due)
	}
}

// commit stores what became of rows: errors first, then the ledger that names
// them, so that a crash between the two sends again instead of losing a row. What
// our storage refuses is tried by each message for itself.
func (w *work) commit(ctx context.Context, items []*item) {
	ready := make([]*item, 0, len(items))
	for _, i := range items {
		if !i.written && (i.m.fault == nil || i.unsent()) {
			ready = append(ready, i)
		}
	}
	if len(ready) == 0 || w.store(ctx, ready) == nil {
		return
	}
	by := map[*message][]*item{}
	for _, i := range ready {
		by[i.m] = append(by[i.m], i)
	}
	for _, m := range w.messages {
		mine := by[m]
		if len(mine) == 0 {
			continue
		}
		if err := w.store(ctx, mine); err != nil {
			m.broken(w.inv.d, err)
			for _, i := range mine {
				i.received = i.received || i.state == stateDelivered
				if i.state != stateUnchanged && i.state != stateSuperseded {
					i.state = stateWaiting
				}
			}
		}
	}
}

// unsent reports whether the ledger may say of an insert that it is about to be sent
// though it was not: that is taken back, whatever our storage refused before.
func (i *item) unsent() bool { return i.intended && !i.received && !i.state.settled() }

// store writes the errors and then the entries of rows.
func (w *work) store(ctx context.Context, items []*item) error {
	d := w.inv.d
	var errs []run.RowError
	buf := entryBuffers.Get().(*entryBuffer)
	defer buf.free()
	entries, from := buf.entries[:0], buf.from[:0]
	for _, i := range items {
		if i.state == stateFailed && !i.summed || i.state == stateUnknown && i.outcome != nil {
			errs = append(errs, i.rowError(d.Now(), w.target))
		}
		entries = append(entries, *i.entry)
		if e := &entries[len(entries)-1]; i.next(e) {
			e.Bound()
			from = append(from, i)
		} else {
			*e = ledger.Entry{}
			entries = entries[:len(entries)-1]
		}
	}
	buf.entries, buf.from = entries, from
	if len(errs) > 0 {
		if err := w.inv.storeErrors(ctx, errs); err != nil {
			return fmt.Errorf("store %d errors of %s: %w", len(errs), w.target, err)
		}
	}
	if len(entries) > 0 {
		lost, err := d.Ledger.Commit(ctx, w.target, entries)
		if err != nil {
			return fmt.Errorf("commit %d entries to the ledger of %s: %w", len(entries), w.target, err)
		}
		for _, n := range lost {
			from[n].lost = true
		}
	}
	for _, i := range items {
		i.written = i.state.settled()
	}
	return nil
}

// An entryBuffer is where store gathers the entries that it commits: a fifth of what a worker
// would allocate otherwise.
type entryBuffer struct {
	entries []ledger.Entry
	from    []*item // of each entry
}

var entryBuffers = sync.Pool{New: func() any { return new(entryBuffer) }}

// free gives the buffer to the next store, with nothing left in it.
func (b *entryBuffer) free() {
	clear(b.entries)
	clear(b.from)
	entryBuffers.Put(b)
}

// next makes of a key's ledger entry the one that the row's outcome asks for; false: none.
// What the destination holds is forgotten by no failure; only whether it still holds it may
// be in doubt.
func (i *item) next(e *ledger.Entry) bool {
	e.Key = i.key
	if i.key == "" || i.quiet {
		return false
	}
	if i.rules().Once {
		e.Attempt = i.intent()
	}
	last := ledger.Last{Run: i.m.run.ID, Sequence: i.sequence()}
	if i.received {
		e.Held = e.Held.InDoubt(i.del)
	}
	if i.received && !i.del || i.doubt || i.maybe() { // what is there may be this row's, or that of one that it superseded
		e.Held.Sequence = max(e.Held.Sequence, i.sequence())
	}
	if i.del && (i.state == stateDelivered || i.lacking) {
		e.Held, e.Last = ledger.Held{Fingerprint: row.Gone, Version: i.m.chunk.Version, Sequence: i.sequence()}, last
		return true
	}
	record := i.record8()
	moved := record != 0 && record != e.Held.Record
	if moved && (i.state == stateDelivered || i.state == stateUnchanged || i.received) {
		e.Held.Record, e.Claim = record, i.recordID()
	}
	switch i.state {
	case stateDelivered:
		e.Held = ledger.Held{Fingerprint: i.print, Fields: i.hashes(), Version: i.m.chunk.Version, ID: i.outcome.ID, Sequence: i.sequence(), Record: record}
		if e.Held.ID == "" {
			e.Held.ID = i.entry.Held.ID
		}
	case stateUnchanged: // closes an error or an intent, says whose the record is, or that it is newer than another row or a mirror's run, and costs nothing else
		if e.Last.Error == "" && e.Last.Intent == "" && !moved && !i.ahead && (i.del || !i.m.newer) {
			return false
		}
		if !i.del {
			e.Held.Sequence = max(e.Held.Sequence, i.sequence())
		}
	case stateFailed:
		if i.summed {
			return i.received || i.doubt
		}
		last.Error = i.ref()
		if i.rules().Once && (i.received || e.Last.Intent != "" && !i.intended) { // it, or an earlier row of the key, may have arrived
			last.Intent = cmp.Or(e.Last.Intent, e.Attempt)
		}
	case stateStored:
		if !i.adopted {
			return false
		}
		last.Error = i.ref()
	case stateUnknown:
		if i.outcome == nil {
			return false // stored by an attempt that died
		}
		last.Error, last.Intent, last.Unknown = i.ref(), i.intent(), true
		if !i.intended && e.Last.Intent != "" { // it may have arrived then, not now
			last.Intent = e.Last.Intent
		}
	case stateWaiting, stateOpen, stateCancelled:
		switch {
		case i.received || i.doubt || i.state == stateCancelled && i.maybe():
			// It, or the older value that it superseded, may have arrived: nothing older
			// may follow it (I3), and the ledger must not call it unchanged.
			last.Error, last.Unknown, e.Carries = e.Last.Error, e.Last.Unknown, true
			if last.Intent = e.Last.Intent; i.intended {
				last.Intent = i.intent()
			}
		case i.intended: // it was not sent
			last.Error, last.Unknown, e.Intends, e.Carries = e.Last.Error, e.Last.Unknown, true, true
		default:
			return false
		}
	default:
		return false
	}
	e.Last = last
	return true
}

// maybe reports whether an attempt that died may have sent the row, which ends here
// without being sent: a delete of its key must not take the record for unknown.
func (i *item) maybe() bool {
	ended := i.state == stateFailed || i.state == stateCancelled
	return !i.del && i.def().OnDelete != "" && ended && (i.untouched || i.m.again())
}

// record8 stands for the row's record id in the ledger; 0 where it is not kept.
func (i *item) record8() uint64 {
	if i.del || i.untouched || !i.def().KeepsRecords() {
		return 0
	}
	return ledger.RecordOf(i.recordID())
}

// rowError is a failed row as it is stored.
func (i *item) rowError(now time.Time, target string) run.RowError {
	e := run.RowError{
		Sync: run.SyncOf(i.m.chunk.Run), Run: i.m.chunk.Run, Batch: i.m.chunk.Batch, Row: i.row.Number, RecordID: i.recordID(), Key: i.key,
		Version: i.m.chunk.Version, Target: target, Type: i.outcome.Code, Message: i.outcome.Message, Field: i.outcome.Field,
		Stage: i.stage, Attempts: i.attempts() + 1, At: now, Sequence: i.sequence(), Delete: i.del, Source: i.source(),
	}
	if e.Halted = i.halted(); i.version {
		e.Halted++
	}
	if i.row.Replay != nil {
		e.Run, e.Batch, e.Row, _ = run.ParseRef(i.row.Replay.Ref)
	}
	if i.due = i.due && e.Source != nil; i.due {
		e.Due = now.Add(i.outcome.After)
		i.dueAt = &e.Due
	}
	i.spend(&e)
	return e
}

// spend tells whether a row that was sent again has failed for the last time, by its error.
func (i *item) spend(e *run.RowError) {
	i.spent = i.row.Replay != nil && !i.due && e.Attempts-e.Halted >= i.def().RetryAttempts()
}

// source is what is stored of the row, as store_source says; nil where nothing is.
func (i *item) source() []byte {
	if i.untouched {
		return nil
	}
	return i.m.version.Source(i.row.Object)
}
