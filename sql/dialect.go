package sql

import (
	"fmt"
	"strings"
	"text/template"
)

// A Dialect is a warehouse's SQL.
type Dialect string

// The dialects.
const (
	Snowflake Dialect = "snowflake"
	DuckDB    Dialect = "duckdb"
	Redshift  Dialect = "redshift"
	BigQuery  Dialect = "bigquery"
)

// Dialects are the warehouses that Setup knows.
var Dialects = []Dialect{Snowflake, Redshift, BigQuery, DuckDB}

// A speech spells what the warehouses spell differently. The words of the templates
// are made of it; where a word's spelling is a pattern, %s stands for what it is given.
type speech struct {
	name      Dialect
	timestamp string                             // a time without a zone; on BigQuery, which counts all in UTC, a point in time
	json      string                             // a column of JSON
	now       string                             // in UTC, without a zone
	byDefault string                             // the same after DEFAULT
	key       string                             // after a column that names the row
	view      string                             // what begins a view called %s
	text      string                             // %s, an object, at the path %s, as text
	object    string                             // the same as JSON
	each      string                             // the elements of an object's list, for FROM: %s at %s as %s
	element   string                             // such an element, of a list called u
	elements  string                             // such an element as a column called value
	utc       string                             // a time with a zone, as text, without it in UTC
	iso       string                             // a time as text
	str       func(length int) string            // a column or value of text; 0 is any length
	long      string                             // a column of long text
	float     string                             // a number as a double
	written   string                             // a number as text
	percent   string                             // a share as a number of percent with one decimal, as text
	syncOf    string                             // what a run's id begins with
	interval  func(length string) string         // "3 HOURS"
	diff      func(unit, from, to string) string // how many units, "minutes", begin between two times
	answer    string                             // what a penstock function answers, as JSON
	qualifies bool                               // has QUALIFY, without a WHERE too
	merges    bool                               // has MERGE with a query as its source
	variable  string                             // before a variable's name, in a procedure
	added     string                             // adds to a table %s, where it is missing, a column %s of type %s; "" where every table has all
}

var duck = speech{
	name: DuckDB, timestamp: "TIMESTAMP", json: "JSON",
	now: "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')", byDefault: "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')",
	key:     "", // a primary key would be enforced, as Snowflake's is not, and refuse a row of one's own beside a refreshed one
	view:    "CREATE OR REPLACE VIEW %s AS",
	text:    "(%s->>'$.%s')",
	object:  "(%s->'$.%s')",
	each:    "unnest(CAST(%s->'$.%s' AS JSON[])) AS %s(value)",
	element: "u.value", elements: "u.value",
	utc: "CAST(CAST(%s AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS TIMESTAMP)",
	iso: "strftime(%s, '%%Y-%%m-%%dT%%H:%%M:%%SZ')",
	str: varchar, long: "TEXT", float: "%s::DOUBLE", written: "%s",
	percent: "CAST(ROUND(%s * 100, 1) AS DECIMAL(9, 1))", syncOf: "SPLIT_PART(%s, '.', 1)",
	interval: quotedInterval, diff: quotedDiff, answer: "%s", qualifies: true, merges: true,
	added: "ALTER TABLE %s ADD COLUMN IF NOT EXISTS %s %s;",
}

var snow = speech{
	name: Snowflake, timestamp: "TIMESTAMP_NTZ", json: "VARIANT", now: "SYSDATE()", byDefault: "SYSDATE()",
	key:     " PRIMARY KEY",
	view:    "CREATE OR REPLACE VIEW %s COPY GRANTS AS",
	text:    "GET_PATH(%s, '%s')::VARCHAR",
	object:  "GET_PATH(%s, '%s')",
	each:    "LATERAL FLATTEN(INPUT => GET_PATH(%s, '%s')) AS %s",
	element: "u.value", elements: "u.value",
	utc: "CONVERT_TIMEZONE('UTC', %s::TIMESTAMP_TZ)::TIMESTAMP_NTZ",
	iso: `TO_VARCHAR(%s, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`,
	str: varchar, long: "TEXT", float: "%s::DOUBLE", written: "%s",
	percent: "CAST(ROUND(%s * 100, 1) AS DECIMAL(9, 1))", syncOf: "SPLIT_PART(%s, '.', 1)",
	interval: quotedInterval, diff: quotedDiff, answer: "%s", qualifies: true, merges: true, variable: ":",
	added: "ALTER TABLE %s ADD COLUMN IF NOT EXISTS %s %s;",
}

