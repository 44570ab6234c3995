package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/run"
)

func alertPK(sync string) string { return "ALERT#" + sync }

const bookSK = "BOOK"

// Alerts reads what is stored of a sync's alerts; an empty book when nothing is.
func (s *Store) Alerts(ctx context.Context, sync string) (alert.Book, error) {
	b := alert.Book{Sync: sync}
	err := s.getJSON(ctx, alertPK(sync), bookSK, &b)
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
	if err := s.swap(ctx, alertPK(b.Sync), bookSK, read, b, nil); err != nil {
		return fmt.Errorf("alerts of sync %q: %w", b.Sync, err)
	}
	return nil
}
