package sqlite

import "slices"

// A commit is conditional on the revision that was read, but reading the table
// again for every entry would double its cost. What makes the check almost free: the
// revision that Entries gives out is the number of the last commit at the time of
// reading, so that a key that nobody wrote since is the one that was read. Keys that
// were written since are in late, or were sorted in since.

// recentMost is how many sort-ins are remembered, 8 bytes an entry.
const recentMost = 4

// sorted is one sort-in: the slots, in order, of the commits after from, up to upTo.
type sorted struct {
	from, upTo int64
	slots      []int64
}

// sortedIn is what is known after everything that waits was sorted in, in the order
// of its slots.
func (l *late) sortedIn() late {
	s := sorted{from: l.sorted, upTo: l.last, slots: make([]int64, len(l.all))}
	for i, w := range l.all {
		s.slots[i] = w.slot
	}
	recent := append(l.recent, s)
	if len(recent) > recentMost {
		recent = slices.Clone(recent[len(recent)-recentMost:])
	}
	return late{last: l.last, sorted: l.last, recent: recent, absent: l.absent}
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