// shift takes an answer, which is VARCHAR, apart with JSON_PARSE; the elements of a
// SUPER's list are navigated, not columns. A VARCHAR without a length has 256 bytes on
// Redshift, and MERGE takes a table as its source, no query.
var shift = speech{
	name: Redshift, timestamp: "TIMESTAMP", json: "SUPER",
	now: "(GETDATE()::TIMESTAMPTZ AT TIME ZONE 'UTC')", byDefault: "(GETDATE()::TIMESTAMPTZ AT TIME ZONE 'UTC')",
	key:     "", // the planner would trust a primary key, and answer wrong where a row of one's own stands beside a refreshed one
	view:    "CREATE OR REPLACE VIEW %s AS",
	text:    "%s.%s::VARCHAR(65535)",
	object:  "%s.%s",
	each:    "%s.%s AS %s",
	element: "u", elements: "u AS value",
	utc: "(%s::TIMESTAMPTZ AT TIME ZONE 'UTC')",
	iso: `TO_CHAR(%s, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`,
	str: func(length int) string {
		if length == 0 {
			length = 65535
		}
		return varchar(length)
	},
	long: "VARCHAR(65535)", float: "%s::FLOAT8", written: "%s::VARCHAR(32)",
	percent: "CAST(CAST(%s * 100 AS DECIMAL(9, 1)) AS VARCHAR(32))", syncOf: "SPLIT_PART(%s, '.', 1)",
	interval: quotedInterval,
	diff: func(unit, from, to string) string {
		return fmt.Sprintf("DATEDIFF(%s, %s, %s)", strings.TrimSuffix(unit, "s"), from, to)
	},
	answer: "JSON_PARSE(%s)", variable: "v_",
}

// query counts the units that begin between two times, as DATEDIFF does: TIMESTAMP_DIFF
// by itself would count whole ones.
var query = speech{
	name: BigQuery, timestamp: "TIMESTAMP", json: "JSON", now: "CURRENT_TIMESTAMP()", byDefault: "CURRENT_TIMESTAMP()",
	view:    "CREATE OR REPLACE VIEW %s AS",
	text:    "JSON_VALUE(%s, '$.%s')",
	object:  "JSON_QUERY(%s, '$.%s')",
	each:    "UNNEST(JSON_QUERY_ARRAY(%s, '$.%s')) AS %s",
	element: "u", elements: "u AS value",
	utc: "CAST(%s AS TIMESTAMP)",
	iso: "FORMAT_TIMESTAMP('%%Y-%%m-%%dT%%H:%%M:%%SZ', %s, 'UTC')",
	str: func(int) string { return "STRING" }, long: "STRING", float: "CAST(%s AS FLOAT64)", written: "CAST(%s AS STRING)",
	percent: "FORMAT('%%.1f', %s * 100)", syncOf: "SPLIT(%s, '.')[SAFE_OFFSET(0)]",
	interval: func(length string) string { return "INTERVAL " + strings.TrimSuffix(length, "S") },
	diff: func(unit, from, to string) string {
		unit = strings.ToUpper(strings.TrimSuffix(unit, "s"))
		return fmt.Sprintf("TIMESTAMP_DIFF(TIMESTAMP_TRUNC(%[2]s, %[1]s), TIMESTAMP_TRUNC(%[3]s, %[1]s), %[1]s)", unit, to, from)
	},
	answer: "%s", merges: true, variable: "v_",
}

// speeches are the spellings by dialect.
var speeches = map[Dialect]speech{DuckDB: duck, Snowflake: snow, Redshift: shift, BigQuery: query}

func varchar(length int) string {
	if length == 0 {
		return "VARCHAR"
	}
	return fmt.Sprintf("VARCHAR(%d)", length)
}

func quotedInterval(length string) string { return "INTERVAL '" + length + "'" }

func quotedDiff(unit, from, to string) string {
	return fmt.Sprintf("DATEDIFF('%s', %s, %s)", unit, from, to)
}

