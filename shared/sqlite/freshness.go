package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/run"
)

// Freshness reads what is known of how old a sync's data is; the zero Reading of it when
// nothing is.
func (s *Store) Freshness(ctx context.Context, sync string) (freshness.Reading, error) {
	r := freshness.Reading{Sync: sync}
	err := s.one(ctx, &r, "SELECT body FROM freshness WHERE sync = ?1", sync)
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
	err := s.write(ctx, func(c *conn) error {
		return c.swap("INSERT INTO freshness (revision, body, sync) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
			"UPDATE freshness SET revision = ?1, body = ?2 WHERE sync = ?3 AND revision = ?4",
			read, r, r.Sync)
	})
	if err != nil {
		return fmt.Errorf("freshness of sync %q: %w", r.Sync, err)
	}
	return nil
}
