package hubspot

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// The caps of a search ("CRM search"): pages, results, filter groups and filters.
const (
	maxPage    = 200
	maxResults = 10_000
	maxGroups  = 5
	maxFilters = 25
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
	case len(in.Groups) > maxGroups || filters > maxFilters:
		return invalid("at most %d filterGroups and %d filters", maxGroups, maxFilters)
	}
	for _, g := range in.Groups {
		for _, f := range g.Filters {
			if _, there := o.property(f.Property); !there {
				return invalid("There was a problem with the request: %s is no property", f.Property)
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
	if p.Type == "datetime" || p.Type == "date" { // asked for in milliseconds, too
		if kept, bad := p.kept(b, ""); bad == nil {
			b = kept
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
