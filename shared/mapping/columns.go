package mapping

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Positions of a column that a row does not have.
const (
	absent    = -1
	ambiguous = -2 // two columns differ from it, and from each other, only by case
)

// A layout is the order of columns of the row before, and where in it the
// program's columns are. Rows whose layouts alternate are bound anew each, which
// costs time but, as the buffers are reused, hardly any allocations.
type layout struct {
	columns  [][]byte // the program's
	at       []int    // by position in columns: position in the row, absent or ambiguous
	reserved bool     // the row has some of the program's reserved columns
	before   [][]byte // of the row before: what stands in front of each value, the name in it
	after    []byte   // the same: what stands behind the last value
	plain    [][]byte // its names, unquoted
	text     []byte   // holds them all
}

// newLayout is that of a row without columns, for a program's columns and the reserved ones.
func newLayout(columns []string) layout {
	var l layout
	for _, c := range slices.Concat(columns, reserved) {
		l.columns = append(l.columns, []byte(c))
		l.at = append(l.at, absent)
	}
	return l
}

// learn takes over the names of a row and finds the program's columns in it.
func (l *layout) learn(b []byte, r *members) {
	l.before, l.plain, l.text = l.before[:0], l.plain[:0], l.text[:0]
	end := 0
	for n, v := range r.values {
		name := r.names[n]
		l.plain = append(l.plain, plainName(l.hold(b[name.start:name.end])))
		l.before = append(l.before, l.hold(b[end:v.start]))
		end = v.end
	}
	l.after = l.hold(b[end:])
	for c, name := range l.columns {
		l.at[c] = find(l.plain, name)
	}
	l.reserved = slices.ContainsFunc(l.at[len(l.at)-len(reserved):], func(at int) bool { return at != absent })
}

// hold copies s into text; what text held before stays as it is where it grows.
func (l *layout) hold(s []byte) []byte {
	start := len(l.text)
	l.text = append(l.text, s...)
	return l.text[start:len(l.text):len(l.text)]
}

// plainName is a column's name without quotes and escapes.
func plainName(quoted []byte) []byte {
	plain := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(plain, '\\') >= 0 {
		// An error leaves the name as far as it can be read, which then matches nothing.
		plain, _ = jsontext.AppendUnquote([]byte(nil), quoted)
	}
	return plain
}

// find looks a column up: without regard to case, unless two columns of the row
// differ only by case; then the exact one is meant.
func find(names [][]byte, column []byte) int {
	found := absent
	for i, name := range names {
		switch {
		case bytes.Equal(name, column):
			return i
		case !bytes.EqualFold(name, column):
		case found == absent:
			found = i
		default:
			found = ambiguous
		}
	}
	return found
}
