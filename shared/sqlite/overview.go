package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
)

// SetOverview stores an overview over the one with its Revision (0: none is stored), with
// Revision+1; run.ErrConflict when another one is.
func (s *Store) SetOverview(ctx context.Context, o run.Overview) error {
	read := o.Revision
	o.Revision++
	err := s.write(ctx, func(c *conn) error {
		return c.swap("INSERT INTO overview (revision, body, sync) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
			"UPDATE overview SET revision = ?1, body = ?2 WHERE sync = ?3 AND revision = ?4",
			read, o, o.Sync)
	})
	if err != nil {
		return fmt.Errorf("overview of sync %q: %w", o.Sync, err)
	}
	return nil
}

// DeleteOverview deletes one; nothing happens when there is none.
func (s *Store) DeleteOverview(ctx context.Context, sync string) error {
	err := s.write(ctx, func(c *conn) error {
		_, err := c.exec("DELETE FROM overview WHERE sync = ?1", sync)
		return err
	})
	if err != nil {
		return fmt.Errorf("overview of sync %q: %w", sync, err)
	}
	return nil
}

// Overview reads one sync's; run.ErrNotFound.
func (s *Store) Overview(ctx context.Context, sync string) (run.Overview, error) {
	var o run.Overview
	if err := s.one(ctx, &o, "SELECT body FROM overview WHERE sync = ?1", sync); err != nil {
		return run.Overview{}, fmt.Errorf("overview of sync %q: %w", sync, err)
	}
	return o, nil
}

// Overviews reads those of all syncs, by name. One whose revision is known comes with its
// Sync and Revision alone.
func (s *Store) Overviews(ctx context.Context, known map[string]int64) (all []run.Overview, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error {
			o := run.Overview{Sync: q.text(0), Revision: q.int(1)}
			if known[o.Sync] == o.Revision {
				all = append(all, o)
				return nil
			}
			if err := decode(q.view(2), &o); err != nil {
				o = run.Overview{Sync: o.Sync, Revision: o.Revision, Unreadable: "what is stored of it is damaged"}
			}
			all = append(all, o)
			return nil
		}, "SELECT sync, revision, body FROM overview ORDER BY sync")
	})
	if err != nil {
		return nil, fmt.Errorf("list overviews: %w", err)
	}
	return all, nil
}

// SomeRuns reads the runs that exist among the ids, at most 100, by id.
func (s *Store) SomeRuns(ctx context.Context, ids []string) (map[string]run.Run, error) {
	found := make(map[string]run.Run, len(ids))
	err := s.read(ctx, func(c *conn) error {
		for _, id := range ids {
			var r run.Run
			err := c.query(func(q *stmt) error {
				err := decode(q.view(0), &r)
				found[id] = r
				return err
			}, "SELECT body FROM run WHERE id = ?1", id)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %d runs: %w", len(ids), err)
	}
	return found, nil
}

// SomeOpenRuns names runs that go on, at most limit, by id.
func (s *Store) SomeOpenRuns(ctx context.Context, limit int) (ids []string, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error { ids = append(ids, q.text(0)); return nil }, "SELECT id FROM run WHERE open AND open = 1 ORDER BY id LIMIT ?1", max(limit, 0))
	})
	if err != nil {
		return nil, fmt.Errorf("list open runs: %w", err)
	}
	return ids, nil
}

// ListErrors calls each with the entries of a list of errors, the newest first: from the
// one of that Key on, "" from the newest, at most limit, until each answers false. more
// says that there are older ones than the last.
func (s *Store) ListErrors(ctx context.Context, list, from string, limit int, each func(run.Listed) bool) (more bool, err error) {
	if from == "" {
		from = "~"
	}
	err = s.read(ctx, func(c *conn) error {
		q, err := c.prepare("SELECT key, body FROM error_list WHERE list = ?1 AND key <= ?2 ORDER BY key DESC LIMIT ?3")
		if err != nil {
			return err
		}
		defer q.reset()
		if err := q.bind(list, from, max(limit, 0)+1); err != nil {
			return err
		}
		for n, goOn := 0, true; ; n++ {
			row, err := q.step()
			if err != nil || !row {
				return err
			}
			if more = n == limit || !goOn; more {
				return nil
			}
			l := run.Listed{}
			if err := decode(q.view(1), &l); err != nil {
				return err
			}
			l.Key = q.text(0)
			goOn = each(l)
		}
	})
	if err != nil {
		return false, fmt.Errorf("list errors: %w", err)
	}
	return more, nil
}

// list enters errors that are stored into the lists, theirs and that of all.
func (c *conn) list(errs []run.RowError) error {
	for _, l := range run.List(errs) {
		body, err := json.Marshal(l)
		if err != nil {
			return err
		}
		for _, list := range []string{l.Sync, run.EveryError} {
			if _, err := c.exec("INSERT INTO error_list (list, key, body) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", list, l.Place(), string(body)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Places reads the entries that exist among these, of any targets.
func (s *Store) Places(ctx context.Context, places []ledger.Place) (map[ledger.Place]ledger.Entry, error) {
	byTarget := map[string][]string{}
	for _, p := range places {
		if !slices.Contains(byTarget[p.Target], p.Key) {
			byTarget[p.Target] = append(byTarget[p.Target], p.Key)
		}
	}
	found := make(map[ledger.Place]ledger.Entry, len(places))
	err := s.read(ctx, func(c *conn) error {
		if err := s.late.load(c); err != nil {
			return err
		}
		for target, keys := range byTarget {
			if err := s.entries(c, target, keys, func(key string, e ledger.Entry) { found[ledger.Place{Target: target, Key: key}] = e }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %d ledger entries: %w", len(places), err)
	}
	return found, nil
}

// SomeErrors reads the errors that exist among refs, of any syncs, by Ref, without their
// Source.
func (s *Store) SomeErrors(ctx context.Context, refs []string) (map[string]run.RowError, error) {
	found := make(map[string]run.RowError, len(refs))
	err := s.read(ctx, func(c *conn) error {
		for _, ref := range refs {
			id, batch, row, err := run.ParseRef(ref)
			if err != nil {
				return err
			}
			err = c.query(func(q *stmt) error {
				var e run.RowError
				err := decode(q.view(0), &e)
				found[ref] = e
				return err
			}, "SELECT body FROM error WHERE run = ?1 AND batch = ?2 AND row = ?3", id, batch, row)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %d errors: %w", len(refs), err)
	}
	return found, nil
}
