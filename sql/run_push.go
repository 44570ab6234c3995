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

// pushSteps push a model by a watermark, or all of it.
var pushSteps = []Step{
	push(StepPush, comparison{}),
	push(StepPushNumber, comparison{"FLOAT64", "GET(m.r, %)::DOUBLE >= TO_DOUBLE($watermark)", "TRY_CAST(% AS DOUBLE) >= CAST($watermark AS DOUBLE)"}),
	push(StepPushInstant, comparison{"TIMESTAMP", "GET(m.r, %)::TIMESTAMP_TZ >= TO_TIMESTAMP_TZ($watermark)", "TRY_CAST(% AS TIMESTAMPTZ) >= CAST($watermark AS TIMESTAMPTZ)"}),
	push(StepPushLocal, comparison{"DATETIME", "GET(m.r, %)::TIMESTAMP_NTZ >= TO_TIMESTAMP_NTZ($watermark)", "TRY_CAST(% AS TIMESTAMP) >= CAST($watermark AS TIMESTAMP)"}),
	push(StepPushText, comparison{"STRING", "GET(m.r, %)::VARCHAR >= $watermark", "CAST(% AS VARCHAR) >= CAST($watermark AS VARCHAR)"}),
}

// push is a push step: all rows, or those at or above the watermark by the cursor or by
// when they were made, those that cannot be compared with it, and those that are due to
// be sent again. On Redshift, where a name cannot be a variable, there is one step for all:
// its procedure has made $since, the condition, and $relation of the view's name.
func push(name StepName, since comparison) Step {
	s := Step{Name: name}
	s.BigQuery.Rest = queryPush(since.queryType)
	s.Snowflake.Rest = "INSERT INTO penstock_receipts (sync, run, answer)\n" +
		"SELECT $sync, $run, penstock_push($run, m.r::VARIANT)\n" +
		"FROM (SELECT OBJECT_CONSTRUCT_KEEP_NULL(*) AS r FROM IDENTIFIER($model)) AS m"
	s.DuckDB.Rest = "INSERT INTO penstock_receipts (sync, run, answer)\n" +
		"SELECT $sync, $run, penstock_push($run, " + rowAlias + ")\nFROM query_table($model) AS " + rowAlias
	if since.snowflake == "" {
		s.Redshift.Rest = shiftPush
		return s
	}
	of := func(text, column string) string { return strings.ReplaceAll(text, "%", column) }
	s.Snowflake.Rest += "\nWHERE " + of(since.snowflake, "$cursor_key") + " OR COALESCE(IS_NULL_VALUE(GET(m.r, $cursor_key)), TRUE)" +
		"\n   OR " + of(since.snowflake, "$created_key") + " OR ($always AND GET(m.r, 'PENSTOCK_ALWAYS')::BOOLEAN)"
	// One expression may name one COLUMNS alone, so that each stands in a column of its own.
	s.DuckDB.Rest = "INSERT INTO penstock_receipts (sync, run, answer)\n" +
		"SELECT $sync, $run, penstock_push($run, s.r)\nFROM (\n" +
		"    SELECT " + rowAlias + " AS r, " + of(since.duckdb, duckColumn("$cursor")) + " AS changed, " + of(since.duckdb, duckColumn("$created")) + " AS made,\n" +
		"        TRY_CAST(" + duckColumn("$always_column") + " AS BOOLEAN) AS again\n" +
		"    FROM query_table($model) AS " + rowAlias + "\n) AS s\n" +
		"WHERE COALESCE(s.changed, TRUE) OR s.made OR ($always AND s.again)"
	return s
}

// shiftPush is the push step of Redshift.
const shiftPush = "EXECUTE 'INSERT INTO ' || $here || '.penstock_receipts (sync, run, answer) SELECT ' || QUOTE_LITERAL($sync) || ', ' || QUOTE_LITERAL($run)" +
	" || ', ' || $here || '.penstock_push(' || QUOTE_LITERAL($run) || ', m." + rowAlias + ") FROM ' || $relation || ' AS m' || $since"

// queryPush is a push step of BigQuery, where no identifier is a variable: the text has
// the dataset and the relation, which is checked and quoted before, and everything else
// goes in beside it. The cursor is read from the row, since a key of JSON may be a
// value. penstock_push stands in no condition, in whose branches BigQuery would make a
// request of every row. Wide numbers are text, so that no digit is lost.
func queryPush(as string) string {
	text := "INSERT INTO %s.penstock_receipts (sync, run, answer)\n" +
		"SELECT @sync, @run, %s.penstock_push(@run, m.r)\n" +
		"FROM (SELECT TO_JSON(" + rowAlias + ", stringify_wide_numbers => TRUE) AS r FROM %s AS " + rowAlias + ") AS m"
	using := "$sync AS sync, $run AS run"
	if as != "" {
		text += "\nWHERE COALESCE(SAFE_CAST(JSON_VALUE(m.r[@cursor_key]) AS " + as + ") >= CAST(@watermark AS " + as + "), TRUE)" +
			"\n   OR SAFE_CAST(JSON_VALUE(m.r[@created_key]) AS " + as + ") >= CAST(@watermark AS " + as + ")" +
			"\n   OR (@always AND JSON_VALUE(m.r, '$.penstock_always') = 'true')"
		using += ", $cursor_key AS cursor_key, $created_key AS created_key, $watermark AS watermark, $always AS always"
	}
	return "EXECUTE IMMEDIATE FORMAT(\"\"\"" + text + "\"\"\", $here, $here, $relation)\nUSING " + using
}

// duckColumn is the column whose name a variable has, in whatever case.
func duckColumn(name string) string { return "COLUMNS(lambda c: lower(c) = lower(" + name + "))" }
