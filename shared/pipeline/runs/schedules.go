package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Warehouse runs penstock_run. Its errors quote no row and no secret.
type Warehouse interface {
	// Start asks for a statement. The warehouse does not run one again that succeeded
	// under the same Request, as far as it promises that. run.ErrRefused says that a
	// person must mend something, run.ErrBusy that it did not take the call; any other
	// error leaves open whether it did.
	Start(ctx context.Context, c run.Call) (run.Statement, error)
	// Look asks what became of the statement of a handle.
	Look(ctx context.Context, handle string) (run.Statement, error)
}

// Schedules acts on due times: it calls the warehouse once for each, looks what became
// of the statement, and lets go what waits. Each step is stored before and after it is
// taken; two at once do no harm.
type Schedules struct {
	Stores
	Warehouse Warehouse
	Policy    run.Policy
	Now       func() time.Time
	// Lease is how long another process may have a call in hand before it counts as
	// dead: longer than the function's time-out. 0 where there is no other.
	Lease time.Duration
}

// How long a due time is kept trying while the warehouse cannot be reached, and how long
// a statement may run: Snowflake and Redshift end one after 24 hours at the latest, when
// nobody set another limit.
const (
	tryFor  = time.Hour
	runFor  = 25 * time.Hour
	openFor = 20 // firings of a sync that are looked at

	// A statement that outlasts openFor due times is looked at this often, in minutes.
	longEvery = 10
)

// An Event is what the scheduler sends at a due time.
type Event struct {
	Sync string    `json:"sync"`
	Mode run.Mode  `json:"mode"`
	At   time.Time `json:"scheduled_time"`
}

// ParseEvent reads an event's texts; a *row.Refusal where they can be no event: whoever
// wrote the schedule must mend it.
func ParseEvent(sync string, mode run.Mode, at string) (Event, error) {
	due, err := time.Parse(time.RFC3339, at)
	switch {
	case !run.IsName(sync) || run.IsID(sync):
		return Event{}, row.Refuse("the schedule's event names no sync")
	case err != nil:
		return Event{}, row.Refuse("the schedule's event for sync %q has no scheduled_time such as 2026-01-31T06:00:00Z: write \"<aws.scheduler.scheduled-time>\" there", sync)
	case mode != "" && !slices.Contains(syncdef.ScheduleModes, syncdef.ScheduleMode(mode)):
		return Event{}, row.Refuse("the schedule's event for sync %q has a mode that is not known: use incremental, full or cdc", sync)
	}
	return Event{Sync: sync, Mode: mode, At: due.UTC()}, nil
}

// Fire takes an event. One that was taken before changes nothing. A sync that is not
// applied any more is passed over: the firing is then the zero value.
func (s *Schedules) Fire(ctx context.Context, e Event) (run.Firing, error) {
	v, err := s.Syncs.Current(ctx, e.Sync)
	if errors.Is(err, run.ErrNotFound) {
		return run.Firing{}, nil
	}
	if err != nil {
		return run.Firing{}, fmt.Errorf("read sync %q: %w", e.Sync, err)
	}
	f := run.Firing{Sync: e.Sync, At: e.At.UTC(), Mode: e.Mode, Status: run.FiringBegun, Since: s.Now(), Tried: s.Now(), Call: 1}
	if f.Mode == "" {
		f.Mode = run.Mode(v.Definition.Scheduled().Mode)
	}
	err = s.Firings.SetFiring(ctx, f)
	if errors.Is(err, run.ErrConflict) { // it came before
		if f, err = s.Firings.Firing(ctx, f.Sync, f.At); err != nil || !s.abandoned(f) {
			return f, err
		}
		return s.call(ctx, v, f, true)
	}
	if err != nil {
		return f, fmt.Errorf("store the due time %s of sync %q: %w", stamp(f.At), f.Sync, err)
	}
	f.Revision++
	return s.begin(ctx, v, f)
}

// abandoned reports whether a call was begun by a process that has died since, or that
// did not reach the warehouse.
func (s *Schedules) abandoned(f run.Firing) bool {
	return f.Status == run.FiringBegun && s.Now().Sub(f.Tried) >= s.Lease
}

