// Package rawjson works on JSON as raw bytes: where a string or a value ends, the
// members of an object, texts in and out of their quotes, and whether a value is
// certainly well formed. Nothing is decoded into Go values, so that
// 9007199254740993 and 25-digit decimals stay what they were.
//
// jsontext remains the judge of what JSON is. The walkers rely on input that it
// (or Checker) accepted, and on any other input they only promise to stay within
// bounds; fuzz tests hold Checker, AppendUnquote and AppendQuote equal to it.
package rawjson

import (
	"encoding/binary"
	"math/bits"
)

// MaxDepth is how many levels of arrays and objects a row may nest. Snowflake's
// and DuckDB's own limits are lower for values that they build, and readers of
// the stored source (jsontext: 10,000) take it whatever they wrap around it.
const MaxDepth = 1000

const (
	ones       = 0x0101010101010101
	tops       = 0x8080808080808080
	quotes     = '"' * ones
	backslants = '\\' * ones
)

// Space is the index of the first byte at or after i that is no white space.
func Space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// StringEnd is the index after the string whose opening quote is at i, -1 when it
// does not end. It looks at eight bytes at a time: x-ones&^x&tops marks the first
// zero byte of x, and x is zero where the text holds the byte that is looked for.
func StringEnd(b []byte, i int) int {
	i++
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		q, s := w^quotes, w^backslants
		hit := ((q - ones) &^ q & tops) | ((s - ones) &^ s & tops)
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

// ValueEnd is the index after the value that starts at i, -1 when there is none,
// it does not end, or it nests deeper than MaxDepth.
func ValueEnd(b []byte, i int) int {
	if i < len(b) && (b[i] == '{' || b[i] == '[') {
		return nestedEnd(b, i)
	}
	return scalarEnd(b, i)
}

// nestedEnd is the index after the object or array that starts at i.
func nestedEnd(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = StringEnd(b, i); i < 0 {
				return -1
			}
			continue
		case '{', '[':
			if depth++; depth > MaxDepth {
				return -1
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

// scalarEnd is the index after the string, number or literal at i.
func scalarEnd(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	if b[i] == '"' {
		return StringEnd(b, i)
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

// Extent is ValueEnd for values of any depth, and how deep they nest (0 for a
// scalar): by it a value that is too deep is left out and its neighbours are read.
func Extent(b []byte, i int) (end, deepest int) {
	if i >= len(b) || b[i] != '{' && b[i] != '[' {
		return scalarEnd(b, i), 0
	}
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = StringEnd(b, i); i < 0 {
				return -1, deepest
			}
			continue
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, deepest
			}
		}
		i++
	}
	return -1, deepest
}
