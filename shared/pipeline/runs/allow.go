package runs

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Allow is who may do what with a sync, or with the sync of a run; run.ErrNotFound
// when there is neither. The version that is applied now says it, also of runs that
// began before, so that a role that was taken off is refused at once; of a sync that
// was removed the run's version does.
func (s *Stores) Allow(ctx context.Context, syncOrRun string) (*syncdef.Allow, error) {
	name := run.SyncOf(syncOrRun)
	v, err := s.Syncs.Current(ctx, name)
	if errors.Is(err, run.ErrNotFound) && run.IsID(syncOrRun) {
		var r run.Run
		if r, err = s.Runs.Run(ctx, syncOrRun); err == nil {
			v, err = s.Syncs.Version(ctx, name, r.Version)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read who may call for %q: %w", syncOrRun, err)
	}
	return v.Definition.Allow, nil
}
