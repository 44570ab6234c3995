package salesforce

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox/records"
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
	rows []int
}

// serveQuery is GET query?q=SOQL (query/?q= alike) and GET query/{cursor}-{from}.
func (s *Simulator) serveQuery(w http.ResponseWriter, r *http.Request, version string, next []string) *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(next) == 1 && next[0] != "" { // query/?q= is a query
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
	if q.totals != nil {
		answer(w, http.StatusOK, q.appendTotals(nil, rows))
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
		b = fmt.Appendf(b, `"nextRecordsUrl":"/services/data/v%s.0/query/%s-%d",`, version, c.name, to)
	}
	b = append(b, `"records":[`...)
	for i, row := range c.rows[from:to] {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"attributes":{"type":"`...), t.object.Name...), `","url":"/services/data/v`...)
		b = append(append(append(append(b, version...), `.0/sobjects/`...), t.object.Name...), '/')
		b = append(t.appendID(b, row), `"}`...)
		for i, field := range c.q.fields {
			if field == absent {
				b = append(append(append(b, `,"`...), c.q.names[i]...), `":null`...)
				continue
			}
			b = append(append(append(b, `,"`...), t.object.Fields[field].Name...), `":`...)
			b = t.appendJSON(b, row, field)
		}
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// run answers the rows that match, in the order asked for.
func (q *query) run() []int {
	rows := q.table.Select(q.where)
	switch q.order {
	case -1, fieldID: // the order of creation
		if q.desc {
			slices.Reverse(rows)
		}
	case fieldCreated:
		q.table.Sort(rows, records.ByCreated, q.desc)
	case fieldModified:
		q.table.Sort(rows, records.ByModified, q.desc)
	default:
		q.table.Sort(rows, column(q.order), q.desc)
	}
	rows = rows[min(q.offset, len(rows)):]
	if q.limit >= 0 && len(rows) > q.limit {
		rows = rows[:q.limit]
	}
	return rows
}
