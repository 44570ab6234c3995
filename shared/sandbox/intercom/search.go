package intercom

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	maxFilters = 15
	maxNesting = 2
	maxPage    = 150
)

// A query is a node of a search: a filter, or AND or OR over others.
type query struct {
	Field    string          `json:"field"`
	Operator string          `json:"operator"`
	Value    json.RawMessage `json:"value"`
}

// searchable are the fields that a search may name, with their columns.
var searchable = map[string]int{
	"id": colID, "external_id": colExternalID, "email": colEmail, "role": colRole, "name": colName, "phone": colPhone, "owner_id": colOwner,
	"signed_up_at": colSignedUp, "last_seen_at": colLastSeen,
}

func (s *Server) searchContacts(r *http.Request) (any, error) {
	in, err := object(r)
	if err != nil {
		return nil, err
	}
	var q query
	if in["query"] == nil || json.Unmarshal(in["query"], &q) != nil {
		return nil, fail(http.StatusBadRequest, "parameter_missing", "query is needed")
	}
	test, err := s.filter(q, 1)
	if err != nil {
		return nil, err
	}
	now := s.core.Now().UnixMilli()
	rows := s.candidates(q)
	found := rows[:0:0]
	for _, row := range rows {
		seen, _ := strconv.ParseInt(s.get(row, colSeen), 10, 64)
		if seen <= now && s.living(row) == nil && test(row) {
			found = append(found, row)
		}
	}
	var p pagination
	if raw := in["pagination"]; raw != nil && json.Unmarshal(raw, &p) != nil {
		return nil, invalid("pagination is invalid")
	}
	return s.page(found, p)
}

// candidates are the rows that an equality can be answered by an index for, else all.
func (s *Server) candidates(q query) []int {
	column, known := searchable[q.Field]
	var values []string
	switch {
	case !known:
	case q.Operator == "IN":
		_ = json.Unmarshal(q.Value, &values) // filter has refused others
	case q.Operator == "=" && text(q.Value) != "":
		values = []string{text(q.Value)}
	}
	if len(values) == 0 {
		return s.contacts.Select(nil)
	}
	var rows []int
	for _, v := range values {
		rows = s.contacts.Find(rows, column, []byte(v))
	}
	slices.Sort(rows)
	return slices.Compact(rows)
}

// filter makes a test of a query.
func (s *Server) filter(q query, depth int) (func(row int) bool, error) {
	if q.Operator == "AND" || q.Operator == "OR" {
		var kids []query
		if json.Unmarshal(q.Value, &kids) != nil || len(kids) == 0 || len(kids) > maxFilters || depth > maxNesting {
			return nil, fail(http.StatusBadRequest, "client_error", "a group holds 1 to %d filters, nested %d deep at most", maxFilters, maxNesting)
		}
		tests := make([]func(int) bool, len(kids))
		for i, kid := range kids {
			var err error
			if tests[i], err = s.filter(kid, depth+1); err != nil {
				return nil, err
			}
		}
		return func(row int) bool {
			for _, t := range tests {
				if t(row) != (q.Operator == "AND") {
					return q.Operator == "OR"
				}
			}
			return q.Operator == "AND"
		}, nil
	}
	name, isCustom := strings.CutPrefix(q.Field, "custom_attributes.")
	column, known := searchable[q.Field]
	if !known && !isCustom {
		return nil, invalid("%s is not a valid search field", q.Field)
	}
	get := func(row int) string {
		if isCustom {
			v := s.customOf(row)[name]
			if t := text(v); t != "" {
				return t
			}
			return string(v)
		}
		return s.get(row, column)
	}
	return s.compare(q, get, strings.HasSuffix(q.Field, "_at") || isCustom && s.isDate(name))
}

// secondsADay: dates are compared by whole days, here in UTC.
const secondsADay = 86_400

