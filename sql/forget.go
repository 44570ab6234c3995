package sql

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A personal is a table of ours that may hold what rows say: the columns that name a
// record, and those of JSON.
type personal struct {
	table string
	names []string
	rows  []string
	texts bool // Redshift has these as texts
}

// personals are the tables that sql-setup makes which hold texts of rows; a test holds
// the list to what is made.
var personals = []personal{
	{"reverse_etl_sync_errors", []string{"record_id"}, []string{"source_data"}, false},
	{"penstock_pushed", []string{"key"}, []string{"row_data"}, false},
	{"penstock_pushing", nil, []string{"answer", "row_data"}, false},
	{"penstock_pages", nil, []string{"answer"}, false},
	{"penstock_receipts", nil, []string{"answer"}, true},
}

// Forget are the statements that delete from the warehouse's own tables what is of a
// person: rows that are named by one of the values, whatever their case, or that hold one
// as a text of their JSON. They are printed for a person to read and run; nothing here
// runs them. Names are the dialect's own, of the schema or dataset of p where they have one.
func Forget(d Dialect, p Params, values []string) []string {
	p.dialect = d
	var names, texts []string
	for _, v := range values {
		lower := strings.ToLower(strings.TrimSpace(v))
		if lower == "" {
			continue
		}
		names = append(names, literal(d, lower))
		texts = append(texts, literal(d, jsonText(lower)))
	}
	names, texts = unique(names), unique(texts)
	if names == nil {
		return nil
	}
	var out []string
	for _, t := range personals {
		var where []string
		for _, column := range t.names {
			where = append(where, fmt.Sprintf("LOWER(TRIM(%s)) IN (%s)", column, strings.Join(names, ", ")))
		}
		for _, column := range t.rows {
			contains := contains[d]
			if t.texts && d == Redshift {
				contains = strings.Replace(contains, "JSON_SERIALIZE(%s)", "%s", 1)
			}
			for _, text := range texts {
				where = append(where, fmt.Sprintf(contains, column, text))
			}
		}
		out = append(out, fmt.Sprintf("DELETE FROM %s\nWHERE %s;", p.own(t.table), strings.Join(where, "\n   OR ")))
	}
	return out
}

// ForgetRecords is the statement that deletes records from a table that
// penstock verify --into warehouse made, by their destination's ids; "" for none.
func ForgetRecords(d Dialect, p Params, table string, ids []string) string {
	p.dialect = d
	var texts []string
	for _, id := range unique(slices.Clone(ids)) {
		if id != "" {
			texts = append(texts, literal(d, id))
		}
	}
	if texts == nil {
		return ""
	}
	return fmt.Sprintf("-- if  penstock verify --into warehouse  made it\nDELETE FROM %s\nWHERE destination_id IN (%s);", p.own(table), strings.Join(texts, ", "))
}

// contains is whether the text of a column of JSON, %s, holds another, %s.
var contains = map[Dialect]string{
	DuckDB:    "contains(LOWER(CAST(%s AS VARCHAR)), %s)",
	Snowflake: "CONTAINS(LOWER(TO_JSON(%s)), %s)",
	Redshift:  "STRPOS(LOWER(JSON_SERIALIZE(%s)), %s) > 0",
	BigQuery:  "STRPOS(LOWER(TO_JSON_STRING(%s)), %s) > 0",
}

// jsonText is a text as it stands in JSON, its quotes included, so that no longer text
// that begins or ends with it is found.
func jsonText(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text always can be
	return strings.TrimSuffix(b.String(), "\n")
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
