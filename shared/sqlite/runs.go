package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/run"
)

// BeginRun implements pipeline.Runs.
func (s *Store) BeginRun(ctx context.Context, r run.Run) (run.Run, error) {
	stored := r
	err := s.write(ctx, func(c *conn) error {
		active, err := c.syncField("active", r.Sync)
		if err != nil {
			return err
		}
		if active != "" {
			if err := c.one(&stored, "SELECT body FROM run WHERE id = ?1", active); err != nil {
				return err
			}
			return pipeline.ErrActive
		}
		if err := c.setSyncField("active", r.Sync, r.ID); err != nil {
			return err
		}
		return c.insertRun(r)
	})
	if err != nil && !errors.Is(err, pipeline.ErrActive) {
		stored = run.Run{}
	}
	if err != nil {
		return stored, fmt.Errorf("begin run %s: %w", r.ID, err)
	}
	return stored, nil
}

// EnsureRun implements pipeline.Runs.
func (s *Store) EnsureRun(ctx context.Context, r run.Run) (run.Run, error) {
	var stored run.Run
	err := s.write(ctx, func(c *conn) error {
		err := c.one(&stored, "SELECT body FROM run WHERE id = ?1", r.ID)
		if errors.Is(err, pipeline.ErrNotFound) {
			stored = r
			return c.insertRun(r)
		}
		return err
	})
	if err != nil {
		return run.Run{}, fmt.Errorf("ensure run %s: %w", r.ID, err)
	}
	return stored, nil
}

// Run implements pipeline.Runs.
func (s *Store) Run(ctx context.Context, id string) (run.Run, error) {
	var r run.Run
	if err := s.one(ctx, &r, "SELECT body FROM run WHERE id = ?1", id); err != nil {
		return r, fmt.Errorf("run %s: %w", id, err)
	}
	return r, nil
}

// UpdateRun implements pipeline.Runs.
func (s *Store) UpdateRun(ctx context.Context, r run.Run, watermark string) error {
	old := r.Revision
	r.Revision++
	err := s.write(ctx, func(c *conn) error {
		body, err := json.Marshal(r)
		if err != nil {
			return err
		}
		n, err := c.exec("UPDATE run SET revision = ?1, open = ?2, body = ?3 WHERE id = ?4 AND revision = ?5",
			r.Revision, !r.Status.Ended(), string(body), r.ID, old)
		if err != nil {
			return err
		}
		if n == 0 {
			return pipeline.ErrConflict
		}
		if r.Bracketed && r.Status.Ended() {
			if _, err := c.exec("UPDATE sync SET active = '' WHERE name = ?1 AND active = ?2", r.Sync, r.ID); err != nil {
				return err
			}
		}
		if watermark == "" {
			return nil
		}
		return c.setSyncField("watermark", r.Sync, watermark) // I4: in the transaction that completes the run
	})
	if err != nil {
		return fmt.Errorf("update run %s: %w", r.ID, err)
	}
	return nil
}

// OpenRuns implements pipeline.Runs.
func (s *Store) OpenRuns(ctx context.Context) ([]run.Run, error) {
	runs, err := s.runs(ctx, "SELECT body FROM run WHERE open ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("list open runs: %w", err)
	}
	return runs, nil
}

// RecentRuns implements pipeline.Runs.
func (s *Store) RecentRuns(ctx context.Context, sync string, limit int) ([]run.Run, error) {
	runs, err := s.runs(ctx, "SELECT body FROM run WHERE sync = ?1 ORDER BY begun DESC, id DESC LIMIT ?2", sync, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("list runs of sync %q: %w", sync, err)
	}
	return runs, nil
}

func (s *Store) runs(ctx context.Context, query string, args ...any) ([]run.Run, error) {
	var runs []run.Run
	err := s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error {
			var r run.Run
			err := json.Unmarshal(q.view(0), &r)
			runs = append(runs, r)
			return err
		}, query, args...)
	})
	return runs, err
}

// Watermark implements pipeline.Runs.
func (s *Store) Watermark(ctx context.Context, sync string) (string, error) {
	mark := ""
	err := s.read(ctx, func(c *conn) (err error) {
		mark, err = c.syncField("watermark", sync)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("watermark of sync %q: %w", sync, err)
	}
	return mark, nil
}

func (c *conn) insertRun(r run.Run) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = c.exec("INSERT INTO run (id, sync, begun, revision, open, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		r.ID, r.Sync, r.BegunAt.UnixNano(), r.Revision, !r.Status.Ended(), string(body))
	return err
}

func (c *conn) syncField(column, sync string) (value string, err error) {
	err = c.query(func(q *stmt) error { value = q.text(0); return nil },
		"SELECT "+column+" FROM sync WHERE name = ?1", sync)
	return value, err
}

func (c *conn) setSyncField(column, sync, value string) error {
	_, err := c.exec("INSERT INTO sync (name, "+column+") VALUES (?1, ?2) ON CONFLICT DO UPDATE SET "+column+" = excluded."+column, sync, value)
	return err
}
