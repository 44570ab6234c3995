package quality

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Counter judges rows of JSON by a gate, one after the other. It is used by one
// goroutine.
type Counter struct {
	gate    *Gate
	columns []string         // of the rules, each once
	of      []int            // per rule, its column
	layout  []member         // of the row before, which most rows share
	values  []jsontext.Value // per column, of the row in hand
	exact   []bool           // per column: its name is written as the rule has it
}

type member struct {
	quoted  []byte
	columns []columnAt
}

// columnAt is a column that a member may be, in the same case or another.
type columnAt struct {
	at    int
	exact bool
}

// Counter begins.
func (g *Gate) Counter() *Counter {
	c := &Counter{gate: g, of: make([]int, len(g.rules))}
	for i := range g.rules {
		at := slices.IndexFunc(c.columns, func(s string) bool { return s == g.rules[i].column })
		if at < 0 {
			at, c.columns = len(c.columns), append(c.columns, g.rules[i].column)
		}
		c.of[i] = at
	}
	c.values, c.exact = make([]jsontext.Value, len(c.columns)), make([]bool, len(c.columns))
	return c
}

// Row calls failed with the number of each rule that the row fails. A column that the
// row does not have is null.
func (c *Counter) Row(object jsontext.Value, failed func(rule int)) {
	c.read(object)
	for i := range c.gate.rules {
		if c.fails(&c.gate.rules[i], c.values[c.of[i]]) {
			failed(i)
		}
	}
}

// read finds the columns' values: an exact name before one in another case.
func (c *Counter) read(object jsontext.Value) {
	clear(c.values)
	clear(c.exact)
	w := rawjson.Members(object)
	for n := 0; w.Next(); n++ {
		if n >= len(c.layout) || string(c.layout[n].quoted) != string(w.Quoted()) {
			c.layout = append(c.layout[:n], c.member(w.Quoted()))
		}
		for _, col := range c.layout[n].columns {
			if c.values[col.at] == nil || col.exact && !c.exact[col.at] {
				c.values[col.at], c.exact[col.at] = w.Value(), col.exact
			}
		}
	}
}

func (c *Counter) member(quoted []byte) member {
	m := member{quoted: slices.Clone(quoted)}
	name, _ := rawjson.Text(quoted)
	for i, column := range c.columns {
		if strings.EqualFold(column, name) {
			m.columns = append(m.columns, columnAt{i, column == name})
		}
	}
	return m
}

// fails is the rule as the SQL has it: by the value's text.
func (c *Counter) fails(r *rule, v jsontext.Value) bool {
	null := v == nil || v.Kind() == 'n'
	switch {
	case r.kind == syncdef.QualityNotNull:
		return null
	case null:
		return r.kind == syncdef.QualityNotEmpty
	}
	text := string(v)
	if v.Kind() == '"' {
		text, _ = rawjson.Text(v)
	}
	switch r.kind {
	case syncdef.QualityNotEmpty:
		return text == ""
	case syncdef.QualityBetween:
		n, ok := number(text)
		return !ok || n < r.least || n > r.most
	case syncdef.QualityMaxLength:
		return utf8.RuneCountInString(text) > r.length
	case syncdef.QualityMatches:
		return !r.found.MatchString(text)
	case syncdef.QualityIn:
		if slices.Contains(r.texts, text) {
			return false
		}
		n, ok := number(text)
		return !ok || !slices.Contains(r.numbers, n)
	}
	return false
}
