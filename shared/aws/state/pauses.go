package state

import (
	"context"
	"fmt"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
)

const pauseSK = "PAUSE"

// Pause reads a sync's pause; run.ErrNotFound when it is not paused.
func (s *Store) Pause(ctx context.Context, sync string) (run.Pause, error) {
	var p run.Pause
	if err := s.getJSON(ctx, syncPK(sync), pauseSK, &p); err != nil {
		return run.Pause{}, fmt.Errorf("pause of sync %q: %w", sync, err)
	}
	return p, nil
}

// SetPause stores a pause, over the one that is there.
func (s *Store) SetPause(ctx context.Context, p run.Pause) error {
	content, err := body(p)
	if err == nil {
		err = s.overwrite(ctx, item(syncPK(p.Sync), pauseSK, attr.Item{"body": content}))
	}
	if err != nil {
		return fmt.Errorf("pause sync %q: %w", p.Sync, err)
	}
	return nil
}

// DeletePause ends it; nothing happens when there is none.
func (s *Store) DeletePause(ctx context.Context, sync string) error {
	if err := s.remove(ctx, syncPK(sync), pauseSK); err != nil {
		return fmt.Errorf("resume sync %q: %w", sync, err)
	}
	return nil
}
