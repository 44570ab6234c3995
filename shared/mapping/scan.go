package mapping

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/go-json-experiment/json/jsontext"
)

// members are one row's names and values as spans of its bytes. The scanner
// relies on the input being valid JSON and checks only what keeps it in bounds:
// the wire decoder has validated the request, and doing so again for every row
// at intake and in the worker would cost more than the mapping itself.
type members struct {
	names    []span
	values   []jsontext.Value
	familiar bool // the names are those of the layout, in its order
	deep     bool // refused for its depth
}

// maxDepth is how many levels a row may have, its own included: more than any
// data, far less than what a reader further on could fail at.
const maxDepth = 1000

// tooDeep is the end of a value that has more levels, or would give the row more.
const tooDeep = -2

type span struct{ start, end int }

// scan reads the members of an object and compares their names with the layout
// on the way. It reports false when b is not an object.
func (r *members) scan(b []byte, seen *layout) bool {
	r.names, r.values, r.familiar, r.deep = r.names[:0], r.values[:0], true, false
	i := space(b, 0)
	if i >= len(b) || b[i] != '{' {
		return false
	}
	for {
		i = space(b, i+1)
		if i < len(b) && b[i] == '}' && len(r.names) == 0 {
			break
		}
		end := r.name(b, i, seen)
		if end < 0 {
			return false
		}
		r.names = append(r.names, span{i, end})
		i = space(b, end)
		if i >= len(b) || b[i] != ':' {
			return false
		}
		i = space(b, i+1)
		end = valueEnd(b, i)
		if end < 0 {
			r.deep = end == tooDeep
			return false
		}
		r.values = append(r.values, b[i:end:end])
		i = space(b, end)
		if i >= len(b) || b[i] != ',' && b[i] != '}' {
			return false
		}
		if b[i] == '}' {
			break
		}
	}
	r.familiar = r.familiar && len(r.names) == len(seen.names)
	return true
}

// name is the end of the name at i. Rows of one query have one order of columns,
// so the layout's next name is nearly always the one.
func (r *members) name(b []byte, i int, seen *layout) int {
	if k := len(r.names); r.familiar && k < len(seen.names) && bytes.HasPrefix(b[i:], seen.names[k]) {
		return i + len(seen.names[k])
	}
	r.familiar = false
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	return stringEnd(b, i)
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// valueEnd is the index after the value that starts at i, -1 when there is none, or
// tooDeep.
func valueEnd(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return stringEnd(b, i)
	case '{', '[':
		return nestedEnd(b, i)
	}
	start := i
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

// nestedEnd is the index after the object or array that starts at i.
func nestedEnd(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = stringEnd(b, i); i < 0 {
				return -1
			}
			continue
		case '{', '[':
			if depth++; depth >= maxDepth {
				return tooDeep
			}
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return -1
}

const (
	ones       = 0x0101010101010101
	highs      = 0x8080808080808080
	quotes     = '"' * ones
	backslants = '\\' * ones
)

// stringEnd is the index after the string whose opening quote is at i. It looks
// at eight bytes at a time: x-ones&^x&highs marks the first zero byte of x, and
// x is zero where the text holds the byte that is looked for.
func stringEnd(b []byte, i int) int {
	i++
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		q, s := w^quotes, w^backslants
		hit := ((q - ones) &^ q & highs) | ((s - ones) &^ s & highs)
		if hit == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(hit) >> 3
		if b[i] == '"' {
			return i + 1
		}
		i += 2
	}
	for i < len(b) {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
		i++
	}
	return -1
}
