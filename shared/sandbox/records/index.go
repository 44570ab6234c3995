package records

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"slices"
)

// A hashIndex finds the rows that hold a value, as its column compares them.
// Entries whose row has changed since stay, and are told by comparing with the
// row's value. Chains keep an insert cheap when many rows share a value.
type hashIndex struct {
	heads []uint32 // per bucket, the newest entry + 1
	rows  []uint32 // per entry
	next  []uint32 // per entry, the next older one + 1
}

var seed = maphash.MakeSeed()

// insert adds a row under its present value.
func (x *hashIndex) insert(t *Table, field, row int) {
	if len(x.rows) >= len(x.heads) {
		x.rebuild(t, field)
		return // the rebuild took the row in
	}
	x.put(t.canon(field, t.Get(row, field)), row)
}

func (x *hashIndex) put(canonical []byte, row int) {
	head := &x.heads[maphash.Bytes(seed, canonical)&uint64(len(x.heads)-1)]
	x.rows = append(x.rows, uint32(row))
	x.next = append(x.next, *head)
	*head = uint32(len(x.rows))
}

// rebuild makes the index anew from the column, with room to double.
func (x *hashIndex) rebuild(t *Table, field int) {
	x.heads = make([]uint32, max(64, 1<<bits.Len(uint(t.Rows()*2))))
	x.rows, x.next = x.rows[:0], x.next[:0]
	for r, c := range t.columns[field].cells {
		if c != 0 {
			x.put(t.canon(field, t.texts.text(c)), r)
		}
	}
}

// find appends the living rows whose value equals a text in canonical form.
func (x *hashIndex) find(dst []int, t *Table, field int, canonical []byte) []int {
	if len(x.heads) == 0 {
		return dst
	}
	first := len(dst)
	for at := x.heads[maphash.Bytes(seed, canonical)&uint64(len(x.heads)-1)]; at != 0; at = x.next[at-1] {
		row := int(x.rows[at-1])
		if t.deleted[row] || !bytes.Equal(t.canon(field, t.Get(row, field)), canonical) {
			continue
		}
		if !contains(dst[first:], row) { // a row that changed back and forth is there twice
			dst = append(dst, row)
		}
	}
	return dst
}

// contains looks in the few rows that share a value; many sharing rows are
// compacted by the query.
func contains(rows []int, row int) bool { return len(rows) <= 16 && slices.Contains(rows, row) }

// A gramIndex finds the rows whose text may contain a literal. Of every three
// neighbouring runs of six bytes the one with the smallest hash is indexed
// (a minimizer), so any literal of eight bytes or more shares one with every text
// that contains it. Answers are candidates: the query compares them.
type gramIndex struct {
	starts []uint32 // per bucket, where its rows begin
	rows   []uint32
	tail   []uint32 // rows changed since
	mask   uint32
}

const (
	gramSize   = 6
	gramWindow = 3
	minLiteral = gramSize + gramWindow - 1
	fewRows    = 4 // candidates that are compared rather than looked for in the longer lists
)

// minimizers appends the hashes of the selected runs of a text in canonical form.
func minimizers(dst []uint32, text []byte) []uint32 {
	if len(text) < minLiteral {
		return dst
	}
	first := len(dst)
	var gram uint64
	for _, c := range text[:gramSize-1] {
		gram = gram>>8 | uint64(c)<<40
	}
	a, b := ^uint32(0), ^uint32(0) // the two hashes before this one
	for i, x := range text[gramSize-1:] {
		gram = gram>>8 | uint64(x)<<40
		c := uint32(gram * 0x9E3779B97F4A7C15 >> 32)
		if i >= gramWindow-1 {
			if least := min(a, b, c); len(dst) == first || dst[len(dst)-1] != least {
				dst = append(dst, least)
			}
		}
		a, b = b, c
	}
	return dst
}

// buildGrams indexes a column: once over to count, once to fill.
func buildGrams(t *Table, field int) *gramIndex {
	cells := t.columns[field].cells
	var hashes []uint32
	of := func(c cell) []uint32 {
		hashes = minimizers(hashes[:0], t.canon(field, t.texts.text(c)))
		return hashes
	}
	// Most texts of twenty or thirty bytes have about ten minimizers.
	size := max(1<<8, 1<<bits.Len(uint(len(cells)*5)))
	x := &gramIndex{starts: make([]uint32, size+1), mask: uint32(size - 1)}
	for _, c := range cells {
		for _, h := range of(c) {
			x.starts[h&x.mask+1]++
		}
	}
	for b := 1; b < len(x.starts); b++ {
		x.starts[b] += x.starts[b-1]
	}
	x.rows = make([]uint32, x.starts[size])
	next := slices.Clone(x.starts[:size])
	for r, c := range cells {
		for _, h := range of(c) {
			x.rows[next[h&x.mask]] = uint32(r)
			next[h&x.mask]++
		}
	}
	return x
}

// candidates are the rows that may contain a literal in canonical form, of at least
// minLiteral bytes: those in the lists of its runs, of the shorter lists first, until few
// are left. A row may be there twice.
func (x *gramIndex) candidates(literal []byte) (indexed, changed []uint32) {
	var hashes [32]uint32
	lists := make([][]uint32, 0, len(hashes))
	for _, h := range minimizers(hashes[:0], literal) {
		b := h & x.mask
		lists = append(lists, x.rows[x.starts[b]:x.starts[b+1]])
	}
	slices.SortFunc(lists, func(a, b []uint32) int { return len(a) - len(b) })
	indexed = lists[0]
	for _, list := range lists[1:] {
		if len(indexed) <= fewRows {
			break
		}
		indexed = common(indexed, list)
	}
	return indexed, x.tail
}

// common is what of a list of ascending rows is in another one too.
func common(a, b []uint32) []uint32 {
	var both []uint32
	for _, row := range a {
		n, found := slices.BinarySearch(b, row)
		if found {
			both = append(both, row)
		}
		b = b[n:]
	}
	return both
}

// changed notes a row that the index no longer describes, and reports whether the
// index is still worth keeping.
func (x *gramIndex) changed(row, rows int) bool {
	x.tail = append(x.tail, uint32(row))
	return len(x.tail) <= 256+rows/64
}
