package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// commit stores what became of a hand's rows: errors first, then the ledger that
// names them, so that a crash between the two re-sends instead of losing a row.
func (d *Deliver) commit(ctx context.Context, h *hand) error {
	if err := d.commitItems(ctx, h.target, h.items); err != nil {
		return err
	}
	for _, j := range h.jobs {
		if err := d.cancelled(ctx, h, j); err != nil {
			return err
		}
	}
	return nil
}

func (d *Deliver) commitItems(ctx context.Context, target string, items []*item) error {
	var errs []run.RowError
	entries := make([]ledger.Entry, 0, len(items))
	for _, i := range items {
		e, ok := i.next()
		if !ok || i.committed {
			continue
		}
		i.committed = true
		if i.state == itemFailed {
			errs = append(errs, i.rowError(d.Now()))
		}
		if i.key != "" {
			entries = append(entries, e)
		}
	}
	if len(errs) > 0 {
		if err := d.Errors.StoreErrors(ctx, errs); err != nil {
			return fmt.Errorf("store %d errors of %s: %w", len(errs), target, err)
		}
	}
	if len(entries) > 0 {
		if err := d.Ledger.Commit(ctx, target, entries); err != nil {
			return fmt.Errorf("commit %d entries to the ledger of %s: %w", len(entries), target, err)
		}
	}
	return nil
}

// next is the ledger entry that an item's outcome asks for.
func (i *item) next() (ledger.Entry, bool) {
	p := i.parcel
	e := ledger.Entry{Key: i.key, Run: p.run.ID, Place: p.chunk.Place}
	switch {
	case i.state == itemDelivered:
		e.Fingerprint, e.Fields, e.Version, e.ID = i.print, i.hashes, p.chunk.Version, i.outcome.ID
		if e.ID == "" {
			e.ID = i.entry.ID
		}
	case i.state == itemFailed:
		e.Error = i.ref()
	case i.state == itemLater && (i.outcome.Status == dest.Unknown || i.doubt):
		// It, or the older value that it superseded, may have arrived: nothing older
		// may follow it (I3), and the ledger must not call it unchanged.
		e.ID, e.Intent = i.entry.ID, i.entry.Intent
	default:
		return e, false
	}
	return e, true
}

// rowError is a failed item as it is stored.
func (i *item) rowError(now time.Time) run.RowError {
	p := i.parcel
	stage := cmp.Or(i.stage, "deliver")
	if p.dead != "" {
		stage = "deadletter"
	}
	return run.RowError{
		Sync: p.run.Sync, Run: p.run.ID, Batch: p.chunk.Batch, Row: i.number, RecordID: i.recordID, Key: i.key,
		Type: i.outcome.Code, Message: i.outcome.Message, Field: i.outcome.Field, Stage: stage,
		Attempts: p.state.Attempts + 1, At: now, Place: p.chunk.Place, Source: i.object,
	}
}

// settle records and acknowledges the messages whose rows are all settled, and
// gives the others back; after a lane's first that goes back, the rest follows.
func (d *Deliver) settle(ctx context.Context, parcels []*parcel) (stay []string, err error) {
	held := map[string]time.Duration{}
	for _, p := range parcels {
		p.sum()
		hide, behind := held[p.Group]
		switch {
		case p.later:
			if !behind {
				hide = max(p.hide, sparing(p.Receives))
				held[p.Group] = hide
			}
			if err := d.giveBack(ctx, p); err != nil {
				return nil, err
			}
		case !p.done:
			if err := d.record(ctx, p); err != nil {
				return nil, err
			}
		}
		if p.later || behind {
			// A message that cannot be hidden comes back with its visibility timeout.
			_ = d.Visibility.Hide(ctx, d.Queue, p.Receipt, hide)
			stay = append(stay, p.ID)
		}
	}
	return stay, nil
}

// sparing is how long to leave a message at least that was received that often, be
// its wait ever so short: the queue hands it out 1,000 times, and 100 receives of
// any length, 450 that grow by 2 s each and 450 of 15 minutes are over 7 days, when
// the worker itself makes an end (I1). Tokens gather meanwhile.
func sparing(receives int) time.Duration {
	return min(time.Duration(max(receives-100, 0))*2*time.Second, maxHide)
}

