package salesforce

import (
	"slices"
	"strconv"
	"strings"
)

// A total is COUNT, MIN or MAX of a field over all rows that a query finds.
type total struct {
	function, name, alias string
	field                 int
}

// aggregatable reports whether a field may stand in an aggregate function ("SOQL and
// SOSL Reference", Support for Field Types in Aggregate Functions).
func (f *Field) aggregatable() bool {
	return f.Type != Boolean && f.Type != MultiPicklist && f.Type != TextArea && f.Type != unset
}

// total reads an aggregate function behind its name, and its alias.
func (p *parser) total(q *query, function string) *apiError {
	function = strings.ToUpper(function)
	if function != "COUNT" && function != "MIN" && function != "MAX" {
		return malformedQuery("unexpected token: '%s'", function)
	}
	p.next()
	field := p.next()
	if field.kind != 'w' || !p.mark(')') {
		return p.unexpected()
	}
	t := total{function: function, name: field.text, alias: "expr" + strconv.Itoa(len(q.totals))}
	if p.rest[0].kind == 'w' && !strings.EqualFold(p.rest[0].text, "FROM") {
		t.alias = p.next().text
	}
	if slices.ContainsFunc(q.totals, func(other total) bool { return strings.EqualFold(other.alias, t.alias) }) {
		return malformedQuery("duplicate alias: %s", t.alias)
	}
	q.totals = append(q.totals, t)
	return nil
}

// resolve finds the fields of aggregate functions, beside which no field may stand alone
// without GROUP BY, which the simulator has not.
func (p *parser) resolve(totals []total, names []string) (refusal *apiError) {
	if len(totals) > 0 && len(names) > 0 {
		return malformedQuery("Field must be grouped or aggregated: %s", names[0])
	}
	for i := range totals {
		t := &totals[i]
		if t.field, refusal = p.column(t.name); refusal != nil {
			return refusal
		}
		if t.field == absent {
			continue
		}
		f := &p.table.object.Fields[t.field]
		if !f.aggregatable() || t.field < firstColumn && t.function != "COUNT" {
			return malformedQuery("field %s does not support aggregate operator %s", t.name, t.function)
		}
	}
	return nil
}

// appendTotals renders the one record of a query of aggregate functions.
func (q *query) appendTotals(b []byte, rows []int) []byte {
	b = append(b, `{"totalSize":1,"done":true,"records":[{"attributes":{"type":"AggregateResult"}`...)
	for _, t := range q.totals {
		b = append(append(append(b, `,"`...), t.alias...), `":`...)
		b = q.appendTotal(b, t, rows)
	}
	return append(b, `}]}`...)
}

func (q *query) appendTotal(b []byte, t total, rows []int) []byte {
	var with []int
	for _, r := range rows {
		if t.field != absent && (t.field < firstColumn || !q.table.Null(r, column(t.field))) {
			with = append(with, r)
		}
	}
	switch {
	case t.function == "COUNT":
		return strconv.AppendInt(b, int64(len(with)), 10)
	case len(with) == 0:
		return append(b, "null"...)
	}
	q.table.Sort(with, column(t.field), t.function == "MAX")
	return q.table.appendJSON(b, with[0], t.field)
}
