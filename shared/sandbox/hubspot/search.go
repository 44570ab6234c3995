package hubspot

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// The caps of a search ("CRM search"): pages, results, filter groups, filters in all and in
// a group, and characters of a query.
const (
	maxPage    = 200
	maxResults = 10_000
	maxGroups  = 5
	maxFilters = 25
	maxInGroup = 10
	maxQuery   = 3_000
)

// A filter is one condition of a search.
type filter struct {
	Property string   `json:"propertyName"`
	Operator string   `json:"operator"`
	Value    string   `json:"value"`
	Values   []string `json:"values"`
	High     string   `json:"highValue"`
}

// search is POST …/{object}/search.
func (s *Server) search(c *call) *failure {
	o, failed := s.object(c.r.PathValue("object"), false)
	if failed != nil {
		return failed
	}
	in := struct {
		Groups []struct {
			Filters []filter `json:"filters"`
		} `json:"filterGroups"`
		Properties []string        `json:"properties"`
		Limit      int             `json:"limit"`
		After      json.RawMessage `json:"after"`
		Query      string          `json:"query"`
		Sorts      []struct {
			Property  string `json:"propertyName"`
			Direction string `json:"direction"`
		} `json:"sorts"`
	}{Limit: 10}
	if json.Unmarshal(c.body, &in) != nil {
		return invalid("Invalid input JSON")
	}
	after := 0
	if text := strings.Trim(string(in.After), `"`); text != "" && text != "null" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return invalid("after is not a valid offset")
		}
		after = n
	}
	filters := 0
	for _, g := range in.Groups {
		filters += len(g.Filters)
	}
	switch {
	case in.Limit < 1 || in.Limit > maxPage:
		return invalid("limit: 1 to %d", maxPage)
	case after+in.Limit > maxResults:
		return invalid("paging over %d results is not supported", maxResults)
	case utf8.RuneCountInString(in.Query) > maxQuery:
		return invalid("query: at most %d characters", maxQuery)
	case len(in.Groups) > maxGroups || filters > maxFilters:
		return invalid("at most %d filterGroups and %d filters", maxGroups, maxFilters)
	}
	for _, g := range in.Groups {
		if len(g.Filters) > maxInGroup {
			return invalid("at most %d filters in a group", maxInGroup)
		}
		for _, f := range g.Filters {
			if failed := o.judge(f); failed != nil {
				return failed
			}
		}
	}
	rows := o.table.Scan(func(row int) bool {
		return (len(in.Groups) == 0 || slices.ContainsFunc(in.Groups, func(g struct {
			Filters []filter `json:"filters"`
		}) bool {
			return !slices.ContainsFunc(g.Filters, func(f filter) bool { return !o.meets(row, f) })
		})) && (in.Query == "" || o.mentions(row, in.Query))
	})
	if len(in.Sorts) > 1 {
		return invalid("sorts: at most one")
	}
	for _, sort := range in.Sorts {
		p, there := o.property(sort.Property)
		if !there || sort.Direction != "ASCENDING" && sort.Direction != "DESCENDING" {
			return invalid("sorts: %s is no property, or %s no direction", sort.Property, sort.Direction)
		}
		slices.SortStableFunc(rows, func(a, b int) int {
			n := order(p, o.value(a, sort.Property), o.value(b, sort.Property))
			if sort.Direction == "DESCENDING" {
				return -n
			}
			return n
		})
	}
	total := len(rows)
	out := page{Total: &total, Results: []record{}}
	for at := after; at < min(total, after+in.Limit); at++ {
		out.Results = append(out.Results, o.record(rows[at], in.Properties))
	}
	if after+in.Limit < total {
		out.Paging = map[string]any{"next": map[string]string{"after": strconv.Itoa(after + in.Limit)}}
	}
	c.reply(http.StatusOK, out)
	return nil
}

