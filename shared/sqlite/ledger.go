package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/penstock-data/penstock/shared/ledger"
)

// A slot is a target's number above 47 bits of the key's XXH3, so that a
// target's entries lie together. Keys may share one.
const (
	hashBits  = 47
	maxTarget = 1<<(63-hashBits) - 1
)

// Entries reads the entries of the keys that have one. Their Revision is the last
// commit's number: see known.go.
func (s *Store) Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error) {
	found := make(map[string]ledger.Entry, len(keys))
	if len(keys) == 0 {
		return found, nil
	}
	err := s.read(ctx, func(c *conn) error {
		if err := s.late.load(c); err != nil {
			return err
		}
		return s.entries(c, target, keys, func(key string, e ledger.Entry) { found[key] = e })
	})
	if err != nil {
		return nil, fmt.Errorf("read %d ledger entries of %s: %w", len(keys), target, err)
	}
	return found, nil
}

// entries calls found with the entries that exist among the keys, after late.load.
func (s *Store) entries(c *conn, target string, keys []string, found func(key string, e ledger.Entry)) error {
	id, err := s.names.target(c, target, false)
	if err != nil || id == 0 {
		return err
	}
	q, err := c.prepare(selectLeaf)
	if err != nil {
		return err
	}
	defer q.reset()
	s.late.absent.grow(len(keys))
	r := reader{}
	keep := func(i int, e ledger.Entry) {
		e.Revision = s.late.last
		found(keys[i], e)
	}
	var rest []visit
	var scratch []byte
	for i, key := range keys {
		scratch = append(scratch[:0], key...)
		slot := slotOf(id, scratch)
		e, stored, known, err := s.known(c, &r, slot, key)
		switch {
		case err != nil:
			return err
		case stored:
			keep(i, e)
		case !known:
			rest = append(rest, visit{slot, i})
		}
	}
	// By slot, so that neighbours in the table are visited together.
	slices.SortFunc(rest, func(a, b visit) int { return cmp.Compare(a.slot, b.slot) })
	table := scan{q: q}
	for _, v := range rest {
		e, stored, err := s.inTable(&table, &r, v.slot, keys[v.i])
		if err != nil {
			return err
		}
		if stored {
			keep(v.i, e)
		}
	}
	return nil
}

// entry reads one key, with the revision that is stored.
func (s *Store) entry(q *stmt, r *reader, slot int64, key string) (e ledger.Entry, stored bool, err error) {
	e, stored, known, err := s.known(q.c, r, slot, key)
	if known || err != nil {
		return e, stored, err
	}
	return s.inTable(&scan{q: q}, r, slot, key)
}

// known reads one key without the table, where it waits, or surely has no entry: in a
// first load nearly all do one or the other.
func (s *Store) known(c *conn, r *reader, slot int64, key string) (e ledger.Entry, stored, known bool, err error) {
	if value := s.late.get(slot, key); value != nil {
		e, number, _, err := r.entry(key, value)
		if err == nil {
			err = s.named(c, &e, number)
		}
		return e, true, true, err
	}
	if s.late.whole && s.late.filled.lacks(slot) {
		s.late.vacant(slot)
		return e, false, true, nil
	}
	return e, false, false, nil
}

// inTable reads one key from the table.
func (s *Store) inTable(table *scan, r *reader, slot int64, key string) (e ledger.Entry, stored bool, err error) {
	e, number, stored, free, err := table.find(r, slot, key)
	if err != nil || !stored {
		if free && err == nil {
			s.late.vacant(slot)
		}
		return e, false, err
	}
	return e, true, s.named(table.q.c, &e, number)
}

// named sets the texts that an entry's origin stands for.
func (s *Store) named(c *conn, e *ledger.Entry, number int64) error {
	o, err := s.names.origin(c, number)
	e.Held.Version, e.Last.Run = o.version, o.run
	return err
}

// Ledgers are the targets of all ledgers that entries were ever committed to.
func (s *Store) Ledgers(ctx context.Context) (targets []string, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error { targets = append(targets, q.text(0)); return nil }, "SELECT name FROM target ORDER BY name")
	})
	if err != nil {
		return nil, fmt.Errorf("list the ledgers: %w", err)
	}
	return targets, nil
}

// Commit stores entries, each over the one with its Revision; where another one is
// stored, what ledger.Merge says is stored instead, and where that was deleted since, what
// ledger.Orphan says; lost holds the entry's position if they say that it lost. A key stands
// in entries once.
func (s *Store) Commit(ctx context.Context, target string, entries []ledger.Entry) (lost []int, err error) {
	if len(entries) == 0 {
		return nil, nil
	}
	err = s.write(ctx, func(c *conn) error {
		s.touched = true
		id, err := s.names.target(c, target, true)
		if err != nil {
			return err
		}
		q, err := c.prepare(selectLeaf)
		if err != nil {
			return err
		}
		defer q.reset()
		if err := s.late.load(c); err != nil {
			return err
		}
		body, scratch := make([]byte, 0, 128*len(entries)), []byte(nil)
		claims := claims{target: id}
		for i := range entries {
			e := &entries[i]
			if e.Claim != "" {
				claims.add(e)
			}
			scratch = append(scratch[:0], e.Key...)
			slot := slotOf(id, scratch)
			write, won, err := s.settle(q, slot, e)
			if err != nil {
				return err
			}
			if !won {
				lost = append(lost, i)
			}
			if write == nil {
				continue
			}
			origin, err := s.names.id(c, write)
			if err != nil {
				return err
			}
			body = appendPending(body, slot, write, origin, s.late.last+1)
		}
		if err := s.late.add(c, body); err != nil {
			return err
		}
		if err := claims.store(c, s.claimsMost); err != nil {
			return err
		}
		return s.sortWithCommit(c, len(entries))
	})
	if err != nil {
		return nil, fmt.Errorf("commit %d ledger entries of %s: %w", len(entries), target, err)
	}
	return lost, nil
}

// settle is what to store for e: itself, or what ledger.Merge makes of it and of one
// that was committed since e was read, or ledger.Orphan of it where that was deleted; nil
// where that is nothing.
func (s *Store) settle(q *stmt, slot int64, e *ledger.Entry) (write *ledger.Entry, won bool, err error) {
	if value := s.late.get(slot, e.Key); value != nil {
		if revisionOf(value) <= e.Revision {
			return e, true, nil
		}
	} else if s.late.untouched(slot, e.Revision) {
		return e, true, nil
	}
	stored, found, err := s.entry(q, &reader{}, slot, e.Key)
	q.reset()
	switch {
	case err != nil:
		return nil, false, err
	case !found && e.Revision > 0:
		orphan, lost := ledger.Orphan(*e)
		if lost {
			return nil, false, nil
		}
		return &orphan, true, nil
	case !found, stored.Revision <= e.Revision:
		return e, true, nil
	}
	merged, lost := ledger.Merge(stored, *e)
	return &merged, !lost, nil
}

// A visit is the turn of key number i.
type visit struct {
	slot int64
	i    int
}

// slotOf is a key's slot. Tests put several keys into one with it.
var slotOf = func(target int64, key []byte) int64 {
	return target<<hashBits | int64(xxh3.Hash(key)>>(64-hashBits))
}
