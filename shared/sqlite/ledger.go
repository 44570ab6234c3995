package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
)

// upsertEntry leaves a stored entry of a greater place alone, and then changes
// no row: that is the loser's sign.
const upsertEntry = `INSERT INTO ledger (target, key, value) VALUES (?1, ?2, ?3)
	ON CONFLICT DO UPDATE SET value = excluded.value WHERE substr(value, 1, 8) <= substr(excluded.value, 1, 8)`

// Entries implements pipeline.Ledger.
func (s *Store) Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error) {
	found := make(map[string]ledger.Entry, len(keys))
	if len(keys) == 0 {
		return found, nil
	}
	err := s.read(ctx, func(c *conn) error {
		id, err := s.target(c, target, false)
		if err != nil || id == 0 {
			return err
		}
		q, err := c.prepare("SELECT value FROM ledger WHERE target = ?1 AND key = ?2")
		if err != nil {
			return err
		}
		defer q.reset()
		if err := q.bindInt(1, id); err != nil {
			return err
		}
		var r reader
		for _, i := range inOrder(len(keys), func(i int) string { return keys[i] }) {
			key := keys[i]
			value, err := q.lookup(key)
			if err != nil {
				return err
			}
			if value == nil {
				continue
			}
			if found[key], err = r.entry(key, value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %d ledger entries of %s: %w", len(keys), target, err)
	}
	return found, nil
}

// lookup runs a statement whose second parameter is a key; nil when there is no row.
func (s *stmt) lookup(key string) ([]byte, error) {
	s.reset()
	at, err := s.c.room(len(key) + 1)
	if err != nil {
		return nil, err
	}
	copy(unsafe.Slice((*byte)(pointer(at)), len(key)), key)
	if err := s.bindBlob(2, at, len(key)); err != nil {
		return nil, err
	}
	if row, err := s.step(); err != nil || !row {
		return nil, err
	}
	return s.view(0), nil
}

// Commit implements pipeline.Ledger. I3: the greater place stays.
func (s *Store) Commit(ctx context.Context, target string, entries []ledger.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	err := s.write(ctx, func(c *conn) error {
		id, err := s.target(c, target, true)
		if err != nil {
			return err
		}
		q, err := c.prepare(upsertEntry)
		if err != nil {
			return err
		}
		defer q.reset()
		var value []byte
		for _, i := range inOrder(len(entries), func(i int) string { return entries[i].Key }) {
			e := &entries[i]
			value = appendEntry(value[:0], e)
			if err := q.put(id, e.Key, value); err != nil {
				return err
			}
			if c.changes() == 0 {
				if err := void(c, id, e.Key); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("commit %d ledger entries of %s: %w", len(entries), target, err)
	}
	return nil
}

// put runs a statement with the parameters target, key and value.
func (s *stmt) put(target int64, key string, value []byte) error {
	s.reset()
	at, err := s.c.room(len(key) + len(value) + 1)
	if err != nil {
		return err
	}
	mem := unsafe.Slice((*byte)(pointer(at)), len(key)+len(value))
	copy(mem, key)
	copy(mem[len(key):], value)
	if err := s.bindInt(1, target); err != nil {
		return err
	}
	if err := s.bindBlob(2, at, len(key)); err != nil {
		return err
	}
	if err := s.bindBlob(3, at+uintptr(len(key)), len(value)); err != nil {
		return err
	}
	_, err = s.step()
	return err
}

// void takes the fingerprint of a stored entry away, because an older value was
// sent after it: the next run re-sends the record (I3).
func void(c *conn, target int64, key string) error {
	q, err := c.prepare("SELECT value FROM ledger WHERE target = ?1 AND key = ?2")
	if err != nil {
		return err
	}
	defer q.reset()
	if err := q.bindInt(1, target); err != nil {
		return err
	}
	value, err := q.lookup(key)
	if err != nil {
		return err
	}
	var r reader
	e, err := r.entry(key, value)
	if err != nil {
		return err
	}
	e.Fingerprint, e.Fields = row.Fingerprint{}, nil
	q.reset()
	u, err := c.prepare("UPDATE ledger SET value = ?3 WHERE target = ?1 AND key = ?2")
	if err != nil {
		return err
	}
	defer u.reset()
	return u.put(target, key, appendEntry(nil, &e))
}

// target is the number of a target in the ledger's keys; 0 when it has none and
// is not to be created.
func (s *Store) target(c *conn, name string, create bool) (int64, error) {
	if id := s.targets[name]; id != 0 {
		return id, nil
	}
	if create {
		if _, err := c.exec("INSERT INTO target (name) VALUES (?1) ON CONFLICT DO NOTHING", name); err != nil {
			return 0, err
		}
	}
	id := int64(0)
	err := c.query(func(s *stmt) error { id = s.int(0); return nil }, "SELECT id FROM target WHERE name = ?1", name)
	if err == nil && id != 0 {
		s.targets[name] = id
	}
	return id, err
}

// inOrder is the order in which to visit n keys so that neighbours in the table
// are visited together; equal keys keep their order.
func inOrder(n int, key func(int) string) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(key(a), key(b)) })
	return order
}
