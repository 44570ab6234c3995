package salesforce

import (
	"bytes"
	"hash/maphash"
	"math/bits"
)

// A hashIndex finds the rows that hold a text, without regard to case. Entries
// whose row has changed since stay, and are told by comparing with the row's
// value. Chains keep an insert cheap when many rows share a value.
type hashIndex struct {
	heads []uint32 // per bucket, the newest entry + 1
	rows  []uint32 // per entry
	next  []uint32 // per entry, the next older one + 1
}

var seed = maphash.MakeSeed()

// insert adds a row under its present value.
func (x *hashIndex) insert(t *table, field, row int) {
	if len(x.rows) >= len(x.heads) {
		x.rebuild(t, field)
		return // the rebuild took the row in
	}
	x.put(t.fold(t.get(row, field)), row)
}

func (x *hashIndex) put(folded []byte, row int) {
	head := &x.heads[maphash.Bytes(seed, folded)&uint64(len(x.heads)-1)]
	x.rows = append(x.rows, uint32(row))
	x.next = append(x.next, *head)
	*head = uint32(len(x.rows))
}

// rebuild makes the index anew from the column, with room to double.
func (x *hashIndex) rebuild(t *table, field int) {
	x.heads = make([]uint32, max(64, 1<<bits.Len(uint(t.rows()*2))))
	x.rows, x.next = x.rows[:0], x.next[:0]
	for r, c := range t.columns[field].cells {
		if c != 0 {
			x.put(t.fold(t.texts.text(c)), r)
		}
	}
}

// find appends the living rows whose value equals a folded text.
func (x *hashIndex) find(dst []uint32, t *table, field int, folded []byte) []uint32 {
	if len(x.heads) == 0 {
		return dst
	}
	first := len(dst)
	for at := x.heads[maphash.Bytes(seed, folded)&uint64(len(x.heads)-1)]; at != 0; at = x.next[at-1] {
		row := x.rows[at-1]
		if t.deleted[row] || !bytes.Equal(t.fold(t.get(int(row), field)), folded) {
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
func contains(rows []uint32, row uint32) bool {
	if len(rows) > 16 {
		return false
	}
	for _, r := range rows {
		if r == row {
			return true
		}
	}
	return false
}

// A gramIndex finds the rows whose text may contain a literal. Of every four
// neighbouring runs of five bytes the one with the smallest hash is indexed
// (a minimizer), so any literal of eight bytes or more shares one with every text
// that contains it. Answers are candidates: the query compares them.
type gramIndex struct {
	starts []uint32 // per bucket, where its rows begin
	rows   []uint32
	tail   []uint32 // rows changed since
	mask   uint32
}

const (
	gramSize   = 5
	gramWindow = 4
	minLiteral = gramSize + gramWindow - 1
)

// minimizers calls yield with the hash of each selected run of a folded text.
func minimizers(text []byte, yield func(uint32)) {
	if len(text) < minLiteral {
		return
	}
	var window [gramWindow]uint32
	last, any := uint32(0), false
	for i := 0; i+gramSize <= len(text); i++ {
		g := uint64(text[i]) | uint64(text[i+1])<<8 | uint64(text[i+2])<<16 | uint64(text[i+3])<<24 | uint64(text[i+4])<<32
		window[i%gramWindow] = uint32(g * 0x9E3779B97F4A7C15 >> 32)
		if i < gramWindow-1 {
			continue
		}
		least := min(window[0], window[1], window[2], window[3])
		if !any || least != last {
			yield(least)
			last, any = least, true
		}
	}
}

// buildGrams indexes a column: once over to count, once to fill.
func buildGrams(t *table, field int) *gramIndex {
	cells := t.columns[field].cells
	total := 0
	each := func(do func(row int, hash uint32)) {
		for r, c := range cells {
			if c != 0 {
				minimizers(t.fold(t.texts.text(c)), func(h uint32) { do(r, h) })
			}
		}
	}
	each(func(int, uint32) { total++ })
	size := max(1<<8, 1<<bits.Len(uint(total/2)))
	x := &gramIndex{starts: make([]uint32, size+1), rows: make([]uint32, total), mask: uint32(size - 1)}
	each(func(_ int, h uint32) { x.starts[h&x.mask+1]++ })
	for b := 1; b < len(x.starts); b++ {
		x.starts[b] += x.starts[b-1]
	}
	next := make([]uint32, size)
	copy(next, x.starts)
	each(func(r int, h uint32) {
		x.rows[next[h&x.mask]] = uint32(r)
		next[h&x.mask]++
	})
	return x
}

// candidates are the rows that may contain a folded literal of at least
// minLiteral bytes; a row may be there twice.
func (x *gramIndex) candidates(literal []byte) (indexed, changed []uint32) {
	best := -1
	var from, to uint32
	minimizers(literal, func(h uint32) {
		b := h & x.mask
		if n := int(x.starts[b+1] - x.starts[b]); best < 0 || n < best {
			best, from, to = n, x.starts[b], x.starts[b+1]
		}
	})
	return x.rows[from:to], x.tail
}

// changed notes a row that the index no longer describes, and reports whether the
// index is still worth keeping.
func (x *gramIndex) changed(row, rows int) bool {
	x.tail = append(x.tail, uint32(row))
	return len(x.tail) <= 256+rows/64
}
