package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// keptFirings are the due times of a sync that are kept: those every minute of a day.
const keptFirings = 1440

// Firing reads a due time; run.ErrNotFound.
func (s *Store) Firing(ctx context.Context, sync string, at time.Time) (run.Firing, error) {
	var f run.Firing
	if err := s.one(ctx, &f, "SELECT body FROM firing WHERE sync = ?1 AND at = ?2", sync, at.UnixNano()); err != nil {
		return run.Firing{}, fmt.Errorf("due time of sync %q: %w", sync, err)
	}
	return f, nil
}

// SetFiring stores a due time over the one with its Revision (0: none is stored), with
// Revision+1; run.ErrConflict when another one is. Old ones are dropped.
func (s *Store) SetFiring(ctx context.Context, f run.Firing) error {
	read := f.Revision
	f.Revision++
	err := s.write(ctx, func(c *conn) error {
		err := c.swap("INSERT INTO firing (revision, body, sync, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
			"UPDATE firing SET revision = ?1, body = ?2 WHERE sync = ?3 AND at = ?4 AND revision = ?5",
			read, f, f.Sync, f.At.UnixNano())
		if err == nil && read == 0 {
			_, err = c.exec("DELETE FROM firing WHERE sync = ?1 AND at < (SELECT at FROM firing WHERE sync = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)", f.Sync, keptFirings-1)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("due time of sync %q: %w", f.Sync, err)
	}
	return nil
}

// RecentFirings lists a sync's due times, the latest first.
func (s *Store) RecentFirings(ctx context.Context, sync string, limit int) (all []run.Firing, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error {
			var f run.Firing
			err := json.Unmarshal(q.view(0), &f)
			all = append(all, f)
			return err
		}, "SELECT body FROM firing WHERE sync = ?1 ORDER BY at DESC LIMIT ?2", sync, max(limit, 0))
	})
	if err != nil {
		return nil, fmt.Errorf("list due times of sync %q: %w", sync, err)
	}
	return all, nil
}
