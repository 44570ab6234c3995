package records

import (
	"bytes"
	"cmp"
	"slices"
)

// Op is what a node of a condition asks.
type Op uint8

// The operations. Rows without a value meet Equal with a nil value alone.
const (
	And Op = iota
	Or
	Not // of the first kid: rows without a value meet it too
	Equal
	Like
	Less
	LessEqual
	Greater
	GreaterEqual
	In // the rows given, for what a vendor finds by itself: ids
)

// A Condition is a node of a query.
type Condition struct {
	Op     Op
	Kids   []*Condition // And, Or: at least one; Not: one
	Column int
	Values [][]byte // Equal: any of them, nil is null; Like: one pattern; else one value
	Rows   []int    // In
}

// Select answers the living rows that meet a condition, in the order of creation;
// nil asks for all.
func (t *Table) Select(c *Condition) []int {
	if c == nil {
		return t.Scan(func(int) bool { return true })
	}
	switch c.Op {
	case Or:
		var rows []int
		for _, kid := range c.Kids {
			rows = append(rows, t.Select(kid)...)
		}
		return sorted(rows)
	case And:
		rows := t.Select(c.Kids[0])
		for _, kid := range c.Kids[1:] {
			rows = intersect(rows, t.Select(kid))
		}
		return rows
	case Not:
		out := t.Select(c.Kids[0])
		return t.Scan(func(r int) bool {
			_, found := slices.BinarySearch(out, r)
			return !found
		})
	case Equal:
		var rows []int
		for _, v := range c.Values {
			rows = t.Find(rows, c.Column, v)
		}
		return sorted(rows)
	case Like:
		return t.like(c.Column, t.columns[c.Column].Compare.canonPattern(c.Values[0]))
	case In:
		return sorted(slices.DeleteFunc(slices.Clone(c.Rows), func(r int) bool { return r < 0 || r >= t.Rows() || t.deleted[r] }))
	}
	return t.ordered(c)
}

// Scan answers the living rows that a test accepts.
func (t *Table) Scan(test func(row int) bool) []int {
	var rows []int
	for r := range t.Rows() {
		if !t.deleted[r] && test(r) {
			rows = append(rows, r)
		}
	}
	return rows
}

// Find appends the living rows whose value equals a text, nil for null, as the
// column compares them. The first call for a column makes its index.
func (t *Table) Find(dst []int, column int, text []byte) []int {
	c := &t.columns[column]
	if len(text) == 0 {
		return append(dst, t.Scan(func(r int) bool { return c.cells[r] == 0 })...)
	}
	if c.hash == nil {
		c.hash = &hashIndex{}
		c.hash.rebuild(t, column)
	}
	var buf [64]byte
	return c.hash.find(dst, t, column, c.Compare.Canonical(buf[:0], text))
}

// ordered answers the rows that stand in an order to a value.
func (t *Table) ordered(c *Condition) []int {
	rule := t.columns[c.Column].Compare
	value := rule.Canonical(nil, c.Values[0])
	return t.Scan(func(r int) bool {
		if t.Null(r, c.Column) {
			return false
		}
		n := rule.order(t.canon(c.Column, t.Get(r, c.Column)), value)
		switch c.Op {
		case Less:
			return n < 0
		case LessEqual:
			return n <= 0
		case Greater:
			return n > 0
		}
		return n >= 0
	})
}

// order compares two values in canonical form.
func (c Compare) order(a, b []byte) int {
	if c == Number {
		return compareDecimals(a, b)
	}
	return bytes.Compare(a, b)
}

// What rows can be sorted by beside their columns.
const (
	ByCreated  = -1
	ByModified = -2
)

// Sort orders rows by a column, ByCreated or ByModified; nulls come first, and
// equals keep their order.
func (t *Table) Sort(rows []int, by int, descending bool) {
	var x, y []byte
	slices.SortStableFunc(rows, func(a, b int) int {
		if descending {
			a, b = b, a
		}
		switch {
		case by == ByCreated:
			return cmp.Compare(t.created[a], t.created[b])
		case by == ByModified:
			return cmp.Compare(t.modified[a], t.modified[b])
		case t.Null(a, by) || t.Null(b, by):
			return cmp.Compare(t.columns[by].cells[a], t.columns[by].cells[b])
		}
		rule := t.columns[by].Compare
		x, y = rule.Canonical(x[:0], t.Get(a, by)), rule.Canonical(y[:0], t.Get(b, by))
		return rule.order(x, y)
	})
}

// sorted sorts rows and drops what is there twice.
func sorted(rows []int) []int {
	slices.Sort(rows)
	return slices.Compact(rows)
}

// intersect answers what two sorted lists share.
func intersect(a, b []int) []int {
	out := a[:0]
	for _, r := range a {
		for len(b) > 0 && b[0] < r {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == r {
			out = append(out, r)
		}
	}
	return out
}
