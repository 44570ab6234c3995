package sqlite

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/penstock-data/penstock/shared/ledger"
)

// lateMost is how many entries wait before they are sorted into the table, about
// 45 MB. Keys come in no order, so that a commit of a few thousand entries would
// rewrite most pages of the table; a commit of many rewrites them once: at a million
// entries, 200,000 take two thirds of the time that 50,000 take. What waits is in
// the file too, in the table pending.
const lateMost = 200_000

// late holds the entries of the table pending, one per key, and what is known of
// the table ledger beneath. The zero value is right for any file: load brings it up
// to date.
type late struct {
	seqs   []int64         // the rows of pending that it holds
	bySlot map[int64]int32 // the first of a slot's entries in all
	all    []waiting

	last   int64    // the number of the last commit
	sorted int64    // the last commit that is in the table; those after it wait
	recent []sorted // what was sorted in by this process, oldest first, without gaps
	absent absent   // slots that the table did not hold when they were read
	filled filter   // slots that it holds
	whole  bool     // filled has all of them
}

// waiting is an entry; next is the one of another key with the same slot, or -1.
type waiting struct {
	slot  int64
	value []byte
	next  int32
}

// appendPending appends an entry to a row of pending: 8 big-endian bytes of slot,
// the value's length as an unsigned varint, and the value.
func appendPending(b []byte, slot int64, e *ledger.Entry, origin, revision int64) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(slot))
	start := len(b)
	b = appendEntry(append(b, 0, 0), e, origin, revision)
	n := len(b) - start - 2
	if n >= 1<<14 { // rare: three bytes of length or more
		value := bytes.Clone(b[start+2:])
		return append(binary.AppendUvarint(b[:start], uint64(n)), value...)
	}
	b[start], b[start+1] = byte(n)|0x80, byte(n>>7) // a varint of two bytes, whatever n is
	return b
}

// load reads the rows of pending that others wrote. When some that it holds are
// gone, another process has sorted them in, and it starts anew.
func (l *late) load(c *conn) error {
	var now []int64
	if err := c.query(func(q *stmt) error { now = append(now, q.int(0)); return nil }, "SELECT seq FROM pending ORDER BY seq"); err != nil {
		return err
	}
	if len(now) < len(l.seqs) || !slices.Equal(now[:len(l.seqs)], l.seqs) {
		*l = late{}
	}
	for _, seq := range now[len(l.seqs):] {
		var body []byte
		if err := c.query(func(q *stmt) error { body = q.bytes(0); return nil }, "SELECT body FROM pending WHERE seq = ?1", seq); err != nil {
			return err
		}
		if err := l.take(seq, body); err != nil {
			return err
		}
	}
	if err := c.query(func(q *stmt) error { l.last = q.int(0); return nil }, "SELECT seq FROM sqlite_sequence WHERE name = 'pending'"); err != nil {
		return err
	}
	before := l.sorted
	if l.sorted = l.last; len(now) > 0 {
		l.sorted = now[0] - 1
	}
	if l.sorted != before { // others have sorted in since
		l.recent, l.filled, l.whole = nil, filter{}, false
	}
	if l.sorted == 0 { // nobody ever has
		l.whole = true
	}
	return nil
}

// add stores a row of pending as the next commit. It keeps body.
func (l *late) add(c *conn, body []byte) error {
	if _, err := c.exec("INSERT INTO pending (seq, body) VALUES (?1, ?2)", l.last+1, body); err != nil {
		return err
	}
	l.last++
	return l.take(l.last, body)
}

// take adds a row's entries, which share its memory.
func (l *late) take(seq int64, body []byte) error {
	if l.bySlot == nil {
		l.bySlot = make(map[int64]int32)
	}
	for len(body) > 0 {
		if len(body) < 9 {
			return errEntry
		}
		slot := int64(binary.BigEndian.Uint64(body))
		v := values{b: body[8:]}
		value := v.text()
		key, ok := keyOf(value)
		if v.bad || !ok {
			return errEntry
		}
		l.put(slot, key, value)
		body = v.b
	}
	l.seqs = append(l.seqs, seq)
	return nil
}

// put replaces a key's entry by a later one.
func (l *late) put(slot int64, key, value []byte) {
	first, known := l.bySlot[slot]
	if !known {
		first = -1
	}
	for at := first; at >= 0; at = l.all[at].next {
		if have, _ := keyOf(l.all[at].value); bytes.Equal(have, key) {
			l.all[at].value = value
			return
		}
	}
	l.bySlot[slot] = int32(len(l.all))
	l.all = append(l.all, waiting{slot, value, first})
}

// get is the value of a key; nil when it has none.
func (l *late) get(slot int64, key string) []byte {
	at, known := l.bySlot[slot]
	for known && at >= 0 {
		if have, _ := keyOf(l.all[at].value); string(have) == key {
			return l.all[at].value
		}
		at = l.all[at].next
	}
	return nil
}

// order visits what waits by slot.
func (l *late) order() []visit {
	all := make([]visit, len(l.all))
	for i := range all {
		all[i] = visit{l.all[i].slot, i}
	}
	slices.SortFunc(all, func(a, b visit) int { return cmp.Compare(a.slot, b.slot) })
	return all
}

// sortIn moves everything that waits into the table ledger.
func (s *Store) sortIn(c *conn) error {
	q, err := c.prepare(upsertEntry)
	if err != nil {
		return err
	}
	defer q.reset()
	l := &s.late
	order := l.order()
	for _, v := range order {
		w := &l.all[v.i]
		key, _ := keyOf(w.value)
		if err := q.put(w.slot, w.value, keySize(len(key))); err != nil {
			return err
		}
		if c.changes() > 0 {
			continue
		}
		if err := s.place(c, w.slot, string(key), w.value); err != nil {
			return err
		}
	}
	_, err = c.exec("DELETE FROM pending")
	s.late = l.sortedIn(order)
	return err
}