// judge refuses a filter of an unknown property or operator, one without what the operator
// compares with, and a value that the property's type cannot hold.
func (o *object) judge(f filter) *failure {
	p, there := o.property(f.Property)
	if !there {
		return invalid("There was a problem with the request: %s is no property", f.Property)
	}
	var values []string
	switch f.Operator {
	case "HAS_PROPERTY", "NOT_HAS_PROPERTY":
		return nil
	case "EQ", "NEQ", "LT", "LTE", "GT", "GTE":
		values = []string{f.Value}
	case "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN":
		if f.Value == "" {
			return invalid("There was a problem with the request: operator %s requires a value", f.Operator)
		}
		return nil
	case "BETWEEN":
		values = []string{f.Value, f.High}
	case "IN", "NOT_IN":
		values = f.Values
	default:
		return invalid("Invalid input JSON: Cannot deserialize value of type `Operator` from String %q: not one of the values accepted", f.Operator)
	}
	if len(values) == 0 || slices.Contains(values, "") {
		return invalid("There was a problem with the request: operator %s requires values, none of them empty", f.Operator)
	}
	for _, v := range values {
		if !p.comparable(v) {
			return invalid("There was a problem with the request: %s is not of the type of property %s (%s)", v, p.Name, p.Type)
		}
	}
	return nil
}

// comparable reports whether a value can be compared with the property's.
func (p *Property) comparable(value string) bool {
	switch value = p.trimmed(value); p.Type {
	case "number":
		return decimals.MatchString(value)
	case "bool":
		return value == "true" || value == "false"
	case "date", "datetime":
		_, ok := moment(value)
		return ok
	}
	return true
}

// meets reports whether a row meets a filter.
func (o *object) meets(row int, f filter) bool {
	p, _ := o.property(f.Property)
	kept := o.value(row, f.Property)
	if kept == nil {
		return f.Operator == "NOT_HAS_PROPERTY" || f.Operator == "NEQ" || f.Operator == "NOT_IN"
	}
	order := func(value string) int { return compare(p, *kept, value) }
	in := slices.ContainsFunc(f.Values, func(v string) bool { return order(v) == 0 })
	switch f.Operator {
	case "EQ":
		return order(f.Value) == 0
	case "NEQ":
		return order(f.Value) != 0
	case "LT":
		return order(f.Value) < 0
	case "LTE":
		return order(f.Value) <= 0
	case "GT":
		return order(f.Value) > 0
	case "GTE":
		return order(f.Value) >= 0
	case "BETWEEN":
		return order(f.Value) >= 0 && order(f.High) <= 0
	case "IN":
		return in
	case "NOT_IN":
		return !in
	case "HAS_PROPERTY":
		return true
	case "CONTAINS_TOKEN":
		return strings.Contains(strings.ToLower(*kept), strings.ToLower(strings.Trim(f.Value, "*")))
	case "NOT_CONTAINS_TOKEN":
		return !strings.Contains(strings.ToLower(*kept), strings.ToLower(strings.Trim(f.Value, "*")))
	}
	return false
}

// order is compare with records that have no value before all others.
func order(p *Property, a, b *string) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return compare(p, *a, *b)
}

// compare orders two values of a property: numbers as such, texts without case.
func compare(p *Property, a, b string) int {
	a, b = p.trimmed(a), p.trimmed(b)
	if p.Type == "datetime" || p.Type == "date" {
		x, okX := moment(a)
		y, okY := moment(b)
		if okX && okY {
			return x.Compare(y)
		}
	}
	if p.Type == "number" {
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		if errX == nil && errY == nil {
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		}
	}
	return strings.Compare(string(records.AppendFold(nil, []byte(a))), string(records.AppendFold(nil, []byte(b))))
}

// mentions reports whether any text of a row holds a query.
func (o *object) mentions(row int, query string) bool {
	return slices.ContainsFunc(o.Properties, func(p Property) bool {
		v := o.value(row, p.Name)
		return v != nil && strings.Contains(strings.ToLower(*v), strings.ToLower(query))
	})
}
