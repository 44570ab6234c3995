package syncdef

import (
	"errors"
	"strconv"
	"strings"
)

// A Path leads to a value within a column or a destination's field: address.city,
// phones[0].number. Its first step names the column or field.
type Path []Step

// A Step is a member's name, or the index of an element.
type Step struct {
	Name  string
	Index int // from 0, of an element; then Name is ""
}

// maxIndex bounds the lists that a definition builds: its elements are mapped one by one.
const maxIndex = 999

// ParsePath reads a path. A backslash takes the meaning off a dot, a bracket or a
// backslash that it stands before.
func ParsePath(s string) (Path, error) {
	var out Path
	for at := 0; ; {
		name, size := pathName(s[at:])
		if at += size; name == "" {
			return nil, errors.New("a name is missing before or behind a dot; write it as address.city or phones[0].number")
		}
		out = append(out, Step{Name: name})
		for at < len(s) && s[at] == '[' {
			end := strings.IndexByte(s[at:], ']')
			if end < 0 {
				return nil, errors.New("[ is not closed; write an element as tags[0]")
			}
			n, err := strconv.Atoi(s[at+1 : at+end])
			if err != nil || n < 0 || n > maxIndex || s[at+1] == '+' {
				return nil, errors.New("an element is given by its number, from 0 to 999: tags[0]")
			}
			out = append(out, Step{Index: n})
			at += end + 1
		}
		if at == len(s) {
			return out, nil
		}
		if s[at] != '.' {
			return nil, errors.New("a dot is missing behind ]; write it as phones[0].number")
		}
		at++
	}
}

// pathName is the name at the beginning of s, and how many bytes it takes.
func pathName(s string) (name string, size int) {
	for size < len(s) && s[size] != '.' && s[size] != '[' {
		if s[size] == '\\' && size+1 < len(s) && strings.IndexByte(`.[\`, s[size+1]) >= 0 {
			size++
		}
		name += s[size : size+1]
		size++
	}
	return name, size
}

// Nested reports whether the path leads into something.
func (p Path) Nested() bool { return len(p) > 1 }

// String is the path as it is read.
func (p Path) String() string {
	var b strings.Builder
	for i, s := range p {
		switch {
		case s.Name == "":
			b.WriteString("[" + strconv.Itoa(s.Index) + "]")
			continue
		case i > 0:
			b.WriteByte('.')
		}
		b.WriteString(pathEscaper.Replace(s.Name))
	}
	return b.String()
}

var pathEscaper = strings.NewReplacer(`.`, `\.`, `[`, `\[`, `\`, `\\`)

// TopField is the field of the destination that a nested destination is within:
// address of address.city. What cannot be read is a field's name.
func TopField(destination string) string {
	p, err := ParsePath(destination)
	if err != nil {
		return destination
	}
	return p[0].Name
}

// SourcePath reads a source that leads into a column of JSON, such as address.city;
// nil for a plain column.
func SourcePath(source string) Path {
	p, err := ParsePath(source)
	if err != nil || !p.Nested() {
		return nil
	}
	return p
}
