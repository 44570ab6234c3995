package rawjson

import (
	"bytes"
	"unicode/utf8"
)

// maxNames is how many names of one object are compared with each other; above
// it, and where a name has an escape, jsontext is asked.
const maxNames = 64

// A Checker tells values that jsontext would accept, duplicate names included,
// several times faster than jsontext: what it is sure of is right, and for the
// rest jsontext is asked. It remembers the names of the object before, because
// the rows of one query have one order of columns: names that come in that order
// are known to differ. The zero value is ready. It keeps spans of what it has
// seen, which must stay unchanged while it is used. Not safe for concurrent use.
type Checker struct {
	layout [][]byte // names, in quotes, of an object before; all different
	at     int      // how much of layout is behind the object in hand
	names  []span   // names of the open objects, one object after the other
	open   []int    // per open bracket: where its names start, or array
}

const array = -1

// Value is the index after the value at i when it is certainly JSON, without
// duplicate names, and at most MaxDepth levels deep; else -1. It does not look
// at UTF-8: check the whole text once, with utf8.Valid.
func (c *Checker) Value(b []byte, i int) int {
	c.names, c.open, c.at = c.names[:0], c.open[:0], 0
	for {
		if i >= len(b) {
			return -1
		}
		switch b[i] {
		case '{', '[':
			if i = c.enter(b, i); i < 0 || i >= len(b) {
				return -1
			}
			if b[i] != '}' && b[i] != ']' {
				continue
			}
		case '"':
			if i = stringCheck(b, i); i < 0 {
				return -1
			}
		default:
			if i = scalarCheck(b, i); i < 0 {
				return -1
			}
		}
		// A value or an opening bracket is behind: close what ends here, or go on to the next value.
		for {
			if len(c.open) == 0 {
				return i
			}
			if i < len(b) && b[i] <= ' ' {
				i = Space(b, i)
			}
			if i >= len(b) {
				return -1
			}
			if b[i] == ',' {
				break
			}
			if !c.leave(b, i) {
				return -1
			}
			i++
		}
		if i = Space(b, i+1); c.open[len(c.open)-1] != array {
			if i = c.name(b, i); i < 0 {
				return -1
			}
		}
	}
}

// enter opens a bracket; the result is where its first value or its end is.
func (c *Checker) enter(b []byte, i int) int {
	if len(c.open) == MaxDepth {
		return -1
	}
	if b[i] == '[' {
		c.open = append(c.open, array)
		if i = Space(b, i+1); i < len(b) && b[i] == '}' {
			return -1
		}
		return i
	}
	c.open = append(c.open, len(c.names))
	i = Space(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i
	}
	if i = c.name(b, i); i >= 0 && i < len(b) && (b[i] == '}' || b[i] == ']') {
		return -1
	}
	return i
}

// leave closes a bracket, and keeps the names of a whole row for the next one.
func (c *Checker) leave(b []byte, i int) bool {
	last := len(c.open) - 1
	first := c.open[last]
	if first == array {
		c.open = c.open[:last]
		return b[i] == ']'
	}
	if b[i] != '}' {
		return false
	}
	if last == 0 && c.at < 0 {
		c.layout = c.layout[:0]
		for _, n := range c.names {
			c.layout = append(c.layout, b[n.start:n.end])
		}
	}
	c.open, c.names = c.open[:last], c.names[:first]
	return true
}

// name reads a name and its colon; the result is where the value is.
func (c *Checker) name(b []byte, i int) int {
	end := -1
	if len(c.open) == 1 && c.at >= 0 {
		end = c.known(b, i)
	}
	if end < 0 {
		if i >= len(b) || b[i] != '"' {
			return -1
		}
		end = i + 1 + Plain(b[i+1:])
		if end >= len(b) || b[end] != '"' {
			return -1
		}
		end++
		if !c.differs(b, b[i:end]) {
			return -1
		}
	}
	c.names = append(c.names, span{i, end})
	if end < len(b) && b[end] <= ' ' {
		end = Space(b, end)
	}
	if end >= len(b) || b[end] != ':' {
		return -1
	}
	if end++; end < len(b) && b[end] <= ' ' {
		end = Space(b, end)
	}
	return end
}

// known is the end of a name of the row before, searched from where the last one
// stood: names in rising order of one layout differ. A row without some of the
// columns (OBJECT_CONSTRUCT leaves nulls out) is known, too.
func (c *Checker) known(b []byte, i int) int {
	for k := c.at; k < len(c.layout); k++ {
		if bytes.HasPrefix(b[i:], c.layout[k]) {
			c.at = k + 1
			return i + len(c.layout[k])
		}
	}
	c.at = -1
	return -1
}

// differs compares a name with those of its object.
func (c *Checker) differs(b, name []byte) bool {
	first := c.open[len(c.open)-1]
	if len(c.names)-first >= maxNames {
		return false
	}
	for _, other := range c.names[first:] {
		if string(b[other.start:other.end]) == string(name) {
			return false
		}
	}
	return true
}

// Learn takes over the names of an object that jsontext accepted.
func (c *Checker) Learn(object []byte) {
	c.layout = c.layout[:0]
	for w := Members(object); w.Next(); {
		if hasEscape(w.Name()) {
			c.layout = c.layout[:0]
			return
		}
		c.layout = append(c.layout, w.Quoted())
	}
}

// stringCheck is the index after the string at i, -1 when it is not well formed.
func stringCheck(b []byte, i int) int {
	i++
	for {
		i += Plain(b[i:])
		if i >= len(b) || b[i] < 0x20 {
			return -1
		}
		if b[i] == '"' {
			return i + 1
		}
		if i+1 >= len(b) {
			return -1
		}
		if escaped[b[i+1]] != 0 {
			i += 2
			continue
		}
		_, size, err := unicodeEscape(b[i:])
		if err != nil {
			return -1
		}
		i += size
	}
}

// scalarCheck is the index after the number or literal at i, -1 when it is none.
func scalarCheck(b []byte, i int) int {
	switch b[i] {
	case 't':
		return literal(b, i, "true")
	case 'f':
		return literal(b, i, "false")
	case 'n':
		return literal(b, i, "null")
	case '-':
		i++
	}
	start := i
	if i = digits(b, i); i == start || b[start] == '0' && i > start+1 {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		start = i + 1
		if i = digits(b, start); i == start {
			return -1
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		start = i
		if i = digits(b, start); i == start {
			return -1
		}
	}
	return i
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

func literal(b []byte, i int, want string) int {
	if len(b)-i >= len(want) && string(b[i:i+len(want)]) == want {
		return i + len(want)
	}
	return -1
}

// Sure reports whether b is one value that jsontext would accept, UTF-8 included;
// false says nothing.
func (c *Checker) Sure(b []byte) bool {
	end := c.Value(b, Space(b, 0))
	return end >= 0 && Space(b, end) == len(b) && utf8.Valid(b)
}
