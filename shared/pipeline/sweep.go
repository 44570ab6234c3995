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
	next, watermark, err := s.judge(ctx, r)
	if err == nil && r.Status == run.Open && !r.Bracketed && next.Status.Ended() {
		// A batch may be pinned between the reading of the batches and the end of the
		// run. So the run is closed first and judged by what is there then: a push that
		// pins its batch later sees a run that is not open, and reopens it.
		r.Status, r.FinishedAt, r.Expected = run.Finishing, next.FinishedAt, next.Counts.Received
		if err = s.Runs.UpdateRun(ctx, r, ""); err == nil {
			r.Revision++
			next, watermark, err = s.judge(ctx, r)
		}
	}
	if err == nil && next.Status != run.Open && next != r {
		err = s.Runs.UpdateRun(ctx, next, watermark)
	}
	if errors.Is(err, ErrConflict) {
		return nil // finish, a late batch or another sweeper was faster: the next round sees it
	}
	return err
}

// judge says where a run stands, and the watermark to set.
func (s *Sweep) judge(ctx context.Context, r run.Run) (next run.Run, watermark string, err error) {
	batches, err := s.Runs.Batches(ctx, r.ID)
	if err != nil {
		return r, "", fmt.Errorf("read its batches: %w", err)
	}
	next, watermark = run.Settle(r, batches, s.Now(), s.Policy)
	return next, watermark, nil
}
