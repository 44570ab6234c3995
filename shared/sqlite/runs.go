package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// BeginRun stores a bracketed run as the sync's latest, over the latest one that
// the caller read; run.ErrConflict when another one is, or when a run of that id is
// stored and is not the latest.
func (s *Store) BeginRun(ctx context.Context, r run.Run, latest string) error {
	err := s.write(ctx, func(c *conn) error {
		stored, err := c.latest(r.Sync)
		switch {
		case err != nil || stored == r.ID: // the same begin again
			return err
		case stored != latest:
			return run.ErrConflict
		}
		if n, err := c.insertRun(r); err != nil || n == 0 {
			return errors.Join(err, run.ErrConflict)
		}
		_, err = c.exec("INSERT INTO sync (name, latest) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET latest = excluded.latest", r.Sync, r.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("begin run %s: %w", r.ID, err)
	}
	return nil
}

// Latest is the id of the sync's bracketed run that was begun last; "" none.
func (s *Store) Latest(ctx context.Context, sync string) (id string, err error) {
	err = s.read(ctx, func(c *conn) error { id, err = c.latest(sync); return err })
	if err != nil {
		return "", fmt.Errorf("latest run of sync %q: %w", sync, err)
	}
	return id, nil
}

func (c *conn) latest(sync string) (id string, err error) {
	err = c.query(func(q *stmt) error { id = q.text(0); return nil }, "SELECT latest FROM sync WHERE name = ?1", sync)
	return id, err
}

// EnsureRun stores an implicit run unless it exists, and returns what is stored.
func (s *Store) EnsureRun(ctx context.Context, r run.Run) (stored run.Run, err error) {
	err = s.write(ctx, func(c *conn) error {
		if _, err := c.insertRun(r); err != nil {
			return err
		}
		return c.one(&stored, "SELECT body FROM run WHERE id = ?1", r.ID)
	})
	if err != nil {
		return run.Run{}, fmt.Errorf("ensure run %s: %w", r.ID, err)
	}
	return stored, nil
}

// Run reads one run; run.ErrNotFound.
func (s *Store) Run(ctx context.Context, id string) (run.Run, error) {
	var r run.Run
	if err := s.one(ctx, &r, "SELECT body FROM run WHERE id = ?1", id); err != nil {
		return run.Run{}, fmt.Errorf("run %s: %w", id, err)
	}
	return r, nil
}

// UpdateRun replaces a run whose stored Revision is r.Revision, and stores it with
// Revision+1; run.ErrConflict otherwise.
func (s *Store) UpdateRun(ctx context.Context, r run.Run) error {
	if err := s.write(ctx, func(c *conn) error { return c.updateRun(r) }); err != nil {
		return fmt.Errorf("update run %s: %w", r.ID, err)
	}
	return nil
}

// CompleteRun is UpdateRun together with SetMark, in one transaction (I4).
func (s *Store) CompleteRun(ctx context.Context, r run.Run, m run.Mark) error {
	err := s.write(ctx, func(c *conn) error {
		if err := c.updateRun(r); err != nil {
			return err
		}
		return c.setMark(m)
	})
	if err != nil {
		return fmt.Errorf("complete run %s: %w", r.ID, err)
	}
	return nil
}

func (c *conn) updateRun(r run.Run) error {
	read := r.Revision
	r.Revision++
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	n, err := c.exec("UPDATE run SET revision = ?1, open = ?2, body = ?3 WHERE id = ?4 AND revision = ?5",
		r.Revision, openOf(r), string(body), r.ID, read)
	if err == nil && n == 0 {
		err = run.ErrConflict
	}
	return err
}

// openOf is the column open: 1 of a run that goes on, 2 of another that is live.
func openOf(r run.Run) int {
	switch {
	case !r.Status.Ended():
		return 1
	case r.Live():
		return 2
	}
	return 0
}

// insertRun stores a run unless one of its id is stored; n says whether it did.
func (c *conn) insertRun(r run.Run) (n int, err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return 0, err
	}
	return c.exec("INSERT INTO run (id, sync, begun, revision, open, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
		r.ID, r.Sync, r.BegunAt.UnixNano(), r.Revision, openOf(r), string(body))
}

// LiveRuns lists the runs that are live.
func (s *Store) LiveRuns(ctx context.Context) ([]run.Run, error) {
	runs, err := s.runs(ctx, "SELECT body FROM run WHERE open ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("list live runs: %w", err)
	}
	return runs, nil
}

// RecentRuns lists a sync's runs, newest BegunAt first.
func (s *Store) RecentRuns(ctx context.Context, sync string, limit int) ([]run.Run, error) {
	runs, err := s.runs(ctx, "SELECT body FROM run WHERE sync = ?1 ORDER BY begun DESC, id DESC LIMIT ?2", sync, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("list runs of sync %q: %w", sync, err)
	}
	return runs, nil
}

// RunsBefore goes on after the run of that BegunAt and id, in the same order.
func (s *Store) RunsBefore(ctx context.Context, sync string, begun time.Time, id string, limit int) ([]run.Run, error) {
	runs, err := s.runs(ctx, "SELECT body FROM run WHERE sync = ?1 AND (begun, id) < (?2, ?3) ORDER BY begun DESC, id DESC LIMIT ?4",
		sync, begun.UnixNano(), id, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("list older runs of sync %q: %w", sync, err)
	}
	return runs, nil
}

// RetriesOf lists the runs that have sent a run's rows again, in the order of their ids.
func (s *Store) RetriesOf(ctx context.Context, id string) ([]run.Run, error) {
	runs, err := s.runs(ctx, "SELECT body FROM run WHERE id > ?1 AND id < ?2 ORDER BY id", id+"~", id+"\x7f")
	if err != nil {
		return nil, fmt.Errorf("list the retries of run %s: %w", id, err)
	}
	return runs, nil
}

func (s *Store) runs(ctx context.Context, query string, args ...any) ([]run.Run, error) {
	var runs []run.Run
	err := s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error {
			var r run.Run
			err := decode(q.view(0), &r)
			runs = append(runs, r)
			return err
		}, query, args...)
	})
	return runs, err
}