func (s *Server) compare(q query, get func(int) string, date bool) (func(int) bool, error) {
	var values []string
	if q.Operator == "IN" || q.Operator == "NIN" {
		if json.Unmarshal(q.Value, &values) != nil || len(values) == 0 || len(values) > maxFilters {
			return nil, invalid("the value of %s must be a list of 1 to %d texts", q.Operator, maxFilters)
		}
	}
	if date {
		return s.compareDays(q, get)
	}
	value := text(q.Value)
	if value == "" && len(q.Value) > 0 && q.Value[0] != '"' && string(q.Value) != "null" {
		value = string(q.Value)
	}
	is := func(row int, v string) bool { return strings.EqualFold(get(row), v) }
	switch q.Operator {
	case "=":
		return func(row int) bool { return is(row, value) }, nil
	case "!=":
		return func(row int) bool { return !is(row, value) }, nil
	case "IN", "NIN":
		return func(row int) bool {
			return slices.ContainsFunc(values, func(v string) bool { return is(row, v) }) == (q.Operator == "IN")
		}, nil
	case "~":
		return func(row int) bool { return strings.Contains(strings.ToLower(get(row)), strings.ToLower(value)) }, nil
	case "!~":
		return func(row int) bool { return !strings.Contains(strings.ToLower(get(row)), strings.ToLower(value)) }, nil
	case "^":
		return func(row int) bool { return strings.HasPrefix(strings.ToLower(get(row)), strings.ToLower(value)) }, nil
	case "$":
		return func(row int) bool { return strings.HasSuffix(strings.ToLower(get(row)), strings.ToLower(value)) }, nil
	case "<", ">":
		want, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, invalid("the value of %s must be a number", q.Operator)
		}
		return func(row int) bool {
			n, err := strconv.ParseFloat(get(row), 64)
			return err == nil && (n > want) == (q.Operator == ">") && n != want
		}, nil
	}
	return nil, invalid("%s is not a valid operator", q.Operator)
}

func (s *Server) compareDays(q query, get func(int) string) (func(int) bool, error) {
	want, err := strconv.ParseInt(strings.Trim(string(q.Value), `"`), 10, 64)
	if err != nil || q.Operator != "=" && q.Operator != "<" && q.Operator != ">" {
		return nil, invalid("%s is not valid with a date", q.Operator)
	}
	return func(row int) bool {
		n, err := strconv.ParseInt(get(row), 10, 64)
		if err != nil {
			return false
		}
		switch day := n / secondsADay; q.Operator {
		case "<":
			return day < want/secondsADay
		case ">":
			return day > want/secondsADay
		default:
			return day == want/secondsADay
		}
	}, nil
}

// pagination is the one of a search.
type pagination struct {
	PerPage int    `json:"per_page"`
	After   string `json:"starting_after"`
}

// page cuts a page out of rows; a cursor is the row that the next one begins with.
func (s *Server) page(rows []int, p pagination) (any, error) {
	if p.PerPage == 0 {
		p.PerPage = 50
	}
	if p.PerPage < 1 || p.PerPage > maxPage {
		return nil, invalid("per_page must be between 1 and %d", maxPage)
	}
	start := 0
	if p.After != "" {
		first, err := strconv.Atoi(p.After)
		if err != nil {
			return nil, invalid("starting_after is invalid")
		}
		start, _ = slices.BinarySearch(rows, first)
	}
	end := min(len(rows), start+p.PerPage)
	data := []any{}
	for _, row := range rows[start:end] {
		data = append(data, s.contactJSON(row))
	}
	pages := map[string]any{"type": "pages", "page": start/p.PerPage + 1, "per_page": p.PerPage, "total_pages": (len(rows) + p.PerPage - 1) / p.PerPage}
	if end < len(rows) {
		pages["next"] = map[string]any{"page": start/p.PerPage + 2, "starting_after": strconv.Itoa(rows[end])}
	}
	return map[string]any{"type": "list", "data": data, "total_count": len(rows), "pages": pages}, nil
}

func (s *Server) listContacts(r *http.Request) (any, error) {
	p := pagination{After: r.URL.Query().Get("starting_after")}
	if v := r.URL.Query().Get("per_page"); v != "" {
		var err error
		if p.PerPage, err = strconv.Atoi(v); err != nil {
			return nil, invalid("per_page is invalid")
		}
	}
	var rows []int
	for _, row := range s.contacts.Select(nil) {
		if s.living(row) == nil {
			rows = append(rows, row)
		}
	}
	return s.page(rows, p)
}
