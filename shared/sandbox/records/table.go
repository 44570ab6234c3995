package records

import (
	"bytes"
	"strings"
	"time"
)

// A Table is one object's records.
type Table struct {
	name     string
	position int            // in the store
	byName   map[string]int // exact name -> position in columns
	byFold   map[string]int // lower-case name -> position
	columns  []column
	texts    arena
	created  []uint32 // Unix seconds
	modified []uint32
	deleted  []bool
	live     int
	scratch  []byte
}

func newTable(spec Spec, position int) *Table {
	t := &Table{name: spec.Name, position: position, byName: map[string]int{}, byFold: map[string]int{}}
	for _, c := range spec.Columns {
		t.addColumn(c)
	}
	return t
}

// addColumn adds a column that is null in every row.
func (t *Table) addColumn(c Column) int {
	i := len(t.columns)
	t.columns = append(t.columns, column{Column: c, cells: make([]cell, t.Rows())})
	t.byName[c.Name] = i
	t.byFold[strings.ToLower(c.Name)] = i
	if c.Indexed {
		t.columns[i].hash = &hashIndex{}
	}
	return i
}

// Name is the table's name, as its Spec gave it.
func (t *Table) Name() string { return t.name }

// Rows is how many rows there ever were; the row numbers are below it.
func (t *Table) Rows() int { return len(t.created) }

// Live is how many rows are not removed.
func (t *Table) Live() int { return t.live }

// Deleted reports whether a row was removed.
func (t *Table) Deleted(row int) bool { return t.deleted[row] }

// Created is when a row was made, to the second.
func (t *Table) Created(row int) time.Time { return time.Unix(int64(t.created[row]), 0).UTC() }

// Modified is when a row was last written, to the second.
func (t *Table) Modified(row int) time.Time { return time.Unix(int64(t.modified[row]), 0).UTC() }

// Columns is how many columns there are.
func (t *Table) Columns() int { return len(t.columns) }

// Column describes a column.
func (t *Table) Column(i int) Column { return t.columns[i].Column }

// Lookup finds a column by its name, in any case unless the exact name is there.
func (t *Table) Lookup(name string) (int, bool) {
	if i, ok := t.byName[name]; ok {
		return i, true
	}
	i, ok := t.byFold[strings.ToLower(name)]
	return i, ok
}

// Get is a value's text, nil for null. The bytes must not be changed; they are
// valid until the next change.
func (t *Table) Get(row, column int) []byte { return t.texts.text(t.columns[column].cells[row]) }

// Null reports whether a value is null.
func (t *Table) Null(row, column int) bool { return t.columns[column].cells[row] == 0 }

// add makes a row of nulls.
func (t *Table) add(at uint32) int {
	r := t.Rows()
	t.created = append(t.created, at)
	t.modified = append(t.modified, at)
	t.deleted = append(t.deleted, false)
	for i := range t.columns {
		t.columns[i].cells = append(t.columns[i].cells, 0)
	}
	t.live++
	return r
}

// set stores a value's text and keeps the indexes true.
func (t *Table) set(row, at int, b []byte) {
	c := &t.columns[at]
	old := c.cells[row]
	if bytes.Equal(t.texts.text(old), b) {
		return
	}
	c.cells[row] = t.intern(c, b)
	if c.wide {
		t.texts.dead += len(t.texts.text(old))
	}
	if c.hash != nil && len(b) > 0 {
		c.hash.insert(t, at, row)
	}
	if c.grams != nil && !c.grams.changed(row, t.Rows()) {
		c.grams = nil
	}
	if t.texts.dead > 8<<20 && t.texts.dead > t.texts.size/2 {
		t.compact()
	}
}

// intern shares the texts of columns with few distinct values.
func (t *Table) intern(c *column, b []byte) cell {
	if len(b) == 0 {
		return 0
	}
	if c.wide {
		return t.texts.add(b)
	}
	if shared, ok := c.common[string(b)]; ok {
		return shared
	}
	if len(c.common) >= maxCommon {
		c.wide, c.common = true, nil
		return t.texts.add(b)
	}
	if c.common == nil {
		c.common = map[string]cell{}
	}
	stored := t.texts.add(b)
	c.common[string(b)] = stored
	return stored
}

// compact copies the living texts into a new arena.
func (t *Table) compact() {
	old := t.texts
	t.texts = arena{}
	for i := range t.columns {
		c := &t.columns[i]
		c.common = nil
		for r, at := range c.cells {
			c.cells[r] = t.intern(c, old.text(at))
		}
	}
}

// remove marks a row deleted.
func (t *Table) remove(row int) {
	if !t.deleted[row] {
		t.deleted[row] = true
		t.live--
	}
}

// canon brings a text into its column's form for comparison, in the table's
// scratch; the result is valid until the next canon.
func (t *Table) canon(column int, b []byte) []byte {
	t.scratch = t.columns[column].Compare.Canonical(t.scratch[:0], b)
	return t.scratch
}

// AppendFold appends the lower-case form of b.
func AppendFold(dst, b []byte) []byte {
	start := len(dst)
	for _, c := range b {
		if c >= 0x80 {
			return append(dst[:start], bytes.ToLower(b)...)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}
