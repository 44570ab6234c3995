package deliver

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// ended settles a row of a message whose rows are not sent at all.
func (i *item) ended() {
	i.left()
	switch i.m.end {
	case "cancelled":
		if i.m.run.Selects() {
			i.state = stateCancelled
			return
		}
		i.fail("deliver", "cancelled", "", "the run was stopped before this row was sent: "+i.m.run.Reason)
	case "expired":
		i.fail("deadletter", "expired", "", "the row waited in the queue for too long and was not sent; mend what penstock_status shows, then retry it or push it again")
	default:
		i.fail("deadletter", "dead_letter", "", "the row's message was received too often without being settled; see the worker's log, then retry it or push it again")
	}
}

// left notes that a row is not sent, ever: where an attempt that died may have sent
// another value than the ledger says is held, it must not go on calling that one
// unchanged. (Inserts have their intent.)
func (i *item) left() {
	other := i.entry.Held.Fingerprint != i.print && !i.entry.Held.Fingerprint.Void()
	i.received = i.received || i.m.again() && other && !i.rules().Once
}

// stopFirst ends a run before any of its rows is stored as not sent for that: an attempt
// that dies in between, and whose rows are superseded when they come again, would leave
// errors that name a stop that never was. The row that failed is stored before both.
func (w *work) stopFirst(ctx context.Context) {
	if !slices.ContainsFunc(w.items, func(i *item) bool { return i.stopped }) {
		return
	}
	w.commit(ctx, slices.DeleteFunc(slices.Clone(w.items), func(i *item) bool { return i.stopped || i.m.end != "" }))
	w.stopRuns(ctx)
}

// stopRuns ends the runs of stop_on_error syncs after their first failure, also when
// an attempt that died before it could left nothing else to do. A message whose run
// cannot be ended is not recorded: it comes back and ends it.
func (w *work) stopRuns(ctx context.Context) {
	stopped := map[string]bool{}
	for _, i := range w.items {
		id := i.m.run.ID
		if stopped[id] || i.m.end == "cancelled" || i.m.run.Status.Ended() || !stops(i.def()) || !i.failed() {
			continue
		}
		stopped[id] = true
		err := w.inv.d.endRun(ctx, id, run.Cancelled, stopReason(i))
		for _, m := range w.messages {
			if err != nil && m.run.ID == id {
				m.broken(w.inv.d, err)
			}
		}
	}
}

// failed reports whether the row is, or became before, an error of its run.
func (i *item) failed() bool {
	switch i.state {
	case stateFailed, stateUnknown:
		return true
	case stateStored:
		return i.row.Replay == nil // a replay that is dropped failed elsewhere
	}
	return false
}

// endRun ends a run that is still going on.
func (d *Deliver) endRun(ctx context.Context, id string, status run.Status, reason string) error {
	for range 10 {
		r, err := d.Runs.Run(ctx, id)
		if errors.Is(err, run.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read run %q: %w", id, err)
		}
		if r.Status.Ended() {
			return nil
		}
		r.Status, r.Reason, r.EndedAt = status, reason, d.Now()
		err = d.Runs.UpdateRun(ctx, r)
		if err == nil {
			return nil
		}
		if !errors.Is(err, run.ErrConflict) {
			return fmt.Errorf("end run %q: %w", id, err)
		}
	}
	return fmt.Errorf("end run %q: %w", id, run.ErrConflict)
}

// stops reports whether a definition ends its run at the first failure.
func stops(def *syncdef.Definition) bool { return def.OnError == syncdef.Stop }

// failedBefore says which row of a stop_on_error job failed first, in an attempt
// that died before it could stop the run; "" while none did.
func (j *job) failedBefore() string {
	if !stops(j.def()) {
		return ""
	}
	for _, i := range j.w.items {
		if i.m.run.ID == j.run.ID && i.failed() {
			return stopReason(i)
		}
	}
	return ""
}

// stopReason names the row by its place only: a record id is a row's value (I6).
func stopReason(i *item) string {
	return fmt.Sprintf("error_handling is stop_on_error, and row %d of batch %s failed: penstock_errors says why", i.row.Number, i.m.chunk.Batch)
}

// stopRest ends the rows that come after the first failure of a stop_on_error sync.
func (j *job) stopRest(items []*item) {
	for _, i := range items {
		if i.state != stateOpen {
			continue
		}
		i.left()
		i.stopped = true
		if j.run.Selects() {
			i.state = stateCancelled
			continue
		}
		i.fail("deliver", "cancelled", "", "the run was stopped before this row was sent: "+j.stop)
	}
}
