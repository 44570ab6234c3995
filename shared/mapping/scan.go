package mapping

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
)

// members are one row's names and values as spans of its bytes. The scanner
// relies on the input being valid JSON and checks only what keeps it in bounds:
// the wire decoder has validated the request, and doing so again for every row
// at intake and in the worker would cost more than the mapping itself.
type members struct {
	b        []byte // the row
	names    []span // of a row that is not familiar
	values   []span
	familiar bool // the names are those of the layout, in its order
	deep     bool // refused for its depth
}

type span struct{ start, end int }

// value is the nth value.
func (r *members) value(n int) jsontext.Value {
	s := r.values[n]
	return r.b[s.start:s.end:s.end]
}

// scan reads the members of an object. It reports false when b is not an object.
func (r *members) scan(b []byte, seen *layout) bool {
	r.b, r.deep = b, false
	r.familiar = r.scanFamiliar(b, seen)
	return r.familiar || r.scanAny(b)
}

// scanFamiliar reads a row that has all but its values as the layout has it: rows of
// one query are alike. It reports false for any other row.
func (r *members) scanFamiliar(b []byte, seen *layout) bool {
	r.values = r.values[:0]
	i := 0
	for _, before := range seen.before {
		start := i + len(before)
		if start >= len(b) || string(b[i:start]) != string(before) {
			return false
		}
		if i = r.valueEnd(b, start); i < 0 {
			return false
		}
		r.values = append(r.values, span{start, i})
	}
	return len(seen.after) > 0 && string(b[i:]) == string(seen.after)
}

// scanAny reads any row.
func (r *members) scanAny(b []byte) bool {
	r.names, r.values = r.names[:0], r.values[:0]
	i := rawjson.Space(b, 0)
	if i >= len(b) || b[i] != '{' {
		return false
	}
	for {
		i = rawjson.Space(b, i+1)
		if i < len(b) && b[i] == '}' && len(r.names) == 0 {
			return true
		}
		if i >= len(b) || b[i] != '"' {
			return false
		}
		end := rawjson.StringEnd(b, i)
		if end < 0 {
			return false
		}
		r.names = append(r.names, span{i, end})
		i = rawjson.Space(b, end)
		if i >= len(b) || b[i] != ':' {
			return false
		}
		i = rawjson.Space(b, i+1)
		if end = r.valueEnd(b, i); end < 0 {
			return false
		}
		r.values = append(r.values, span{i, end})
		i = rawjson.Space(b, end)
		if i >= len(b) || b[i] != ',' && b[i] != '}' {
			return false
		}
		if b[i] == '}' {
			return true
		}
	}
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
