package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/verify"
)

// Verification reads what was found of a sync's records and schema; the zero Reading of it
// when nothing was.
func (s *Store) Verification(ctx context.Context, sync string) (verify.Reading, error) {
	r := verify.Reading{Sync: sync}
	err := s.one(ctx, &r, "SELECT body FROM verification WHERE sync = ?1", sync)
	if err != nil && !errors.Is(err, run.ErrNotFound) {
		return verify.Reading{}, fmt.Errorf("verification of sync %q: %w", sync, err)
	}
	return r, nil
}

// SetVerification stores a reading over the one with its Revision (0: none is stored), with
// Revision+1; run.ErrConflict when another one is.
func (s *Store) SetVerification(ctx context.Context, r verify.Reading) error {
	read := r.Revision
	r.Revision++
	err := s.write(ctx, func(c *conn) error {
		return c.swap("INSERT INTO verification (revision, body, sync) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
			"UPDATE verification SET revision = ?1, body = ?2 WHERE sync = ?3 AND revision = ?4",
			read, r, r.Sync)
	})
	if err != nil {
		return fmt.Errorf("verification of sync %q: %w", r.Sync, err)
	}
	return nil
}
