package records

// Compare is how a column's values are compared: by equality, in queries and in
// sorting alike.
type Compare uint8

// The rules.
const (
	Exact  Compare = iota // byte by byte
	Folded                // without regard to case
	Number                // as decimals: 85 equals 85.0
)

// A Column is one field of a table.
type Column struct {
	Name    string
	Compare Compare
	Indexed bool   // equality is looked up often: the index is there from the start
	Note    string // the vendor's own, kept in the journal for columns added later: a type
}

// Canonical appends the form of a value in which equal values are equal bytes.
func (c Compare) Canonical(dst, b []byte) []byte {
	switch c {
	case Folded:
		return AppendFold(dst, b)
	case Number:
		if out, ok := AppendCanonical(dst, b); ok {
			return out
		}
	}
	return append(dst, b...)
}

// maxCommon is how many distinct values a column shares before it counts as wide.
const maxCommon = 256

// A column is one field's values, a cell per row.
type column struct {
	Column
	cells  []cell
	common map[string]cell // distinct values while they are few; nil in a wide column
	wide   bool
	hash   *hashIndex // equality; made by the first query where it is not Indexed
	grams  *gramIndex // LIKE; made by IndexText or the first query
}

// A cell is where a value's text lies: 0 is null, else position and length.
type cell uint64

const (
	lengthBits = 20
	blockSize  = 1 << 20 // values never straddle blocks, so every text is one slice
	maxText    = blockSize - 1
)

// An arena holds the texts of a table, appended and never changed in place.
// Blocks keep the garbage collector from copying and from scanning.
type arena struct {
	blocks [][]byte
	size   int // bytes in use, dead ones included
	dead   int // bytes that no cell points to any more, at least
}

// add stores a text of at most maxText bytes.
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
