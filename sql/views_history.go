package sql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// HistorySuffix ends the name of the view that shows beside a model's rows what was
// delivered of them.
const HistorySuffix = "_with_sync_history"

// historyName is the name of that view. On Redshift and BigQuery it stands with
// Penstock's own, whatever schema or dataset the model is in.
func historyName(dialect Dialect, d syncdef.Definition) string {
	name := d.Relation()
	if dialect == Redshift || dialect == BigQuery {
		name = name[strings.LastIndex(name, ".")+1:]
	}
	return name + HistorySuffix
}

// historyQuery is the view of a model with what is remembered of its rows, "" where
// nothing is: its record id and match columns, and of every mapped column X current_X and
// last_synced_X, which is what was delivered as of the last refresh, and null where
// nothing was or store_source: none keeps no rows.
func historyQuery(params Params, d syncdef.Definition) string {
	if !d.ChangedOnly() {
		return ""
	}
	m, p := modelAlias(params.dialect), pushedAlias(params.dialect)
	var list, shown []string
	add := func(name, expression string) {
		if !slices.Contains(shown, strings.ToLower(name)) {
			shown = append(shown, strings.ToLower(name))
			list = append(list, expression+" AS "+column(params.dialect, name))
		}
	}
	for _, c := range append(slices.Clone(d.RecordID), d.Match.Source) {
		if c != "" {
			add(c, m+"."+column(params.dialect, c))
		}
	}
	for _, c := range mapped(d) {
		add("current_"+c, m+"."+column(params.dialect, c))
		add("last_synced_"+c, lastSynced(params.dialect, d, c))
	}
	return "SELECT\n    " + strings.Join(list, ",\n    ") + "\nFROM " + relation(params, d.Relation()) + " AS " + m + `
LEFT JOIN (
    ` + lastPushed(params) + `
) AS ` + p + ` ON ` + p + `.sync = ` + literal(params.dialect, d.Sync) + ` AND ` + p + `.key = ` + labelOf(params.dialect, d.RecordID)
}

// pushedAlias is what the view calls the rows that were delivered: on BigQuery, as the
// model there, by a name that no column has.
func pushedAlias(d Dialect) string {
	if d == BigQuery {
		return "penstock_last"
	}
	return "p"
}

// lastPushed is the row of each key that was delivered last.
func lastPushed(params Params) string {
	const over = "PARTITION BY sync, key ORDER BY pushed_at DESC, run DESC"
	d := speeches[params.dialect]
	params.fill() // the table stands where the script makes it
	line := "\n    "
	if !d.qualifies {
		line = ""
	}
	return d.pick(over) + " sync, key, row_data FROM " + params.own("penstock_pushed") + line + d.picked(over)
}

// mapped are the columns that a definition's fields read, each once, in order.
func mapped(d syncdef.Definition) []string {
	var out []string
	for _, f := range d.Fields {
		for _, c := range f.Columns() {
			if p := syncdef.SourcePath(c); len(p) > 1 {
				c = p[0].Name
			}
			if !slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, c) }) {
				out = append(out, c)
			}
		}
	}
	return out
}

// typeOf is the data_type of the field that reads a column, "" where none has one.
func typeOf(d syncdef.Definition, column string) syncdef.Type {
	for _, f := range d.Fields {
		if f.Type != "" && strings.EqualFold(f.Source, column) {
			return f.Type
		}
	}
	return ""
}

// lastSynced is a column of the row that was delivered, whatever the case of its name
// there. On DuckDB it has the type of the model's, and is null where it cannot; Redshift
// and BigQuery cannot say that type, so that there it has the one of the definition's
// data_type, and is text without one.
func lastSynced(dialect Dialect, d syncdef.Definition, name string) string {
	small := literal(dialect, strings.ToLower(name))
	switch dialect {
	case Snowflake:
		return "GET_IGNORE_CASE(p.row_data, " + literal(dialect, name) + ")"
	case Redshift: // the source view writes the names small
		return shiftSynced(fmt.Sprintf(speeches[dialect].text, "p.row_data", column(dialect, strings.ToLower(name))), typeOf(d, name))
	case BigQuery:
		return "(SELECT " + querySynced("penstock_last.row_data[k]", typeOf(d, name)) + " FROM UNNEST(JSON_KEYS(penstock_last.row_data, 1)) AS k WHERE LOWER(k) = " + small + " LIMIT 1)"
	}
	key := "(list_filter(json_keys(p.row_data), lambda k: lower(k) = " + small + "))[1]"
	return "TRY(cast_to_type(p.row_data->>('$.\"' || " + key + " || '\"'), m." + column(dialect, name) + "))"
}

// shiftSynced is a text of Redshift as a type of the definition's; null where it cannot
// be. Redshift casts no text to a boolean, and TRY_CAST takes no empty one.
func shiftSynced(text string, as syncdef.Type) string {
	try := func(kind string) string { return "TRY_CAST(NULLIF(TRIM(" + text + "), '') AS " + kind + ")" }
	switch as {
	case syncdef.Number, syncdef.Integer:
		return try("FLOAT8")
	case syncdef.Boolean:
		return "CASE " + text + " WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END"
	case syncdef.DateTime:
		return try("TIMESTAMP")
	case syncdef.Date:
		return try("DATE")
	}
	return text
}

// querySynced is a JSON value of BigQuery as a type of the definition's; null where it
// cannot be.
func querySynced(value string, as syncdef.Type) string {
	switch as {
	case syncdef.Number, syncdef.Integer:
		return "LAX_FLOAT64(" + value + ")"
	case syncdef.Boolean:
		return "LAX_BOOL(" + value + ")"
	case syncdef.DateTime:
		return "SAFE_CAST(LAX_STRING(" + value + ") AS TIMESTAMP)"
	case syncdef.Date:
		return "SAFE_CAST(LAX_STRING(" + value + ") AS DATE)"
	}
	return "LAX_STRING(" + value + ")"
}

// labelOf is a row's record id as Penstock writes it: several columns with a colon
// between, escaped in all but the last.
func labelOf(dialect Dialect, columns []string) string {
	var parts []string
	for n, c := range columns {
		text := "CAST(" + modelAlias(dialect) + "." + column(dialect, c) + " AS " + speeches[dialect].str(0) + ")"
		if n < len(columns)-1 {
			backslash := "chr(92)"
			text = "replace(replace(" + text + ", " + backslash + ", " + backslash + " || " + backslash + "), ':', " + backslash + " || ':')"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " || ':' || ")
}
