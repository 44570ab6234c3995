package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
)

// StoreSeen stores the hashes of the keys of one part of a batch's rows.
func (s *Store) StoreSeen(ctx context.Context, runID, batch string, part int, hashes []byte) error {
	err := s.write(ctx, func(c *conn) error {
		_, err := c.exec("INSERT OR REPLACE INTO seen (run, batch, part, hashes) VALUES (?1, ?2, ?3, ?4)", runID, batch, int64(part), append([]byte{}, hashes...))
		return err
	})
	if err != nil {
		return fmt.Errorf("store the keys of batch %s of run %s: %w", batch, runID, err)
	}
	return nil
}

// Seen calls each for every part of keys that is stored of a run.
func (s *Store) Seen(ctx context.Context, runID string, each func(batch string, part int, hashes []byte) error) error {
	err := s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error { return each(q.text(0), int(q.int(1)), q.bytes(2)) },
			"SELECT batch, part, hashes FROM seen WHERE run = ?1", runID)
	})
	if err != nil {
		return fmt.Errorf("read the keys that run %s saw: %w", runID, err)
	}
	return nil
}

// StoreLeft stores a page of the keys that left the model, over what is there.
func (s *Store) StoreLeft(ctx context.Context, runID string, page int, keys []string) error {
	raw := make([][]byte, len(keys)) // a key need not be UTF-8
	for n, k := range keys {
		raw[n] = []byte(k)
	}
	body, err := json.Marshal(raw)
	if err == nil {
		err = s.write(ctx, func(c *conn) error {
			_, err := c.exec("INSERT OR REPLACE INTO gone (run, page, keys) VALUES (?1, ?2, ?3)", runID, int64(page), string(body))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("store page %d of what left the model of run %s: %w", page, runID, err)
	}
	return nil
}

// Left reads a page; run.ErrNotFound.
func (s *Store) Left(ctx context.Context, runID string, page int) (keys []string, err error) {
	var raw [][]byte
	err = s.read(ctx, func(c *conn) error {
		found := false
		err := c.query(func(q *stmt) error {
			found = true
			return json.Unmarshal(q.view(0), &raw)
		}, "SELECT keys FROM gone WHERE run = ?1 AND page = ?2", runID, int64(page))
		if err == nil && !found {
			err = run.ErrNotFound
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("page %d of what left the model of run %s: %w", page, runID, err)
	}
	for _, k := range raw {
		keys = append(keys, string(k))
	}
	return keys, nil
}

// EntriesAfter lists a target's entries by slot: those of the table of which no later one
// waits, and those that wait.
func (s *Store) EntriesAfter(ctx context.Context, target, after string, limit int) (all []ledger.Entry, next string, err error) {
	err = s.read(ctx, func(c *conn) error {
		id, err := s.names.target(c, target, false)
		if err != nil || id == 0 {
			return err
		}
		from, to := id<<hashBits-1, (id+1)<<hashBits-1
		if after != "" {
			if from, err = strconv.ParseInt(after, 10, 64); err != nil {
				return fmt.Errorf("%q is no place to go on from", after)
			}
		}
		if err := s.late.load(c); err != nil {
			return err
		}
		r := &reader{}
		add := func(key string, value []byte) error {
			e, number, _, err := r.entry(key, value)
			if err == nil {
				err = s.named(c, &e, number)
			}
			e.Revision = s.late.last
			all = append(all, e)
			return err
		}
		last, rows, more, err := listed(c, from, to, max(limit, 1))
		if err != nil {
			return err
		}
		for _, value := range rows {
			key, ok := keyOf(value)
			if !ok {
				return errEntry
			}
			name := string(key)
			if s.late.get(slotOf(id, key), name) != nil {
				continue // a later one waits
			}
			if err := add(name, value); err != nil {
				return err
			}
		}
		if next = strconv.FormatInt(last, 10); !more {
			last, next = to, ""
		}
		return s.late.each(from, last, func(key, value []byte) error { return add(string(key), value) })
	})
	if err != nil {
		return nil, "", fmt.Errorf("list the ledger of %s: %w", target, err)
	}
	return all, next, nil
}

// listed reads the table's values in the slots after from, up to the slot to: at least
// limit, if there are as many, and all of a slot's. more says that there are others after
// the slot last.
func listed(c *conn, from, to int64, limit int) (last int64, all [][]byte, more bool, err error) {
	q, err := c.prepare("SELECT body FROM ledger WHERE slot >= (SELECT max(slot) FROM ledger WHERE slot <= ?1) AND slot <= ?2 ORDER BY slot")
	if err != nil {
		return 0, nil, false, err
	}
	defer q.reset()
	if err := q.bind(from+1, to); err != nil {
		return 0, nil, false, err
	}
	for last = from; ; {
		row, err := q.step()
		if err != nil || !row {
			return last, all, false, err
		}
		for body := q.bytes(0); len(body) > 0; {
			slot, value, rest, err := nextEntry(body)
			switch body = rest; {
			case err != nil || slot > to:
				return last, all, false, err
			case slot <= from:
				continue
			case len(all) >= limit && slot != last:
				return last, all, true, nil
			}
			last, all = slot, append(all, value)
		}
	}
}
