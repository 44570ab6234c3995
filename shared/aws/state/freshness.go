package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/run"
)

const freshnessSK = "FRESHNESS"

// Freshness reads what is known of how old a sync's data is; the zero Reading of it when
// nothing is.
func (s *Store) Freshness(ctx context.Context, sync string) (freshness.Reading, error) {
	r := freshness.Reading{Sync: sync}
	err := s.getJSON(ctx, syncPK(sync), freshnessSK, &r)
	if err != nil && !errors.Is(err, run.ErrNotFound) {
		return freshness.Reading{}, fmt.Errorf("freshness of sync %q: %w", sync, err)
	}
	return r, nil
}

// SetFreshness stores a reading over the one with its Revision (0: none is stored), with
// Revision+1; run.ErrConflict when another one is.
func (s *Store) SetFreshness(ctx context.Context, r freshness.Reading) error {
	read := r.Revision
	r.Revision++
	if err := s.swap(ctx, syncPK(r.Sync), freshnessSK, read, r, nil); err != nil {
		return fmt.Errorf("freshness of sync %q: %w", r.Sync, err)
	}
	return nil
}