// words are the functions of the templates.
func (d speech) words() template.FuncMap {
	text := func(object, path string) string { return fmt.Sprintf(d.text, object, path) }
	fill := func(pattern string) func(string) string {
		return func(what string) string { return fmt.Sprintf(pattern, what) }
	}
	word := func(text string) func() string { return func() string { return text } }
	return template.FuncMap{
		"timestamp": word(d.timestamp),
		"json":      word(d.json),
		"now":       word(d.now),
		"added": func(table, column, kind string) string {
			if d.added == "" {
				return ""
			}
			return fmt.Sprintf(d.added, table, column, kind)
		},
		"default":   word(d.byDefault),
		"key":       word(d.key),
		"long":      word(d.long),
		"element":   word(d.element),
		"hash":      word(map[bool]string{true: "`hash`", false: "hash"}[d.name == BigQuery]), // which it reserves
		"elements":  word(d.elements),
		"string":    d.str,
		"noText":    func() string { return "CAST(NULL AS " + d.str(0) + ")" },
		"view":      fill(d.view),
		"iso":       fill(d.iso),
		"float":     fill(d.float),
		"written":   fill(d.written),
		"percent":   fill(d.percent),
		"syncOf":    fill(d.syncOf),
		"answer":    fill(d.answer),
		"interval":  d.interval,
		"diff":      d.diff,
		"text":      text,
		"count":     func(object, path string) string { return "COALESCE(CAST(" + text(object, path) + " AS BIGINT), 0)" },
		"known":     func(object, path string) string { return "CAST(" + text(object, path) + " AS BIGINT)" },
		"at":        func(object, path string) string { return fmt.Sprintf(d.utc, text(object, path)) },
		"object":    func(object, path string) string { return fmt.Sprintf(d.object, object, path) },
		"each":      func(object, path, alias string) string { return fmt.Sprintf(d.each, object, path, alias) },
		"days":      func(n int) string { return d.now + " - " + d.interval(fmt.Sprintf("%d DAYS", n)) },
		"pick":      d.pick,
		"picked":    d.picked,
		"late":      d.late,
		"records":   records,
		"succeeded": succeeded,
		"nothing":   nothing,
		"refresh":   d.refreshScript,
	}
}

// pick begins a SELECT of the first row of each group; over is "PARTITION BY … ORDER BY
// …". Its select list follows, and picked ends it.
func (d speech) pick(over string) string {
	if d.qualifies {
		return "SELECT"
	}
	return "SELECT * FROM (SELECT ROW_NUMBER() OVER (" + over + ") AS nth,"
}

// picked ends what pick began, with the same text.
func (d speech) picked(over string) string {
	if d.qualifies {
		return "QUALIFY ROW_NUMBER() OVER (" + over + ") = 1"
	}
	return ") AS picked WHERE picked.nth = 1"
}

// late is true when more than so many minutes lie between a time and now, whole hours
// counted as hours: as DATEDIFF does, which counts the hours that begin.
func (d speech) late(at, minutes string, otherwise int) string {
	m := fmt.Sprintf("COALESCE(%s, %d)", minutes, otherwise)
	return fmt.Sprintf("CASE WHEN MOD(%s, 60) = 0 THEN %s * 60 > %s ELSE %s > %s END",
		m, d.diff("hours", at, d.now), m, d.diff("minutes", at, d.now), m)
}

// step is a statement of penstock_run, for the dialect's procedure.
func (d speech) step(name string) (string, error) {
	s := FindStep(StepName(name))
	if s.Name == "" {
		return "", fmt.Errorf("penstock_run has no step %q", name)
	}
	if s.In(d.name).Statement() == "" {
		return "", fmt.Errorf("penstock_run: step %q has no text for %s", name, d.name)
	}
	return d.scripting(s), nil
}

// scripting is a step as a procedure of the dialect has it: its variables as the
// dialect writes them, and what it answers put into them.
func (d speech) scripting(s Step) string {
	t := s.In(d.name)
	into := func(before string) string { return before + strings.Join(s.Into, ", "+before) }
	text := t.Statement()
	switch {
	case len(s.Into) == 0, strings.HasPrefix(text, "EXECUTE "): // which says itself where its row goes
	case d.name == BigQuery && len(s.Into) == 1:
		text = "SET $" + s.Into[0] + " = (" + text + ")"
	case d.name == BigQuery:
		text = "SET (" + into("$") + ") = (SELECT AS STRUCT " + strings.TrimPrefix(text, "SELECT ") + ")"
	default:
		t.Rest = strings.TrimSpace("INTO " + into("$") + " " + t.Rest)
		text = t.Statement()
	}
	return variable.ReplaceAllString(strings.ReplaceAll(text, "\n", "\n            "), "${1}"+d.variable+"${2}") + ";"
}

// render fills a template in. The templates are ours: a fault in one is found by the
// first test.
func (d speech) render(name, text string, data any) (string, error) {
	t, err := template.New(name).Funcs(d.words()).Option("missingkey=error").Parse(text)
	if err != nil {
		return "", fmt.Errorf("parse %s: %w", name, err)
	}
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		return "", fmt.Errorf("fill in %s: %w", name, err)
	}
	return b.String(), nil
}
