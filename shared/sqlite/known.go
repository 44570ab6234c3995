package sqlite

import "slices"

// A commit is conditional on the revision that was read, but reading the table
// again for every entry would double its cost. What makes the check almost free: the
// revision that Entries gives out is the number of the last commit at the time of
// reading, so that a key that nobody wrote since is the one that was read. Keys that
// were written since are in late, or were sorted in since.

// recentMost is how many sort-ins are remembered, 8 bytes an entry.
const recentMost = 2

// sorted is one sort-in, or one deletion: the slots, in order, of the commits after from,
// up to upTo.
type sorted struct {
	from, upTo int64
	slots      []int64
}

// sortedIn notes that all of old are in the table.
func (l *late) sortedIn() {
	s := sorted{from: l.sorted, upTo: l.old.seqs[len(l.old.seqs)-1], slots: l.slots}
	if l.whole {
		for _, slot := range s.slots {
			l.filled.add(slot)
		}
	}
	l.remember(s)
	l.sorted, l.old, l.order, l.slots = s.upTo, pending{}, nil, nil
}

func (l *late) remember(s sorted) {
	if l.recent = append(l.recent, s); len(l.recent) > recentMost {
		l.recent = slices.Clone(l.recent[len(l.recent)-recentMost:])
	}
}

// deleted notes that the entries of these slots are gone from the table, where nothing
// waits: as a commit of its own, so that a commit over one that was read before is judged.
func (l *late) deleted(c *conn, slots []int64) error {
	if len(slots) == 0 {
		return nil
	}
	if err := l.add(c, []byte{}); err != nil {
		return err
	}
	if _, err := c.exec("DELETE FROM pending"); err != nil {
		return err
	}
	slices.Sort(slots)
	l.remember(sorted{from: l.sorted, upTo: l.last, slots: slots})
	l.sorted, l.young = l.last, pending{}
	return nil
}

// untouched reports whether the table is known to hold nothing of a slot that was
// committed after revision; 0 stands for the reading that found it free.
func (l *late) untouched(slot, revision int64) bool {
	if revision == 0 {
		asOf, known := l.absent.asOf(slot)
		if !known {
			return false
		}
		revision = asOf
	}
	if revision >= l.sorted {
		return true
	}
	for i := len(l.recent) - 1; i >= 0; i-- {
		s := &l.recent[i]
		if _, there := slices.BinarySearch(s.slots, slot); there {
			return false
		}
		if s.from <= revision {
			return true
		}
	}
	return false
}

// vacant notes that the table holds nothing in a slot. Where another key of the slot waits,
// nothing is: its commit, which the table has yet to get, would count as seen.
func (l *late) vacant(slot int64) {
	if l.young.lacks(slot) && l.old.lacks(slot) {
		l.absent.note(slot, l.last)
	}
}

// absent remembers slots that were found free, and the last commit at that time.
// It may forget any of them.
type absent struct {
	slots, asOfs []int64 // at a slot's last bits; no slot is 0
}

// absentMost bounds it: 4 MB.
const absentMost = 1 << 18

// grow makes room for n more.
func (a *absent) grow(n int) {
	size := 64
	for size < 4*n && size < absentMost {
		size *= 2
	}
	if size <= len(a.slots) {
		return
	}
	old := *a
	*a = absent{make([]int64, size), make([]int64, size)}
	for i, slot := range old.slots {
		if slot != 0 {
			a.note(slot, old.asOfs[i])
		}
	}
}

func (a *absent) note(slot, asOf int64) {
	if len(a.slots) == 0 {
		return
	}
	i := slot & int64(len(a.slots)-1)
	a.slots[i], a.asOfs[i] = slot, asOf
}

func (a *absent) asOf(slot int64) (int64, bool) {
	if len(a.slots) == 0 {
		return 0, false
	}
	i := slot & int64(len(a.slots)-1)
	return a.asOfs[i], a.slots[i] == slot
}

// A filter tells slots that the table surely does not hold: a Bloom filter of three
// bits a slot over 4 MB, which at 3 million entries errs for 1 in 80. It is complete,
// and of use, only in the process that filled the table from the first entry on: so
// that a first load, where every key is new, need not look each of them up.
type filter struct{ words []uint64 }

const filterBits = 1 << 25

func (f *filter) add(slot int64) {
	if f.words == nil {
		f.words = make([]uint64, filterBits/64)
	}
	for _, p := range places(slot) {
		f.words[p/64] |= 1 << (p % 64)
	}
}

func (f *filter) lacks(slot int64) bool {
	if f.words == nil {
		return true
	}
	for _, p := range places(slot) {
		if f.words[p/64]&(1<<(p%64)) == 0 {
			return true
		}
	}
	return false
}

// places are a slot's bits.
func places(slot int64) [3]uint64 {
	h := uint64(slot) * 0x9e3779b97f4a7c15 // the target's number must not leave bits alike
	h ^= h >> 29
	h *= 0xbf58476d1ce4e5b9
	step := h>>32 | 1
	return [3]uint64{h % filterBits, (h + step) % filterBits, (h + 2*step) % filterBits}
}
