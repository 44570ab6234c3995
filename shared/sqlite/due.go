package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// StoreDue stores due items; of one ID and time the first stays.
func (s *Store) StoreDue(ctx context.Context, due []run.Due) error {
	if len(due) == 0 {
		return nil
	}
	err := s.write(ctx, func(c *conn) error {
		for _, d := range due {
			body, err := json.Marshal(d)
			if err != nil {
				return err
			}
			if _, err := c.exec("INSERT OR IGNORE INTO due (sync, at, id, body) VALUES (?1, ?2, ?3, ?4)", d.Sync, d.At.UnixNano(), d.ID(), string(body)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store %d due items: %w", len(due), err)
	}
	return nil
}

// DueItems lists a sync's due items whose time is not after now, oldest first, at
// most limit; with now zero all of them.
func (s *Store) DueItems(ctx context.Context, sync string, now time.Time, limit int) (due []run.Due, err error) {
	until := int64(math.MaxInt64)
	if !now.IsZero() {
		until = now.UnixNano()
	}
	err = s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error {
			var d run.Due
			err := json.Unmarshal(q.view(0), &d)
			due = append(due, d)
			return err
		}, "SELECT body FROM due WHERE sync = ?1 AND at <= ?2 ORDER BY at, id LIMIT ?3", sync, until, max(limit, 0))
	})
	if err != nil {
		return nil, fmt.Errorf("due items of sync %q: %w", sync, err)
	}
	return due, nil
}

// DeleteDue deletes one; nothing happens when it is gone.
func (s *Store) DeleteDue(ctx context.Context, d run.Due) error {
	err := s.write(ctx, func(c *conn) error {
		_, err := c.exec("DELETE FROM due WHERE sync = ?1 AND at = ?2 AND id = ?3", d.Sync, d.At.UnixNano(), d.ID())
		return err
	})
	if err != nil {
		return fmt.Errorf("delete a due item of sync %q: %w", d.Sync, err)
	}
	return nil
}
