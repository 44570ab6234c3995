package sql

import (
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

// A comparison compares a column with the watermark, as its type asks; % is the column.
// On BigQuery all is cast to one type. Without texts it is none.
type comparison struct{ queryType, snowflake, duckdb string }

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
	{StepPushNumber, since(comparison{"FLOAT64", "GET(m.r, %)::DOUBLE >= TO_DOUBLE($watermark)", "TRY_CAST(% AS DOUBLE) >= CAST($watermark AS DOUBLE)"})},
	{StepPushInstant, since(comparison{"TIMESTAMP", "GET(m.r, %)::TIMESTAMP_TZ >= TO_TIMESTAMP_TZ($watermark)", "TRY_CAST(% AS TIMESTAMPTZ) >= CAST($watermark AS TIMESTAMPTZ)"})},
	{StepPushLocal, since(comparison{"DATETIME", "GET(m.r, %)::TIMESTAMP_NTZ >= TO_TIMESTAMP_NTZ($watermark)", "TRY_CAST(% AS TIMESTAMP) >= CAST($watermark AS TIMESTAMP)"})},
	{StepPushText, since(comparison{"STRING", "GET(m.r, %)::VARCHAR >= $watermark", "CAST(% AS VARCHAR) >= CAST($watermark AS VARCHAR)"})},
}

// since is all rows, or those at or above the watermark by the cursor or by when they
// were made, those that cannot be compared with it, and those that are due to be sent
// again. On Redshift, where a name cannot be a variable, there is one for all: its
// procedure has made $since, the condition, and $relation of the view's name.
func since(c comparison) selection {
	s := selection{
		snowflake: source{"m.r::VARIANT", "FROM (SELECT OBJECT_CONSTRUCT_KEEP_NULL(*) AS r FROM IDENTIFIER($model)) AS m"},
		duckdb:    source{rowAlias, "FROM query_table($model) AS " + rowAlias},
		bigquery:  source{"m.r", queryRows},
		names:     "$relation",
	}
	if c.snowflake == "" {
		s.redshift = shiftRows + "' || $since"
		return s
	}
	of := func(text, column string) string { return strings.ReplaceAll(text, "%", column) }
	s.snowflake.from += "\nWHERE " + of(c.snowflake, "$cursor_key") + " OR COALESCE(IS_NULL_VALUE(GET(m.r, $cursor_key)), TRUE)" +
		"\n   OR " + of(c.snowflake, "$created_key") + " OR ($always AND GET(m.r, 'PENSTOCK_ALWAYS')::BOOLEAN)"
	// One expression may name one COLUMNS alone, so that each stands in a column of its own.
	s.duckdb = source{"s.r", "FROM (\n" +
		"    SELECT " + rowAlias + " AS r, " + of(c.duckdb, duckColumn("$cursor")) + " AS changed, " + of(c.duckdb, duckColumn("$created")) + " AS made,\n" +
		"        TRY_CAST(" + duckColumn("$always_column") + " AS BOOLEAN) AS again\n" +
		"    FROM query_table($model) AS " + rowAlias + "\n) AS s\n" +
		"WHERE COALESCE(s.changed, TRUE) OR s.made OR ($always AND s.again)"}
	// The cursor is read from the row, since a key of JSON may be a value.
	s.bigquery.from += "\nWHERE COALESCE(SAFE_CAST(JSON_VALUE(m.r[@cursor_key]) AS " + c.queryType + ") >= CAST(@watermark AS " + c.queryType + "), TRUE)" +
		"\n   OR SAFE_CAST(JSON_VALUE(m.r[@created_key]) AS " + c.queryType + ") >= CAST(@watermark AS " + c.queryType + ")" +
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
