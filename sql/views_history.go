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

// historyQuery is the view of a model with what is remembered of its rows, "" where
// nothing is: its record id and match columns, and of every mapped column X current_X and
// last_synced_X, which is what was delivered as of the last refresh, and null where
// nothing was or store_source: none keeps no rows.
func historyQuery(params Params, d syncdef.Definition) string {
	if !d.ChangedOnly() || params.dialect == Redshift || params.dialect == BigQuery {
		return ""
	}
	var list, shown []string
	add := func(name, expression string) {
		if !slices.Contains(shown, strings.ToLower(name)) {
			shown = append(shown, strings.ToLower(name))
			list = append(list, expression+" AS "+column(params.dialect, name))
		}
	}
	for _, c := range append(slices.Clone(d.RecordID), d.Match.Source) {
		if c != "" {
			add(c, "m."+column(params.dialect, c))
		}
	}
	for _, c := range mapped(d) {
		add("current_"+c, "m."+column(params.dialect, c))
		add("last_synced_"+c, lastSynced(params.dialect, c))
	}
	return "SELECT\n    " + strings.Join(list, ",\n    ") + "\nFROM " + relation(params, d.Relation()) + ` AS m
LEFT JOIN (
    SELECT sync, key, row_data FROM penstock_pushed
    QUALIFY ROW_NUMBER() OVER (PARTITION BY sync, key ORDER BY pushed_at DESC, run DESC) = 1
) AS p ON p.sync = ` + literal(params.dialect, d.Sync) + ` AND p.key = ` + labelOf(params.dialect, d.RecordID)
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

// lastSynced is a column of the row that was delivered, whatever the case of its name
// there. On DuckDB it has the type of the model's, and is null where it cannot.
func lastSynced(d Dialect, name string) string {
	if d == Snowflake {
		return "GET_IGNORE_CASE(p.row_data, " + literal(d, name) + ")"
	}
	key := fmt.Sprintf("(list_filter(json_keys(p.row_data), lambda k: lower(k) = %s))[1]", literal(d, strings.ToLower(name)))
	return "TRY(cast_to_type(p.row_data->>('$.\"' || " + key + " || '\"'), m." + column(d, name) + "))"
}

// labelOf is a row's record id as Penstock writes it: several columns with a colon
// between, escaped in all but the last.
func labelOf(d Dialect, columns []string) string {
	var parts []string
	for n, c := range columns {
		text := "CAST(m." + column(d, c) + " AS VARCHAR)"
		if n < len(columns)-1 {
			backslash := "chr(92)"
			text = "replace(replace(" + text + ", " + backslash + ", " + backslash + " || " + backslash + "), ':', " + backslash + " || ':')"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " || ':' || ")
}
