package runs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// deadRuns is among how many of a sync's last runs those are looked for that ended
// without completing.
const deadRuns = 50

// holdForDead holds a mark back for runs that were cancelled, failed or given up:
// their rows in hand are settled after their end (I4). A run whose rows are all settled is looked at for the last time.
func (s *Stores) holdForDead(ctx context.Context, sync, target, column string, window time.Duration, now time.Time) error {
	if column == "" {
		return nil
	}
	recent, err := s.History.RecentRuns(ctx, sync, deadRuns)
	if err != nil {
		return fmt.Errorf("list the runs of sync %q: %w", sync, err)
	}
	for _, r := range recent {
		switch {
		case r.Target != target, run.IsRetry(r.ID):
			continue
		case r.Status != run.Cancelled && r.Status != run.Failed && r.Status != run.Incomplete && r.Status != run.Blocked:
			continue
		case r.Looked || now.Sub(r.EndedAt) > run.DefaultPolicy().Keep:
			continue
		}
		if err := s.holdFor(ctx, r, column, window, now); err != nil {
			return err
		}
	}
	return nil
}

// holdFor holds the mark first, so that a death before the run is stored repeats it.
func (s *Stores) holdFor(ctx context.Context, r run.Run, column string, window time.Duration, now time.Time) error {
	t, err := s.tally(ctx, r.ID)
	if err != nil {
		return err
	}
	settled := t.Counts.Settled() >= t.Counts.Received
	if t.Held == r.Holds && !settled {
		return nil
	}
	m, err := s.mark(ctx, r.Sync, r.Target, column)
	if err != nil {
		return err
	}
	if lower, changed := m.Lower(t.Hold, window, now); changed && m.Revision > 0 {
		if err := s.Marks.SetMark(ctx, lower); err != nil {
			return fmt.Errorf("hold the watermark of sync %q: %w", r.Sync, err)
		}
	}
	r.Holds, r.Looked = t.Held, settled
	if err := s.Runs.UpdateRun(ctx, r); err != nil && !errors.Is(err, run.ErrConflict) {
		return fmt.Errorf("note the holds of run %q: %w", r.ID, err)
	}
	return nil
}
