package quality

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Dialect is how a warehouse spells what a gate asks for. The values are Snowflake,
// DuckDB, Redshift and BigQuery.
type Dialect struct {
	Name string

	text    string // a value of any type as text, null for null and for JSON's null: %s is the column
	double  string // the type of a double
	length  string // the characters of a text
	found   string // a pattern in a text: %s, %s
	cast    string // a text that is a number as a double
	native  string // a number of any type as a double, null for anything else; "" where its text says it all
	anyChar string // in a pattern: any character of a line
	quote   string // what stands around a name that is no plain identifier
	escapes string // the characters that a literal has a backslash before
	list    string // a list of JSON: %s
	object  string // an object of JSON, of names and values: %s
	model   string // what the model is called; BigQuery takes a name for a column before it takes it for a table's alias
}

// The warehouses.
var (
	// Snowflake's REGEXP_LIKE is anchored, and REGEXP_INSTR is not (REGEXP_INSTR, usage
	// notes). The text of a FLOAT has fewer digits than it.
	Snowflake = &Dialect{
		Name: "snowflake", text: "TO_VARCHAR(TO_VARIANT(%s))", double: "DOUBLE", length: "LENGTH(%s)", found: "REGEXP_INSTR(%s, %s) > 0",
		cast: "TRY_TO_DOUBLE(%s)", native: "AS_DOUBLE(TO_VARIANT(%s))", anyChar: ".", quote: `"`, escapes: `\`, list: "ARRAY_CONSTRUCT(%s)", object: "OBJECT_CONSTRUCT_KEEP_NULL(%s)", model: "m",
	}
	DuckDB = &Dialect{
		Name: "duckdb", text: "(to_json(%s)->>'$')", double: "DOUBLE", length: "length(%s)", found: "regexp_matches(%s, %s)",
		cast: "TRY_CAST(%s AS DOUBLE)", anyChar: ".", quote: `"`, list: "json_array(%s)", object: "json_object(%s)", model: "m",
	}
	// A cast to VARCHAR alone would cut after 256 bytes; POSIX's . is a new line too.
	Redshift = &Dialect{
		Name: "redshift", text: "CAST(%s AS VARCHAR(65535))", double: "DOUBLE PRECISION", length: "LEN(%s)", found: "REGEXP_INSTR(%s, %s) > 0",
		cast: "CAST(%s AS DOUBLE PRECISION)", anyChar: "[^\n]", quote: `"`, escapes: `\`, list: "ARRAY(%s)", object: "OBJECT(%s)", model: "m",
	}
	// JSON_VALUE answers null for what is no scalar.
	BigQuery = &Dialect{
		Name: "bigquery", text: "COALESCE(JSON_VALUE(TO_JSON(%[1]s)), NULLIF(TO_JSON_STRING(%[1]s), 'null'))", double: "FLOAT64", length: "CHAR_LENGTH(%s)", found: "REGEXP_CONTAINS(%s, %s)",
		cast: "SAFE_CAST(%s AS FLOAT64)", anyChar: ".", quote: "`", escapes: `\`, list: "JSON_ARRAY(%s)", object: "JSON_OBJECT(%s)", model: syncdef.RowAlias,
	}
)

// Dialects are all of them.
var Dialects = []*Dialect{Snowflake, DuckDB, Redshift, BigQuery}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reservedWords are column names that no warehouse takes without quotes, of those that
// people give columns.
var reservedWords = map[string]bool{
	"all": true, "and": true, "any": true, "as": true, "between": true, "by": true, "case": true, "check": true, "column": true, "create": true,
	"cross": true, "current": true, "default": true, "desc": true, "distinct": true, "else": true, "end": true, "exists": true, "false": true,
	"for": true, "from": true, "full": true, "group": true, "having": true, "in": true, "inner": true, "interval": true, "into": true, "is": true,
	"join": true, "left": true, "like": true, "limit": true, "natural": true, "not": true, "null": true, "of": true, "on": true, "or": true, "order": true,
	"right": true, "select": true, "set": true, "table": true, "tag": true, "then": true, "to": true, "true": true, "union": true, "unique": true,
	"using": true, "when": true, "where": true, "with": true, "user": true, "values": true, "grant": true, "start": true, "references": true,
}

// In is the dialect of that name, nil where there is none.
func In(name string) *Dialect {
	if i := slices.IndexFunc(Dialects, func(d *Dialect) bool { return d.Name == name }); i >= 0 {
		return Dialects[i]
	}
	return nil
}

// column is a column of the model.
func (d *Dialect) column(name string) string { return d.model + "." + d.Column(name) }

// Column is a column's name as the warehouse takes it. Plain names stand without quotes,
// so that their case does not matter; Snowflake keeps that of a quoted one.
func (d *Dialect) Column(name string) string {
	if plainName.MatchString(name) && !reservedWords[strings.ToLower(name)] {
		return name
	}
	if d == Snowflake && plainName.MatchString(name) {
		name = strings.ToUpper(name) // a reserved word is stored so
	}
	twice := d.quote + d.quote
	if d == BigQuery {
		twice = "\\`"
	}
	return d.quote + strings.ReplaceAll(name, d.quote, twice) + d.quote
}

// Literal is a text in quotes. It has no control characters: the reader of definitions
// refuses them.
func (d *Dialect) Literal(s string) string {
	for _, c := range d.escapes {
		s = strings.ReplaceAll(s, string(c), `\`+string(c))
	}
	quote := "''"
	if d == BigQuery {
		quote = `\'`
	}
	return "'" + strings.ReplaceAll(s, "'", quote) + "'"
}

// textOf is a column as text, null for null and for JSON's null.
func (d *Dialect) textOf(column string) string { return fmt.Sprintf(d.text, column) }

// numberOf is a column as a double, null where it is no number; the case keeps a
// warehouse from reading what is none.
func (d *Dialect) numberOf(column string) string {
	text := d.textOf(column)
	n := fmt.Sprintf("CASE WHEN %s THEN %s END", fmt.Sprintf(d.found, text, d.Literal(numeric)), fmt.Sprintf(d.cast, text))
	if d.native != "" {
		n = "COALESCE(" + fmt.Sprintf(d.native, column) + ", " + n + ")"
	}
	return n
}
