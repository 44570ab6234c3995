package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"github.com/penstock-data/penstock/shared/ledger"
)

// lateMost is how many entries, those of one key counted each, wait before they are
// sorted into the table, about 35 MB. Keys come in no order, so that a commit of a few
// thousand entries would rewrite most leaves of the table; a commit of many rewrites them
// once. What waits is in the file too, in the table pending.
const lateMost = 300_000

// The store has one turn, which one sort-in of all would hold for half a second: so they
// are sorted in piece by piece. In a file that is done beside the calls (sortBeside),
// sliceMost in a turn, 7 to 20 ms. Where it falls behind, by half of lateMost, or failed, and
// in memory, each commit sorts in sortFactor entries for each that it brings.
const (
	sliceMost  = 5000
	sortFactor = 4
)

// late holds the entries of the table pending, one per key, and what is known of
// the table ledger beneath. The zero value is right for any file: load brings it up
// to date.
type late struct {
	young pending
	old   pending // those before young's, while they are being sorted in
	order []visit // what is left of old to sort in, by slot
	slots []int64 // of old, in order
	merger

	others int64    // what conn.others said when rows of others were last read
	last   int64    // the number of the last commit
	sorted int64    // the last commit that is wholly in the table; those after it wait
	recent []sorted // what was sorted in by this process, oldest first, without gaps
	absent absent   // slots that the table did not hold when they were read
	filled filter   // slots that it holds, but for those of old
	whole  bool     // filled has all of them
}

// pending are the entries of some rows of the table pending, by their slots. It is no map, and
// holds no pointer an entry, because the collector would follow 300,000 of them again and again.
type pending struct {
	seqs   []int64   // those rows
	bodies [][]byte  // what they hold
	all    []waiting // a key's last
	heads  []int32   // by a slot's last bits: one more than where in all its entries begin
	bits   []uint64  // headBits for each head: without a slot's bit it has no entry
	taken  int       // how many entries the rows hold
}

// headBits tell at most 1 in 16 slots wrongly. In a first load no key waits, and a look that
// leaves the processor's cache is what most of a look costs: of 262,144 entries the bits
// are 512 KB.
const headBits = 16

