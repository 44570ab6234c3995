package salesforce

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// pageSize is how many records a query answers at once.
const pageSize = 2000

// cursors are the results that wait for their next pages; the oldest goes first.
type cursors struct {
	last int
	open []*cursor
}

// maxCursors bounds the results kept ("SOQL and SOSL Limits": open cursors).
const maxCursors = 10

// A cursor is a query's result. Later pages show the records as they are then.
type cursor struct {
	name string
	q    *query
	rows []uint32
}

// serveQuery is GET query?q=SOQL and GET query/{cursor}-{from}.
func (s *Simulator) serveQuery(w http.ResponseWriter, r *http.Request, version string, next []string) *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(next) == 1 {
		name, from, _ := strings.Cut(next[0], "-")
		for _, c := range s.cursors.open {
			if at, err := strconv.Atoi(from); c.name == name && err == nil && at > 0 && at <= len(c.rows) {
				answer(w, http.StatusOK, s.page(c, at, version))
				return nil
			}
		}
		return &apiError{status: http.StatusBadRequest, code: "INVALID_QUERY_LOCATOR", message: "invalid query locator"}
	}
	q, refusal := s.parse(r.URL.Query().Get("q"))
	if refusal != nil {
		return refusal
	}
	rows := q.run()
	if q.count {
		answer(w, http.StatusOK, fmt.Appendf(nil, `{"totalSize":%d,"done":true,"records":[]}`, len(rows)))
		return nil
	}
	s.cursors.last++
	c := &cursor{name: fmt.Sprintf("01g5g0%09dAAA", s.cursors.last), q: q, rows: rows}
	if len(rows) > pageSize {
		if len(s.cursors.open) == maxCursors {
			s.cursors.open = s.cursors.open[1:]
		}
		s.cursors.open = append(s.cursors.open, c)
	}
	answer(w, http.StatusOK, s.page(c, 0, version))
	return nil
}

