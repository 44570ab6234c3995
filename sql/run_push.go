package sql

import (
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// checkStep counts rows of another definition than the run's in the view that is read:
// the view has to be made again.
var checkStep = Step{
	Name: StepCheck, Into: []string{"stale"},
	Snowflake: Text{"COUNT(*)", "FROM (SELECT m.penstock_definition AS made_of FROM IDENTIFIER($model) AS m LIMIT 1) AS d WHERE d.made_of <> $definition"},
	DuckDB:    Text{"COUNT(*)", "FROM (SELECT m.penstock_definition AS made_of FROM query_table($model) AS m LIMIT 1) AS d WHERE d.made_of <> $definition"},
	Redshift:  Text{Rest: "EXECUTE 'SELECT COUNT(*) FROM (SELECT m.penstock_definition AS made_of FROM ' || $relation || ' AS m LIMIT 1) AS d WHERE d.made_of <> ' || QUOTE_LITERAL($definition)\nINTO $stale"},
	BigQuery:  Text{Rest: "EXECUTE IMMEDIATE FORMAT(\"\"\"SELECT COUNT(*)\nFROM (SELECT " + rowAlias + ".penstock_definition AS made_of FROM %s AS " + rowAlias + " LIMIT 1) AS d WHERE d.made_of <> @definition\"\"\", $relation)\nINTO $stale\nUSING $definition AS definition"},
}

// A comparison is how columns compare with the watermark: each of both is read as one
// type, and is null where it cannot be, so that a value that is no timestamp or number
// stops no run. % is what is read. Without texts it is none.
type comparison struct {
	query, duckdb    string // types
	snowflake, given string // of a VARIANT, and of the watermark
	times            bool   // of which a date is a whole day
}

// rowAlias is the whole row: where a warehouse takes a table's alias for it, and the column
// of Redshift's source views that has it as JSON. A model's column of that name would come
// in its place, so that it is one that no model has.
const rowAlias = syncdef.RowAlias

// A selection is rows of a model: what is pushed, and in a dry run planned in its place.
type selection struct {
	snowflake, duckdb source
	redshift          string // what ends the text of an EXECUTE, whose quote is open before it
	bigquery          source
	names, using      string // on BigQuery: what stands for each %s of its text, and what goes in beside it
}

// A source is an expression of the row, and the FROM of the rows.
type source struct{ row, from string }

// A selecting is a selection under the name of the step that pushes it.
type selecting struct {
	name StepName
	selection
}

// selections are of a model by a watermark, or of all of it.
var selections = []selecting{
	{StepPush, since(comparison{})},
	{StepPushNumber, since(comparison{"FLOAT64", "DOUBLE", "COALESCE(AS_DOUBLE(%), TRY_TO_DOUBLE(%::VARCHAR))", "TRY_TO_DOUBLE(%)", false})},
	{StepPushInstant, since(comparison{
		"TIMESTAMP", "TIMESTAMPTZ", "COALESCE(AS_TIMESTAMP_TZ(%), AS_TIMESTAMP_LTZ(%)::TIMESTAMP_TZ, AS_DATE(%)::TIMESTAMP_TZ, TRY_TO_TIMESTAMP_TZ(%::VARCHAR, 'AUTO'))", "TRY_TO_TIMESTAMP_TZ(%, 'AUTO')", true,
	})},
	{StepPushLocal, since(comparison{
		"DATETIME", "TIMESTAMP", "COALESCE(AS_TIMESTAMP_NTZ(%), AS_DATE(%)::TIMESTAMP_NTZ, TRY_TO_TIMESTAMP_NTZ(%::VARCHAR, 'AUTO'))", "TRY_TO_TIMESTAMP_NTZ(%, 'AUTO')", true,
	})},
	{StepPushText, since(comparison{"STRING", "VARCHAR", "%::VARCHAR", "%", false})},
}

// dateLength is how long a date may be as a text: what has a time of day is longer.
const dateLength = 12

// since is all rows, or those at or above the watermark by the cursor or by when they
// were made, those that cannot be compared with it, and those that are due to be sent
// again. A date says no more of when a row was made than the day, so that it is compared
// with the watermark's. On Redshift, where a name cannot be a variable, there is one for all: its
// procedure has made $since, the condition, and $relation of the view's name.
func since(c comparison) selection {
	s := selection{
		snowflake: source{"m.r::VARIANT", "FROM (SELECT OBJECT_CONSTRUCT_KEEP_NULL(*) AS r FROM IDENTIFIER($model)) AS m"},
		duckdb:    source{rowAlias, "FROM query_table($model) AS " + rowAlias},
		bigquery:  source{"m.r", queryRows},
		names:     "$relation",
	}
	if c.query == "" {
		s.redshift = shiftRows + "' || $since"
		return s
	}
	of := func(text, what string) string { return strings.ReplaceAll(text, "%", what) }
	made := func(length, mark, day string) string { // the watermark for when a row was made
		if !c.times {
			return mark
		}
		return "CASE WHEN " + length + " <= " + strconv.Itoa(dateLength) + " THEN " + of(day, mark) + " ELSE " + mark + " END"
	}
	mark, cursor, created := of(c.given, "$watermark"), "GET(m.r, $cursor_key)", "GET(m.r, $created_key)"
	s.snowflake.from += "\nWHERE COALESCE(" + of(c.snowflake, cursor) + " >= " + mark + ", TRUE)" +
		"\n   OR " + of(c.snowflake, created) + " >= " + made("LENGTH("+created+"::VARCHAR)", mark, "DATE_TRUNC('DAY', %)") +
		"\n   OR ($always AND GET(m.r, 'PENSTOCK_ALWAYS')::BOOLEAN)"
	// One expression may name one COLUMNS alone, so that each stands in a column of its own.
	read, length := "TRY_CAST(% AS "+c.duckdb+")", ""
	mark = of(read, "$watermark")
	if c.times {
		length = "        LENGTH(CAST(" + duckColumn("$created") + " AS VARCHAR)) AS made_length,\n"
	}
	s.duckdb = source{"s.r", "FROM (\n" +
		"    SELECT " + rowAlias + " AS r, " + of(read, duckColumn("$cursor")) + " AS changed, " + of(read, duckColumn("$created")) + " AS made,\n" + length +
		"        TRY_CAST(" + duckColumn("$always_column") + " AS BOOLEAN) AS again\n" +
		"    FROM query_table($model) AS " + rowAlias + "\n) AS s\n" +
		"WHERE COALESCE(s.changed >= " + mark + ", TRUE) OR s.made >= " + made("s.made_length", mark, "date_trunc('day', %)") + " OR ($always AND s.again)"}
	// The cursor is read from the row, since a key of JSON may be a value.
	read, cursor, created = "SAFE_CAST(% AS "+c.query+")", "JSON_VALUE(m.r[@cursor_key])", "JSON_VALUE(m.r[@created_key])"
	mark = of(read, "@watermark")
	s.bigquery.from += "\nWHERE COALESCE(" + of(read, cursor) + " >= " + mark + ", TRUE)" +
		"\n   OR " + of(read, created) + " >= " + made("LENGTH("+created+")", mark, c.query+"_TRUNC(%, DAY)") +
		"\n   OR (@always AND JSON_VALUE(m.r, '$.penstock_always') = 'true')"
	s.using = ", $cursor_key AS cursor_key, $created_key AS created_key, $watermark AS watermark, $always AS always"
	return s
}

// shiftRows begins where rows come from on Redshift, and queryRows on BigQuery, where
// wide numbers are text, so that no digit is lost.
const (
	shiftRows = " FROM ' || $relation || ' AS m"
	queryRows = "FROM (SELECT TO_JSON(" + rowAlias + ", stringify_wide_numbers => TRUE) AS r FROM %s AS " + rowAlias + ") AS m"
)

// pushSteps push the selections.
func pushSteps() []Step {
	var out []Step
	for _, s := range selections {
		out = append(out, s.push())
	}
	return out
}

// push is the step that pushes a selection and keeps the receipts. On BigQuery no
// identifier is a variable: the text has the dataset and the relation, which is checked
// and quoted before, and everything else goes in beside it; penstock_push stands in no
// condition, in whose branches BigQuery would make a request of every row.
func (s selecting) push() Step {
	plain := func(from source) Text {
		return Text{Rest: "INSERT INTO penstock_receipts (sync, run, answer)\nSELECT $sync, $run, penstock_push($run, " + from.row + ")\n" + from.from}
	}
	step := Step{Name: s.name, Snowflake: plain(s.snowflake), DuckDB: plain(s.duckdb)}
	if s.redshift != "" {
		step.Redshift.Rest = "EXECUTE 'INSERT INTO ' || $here || '.penstock_receipts (sync, run, answer) SELECT ' || QUOTE_LITERAL($sync) || ', ' || QUOTE_LITERAL($run)" +
			" || ', ' || $here || '.penstock_push(' || QUOTE_LITERAL($run) || ', m." + rowAlias + ")" + s.redshift
	}
	step.BigQuery.Rest = "EXECUTE IMMEDIATE FORMAT(\"\"\"INSERT INTO %s.penstock_receipts (sync, run, answer)\n" +
		"SELECT @sync, @run, %s.penstock_push(@run, " + s.bigquery.row + ")\n" + s.bigquery.from + "\"\"\", $here, $here, " + s.names + ")\nUSING $sync AS sync, $run AS run" + s.using
	return step
}

// duckColumn is the column whose name a variable has, in whatever case.
func duckColumn(name string) string { return "COLUMNS(lambda c: lower(c) = lower(" + name + "))" }
