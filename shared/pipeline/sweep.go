package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// Sweep settles runs and moves watermarks. It runs every minute; two at once do
// no harm, since a run is stored only as it was read.
type Sweep struct {
	Runs   Runs
	Policy run.Policy
	Now    func() time.Time
}

// Run looks at every open run once. It goes on after a run that fails, and
// returns all failures joined.
func (s *Sweep) Run(ctx context.Context) error {
	open, err := s.Runs.OpenRuns(ctx)
	if err != nil {
		return fmt.Errorf("list open runs: %w", err)
	}
	var errs []error
	for _, r := range open {
		if err := s.settle(ctx, r); err != nil {
			errs = append(errs, fmt.Errorf("settle run %q: %w", r.ID, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Sweep) settle(ctx context.Context, r run.Run) error {
	batches, err := s.Runs.Batches(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("read its batches: %w", err)
	}
	next, watermark := run.Settle(r, batches, s.Now(), s.Policy)
	if next.Status == run.Open || next == r {
		return nil
	}
	err = s.Runs.UpdateRun(ctx, next, watermark)
	if errors.Is(err, ErrConflict) {
		return nil // finish or another sweeper was faster: the next round sees it
	}
	return err
}
