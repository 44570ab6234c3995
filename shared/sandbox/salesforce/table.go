package salesforce

import (
	"bytes"
	"strings"
	"time"
)

// A cell is where a value's text lies: 0 is null, else position and length.
// Salesforce keeps no empty texts: they are null.
type cell uint64

const (
	lengthBits = 20
	blockSize  = 1 << 20 // values never straddle blocks, so every text is one slice
)

// An arena holds the texts of a table, appended and never changed in place.
// Blocks keep the garbage collector from copying and from scanning.
type arena struct {
	blocks [][]byte
	size   int // bytes in use, dead ones included
	dead   int // bytes that no cell points to any more, at least
}

func (a *arena) add(b []byte) cell {
	if len(b) == 0 {
		return 0
	}
	last := len(a.blocks) - 1
	if last < 0 || len(a.blocks[last])+len(b) > blockSize {
		a.blocks = append(a.blocks, make([]byte, 0, blockSize))
		last++
	}
	pos := last*blockSize + len(a.blocks[last])
	a.blocks[last] = append(a.blocks[last], b...)
	a.size += len(b)
	return cell(pos+1)<<lengthBits | cell(len(b))
}

func (a *arena) text(c cell) []byte {
	if c == 0 {
		return nil
	}
	pos, n := int(c>>lengthBits)-1, int(c&(1<<lengthBits-1))
	at := pos % blockSize
	return a.blocks[pos/blockSize][at : at+n]
}

// maxCommon is how many distinct values a column shares before it counts as wide.
const maxCommon = 256

// A column is one field's values, a cell per row.
type column struct {
	field  *Field
	cells  []cell
	common map[string]cell // distinct values while they are few; nil in a wide column
	wide   bool
	hash   *hashIndex // equality; always there for unique fields, else made by the first query
	grams  *gramIndex // LIKE; made by the first query
}

// A table is one object's records. Rows are never removed, only marked deleted,
// because an id names its row.
type table struct {
	object   *Object
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

func newTable(o *Object) *table {
	t := &table{object: o, byName: map[string]int{}, byFold: map[string]int{}, columns: make([]column, len(o.Fields))}
	for i := range o.Fields {
		f := &o.Fields[i]
		t.columns[i].field = f
		t.byName[f.Name] = i
		t.byFold[strings.ToLower(f.Name)] = i
		if f.Unique || f.ExternalID {
			t.columns[i].hash = &hashIndex{}
		}
	}
	return t
}

func (t *table) rows() int { return len(t.created) }

// field finds a field by its API name, which Salesforce takes in any case.
func (t *table) field(name string) (int, bool) {
	if i, ok := t.byName[name]; ok {
		return i, true
	}
	i, ok := t.byFold[strings.ToLower(name)]
	return i, ok
}

// add makes an empty record.
func (t *table) add(now time.Time) int {
	r := t.rows()
	t.created = append(t.created, uint32(now.Unix()))
	t.modified = append(t.modified, uint32(now.Unix()))
	t.deleted = append(t.deleted, false)
	for i := range t.columns {
		if i > fieldModified {
			t.columns[i].cells = append(t.columns[i].cells, 0)
		}
	}
	t.live++
	return r
}

// get is a value's text, nil for null. Not for the system fields.
func (t *table) get(row, field int) []byte { return t.texts.text(t.columns[field].cells[row]) }

// set stores a value's text, "" for null, and keeps the indexes true.
func (t *table) set(row, field int, b []byte) {
	c := &t.columns[field]
	old := c.cells[row]
	if bytes.Equal(t.texts.text(old), b) {
		return
	}
	c.cells[row] = t.intern(c, b)
	if c.wide {
		t.texts.dead += len(t.texts.text(old))
	}
	if c.hash != nil && len(b) > 0 {
		c.hash.insert(t, field, row)
	}
	if c.grams != nil && !c.grams.changed(row, t.rows()) {
		c.grams = nil
	}
	if t.texts.dead > 8<<20 && t.texts.dead > t.texts.size/2 {
		t.compact()
	}
}

// intern shares the texts of columns with few distinct values.
func (t *table) intern(c *column, b []byte) cell {
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
func (t *table) compact() {
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

// remove marks a record deleted.
func (t *table) remove(row int) {
	if !t.deleted[row] {
		t.deleted[row] = true
		t.live--
	}
}

// fold lowers a text for comparison into the table's scratch; the result is valid
// until the next fold.
func (t *table) fold(b []byte) []byte {
	t.scratch = appendFold(t.scratch[:0], b)
	return t.scratch
}

// appendFold appends the lower-case form of b.
func appendFold(dst, b []byte) []byte {
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
