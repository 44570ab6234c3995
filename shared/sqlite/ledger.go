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
		if err := s.late.load(c); err != nil {
			return err
		}
		r := reader{}
		for _, v := range visits(id, len(keys), func(i int) string { return keys[i] }) {
			e, _, stored, err := s.find(q, &r, v.slot, keys[v.i])
			if err != nil {
				return err
			}
			if value := s.late.get(v.slot, keys[v.i]); value != nil {
				newer, err := s.decode(c, &r, keys[v.i], value)
				if err != nil {
					return err
				}
				e, stored = settle(e, stored, newer), true
			}
			if stored {
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
			e, err = s.named(q.c, e, number)
			return e, slot, true, err
		}
	}
}

// decode reads the value of a key.
func (s *Store) decode(c *conn, r *reader, key string, value []byte) (ledger.Entry, error) {
	e, number, same, err := r.entry(key, value)
	if err == nil && !same {
		err = errEntry
	}
	if err != nil {
		return e, err
	}
	return s.named(c, e, number)
}

// named fills in what the origin stands for.
func (s *Store) named(c *conn, e ledger.Entry, number int64) (ledger.Entry, error) {
	o, err := s.names.origin(c, number)
	e.Version, e.Run = o.version, o.run
	return e, err
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
		if err := s.late.load(c); err != nil {
			return err
		}
		var body []byte
		for i := range entries {
			e := &entries[i]
			origin, err := s.names.id(c, e)
			if err != nil {
				return err
			}
			body = appendPending(body, slotOf(id, []byte(e.Key)), e, origin)
		}
		if err := s.late.add(c, body); err != nil {
			return err
		}
		if len(s.late.all) < s.lateMost {
			return nil
		}
		if err := s.sortIn(c); err != nil {
			return err
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

// settle is what stays of a stored entry and one that was committed after it. I3:
// a stored one of a greater place stays but loses its fingerprint, because an older
// value was sent after it; the next run re-sends the record.
func settle(stored ledger.Entry, found bool, e ledger.Entry) ledger.Entry {
	if !found || stored.Place <= e.Place {
		return e
	}
	stored.Fingerprint, stored.Fields = row.Fingerprint{}, nil
	return stored
}

// resolve stores an entry whose slot holds another key's, or a newer one of its own.
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
		stored = settle(stored, true, *e)
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
