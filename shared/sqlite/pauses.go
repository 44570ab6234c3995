package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/penstock-data/penstock/shared/run"
)

// Pause reads a sync's pause; run.ErrNotFound when it is not paused.
func (s *Store) Pause(ctx context.Context, sync string) (run.Pause, error) {
	var p run.Pause
	if err := s.one(ctx, &p, "SELECT body FROM pause WHERE sync = ?1", sync); err != nil {
		return run.Pause{}, fmt.Errorf("pause of sync %q: %w", sync, err)
	}
	return p, nil
}

// SetPause stores a pause, over the one that is there.
func (s *Store) SetPause(ctx context.Context, p run.Pause) error {
	body, err := json.Marshal(p)
	if err == nil {
		err = s.write(ctx, func(c *conn) error {
			_, err := c.exec("INSERT INTO pause (sync, body) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = excluded.body", p.Sync, string(body))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("pause sync %q: %w", p.Sync, err)
	}
	return nil
}

// DeletePause ends it; nothing happens when there is none.
func (s *Store) DeletePause(ctx context.Context, sync string) error {
	err := s.write(ctx, func(c *conn) error {
		_, err := c.exec("DELETE FROM pause WHERE sync = ?1", sync)
		return err
	})
	if err != nil {
		return fmt.Errorf("resume sync %q: %w", sync, err)
	}
	return nil
}
