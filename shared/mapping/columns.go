package mapping

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// Positions of a column that a row does not have.
const (
	absent    = -1
	ambiguous = -2 // two columns differ from it, and from each other, only by case
)

// A layout is the order of columns of the row before, and where in it the
// program's columns are.
type layout struct {
	names [][]byte // quoted, as they stand in the row
	at    []int    // by position in Program.columns: position in the row, absent or ambiguous
}

// learn takes over the names of a row and finds the program's columns in it.
func (l *layout) learn(b []byte, r *members, columns []string) {
	plain := make([][]byte, len(r.names))
	l.names = l.names[:0]
	for i, s := range r.names {
		quoted := bytes.Clone(b[s.start:s.end])
		l.names = append(l.names, quoted)
		plain[i] = quoted[1 : len(quoted)-1]
		if bytes.IndexByte(plain[i], '\\') >= 0 {
			// An error leaves the name as far as it can be read, which then matches nothing.
			plain[i], _ = jsontext.AppendUnquote([]byte(nil), quoted)
		}
	}
	for c, name := range columns {
		l.at[c] = find(plain, []byte(name))
	}
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
