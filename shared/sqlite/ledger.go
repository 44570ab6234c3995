package sqlite

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
)

// A slot is a target's number above 47 bits of the key's SHA-256, so that a
// target's entries lie together. Where two keys have one hash, the later takes the
// next free slot; entries are never deleted, so that no chain has a gap.
const (
	hashBits  = 47
	maxTarget = 1<<(63-hashBits) - 1
)

const (
	selectEntry = "SELECT value FROM ledger WHERE slot = ?1"
	// upsertEntry leaves an entry of a greater place, or of another key, alone, and
	// then changes no row: resolve sees to those.
	upsertEntry = `INSERT INTO ledger (slot, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value
		WHERE substr(value, 1, 8) <= substr(excluded.value, 1, 8) AND substr(value, 9, ?3) = substr(excluded.value, 9, ?3)`
	replaceEntry = "INSERT OR REPLACE INTO ledger (slot, value) VALUES (?1, ?2)"
)

// Entries implements pipeline.Ledger.
func (s *Store) Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error) {
	found := make(map[string]ledger.Entry, len(keys))
	if len(keys) == 0 {
		return found, nil
	}
	err := s.read(ctx, func(c *conn) error {
		id, err := s.names.target(c, target, false)
		if err != nil || id == 0 {
			return err
		}
		q, err := c.prepare(selectEntry)
		if err != nil {
			return err
		}
		defer q.reset()
		r := reader{}
		for _, v := range visits(id, len(keys), func(i int) string { return keys[i] }) {
			e, _, found1, err := s.find(q, &r, v.slot, keys[v.i])
			if err != nil {
				return err
			}
			if found1 {
				found[keys[v.i]] = e
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %d ledger entries of %s: %w", len(keys), target, err)
	}
	return found, nil
}

// find follows a key's chain to its entry, or to the free slot where it belongs.
func (s *Store) find(q *stmt, r *reader, slot int64, key string) (e ledger.Entry, at int64, found bool, err error) {
	for ; ; slot++ {
		q.reset()
		if err := q.bindInt(1, slot); err != nil {
			return e, slot, false, err
		}
		row, err := q.step()
		if err != nil || !row {
			return e, slot, false, err
		}
		e, number, same, err := r.entry(key, q.view(0))
		if err != nil {
			return e, slot, false, err
		}
		if same {
			o, err := s.names.origin(q.c, number)
			e.Version, e.Run = o.version, o.run
			return e, slot, true, err
		}
	}
}

// Commit implements pipeline.Ledger.
func (s *Store) Commit(ctx context.Context, target string, entries []ledger.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	err := s.write(ctx, func(c *conn) error {
		id, err := s.names.target(c, target, true)
		if err != nil {
			return err
		}
		q, err := c.prepare(upsertEntry)
		if err != nil {
			return err
		}
		defer q.reset()
		var value []byte
		for _, v := range visits(id, len(entries), func(i int) string { return entries[i].Key }) {
			e := &entries[v.i]
			origin, err := s.names.id(c, e)
			if err != nil {
				return err
			}
			value = appendEntry(value[:0], e, origin)
			if err := q.put(v.slot, value, keySize(e.Key)); err != nil {
				return err
			}
			if c.changes() == 0 {
				if err := s.resolve(c, v.slot, e, value); err != nil {
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

// put runs upsertEntry or replaceEntry, which has no third parameter.
func (s *stmt) put(slot int64, value []byte, keySize int) error {
	s.reset()
	at, err := s.c.room(len(value))
	if err != nil {
		return err
	}
	copy(unsafe.Slice((*byte)(pointer(at)), len(value)), value)
	if err := s.bindInt(1, slot); err != nil {
		return err
	}
	if err := s.bindBlob(2, at, len(value)); err != nil {
		return err
	}
	if keySize > 0 {
		if err := s.bindInt(3, int64(keySize)); err != nil {
			return err
		}
	}
	_, err = s.step()
	return err
}

// resolve stores an entry whose slot holds another key's, or a newer one of its
// own. I3: the newer one stays but loses its fingerprint, because an older value
// was sent after it; the next run re-sends the record.
func (s *Store) resolve(c *conn, slot int64, e *ledger.Entry, value []byte) error {
	q, err := c.prepare(selectEntry)
	if err != nil {
		return err
	}
	defer q.reset()
	var r reader
	stored, at, found, err := s.find(q, &r, slot, e.Key)
	if err != nil {
		return err
	}
	if found && stored.Place > e.Place {
		stored.Fingerprint, stored.Fields = row.Fingerprint{}, nil
		origin, err := s.names.id(c, &stored)
		if err != nil {
			return err
		}
		value = appendEntry(nil, &stored, origin)
	}
	q.reset()
	u, err := c.prepare(replaceEntry)
	if err != nil {
		return err
	}
	defer u.reset()
	return u.put(at, value, 0)
}

// A visit is the turn of key number i.
type visit struct {
	slot int64
	i    int
}

// visits orders n keys by slot, so that neighbours in the table are visited
// together; equal keys keep their order.
func visits(target int64, n int, key func(int) string) []visit {
	all := make([]visit, n)
	var scratch []byte
	for i := range all {
		scratch = append(scratch[:0], key(i)...)
		all[i] = visit{slotOf(target, scratch), i}
	}
	slices.SortFunc(all, func(a, b visit) int {
		if a.slot != b.slot {
			return cmp.Compare(a.slot, b.slot)
		}
		return a.i - b.i
	})
	return all
}

// slotOf is where a key's chain begins. Tests put keys into one chain with it.
var slotOf = func(target int64, key []byte) int64 {
	sum := sha256.Sum256(key)
	return target<<hashBits | int64(binary.BigEndian.Uint64(sum[:])>>(64-hashBits))
}
