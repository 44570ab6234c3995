package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/run"
)

// Alerts reads what is stored of a sync's alerts; an empty book when nothing is.
func (s *Store) Alerts(ctx context.Context, sync string) (alert.Book, error) {
	b := alert.Book{Sync: sync}
	err := s.one(ctx, &b, "SELECT body FROM alert WHERE sync = ?1", sync)
	if err != nil && !errors.Is(err, run.ErrNotFound) {
		return alert.Book{}, fmt.Errorf("alerts of sync %q: %w", sync, err)
	}
	return b, nil
}

// SetAlerts stores a book over the one with its Revision (0: none is stored), with
// Revision+1; run.ErrConflict when another one is.
func (s *Store) SetAlerts(ctx context.Context, b alert.Book) error {
	read := b.Revision
	b.Revision++
	err := s.write(ctx, func(c *conn) error {
		return c.swap("INSERT INTO alert (revision, body, sync) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
			"UPDATE alert SET revision = ?1, body = ?2 WHERE sync = ?3 AND revision = ?4",
			read, b, b.Sync)
	})
	if err != nil {
		return fmt.Errorf("alerts of sync %q: %w", b.Sync, err)
	}
	return nil
}
