package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// StoreAction stores an action, over that of the same At and ID. Those that are older
// than run.KeepActions go.
func (s *Store) StoreAction(ctx context.Context, a run.Action) error {
	body, err := json.Marshal(a)
	if err == nil {
		err = s.write(ctx, func(c *conn) error {
			if _, err := c.exec("DELETE FROM audit WHERE at < ?1", s.now().Add(-run.KeepActions).UnixNano()); err != nil {
				return err
			}
			_, err := c.exec("INSERT INTO audit (at, id, body) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET body = excluded.body",
				a.At.UnixNano(), a.ID, string(body))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("write the audit log: %w", err)
	}
	return nil
}

// Actions lists what was done since a moment, the newest first, at most limit.
func (s *Store) Actions(ctx context.Context, since time.Time, limit int) ([]run.Action, error) {
	var all []run.Action
	err := s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error {
			var a run.Action
			err := json.Unmarshal(q.view(0), &a)
			all = append(all, a)
			return err
		}, "SELECT body FROM audit WHERE at >= ?1 ORDER BY at DESC, id DESC LIMIT ?2", since.UnixNano(), limit)
	})
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return all, nil
}