// waiting is an entry, a part of one of bodies; next is that of the next one with its head.
type waiting struct {
	slot             int64
	body, start, end int32
	next             int32
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
// gone, another process has sorted them in, and it starts anew. Where nobody else has
// written since, there is nothing to look at.
func (l *late) load(c *conn) error {
	others, err := c.others()
	if err != nil || others == l.others {
		return err
	}
	var now []int64
	if err := c.query(func(q *stmt) error { now = append(now, q.int(0)); return nil }, "SELECT seq FROM pending ORDER BY seq"); err != nil {
		return err
	}
	held := slices.Concat(l.old.seqs, l.young.seqs)
	if len(now) < len(held) || !slices.Equal(now[:len(held)], held) {
		*l, held = late{}, nil
	}
	for _, seq := range now[len(held):] {
		var body []byte
		if err := c.query(func(q *stmt) error { body = q.bytes(0); return nil }, "SELECT body FROM pending WHERE seq = ?1", seq); err != nil {
			return err
		}
		if err := l.young.take(seq, body); err != nil {
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
	if l.sorted == 0 { // nobody ever has, or not to the end: then it still waits
		l.whole = true
	}
	l.others = others
	return nil
}

// add stores a row of pending as the next commit. It keeps body.
func (l *late) add(c *conn, body []byte) error {
	if _, err := c.exec("INSERT INTO pending (seq, body) VALUES (?1, ?2)", l.last+1, body); err != nil {
		return err
	}
	l.last++
	return l.young.take(l.last, body)
}

// take adds a row's entries, which share its memory.
func (p *pending) take(seq int64, body []byte) error {
	p.bodies = append(p.bodies, body)
	for rest := body; len(rest) > 0; {
		slot, value, after, err := nextEntry(rest)
		if err != nil {
			return err
		}
		key, ok := keyOf(value)
		if !ok {
			return errEntry
		}
		end := int32(len(body) - len(after))
		p.put(key, waiting{slot: slot, body: int32(len(p.bodies) - 1), start: end - int32(len(value)), end: end})
		p.taken++
		rest = after
	}
	p.seqs = append(p.seqs, seq)
	return nil
}

func (p *pending) value(w *waiting) []byte { return p.bodies[w.body][w.start:w.end:w.end] }

// bit is a slot's bit.
func (p *pending) bit(slot int64) (word *uint64, bit uint64) {
	return &p.bits[slot/64&int64(len(p.bits)-1)], 1 << (slot % 64)
}

// lacks reports that a slot has no entry; false says nothing.
func (p *pending) lacks(slot int64) bool {
	if len(p.bits) == 0 {
		return true
	}
	word, bit := p.bit(slot)
	return *word&bit == 0
}

func (p *pending) head(slot int64) *int32 { return &p.heads[slot&int64(len(p.heads)-1)] }

// find is the entry of a key; nil when it has none.
func (p *pending) find(slot int64, key string) *waiting {
	if p.lacks(slot) {
		return nil
	}
	for at := *p.head(slot); at > 0; at = p.all[at-1].next {
		if w := &p.all[at-1]; w.slot == slot {
			if have, _ := keyOf(p.value(w)); string(have) == key {
				return w
			}
		}
	}
	return nil
}

// put replaces a key's entry by a later one.
func (p *pending) put(key []byte, w waiting) {
	if have := p.find(w.slot, string(key)); have != nil {
		have.body, have.start, have.end = w.body, w.start, w.end
		return
	}
	p.all = append(p.all, w)
	if len(p.all) <= len(p.heads) {
		p.link(len(p.all))
		return
	}
	size := max(1<<12, 2*len(p.heads))
	p.heads, p.bits = make([]int32, size), make([]uint64, size*headBits/64)
	for n := range p.all {
		p.link(n + 1)
	}
}

// link puts entry number n, counted from 1, before the others of its head.
func (p *pending) link(n int) {
	w := &p.all[n-1]
	word, bit := p.bit(w.slot)
	*word |= bit
	head := p.head(w.slot)
	w.next, *head = *head, int32(n)
}

// get is the value of a key; nil when it has none.
func (p *pending) get(slot int64, key string) []byte {
	if w := p.find(slot, key); w != nil {
		return p.value(w)
	}
	return nil
}

// get is the value that waits for a key; nil when none does.
func (l *late) get(slot int64, key string) []byte {
	if value := l.young.get(slot, key); value != nil {
		return value
	}
	return l.old.get(slot, key)
}

// each visits what waits in the slots after from, up to the slot to, in no order.
func (l *late) each(from, to int64, visit func(key, value []byte) error) error {
	for _, p := range []*pending{&l.young, &l.old} {
		for i := range p.all {
			w := &p.all[i]
			if w.slot <= from || w.slot > to {
				continue
			}
			value := p.value(w)
			key, ok := keyOf(value)
			if !ok {
				return errEntry
			}
			if p == &l.old && l.young.get(w.slot, string(key)) != nil {
				continue
			}
			if err := visit(key, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// freeze makes what waits the entries that are sorted in from now on.
func (l *late) freeze() {
	l.old, l.young = l.young, pending{}
	l.order, l.slots = make([]visit, len(l.old.all)), make([]int64, len(l.old.all))
	for i := range l.order {
		l.order[i] = visit{l.old.all[i].slot, i}
	}
	slices.SortFunc(l.order, func(a, b visit) int { return cmp.Compare(a.slot, b.slot) })
	for i, v := range l.order {
		l.slots[i] = v.slot
	}
}

// due reports whether entries are to be sorted in: most wait, or some of the last most
// still do.
func (l *late) due(most int) bool { return len(l.order) > 0 || l.young.taken >= most }

// sortBeside starts to sort in beside the calls where it is time; the caller has the turn.
// Where it fails, the commits go on with it, whose callers see what is wrong. Another
// process that asks for the file meanwhile may wait until all are sorted in, about a second.
func (s *Store) sortBeside() {
	if s.inMemory() || !s.late.due(s.lateMost) || !s.sorting.CompareAndSwap(sortNone, sortRuns) {
		return
	}
	s.beside.Go(func() {
		for more := true; more; {
			if err := s.write(context.Background(), func(c *conn) error {
				s.touched = true
				if err := s.late.load(c); err != nil {
					return err
				}
				if err := s.sortSome(c, s.slice); err != nil {
					return err
				}
				more = s.late.due(s.lateMost)
				return nil
			}); err != nil {
				s.sorting.Store(sortFailed)
				return
			}
		}
		s.sorting.Store(sortNone)
	})
}

// What sortBeside does.
const (
	sortNone int32 = iota
	sortRuns
	sortFailed // until commits have sorted all in
)

// sortWithCommit is the part of a commit of n entries.
func (s *Store) sortWithCommit(c *conn, n int) error {
	if s.inMemory() {
		return s.sortSome(c, sortFactor*n)
	}
	if s.sorting.Load() != sortFailed {
		if s.late.old.taken+s.late.young.taken <= s.lateMost+s.lateMost/2 {
			return nil
		}
		return s.sortSome(c, sortFactor*n)
	}
	err := s.sortSome(c, sortFactor*n)
	if err == nil && !s.late.due(s.lateMost) {
		s.sorting.Store(sortNone)
	}
	return err
}

// sortSome goes on with sorting in, by up to most entries, once enough wait; where twice
// as many wait, as processes began it that did not live to its end, it sorts in all.
func (s *Store) sortSome(c *conn, most int) error {
	l := &s.late
	if l.old.taken+l.young.taken > 2*s.lateMost {
		return s.sortIn(c)
	}
	if len(l.order) == 0 {
		if l.young.taken < s.lateMost {
			return nil
		}
		l.freeze()
	}
	return s.sortOld(c, most)
}

// sortOld sorts up to most entries of old in. Until all of them are, they wait as before
// for whoever reads the file.
func (s *Store) sortOld(c *conn, most int) error {
	l := &s.late
	for most > 0 && len(l.order) > 0 {
		n, err := l.merge(c, l.order, most, l.toSortIn)
		if err != nil {
			return err
		}
		l.order, most = l.order[n:], most-n
	}
	if len(l.order) > 0 {
		return nil
	}
	if _, err := c.exec("DELETE FROM pending WHERE seq <= ?1", l.old.seqs[len(l.old.seqs)-1]); err != nil {
		return err
	}
	l.sortedIn()
	return nil
}

// toSortIn is the value of an entry of old; nil where a later one waits, which another
// process may have sorted in already.
func (l *late) toSortIn(v visit) []byte {
	w := &l.old.all[v.i]
	value := l.old.value(w)
	if key, _ := keyOf(value); l.young.get(w.slot, string(key)) != nil {
		return nil
	}
	return value
}

// sortIn moves everything that waits into the table ledger.
func (s *Store) sortIn(c *conn) error {
	l := &s.late
	for len(l.order)+len(l.young.all) > 0 {
		if len(l.order) == 0 {
			l.freeze()
		}
		if err := s.sortOld(c, len(l.order)); err != nil {
			return err
		}
	}
	return nil
}
