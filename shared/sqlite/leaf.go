package sqlite

import (
	"bytes"
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/penstock-data/penstock/shared/ledger"
)

// A leaf is a row of the table ledger: the entries of all slots from its own to the next
// leaf's, in their order, as appendPending writes them. So that a statement reads or
// writes some fifty entries, on one page. The first leaf, of slot 0, is always there.

// leafMost is how many bytes a leaf has at most, if its entries do not share a slot: with
// them a page of 8 KiB is full.
const leafMost = 8000

const (
	selectLeaf = "SELECT body FROM ledger WHERE slot <= ?1 ORDER BY slot DESC LIMIT 1"
	// Where the leaf of a slot begins, and the next one, or NULL.
	selectRange = `SELECT body, slot, (SELECT min(slot) FROM ledger WHERE slot > ?1)
		FROM ledger WHERE slot <= ?1 ORDER BY slot DESC LIMIT 1`
	replaceLeaf = "INSERT OR REPLACE INTO ledger (slot, body) VALUES (?1, ?2)"
)

// nextEntry cuts the first entry off what appendPending wrote.
func nextEntry(body []byte) (slot int64, value, rest []byte, err error) {
	if len(body) < 9 {
		return 0, nil, nil, errEntry
	}
	n, w := binary.Uvarint(body[8:])
	if w <= 0 || n > uint64(len(body)-8-w) {
		return 0, nil, nil, errEntry
	}
	at := 8 + w
	return int64(binary.BigEndian.Uint64(body)), body[at : at+int(n)], body[at+int(n):], nil
}

// leafOf reads the body of a slot's leaf, which is valid until q's next run.
func leafOf(q *stmt, slot int64) ([]byte, error) {
	q.reset()
	if err := q.bindInt(1, slot); err != nil {
		return nil, err
	}
	switch row, err := q.step(); {
	case err != nil:
		return nil, err
	case !row:
		return nil, errEntry
	}
	return q.view(0), nil
}

// A scan reads entries from the table, best by slot: one statement for those of a leaf.
type scan struct {
	q    *stmt  // selectLeaf
	from int64  // the slot that was asked for last
	rest []byte // what its leaf has in that slot and after it
}

// find reads a key's entry; free says that no key has one in its slot.
func (s *scan) find(r *reader, slot int64, key string) (e ledger.Entry, origin int64, found, free bool, err error) {
	if slot < s.from {
		s.rest = nil
	}
	if err = s.skip(slot); err == nil && len(s.rest) == 0 {
		if s.rest, err = leafOf(s.q, slot); err == nil {
			err = s.skip(slot)
		}
	}
	s.from, free = slot, true
	for body := s.rest; len(body) > 0 && err == nil && !found; {
		var at int64
		var value []byte
		if at, value, body, err = nextEntry(body); err != nil || at != slot {
			break
		}
		free = false
		e, origin, found, err = r.entry(key, value)
	}
	return e, origin, found, free, err
}

// skip goes on to the first entry that is not before the slot.
func (s *scan) skip(slot int64) error {
	for len(s.rest) > 0 {
		at, _, after, err := nextEntry(s.rest)
		if err != nil {
			s.rest = nil
			return err
		}
		if at >= slot {
			break
		}
		s.rest = after
	}
	return nil
}

// A merger puts entries that wait into leaves. It keeps its memory.
type merger struct{ old, made []byte }