// begin calls the warehouse unless the run would have to wait: then it is not woken.
func (s *Schedules) begin(ctx context.Context, v syncdef.Version, f run.Firing) (run.Firing, error) {
	wait, err := s.held(ctx, &v.Definition)
	switch {
	case err != nil:
		return f, err
	case wait != "":
		return s.wait(ctx, &v.Definition, f, wait)
	}
	return s.call(ctx, v, f, false)
}

// held says what a run would wait for now; "" for nothing.
func (s *Schedules) held(ctx context.Context, d *syncdef.Definition) (string, error) {
	wait, err := s.heldBack(ctx, d.Sync)
	if err == nil && wait == "" {
		wait, err = s.awaits(ctx, d, s.Now())
	}
	if err != nil || wait != "" {
		return wait, err
	}
	latest, err := s.Runs.Latest(ctx, d.Sync)
	if err != nil {
		return "", fmt.Errorf("read the latest run of sync %q: %w", d.Sync, err)
	}
	_, how, err := s.goesOn(ctx, latest, s.Policy, s.Now())
	return how, err
}

// wait keeps a firing for later, or leaves it out where the schedule says so. What a
// sync comes after is always waited for; a person's pause never is.
func (s *Schedules) wait(ctx context.Context, d *syncdef.Definition, f run.Firing, why string) (run.Firing, error) {
	if paused, err := s.heldBack(ctx, d.Sync); err != nil {
		return f, err
	} else if paused != "" {
		return s.set(ctx, f, run.FiringSkipped, paused)
	}
	if d.Scheduled().WhenRunning == syncdef.QueueRunning {
		return s.set(ctx, f, run.FiringWaiting, why)
	}
	after, err := s.awaits(ctx, d, s.Now())
	if err != nil {
		return f, err
	}
	if after != "" {
		return s.set(ctx, f, run.FiringWaiting, after)
	}
	return s.set(ctx, f, run.FiringSkipped, why)
}

// set stores a firing with another status.
func (s *Schedules) set(ctx context.Context, f run.Firing, status run.FiringStatus, reason string) (run.Firing, error) {
	if f.Status != status {
		f.Since = s.Now()
	}
	f.Status, f.Reason = status, cut(reason)
	if err := s.Firings.SetFiring(ctx, f); err != nil {
		return f, fmt.Errorf("store the due time %s of sync %q: %w", stamp(f.At), f.Sync, err)
	}
	f.Revision++
	return f, nil
}

// call hands the statement over. again says that it may have been handed over before,
// with this Request.
func (s *Schedules) call(ctx context.Context, v syncdef.Version, f run.Firing, again bool) (run.Firing, error) {
	if again { // the lease is taken anew
		f.Tried = s.Now()
		var err error
		if f, err = s.set(ctx, f, run.FiringBegun, f.Reason); err != nil {
			return f, err
		}
	}
	st, err := s.Warehouse.Start(ctx, run.Call{Sync: f.Sync, Mode: f.Mode, Request: f.Request(), Again: again})
	switch {
	case errors.Is(err, run.ErrRefused), err != nil && s.Now().Sub(f.Since) >= tryFor:
		return s.set(ctx, f, run.FiringFailed, err.Error())
	case err != nil: // tried again at the next sweep
		return s.set(ctx, f, run.FiringBegun, err.Error())
	}
	f.Handle = st.Handle
	return s.end(ctx, v, f, st)
}

// end records what a statement came to.
func (s *Schedules) end(ctx context.Context, v syncdef.Version, f run.Firing, st run.Statement) (run.Firing, error) {
	switch {
	case st.State == run.StatementFailed:
		return s.set(ctx, f, run.FiringFailed, st.Reason)
	case st.State == run.StatementRunning:
		return s.set(ctx, f, run.FiringCalled, "")
	case st.Skipped:
		return s.wait(ctx, &v.Definition, f, st.Reason)
	}
	f.Run = st.Run
	return s.set(ctx, f, run.FiringRan, st.Reason)
}