// page renders the records from a position on.
func (s *Simulator) page(c *cursor, from int, version string) []byte {
	to := min(len(c.rows), from+pageSize)
	t := c.q.table
	b := fmt.Appendf(make([]byte, 0, 256+(to-from)*160), `{"totalSize":%d,"done":%t,`, len(c.rows), to == len(c.rows))
	if to < len(c.rows) {
		b = fmt.Appendf(b, `"nextRecordsUrl":"/services/data/v%s/query/%s-%d",`, version, c.name, to)
	}
	b = append(b, `"records":[`...)
	for i, row := range c.rows[from:to] {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"attributes":{"type":"`...), t.object.Name...), `","url":"/services/data/v`...)
		b = append(append(append(append(b, version...), `/sobjects/`...), t.object.Name...), '/')
		b = append(t.appendID(b, int(row)), `"}`...)
		for _, field := range c.q.fields {
			b = append(append(append(b, `,"`...), t.object.Fields[field].Name...), `":`...)
			b = t.appendJSON(b, int(row), field)
		}
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// run answers the rows that match, in the order asked for.
func (q *query) run() []uint32 {
	var rows []uint32
	if q.where == nil {
		rows = q.table.scan(func(int) bool { return true })
	} else {
		rows = q.table.eval(q.where)
	}
	if q.order >= 0 {
		slices.SortStableFunc(rows, func(a, b uint32) int {
			x := q.table.appendValue(nil, int(a), q.order)
			y := q.table.appendValue(nil, int(b), q.order)
			n := bytes.Compare(appendFold(nil, x), appendFold(nil, y))
			if q.desc {
				return -n
			}
			return n
		})
	}
	if q.limit >= 0 && len(rows) > q.limit {
		rows = rows[:q.limit]
	}
	return rows
}

// scan answers the living rows that a test accepts.
func (t *table) scan(test func(row int) bool) []uint32 {
	var rows []uint32
	for r := range t.rows() {
		if !t.deleted[r] && test(r) {
			rows = append(rows, uint32(r))
		}
	}
	return rows
}

// eval answers the living rows that meet a condition, sorted.
func (t *table) eval(c *condition) []uint32 {
	switch c.op {
	case "OR":
		var rows []uint32
		for _, kid := range c.kids {
			rows = append(rows, t.eval(kid)...)
		}
		return sorted(rows)
	case "AND":
		rows := t.eval(c.kids[0])
		for _, kid := range c.kids[1:] {
			rows = intersect(rows, t.eval(kid))
		}
		return rows
	case "LIKE":
		return t.like(c.field, c.values[0])
	case "!=", "NOT IN":
		equal := t.equal(c.field, c.values)
		return t.scan(func(r int) bool {
			_, found := slices.BinarySearch(equal, uint32(r))
			return !found
		})
	}
	return t.equal(c.field, c.values)
}

// equal answers the rows whose value is one of values.
func (t *table) equal(field int, values [][]byte) []uint32 {
	var rows []uint32
	f := &t.object.Fields[field]
	for _, v := range values {
		switch {
		case f.Type == ID:
			if r, valid := t.row(v); valid && r < t.rows() && !t.deleted[r] {
				rows = append(rows, uint32(r))
			}
		case field <= fieldModified:
		case len(v) == 0: // null
			rows = append(rows, t.scan(func(r int) bool { return t.columns[field].cells[r] == 0 })...)
		case f.Type.isText():
			c := &t.columns[field]
			if c.hash == nil {
				c.hash = &hashIndex{}
				c.hash.rebuild(t, field)
			}
			rows = c.hash.find(rows, t, field, v)
		default:
			rows = append(rows, t.scan(func(r int) bool {
				b := t.get(r, field)
				if f.Type.isNumber() && b != nil {
					b, _ = canonicalNumber(b)
				}
				return bytes.Equal(b, v)
			})...)
		}
	}
	return sorted(rows)
}

// like answers the rows whose text matches a folded pattern: by index when the
// pattern has a literal long enough, else by looking at every row.
func (t *table) like(field int, pattern []byte) []uint32 {
	test := func(r int) bool {
		b := t.get(r, field)
		return b != nil && likeMatch(pattern, t.fold(b))
	}
	literal := longestLiteral(pattern)
	if len(literal) < minLiteral {
		return t.scan(test)
	}
	c := &t.columns[field]
	if c.grams == nil {
		c.grams = buildGrams(t, field)
	}
	var rows []uint32
	indexed, changed := c.grams.candidates(literal)
	for _, part := range [][]uint32{indexed, changed} {
		for _, r := range part {
			if !t.deleted[r] && test(int(r)) {
				rows = append(rows, r)
			}
		}
	}
	return sorted(rows)
}

// longestLiteral is the longest run of a pattern without wildcards.
func longestLiteral(pattern []byte) []byte {
	var best []byte
	for _, part := range bytes.FieldsFunc(pattern, func(r rune) bool { return r == utf8.RuneError }) {
		if len(part) > len(best) {
			best = part
		}
	}
	return best
}

// likeMatch matches a whole text against a pattern; % is any run, _ one character.
func likeMatch(pattern, text []byte) bool {
	p, x := 0, 0
	star, from := -1, 0
	for x < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == anyRun:
			star, from = p, x
			p++
			if lit := pattern[p:]; len(lit) > 1 && lit[0] != anyRun && lit[0] != anyChar {
				if skip := bytes.IndexByte(text[x:], lit[0]); skip > 0 { // jump to the next possible start
					x += skip
					from = x
				}
			}
		case p < len(pattern) && pattern[p] == anyChar:
			_, n := utf8.DecodeRune(text[x:])
			p, x = p+1, x+n
		case p < len(pattern) && pattern[p] == text[x]:
			p, x = p+1, x+1
		case star >= 0:
			_, n := utf8.DecodeRune(text[from:])
			from += n
			p, x = star+1, from
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == anyRun {
		p++
	}
	return p == len(pattern)
}

// sorted sorts rows and drops what is there twice.
func sorted(rows []uint32) []uint32 {
	slices.Sort(rows)
	return slices.Compact(rows)
}

// intersect answers what two sorted lists share.
func intersect(a, b []uint32) []uint32 {
	out := a[:0]
	for _, r := range a {
		for len(b) > 0 && b[0] < r {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == r {
			out = append(out, r)
		}
	}
	return out
}
