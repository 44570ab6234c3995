package sql

import (
	"embed"
	"fmt"
	"strings"
	"text/template"
)

//go:embed monitoring/*.sql
var monitoring embed.FS

// monitoringFolder holds the tables and views that both dialects have, as one text
// that says in a few words where they differ.
const monitoringFolder = "monitoring"

// A dialect spells what the warehouses spell differently.
type dialect struct {
	timestamp string // a time without a zone
	json      string // a column of JSON
	now       string // in UTC, without a zone
	byDefault string // the same after DEFAULT
	key       string // after a column that names the row
	view      string // what begins a view called %s
	text      string // %s, an object, at the path %s, as text
	object    string // the same as JSON
	each      string // the elements of an object's list, for FROM: %s at %s as %s, whose column is value
	utc       string // a time with a zone, as text, without it in UTC
	iso       string // a time as text
}

var (
	duckDialect = dialect{
		timestamp: "TIMESTAMP", json: "JSON", now: "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')", byDefault: "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')",
		key:    "", // a primary key would be enforced, as Snowflake's is not, and refuse a row of one's own beside a refreshed one
		view:   "CREATE OR REPLACE VIEW %s AS",
		text:   "(%s->>'$.%s')",
		object: "(%s->'$.%s')",
		each:   "unnest(CAST(%s->'$.%s' AS JSON[])) AS %s(value)",
		utc:    "CAST(CAST(%s AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS TIMESTAMP)",
		iso:    "strftime(%s, '%%Y-%%m-%%dT%%H:%%M:%%SZ')",
	}
	snowDialect = dialect{
		timestamp: "TIMESTAMP_NTZ", json: "VARIANT", now: "SYSDATE()", byDefault: "SYSDATE()",
		key:    " PRIMARY KEY",
		view:   "CREATE OR REPLACE VIEW %s COPY GRANTS AS",
		text:   "GET_PATH(%s, '%s')::VARCHAR",
		object: "GET_PATH(%s, '%s')",
		each:   "LATERAL FLATTEN(INPUT => GET_PATH(%s, '%s')) AS %s",
		utc:    "CONVERT_TIMEZONE('UTC', %s::TIMESTAMP_TZ)::TIMESTAMP_NTZ",
		iso:    `TO_VARCHAR(%s, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`,
	}
)

// words are the functions of the templates.
func (d dialect) words() template.FuncMap {
	text := func(object, path string) string { return fmt.Sprintf(d.text, object, path) }
	return template.FuncMap{
		"timestamp": func() string { return d.timestamp },
		"json":      func() string { return d.json },
		"now":       func() string { return d.now },
		"default":   func() string { return d.byDefault },
		"key":       func() string { return d.key },
		"view":      func(name string) string { return fmt.Sprintf(d.view, name) },
		"text":      text,
		"count":     func(object, path string) string { return "COALESCE(CAST(" + text(object, path) + " AS BIGINT), 0)" },
		"at":        func(object, path string) string { return fmt.Sprintf(d.utc, text(object, path)) },
		"object":    func(object, path string) string { return fmt.Sprintf(d.object, object, path) },
		"each":      func(object, path, alias string) string { return fmt.Sprintf(d.each, object, path, alias) },
		"iso":       func(at string) string { return fmt.Sprintf(d.iso, at) },
		"days":      func(n int) string { return fmt.Sprintf("%s - INTERVAL '%d DAYS'", d.now, n) },
		"late":      d.late,
		"records":   records,
		"succeeded": succeeded,
		"nothing":   nothing,
		"refresh":   refreshScript,
	}
}

// late is true when more than so many minutes lie between a time and now, whole hours
// counted as hours: as DATEDIFF does, which counts the hours that begin.
func (d dialect) late(at, minutes string, otherwise int) string {
	m := fmt.Sprintf("COALESCE(%s, %d)", minutes, otherwise)
	return fmt.Sprintf("CASE WHEN MOD(%s, 60) = 0 THEN DATEDIFF('hours', %s, %s) * 60 > %s ELSE DATEDIFF('minutes', %s, %s) > %s END",
		m, at, d.now, m, at, d.now, m)
}

// records is how many rows of a run are at the destination.
func records(of string) string {
	return fmt.Sprintf("LEAST(%[1]sreceived, %[1]sdelivered + %[1]sunchanged + %[1]sretried_delivered)", of)
}

// nothing is true of an ended run that delivered nothing of what it got.
func nothing(of string) string {
	return fmt.Sprintf("(%[1]soutcome = 'failed' AND %[1]sretried_delivered = 0)", of)
}

// succeeded is true of a run that moves the last success: complete, and with a row at
// the destination, or none to deliver.
func succeeded(of string) string {
	return fmt.Sprintf("%[1]sstatus = 'complete' AND (%[1]soutcome <> 'failed' OR %[1]sretried_delivered > 0)", of)
}

// render fills a template in. The templates are ours: a fault in one is found by the
// first test.
func (d dialect) render(name, text string, data any) (string, error) {
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

// MonitoringTables is the part of the duckdb script that penstock_refresh needs, and
// makes by itself where it is missing: the tables, and the views over them.
func MonitoringTables() (string, error) {
	var parts []string
	for _, name := range []string{"03_monitoring_tables.sql", "06_monitoring_views.sql"} {
		text, err := monitoring.ReadFile(monitoringFolder + "/" + name)
		if err != nil {
			return "", fmt.Errorf("monitoring: %w", err)
		}
		part, err := duckDialect.render(name, string(text), nil)
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "\n"), nil
}
