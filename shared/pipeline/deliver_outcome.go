package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// stopped fails rows that come after the first failure of a stop_on_error sync.
func (w *wave) stopped(items []*item) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop == "" {
		return false
	}
	for _, i := range items {
		i.fail(stopped, "", "the run was stopped before this row was sent: "+w.stop)
	}
	return true
}

// apply takes over a call's outcomes, one per row.
func (w *wave) apply(ctx context.Context, b dest.Batch, c dest.Call, items []*item, outcomes []dest.Outcome) error {
	w.mu.Lock()
	w.success = true
	w.mu.Unlock()
	for n, i := range items {
		o := outcomes[n]
		i.outcome = o
		switch o.Status {
		case dest.Pending:
		case dest.Found:
			b.Records[c.Records[n]].ID = o.ID
			i.entry.ID = o.ID
		case dest.Delivered:
			i.state = itemDelivered
		case dest.Rejected:
			i.state, i.stage = itemFailed, w.stage
			w.cancel(i)
		case dest.Retry, dest.Unknown:
			w.retry(i)
		}
	}
	w.mu.Lock()
	for _, i := range items {
		if i.state != itemOpen { // what a lookup found is still to be pushed
			w.answers = append(w.answers, i)
		}
	}
	var due []*item
	if w.once || len(w.answers) >= commitEvery { // once: before the next message is sent
		due, w.answers = w.answers, nil
	}
	w.mu.Unlock()
	return w.d.commitItems(ctx, w.job.program.target, due)
}

// cancel stops further calls of a stop_on_error sync.
func (w *wave) cancel(i *item) {
	if w.job.program.version.Definition.OnError != syncdef.Stop {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop == "" {
		w.stop = fmt.Sprintf("error_handling is stop_on_error and record %q failed: %s", i.recordID, i.outcome.Message)
	}
}

// retry puts one row off, or ends it after too many attempts.
func (w *wave) retry(i *item) {
	attempts := i.parcel.state.Attempts + 1
	if attempts < maxAttempts {
		w.putOff([]*item{i}, max(i.outcome.After, w.d.backoff(attempts)), true)
		return
	}
	i.state = itemFailed
	if i.outcome.Code == "" {
		i.outcome.Code = "no_answer"
	}
	i.outcome.Message = fmt.Sprintf("given up after %d attempts: %s", attempts, i.outcome.Message)
}

func (w *wave) putOff(items []*item, wait time.Duration, attempt bool) {
	for _, i := range items {
		i.state = itemLater
		i.hide, i.attempt = wait, attempt
	}
}

// failed pauses the connection after a call that failed as a whole, and puts its
// rows off. It is waited out, not turned into errors.
func (w *wave) failed(ctx context.Context, bucket string, items []*item, e *dest.CallError) {
	wait := max(e.After, w.d.patience(items[0].parcel))
	w.halt(bucket, wait)
	w.putOff(items, wait, false)
	w.mu.Lock()
	w.outage = append(w.outage, items...)
	w.mu.Unlock()
	name := w.bucket(bucket)
	// Best effort: a pause that is not stored costs one more failed call.
	_ = w.d.Pace.Pause(ctx, name, w.d.Now().Add(wait))
	w.d.explain(ctx, w.job.run.ID, e)
}

// account notes the API calls, and lets an outage count as an attempt only when
// other calls were answered meanwhile.
func (w *wave) account() {
	if w.success {
		for _, i := range w.outage {
			if i.state == itemLater {
				i.attempt = true
			}
		}
	}
	w.d.spend(w.job.run.ID, w.dst)
}

// intend stores, before a message is sent, that it is about to be: a worker that
// finds the intent looks before it sends again.
func (w *wave) intend(ctx context.Context, items []*item) error {
	if !w.once {
		return nil
	}
	entries := make([]ledger.Entry, len(items))
	for n, i := range items {
		i.entry.Intent = i.ref()
		entries[n] = ledger.Entry{Key: i.key, Run: i.parcel.run.ID, Place: i.parcel.chunk.Place, Intent: i.entry.Intent}
	}
	if err := w.d.Ledger.Commit(ctx, w.job.program.target, entries); err != nil {
		return fmt.Errorf("store the intent to send: %w", err)
	}
	return nil
}
