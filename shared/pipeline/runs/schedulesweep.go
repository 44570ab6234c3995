package runs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Sweep looks at what is open of each scheduled sync: statements that may have ended,
// calls that were begun and left, and runs that wait. All failures are returned, joined.
func (s *Schedules) Sweep(ctx context.Context) error {
	names, err := s.Syncs.List(ctx)
	if err != nil {
		return fmt.Errorf("list syncs: %w", err)
	}
	var errs []error
	for _, name := range turn(names, s.Now()) {
		if err := s.sweep(ctx, name); err != nil {
			errs = append(errs, fmt.Errorf("the schedule of sync %q: %w", name, err))
		}
		if ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
	}
	return errors.Join(errs...)
}

func (s *Schedules) sweep(ctx context.Context, name string) error {
	v, err := s.Syncs.Current(ctx, name)
	if errors.Is(err, run.ErrNotFound) || err == nil && v.Definition.Frequency == "" {
		return nil // removed or unscheduled since
	}
	if err != nil {
		return fmt.Errorf("read the sync: %w", err)
	}
	limit := openFor
	if s.Now().Minute()%longEvery == 0 { // as many as fall due while a statement may go on
		limit = int(runFor / time.Minute)
	}
	all, err := s.Firings.RecentFirings(ctx, name, limit)
	if err != nil {
		return err
	}
	var errs []error
	for i := len(all) - 1; i >= 0; i-- { // the oldest first
		if all[i].Status.Ended() {
			continue
		}
		if _, err := s.step(ctx, v, all[i], i > 0, all[0]); conflict(err) != nil {
			errs = append(errs, err) // a statement that cannot be looked for keeps no later due time
		}
	}
	return errors.Join(errs...)
}

// step takes an open firing on. One that has begun nothing gives way to the next due
// time: what was missed meanwhile is made good by one run.
func (s *Schedules) step(ctx context.Context, v syncdef.Version, f run.Firing, older bool, newest run.Firing) (run.Firing, error) {
	switch {
	case f.Status == run.FiringCalled:
		return s.look(ctx, v, f)
	case f.Status == run.FiringBegun && !s.abandoned(f):
		return f, nil
	case older:
		why := fmt.Sprintf("the run that was due at %s takes its place", stamp(newest.At))
		if f.Reason != "" {
			why += "; until then: " + f.Reason
		}
		return s.set(ctx, f, run.FiringSkipped, why)
	case f.Status == run.FiringBegun:
		return s.call(ctx, v, f, true)
	}
	wait, err := s.held(ctx, &v.Definition)
	if err != nil {
		return f, err
	}
	if paused, err := s.heldBack(ctx, f.Sync); err != nil {
		return f, err
	} else if paused != "" {
		return s.set(ctx, f, run.FiringSkipped, paused)
	}
	if wait != "" {
		if wait == f.Reason {
			return f, nil
		}
		return s.set(ctx, f, run.FiringWaiting, wait)
	}
	f.Call++ // the last statement, if there was one, began nothing: this one has an id of its own
	f.Handle, f.Run, f.Tried = "", "", s.Now()
	if f, err = s.set(ctx, f, run.FiringBegun, ""); err != nil {
		return f, err
	}
	return s.call(ctx, v, f, false)
}

// look asks the warehouse about a statement.
func (s *Schedules) look(ctx context.Context, v syncdef.Version, f run.Firing) (run.Firing, error) {
	st, err := s.Warehouse.Look(ctx, f.Handle)
	switch {
	case errors.Is(err, run.ErrRefused):
		return s.set(ctx, f, run.FiringFailed, "what became of the statement cannot be told: "+err.Error())
	case err == nil && st.State != run.StatementRunning:
		st.Handle = f.Handle
		return s.end(ctx, v, f, st)
	case s.Now().Sub(f.Since) >= runFor:
		return s.set(ctx, f, run.FiringFailed, "what became of the statement cannot be told after 25 hours: look at the warehouse's query history")
	case err != nil:
		return f, fmt.Errorf("look for the statement of %s: %w", stamp(f.At), err)
	}
	return f, nil
}