// merge puts entries into the leaf of the first one, as many as belong there, but none of
// another slot after the first most of them, and returns how many. visits are in the order
// of their slots; value is a visit's, nil where it is to be left out.
func (m *merger) merge(c *conn, visits []visit, most int, value func(visit) []byte) (n int, err error) {
	q, err := c.prepare(selectRange)
	if err != nil {
		return 0, err
	}
	body, err := leafOf(q, visits[0].slot)
	if err != nil {
		return 0, err
	}
	m.old, m.made = append(m.old[:0], body...), m.made[:0]
	from, end := q.int(1), q.int(2)
	q.reset()
	if end == 0 { // NULL: it is the last leaf
		end = math.MaxInt64
	}
	old := m.old
	for n < len(visits) && visits[n].slot < end && n < most {
		same := 1
		for n+same < len(visits) && visits[n+same].slot == visits[n].slot {
			same++
		}
		if old, err = m.place(old, visits[n:n+same], value); err != nil {
			return 0, err
		}
		n += same
	}
	m.made = append(m.made, old...)
	return n, writeLeaves(c, from, m.made)
}

// place appends to made what old has before the slot of the visits, then that slot's
// entries, old ones of other keys first, and returns the rest of old.
func (m *merger) place(old []byte, visits []visit, value func(visit) []byte) ([]byte, error) {
	slot, before := visits[0].slot, old
	for len(old) > 0 {
		at, stored, rest, err := nextEntry(old)
		if err != nil {
			return nil, err
		}
		if at > slot {
			break
		}
		if at == slot && replaced(stored, visits, value) {
			m.made = append(m.made, before[:len(before)-len(old)]...)
			before = rest
		}
		old = rest
	}
	m.made = append(m.made, before[:len(before)-len(old)]...)
	for _, v := range visits {
		if value := value(v); value != nil {
			m.made = appendValue(m.made, slot, value)
		}
	}
	return old, nil
}

// replaced reports whether one of the visits brings a value of the stored one's key.
func replaced(stored []byte, visits []visit, value func(visit) []byte) bool {
	key, _ := keyOf(stored)
	for _, v := range visits {
		if value := value(v); value != nil {
			if other, _ := keyOf(value); bytes.Equal(key, other) {
				return true
			}
		}
	}
	return false
}

// appendValue appends an entry as appendPending does.
func appendValue(b []byte, slot int64, value []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(slot))
	b = binary.AppendUvarint(b, uint64(len(value)))
	return append(b, value...)
}

// writeLeaves stores the entries of the leaf from; where they are too many for one, they
// become several of about the same size, three quarters full, between two slots each.
func writeLeaves(c *conn, from int64, entries []byte) error {
	if len(entries) <= leafMost {
		return writeLeaf(c, from, entries)
	}
	parts := (len(entries) + leafMost*3/4 - 1) / (leafMost * 3 / 4)
	enough := len(entries) / parts
	begin, rest, last := entries, entries, from
	for len(rest) > 0 {
		slot, _, after, err := nextEntry(rest)
		if err != nil {
			return err
		}
		if taken := len(begin) - len(rest); taken >= enough && slot != last {
			if err := writeLeaf(c, from, begin[:taken]); err != nil {
				return err
			}
			begin, from = rest, slot
		}
		rest, last = after, slot
	}
	return writeLeaf(c, from, begin)
}

func writeLeaf(c *conn, slot int64, body []byte) error {
	s, err := c.prepare(replaceLeaf)
	if err != nil {
		return err
	}
	defer s.reset()
	at, err := c.scratch(max(len(body), 1))
	if err != nil {
		return err
	}
	copy(unsafe.Slice((*byte)(pointer(at)), len(body)), body)
	if err := s.bindInt(1, slot); err != nil {
		return err
	}
	if err := s.bindBlob(2, at, len(body)); err != nil {
		return err
	}
	_, err = s.step()
	return err
}

// without is a leaf's entries but for a key's; found says that it had one.
func without(body []byte, slot int64, key string) (rest []byte, found bool, err error) {
	for all := body; len(all) > 0; {
		at, value, after, err := nextEntry(all)
		if err != nil {
			return nil, false, err
		}
		if name, _ := keyOf(value); at == slot && string(name) == key {
			found = true
		} else {
			rest = append(rest, all[:len(all)-len(after)]...)
		}
		all = after
	}
	return rest, found, nil
}