// sum takes over from a parcel's rows whether it must go back.
func (p *parcel) sum() {
	for _, i := range p.items {
		if i.state == itemLater || i.state == itemOpen {
			p.postpone(i.hide)
			p.attempt = p.attempt || i.attempt
		}
	}
}

// giveBack notes that a message returns on purpose, so that crashes can be told
// from deferrals.
func (d *Deliver) giveBack(ctx context.Context, p *parcel) error {
	if p.chunk.Batch == "" || p.state.Done {
		return nil
	}
	attempts := 0
	if p.attempt {
		attempts = 1
	}
	err := d.Runs.DeferChunk(ctx, p.chunk.Run, p.chunk.Batch, p.chunk.Index, attempts)
	if err != nil && !errors.Is(err, ErrNotFound) { // a batch that expired is counted by nobody any more
		return fmt.Errorf("note the deferral of chunk %d of batch %q: %w", p.chunk.Index, p.chunk.Batch, err)
	}
	return nil
}

// record counts a settled message once (I2).
func (d *Deliver) record(ctx context.Context, p *parcel) error {
	c := run.Counts{Calls: d.take(p.chunk.Run)}
	for _, i := range p.items {
		switch i.state {
		case itemDelivered, itemCounted:
			c.Delivered++
		case itemUnchanged:
			c.Unchanged++
		case itemSuperseded:
			c.Superseded++
		case itemFailed, itemStored:
			c.Failed++
		}
	}
	_, err := d.Runs.RecordChunk(ctx, p.chunk.Run, p.chunk.Batch, p.chunk.Index, run.Chunk{Done: true, At: d.Now(), Counts: c})
	if err != nil && !errors.Is(err, ErrNotFound) { // a batch that expired is counted by nobody any more
		return fmt.Errorf("record chunk %d of batch %q: %w", p.chunk.Index, p.chunk.Batch, err)
	}
	return nil
}

// failure says which row of a stop_on_error job failed first, now or in an attempt
// that died before it could stop the run; "" while none did.
func (h *hand) failure(j *job) string {
	if j.program.version.Definition.OnError != syncdef.Stop {
		return ""
	}
	for _, i := range h.items {
		if i.parcel.job == j && (i.state == itemFailed && i.outcome.Code != stopped || i.state == itemStored) {
			return fmt.Sprintf("error_handling is stop_on_error and record %q failed: %s", i.recordID, cmp.Or(i.outcome.Message, "penstock_errors says why"))
		}
	}
	return ""
}

// cancelled stops the run of a stop_on_error sync after its first failure.
func (d *Deliver) cancelled(ctx context.Context, h *hand, j *job) error {
	reason := h.failure(j)
	if reason == "" || j.run.Status.Ended() {
		return nil
	}
	return d.update(ctx, j.run.ID, func(r *run.Run) bool {
		if r.Status.Ended() {
			return false
		}
		r.Status, r.Reason, r.EndedAt = run.Cancelled, reason, d.Now()
		return true
	})
}

// explain puts what a connection's failure needs from a person where people
// look: the run's reason and its errors.
func (d *Deliver) explain(ctx context.Context, runID string, e *dest.CallError) {
	reason := e.Error()
	if e.Class != dest.Configuration {
		reason += "; it is tried again by itself"
	}
	changed := false
	// Best effort: the rows are safe, and the next failure explains again.
	_ = d.update(ctx, runID, func(r *run.Run) bool {
		changed = r.Reason != reason && !r.Status.Ended()
		r.Reason = reason
		return changed
	})
	if !changed || e.Class != dest.Configuration {
		return
	}
	code := e.Code
	if code == "" {
		code = "configuration"
	}
	_ = d.Errors.StoreErrors(ctx, []run.RowError{{
		Sync: run.SyncOf(runID), Run: runID, Batch: "connection", Type: code, Message: reason, Stage: "connection", At: d.Now(),
	}})
}
