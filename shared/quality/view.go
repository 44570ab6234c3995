package quality

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// ViewName is the view of a sync's gate.
func ViewName(sync string) string { return "penstock_gate_" + sync }

// Select is the query of a gate's view: one row of decision, total, rules (a list of
// objects, as a Verdict has them) and definition. table is the model's name as the
// warehouse takes it. It is read once: in v each of the rules' columns is a text, and
// where numbers are asked for a number beside it.
func (g *Gate) Select(d *Dialect, table string) string {
	values := &valueList{dialect: d, texts: map[string]string{}, numbers: map[string]string{}}
	conditions := make([]string, len(g.rules))
	for i := range g.rules {
		conditions[i] = g.rules[i].sql(d, values)
	}
	var b strings.Builder
	b.WriteString("WITH counted AS (\n    SELECT\n        COUNT(*) AS total_rows")
	for i, c := range conditions {
		fmt.Fprintf(&b, ",\n        CAST(COALESCE(SUM(CASE WHEN %s THEN 1 ELSE 0 END), 0) AS BIGINT) AS failed_%d", c, i+1)
	}
	if len(values.list) == 0 {
		values.list = []string{"1 AS row_1"}
	}
	fmt.Fprintf(&b, "\n    FROM (\n        SELECT\n            %s\n        FROM %s AS %s\n    ) AS v\n)\n\nSELECT\n    ", strings.Join(values.list, ",\n            "), table, d.model)
	b.WriteString(g.decision())
	fmt.Fprintf(&b, " AS decision,\n    c.total_rows AS total,\n    %s AS rules,\n    '%s' AS definition\nFROM counted AS c", g.results(d), g.id)
	return b.String()
}

// A valueList is what the rules read of a row, each once.
type valueList struct {
	dialect        *Dialect
	list           []string
	texts, numbers map[string]string // by column
}

func (l *valueList) text(column string) string {
	return l.of(l.texts, column, "text", l.dialect.textOf)
}

func (l *valueList) number(column string) string {
	return l.of(l.numbers, column, "number", l.dialect.numberOf)
}

func (l *valueList) of(known map[string]string, column, kind string, make func(string) string) string {
	if _, ok := known[column]; !ok {
		name := fmt.Sprintf("%s_%d", kind, len(known)+1)
		l.list = append(l.list, make(l.dialect.column(column))+" AS "+name)
		known[column] = "v." + name
	}
	return known[column]
}

// sql is true of a row that the rule fails, and null or false of every other.
func (r *rule) sql(d *Dialect, values *valueList) string {
	text := values.text(r.column)
	switch r.kind {
	case syncdef.QualityNotNull:
		return text + " IS NULL"
	case syncdef.QualityNotEmpty: // by its length: some warehouses take a blank for nothing
		return "COALESCE(" + fmt.Sprintf(d.length, text) + ", 0) = 0"
	case syncdef.QualityBetween:
		return fmt.Sprintf("%s IS NOT NULL AND NOT COALESCE(%s BETWEEN %s AND %s, FALSE)", text, values.number(r.column), r.bounds[0], r.bounds[1])
	case syncdef.QualityMaxLength:
		return fmt.Sprintf("%s > %d", fmt.Sprintf(d.length, text), r.length)
	case syncdef.QualityMatches:
		pattern, _ := portable(r.pattern, d.anyChar) // it compiled
		return fmt.Sprintf("NOT (%s)", fmt.Sprintf(d.found, text, d.Literal(pattern)))
	}
	var either []string // in: texts as they are, numbers by value
	if len(r.texts) > 0 {
		quoted := make([]string, len(r.texts))
		for i, s := range r.texts {
			quoted[i] = d.Literal(s)
		}
		either = append(either, text+" IN ("+strings.Join(quoted, ", ")+")")
	}
	if len(r.written) > 0 {
		either = append(either, "COALESCE("+values.number(r.column)+" IN ("+strings.Join(r.written, ", ")+"), FALSE)")
	}
	return text + " IS NOT NULL AND NOT (" + strings.Join(either, " OR ") + ")"
}

// decision is what the whole gate says.
func (g *Gate) decision() string {
	var block, warn []string
	if g.minRows > 0 {
		block = append(block, g.tooFew())
	}
	for i := range g.rules {
		if c := g.rules[i].block.sql(i); c != "" {
			block = append(block, c)
		}
		if c := g.rules[i].warn.sql(i); c != "" {
			warn = append(warn, c)
		}
	}
	return decide(strings.Join(block, " OR "), strings.Join(warn, " OR "))
}

func (g *Gate) tooFew() string { return fmt.Sprintf("c.total_rows < %d", g.minRows) }

// sql is true when the rule is over the threshold; "" where there is none. Whole numbers
// are compared, which no warehouse rounds.
func (t threshold) sql(rule int) string {
	if t.share == "" {
		return ""
	}
	failed, total := fmt.Sprintf("c.failed_%d", rule+1), "c.total_rows"
	if t.part == 0 {
		return failed + " > 0"
	}
	if t.whole > 1 {
		failed += fmt.Sprintf(" * %d", t.whole)
	}
	if t.part > 1 {
		total += fmt.Sprintf(" * %d", t.part)
	}
	return failed + " > " + total
}

func decide(block, warn string) string {
	if block == "" && warn == "" {
		return "'" + string(Proceed) + "'"
	}
	text := "CASE"
	if block != "" {
		text += " WHEN " + block + " THEN '" + string(Block) + "'"
	}
	if warn != "" {
		text += " WHEN " + warn + " THEN '" + string(Warn) + "'"
	}
	return text + " ELSE '" + string(Proceed) + "' END"
}

// results is the list of what each rule found.
func (g *Gate) results(d *Dialect) string {
	var all []string
	if g.minRows > 0 {
		all = append(all, d.result(d.Literal(MinRows), "NULL", fmt.Sprintf("GREATEST(%d - c.total_rows, 0)", g.minRows), "0", threshold{}, threshold{}, decide(g.tooFew(), "")))
	}
	for i := range g.rules {
		r := &g.rules[i]
		failed := "c.failed_" + strconv.Itoa(i+1)
		share := fmt.Sprintf("CASE WHEN c.total_rows = 0 THEN 0 ELSE ROUND(CAST(%s AS %s) / c.total_rows, 6) END", failed, d.double)
		all = append(all, d.result(d.Literal(string(r.kind)), d.Literal(r.column), failed, share, r.warn, r.block, decide(r.block.sql(i), r.warn.sql(i))))
	}
	return fmt.Sprintf(d.list, "\n        "+strings.Join(all, ",\n        ")+"\n    ")
}

// result is an object of the list.
func (d *Dialect) result(kind, column, failed, share string, warn, block threshold, decision string) string {
	return fmt.Sprintf(d.object, strings.Join([]string{
		"'rule'", kind, "'column'", column, "'failed'", failed, "'share'", share,
		"'warn_over'", orNull(warn.share), "'block_over'", orNull(block.share), "'decision'", decision,
	}, ", "))
}

func orNull(s syncdef.Share) string {
	if s == "" {
		return "NULL"
	}
	return string(s)
}
