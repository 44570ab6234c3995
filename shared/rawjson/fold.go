package rawjson

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// An Unfolder takes JSON objects out of the JSON strings that hold their text, as
// callers without objects send rows, in one pass where unquoting and checking take two.
// Like Checker it remembers the names of the object before, and is sure or says
// nothing: what it is not sure of is for AppendUnquote and Checker. The zero value is
// ready. Not safe for concurrent use.
type Unfolder struct {
	layout []foldedName // of an object before, all different, in its order
}

// A foldedName is a name with its quotes and colon.
type foldedName struct{ folded, plain []byte }

// Learn takes over the names of an object, which must be valid.
func (u *Unfolder) Learn(object []byte) {
	u.layout = u.layout[:0]
	for w := Members(object); w.Next(); {
		if name := w.Name(); hasEscape(name) || len(u.layout) == maxNames {
			u.layout = u.layout[:0]
			return
		}
		plain := append(bytes.Clone(w.Quoted()), ':')
		u.layout = append(u.layout, foldedName{append(append([]byte{'\\'}, plain[:len(plain)-2]...), `\":`...), plain})
	}
}

// Object appends to dst the object that the string at b[i] holds, and answers the index
// after the string; -1 when it is not certain that it is one valid object, and then
// dst is as it was. An object is certain whose names are some of those that were
// learnt, in their order, whose values are scalars, and which has no white space between
// them. It does not look at UTF-8. There must be room in dst for the rest of b and
// eight bytes.
func (u *Unfolder) Object(dst, b []byte, i int) (text []byte, end int) {
	if len(u.layout) == 0 || len(b)-i < 4 || b[i] != '"' || b[i+1] != '{' {
		return dst, -1
	}
	out, o, at := dst[:cap(dst)], len(dst), 0
	out[o] = '{'
	i, o = i+2, o+1
	for {
		for !bytes.HasPrefix(b[i:], u.layout[at].folded) {
			if at++; at == len(u.layout) {
				return dst, -1
			}
		}
		o += copy(out[o:], u.layout[at].plain)
		i += len(u.layout[at].folded)
		if i, o = unfoldValue(out, o, b, i); i < 0 || i+1 >= len(b) {
			return dst, -1
		}
		out[o] = b[i]
		o++
		switch {
		case b[i] == '}' && b[i+1] == '"':
			return out[:o], i + 2
		case b[i] != ',':
			return dst, -1
		}
		i++
		if at++; at == len(u.layout) {
			return dst, -1
		}
	}
}

// unfoldValue copies one scalar; the indices are after it, the first -1 when it is not
// certain.
func unfoldValue(out []byte, o int, b []byte, i int) (next, written int) {
	if i+1 >= len(b) {
		return -1, o
	}
	if b[i] != '\\' {
		end := scalarCheck(b, i)
		if end < 0 {
			return -1, o
		}
		return end, o + copy(out[o:], b[i:end])
	}
	if b[i+1] != '"' {
		return -1, o
	}
	out[o] = '"'
	i, o = i+2, o+1
	for {
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			binary.LittleEndian.PutUint64(out[o:], w)
			if m := special(w); m != 0 {
				k := bits.TrailingZeros64(m) >> 3
				i, o = i+k, o+k
				break
			}
			i, o = i+8, o+8
		}
		switch {
		case i+3 >= len(b) || b[i] != '\\': // the string ends too early, or just before the body's last bytes
			return -1, o
		case b[i+1] == '"':
			out[o] = '"'
			return i + 2, o + 1
		case b[i+1] != '\\':
			return -1, o
		}
		// An escape of the text: \\n is \n, and \\\" is \".
		c := b[i+2]
		i += 3
		if c == '\\' && (b[i] == '"' || b[i] == '\\') {
			c = b[i]
			i++
		} else if escaped[c] == 0 || c == '"' || c == '\\' {
			return -1, o
		}
		out[o], out[o+1] = '\\', c
		o += 2
	}
}
