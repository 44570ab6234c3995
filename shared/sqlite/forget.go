package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// ForgetEntries deletes the entries of the keys, and the claims that name them; what is
// not there is no error.
func (s *Store) ForgetEntries(ctx context.Context, target string, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	err := s.write(ctx, func(c *conn) error {
		s.touched = true
		id, err := s.names.target(c, target, false)
		if err != nil || id == 0 {
			return err
		}
		if err := s.late.load(c); err != nil {
			return err
		}
		if err := s.sortIn(c); err != nil { // what waits names keys, too
			return err
		}
		if err := sortClaims(c, 0); err != nil {
			return err
		}
		var slots []int64
		for _, key := range keys {
			slot, err := s.forget(c, id, key)
			if err != nil {
				return err
			}
			if slot != 0 {
				slots = append(slots, slot)
			}
			if _, err := c.exec("DELETE FROM claim WHERE target = ?1 AND key = ?2", id, key); err != nil {
				return err
			}
		}
		return s.late.deleted(c, slots)
	})
	if err != nil {
		return fmt.Errorf("forget %d ledger entries of %s: %w", len(keys), target, err)
	}
	return nil
}

// forget takes a key's entry out of its leaf, and returns its slot; 0 where it has none.
func (s *Store) forget(c *conn, target int64, key string) (slot int64, err error) {
	q, err := c.prepare(selectRange)
	if err != nil {
		return 0, err
	}
	defer q.reset()
	slot = slotOf(target, []byte(key))
	body, err := leafOf(q, slot)
	if err != nil {
		return 0, err
	}
	rest, found, err := without(body, slot, key)
	if err != nil || !found {
		return 0, err
	}
	return slot, writeLeaf(c, q.int(1), rest)
}

// ForgetErrors deletes errors with their sources; what is not there is no error. The
// lists by time keep their entries, which hold no value.
func (s *Store) ForgetErrors(ctx context.Context, refs []string) error {
	err := s.write(ctx, func(c *conn) error {
		for _, ref := range refs {
			runID, batch, row, err := run.ParseRef(ref)
			if err != nil {
				return err
			}
			if _, err := c.exec("DELETE FROM error WHERE run = ?1 AND batch = ?2 AND row = ?3", runID, batch, int64(row)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget %d errors: %w", len(refs), err)
	}
	return nil
}

// Shred writes the file anew, without what was deleted, and empties the write-ahead log:
// deleted rows stay in free pages, and copies of them in pages in use that were split since.
// Meanwhile other processes can read and not write, and the new file lies beside the old one
// twice, in the system's temporary folder and in the log. Where another process does not end
// what it reads, copies stay until it does, and somebody writes.
func (s *Store) Shred(ctx context.Context) error {
	if s.inMemory() {
		return nil
	}
	var c *conn
	var ok bool
	select {
	case c, ok = <-s.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !ok {
		return errClosed
	}
	defer func() { s.turn <- c }()
	if err := s.rewrite(); err != nil {
		return fmt.Errorf("write the file anew: %w", err)
	}
	return nil
}

// rewrite does it on a connection of its own, whose temporary file is not in memory.
func (s *Store) rewrite() (err error) {
	c, err := open(s.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	c.patience(s.patience)
	if err := c.script("VACUUM"); err != nil {
		return err
	}
	busy := false
	err = c.query(func(q *stmt) error { busy = q.bool(0); return nil }, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err == nil && busy {
		err = errBusy
	}
	return err
}

// Versions are all versions of a sync that were ever applied.
func (s *Store) Versions(ctx context.Context, sync string) (all []syncdef.Version, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error {
			var v syncdef.Version
			if err := json.Unmarshal(q.view(0), &v); err != nil {
				return fmt.Errorf("a version of it cannot be read: the file is damaged")
			}
			all = append(all, v)
			return nil
		}, "SELECT body FROM version WHERE sync = ?1 ORDER BY id", sync)
	})
	if err != nil {
		return nil, fmt.Errorf("versions of sync %q: %w", sync, err)
	}
	return all, nil
}
