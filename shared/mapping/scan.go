package mapping

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
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

type span struct{ start, end int }

// scan reads the members of an object and compares their names with the layout
// on the way. It reports false when b is not an object.
func (r *members) scan(b []byte, seen *layout) bool {
	r.names, r.values, r.familiar, r.deep = r.names[:0], r.values[:0], true, false
	i := rawjson.Space(b, 0)
	if i >= len(b) || b[i] != '{' {
		return false
	}
	for {
		i = rawjson.Space(b, i+1)
		if i < len(b) && b[i] == '}' && len(r.names) == 0 {
			break
		}
		end := r.name(b, i, seen)
		if end < 0 {
			return false
		}
		r.names = append(r.names, span{i, end})
		i = rawjson.Space(b, end)
		if i >= len(b) || b[i] != ':' {
			return false
		}
		i = rawjson.Space(b, i+1)
		end = r.valueEnd(b, i)
		if end < 0 {
			return false
		}
		r.values = append(r.values, b[i:end:end])
		i = rawjson.Space(b, end)
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
	return rawjson.StringEnd(b, i)
}

// valueEnd is the index after the value that starts at i, -1 when there is none, or
// one that would give the row too many levels.
func (r *members) valueEnd(b []byte, i int) int {
	if i < len(b) && b[i] == '"' {
		return rawjson.StringEnd(b, i)
	}
	if i < len(b) && (b[i] == '{' || b[i] == '[') {
		end, levels := rawjson.Extent(b, i)
		if r.deep = levels >= rawjson.MaxDepth; r.deep { // the row is a level too
			return -1
		}
		return end
	}
	return rawjson.ValueEnd(b, i)
}
