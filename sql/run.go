package sql

import (
	"regexp"
	"strings"
)

// A Step is one statement of penstock_run, the same in all dialects as far as these
// go. $name is a variable: an argument, or what an earlier step answered. A dialect
// that needs another form of it has none here, and its own in its procedure.
type Step struct {
	Name      StepName
	Into      []string // the variables that take the columns of its one row; nil for a statement without an answer
	Snowflake Text
	DuckDB    Text
	Redshift  Text
	BigQuery  Text
}

// In is the step's text in a dialect.
func (s Step) In(d Dialect) Text {
	switch d {
	case Snowflake:
		return s.Snowflake
	case DuckDB:
		return s.DuckDB
	case Redshift:
		return s.Redshift
	case BigQuery:
		return s.BigQuery
	}
	return Text{}
}

// inAll is a text that is the same in all dialects.
func inAll(name StepName, into []string, text Text) Step {
	return Step{Name: name, Into: into, Snowflake: text, DuckDB: text, Redshift: text, BigQuery: text}
}

// A Text is a statement: its select list, "" where it is no query, and the rest.
type Text struct {
	Select string
	Rest   string
}

// StepName names a step; its first word is what a failed run's reason says.
type StepName string

// The steps, in order. Of the push steps one is run: the one that compares as the
// watermark's type asks, or push where all rows are selected.
const (
	StepBegin       StepName = "begin"
	StepGate        StepName = "gate"
	StepVerdict     StepName = "gate verdict"
	StepPush        StepName = "push"
	StepPushNumber  StepName = "push since a number"
	StepPushInstant StepName = "push since a timestamp with a zone"
	StepPushLocal   StepName = "push since a timestamp without a zone"
	StepPushText    StepName = "push since a text"
	StepCount       StepName = "count"
	StepFinish      StepName = "finish"
	StepCancel      StepName = "cancel"
	StepTidy        StepName = "tidy"
)

// PushStep is the push step for begin's answer: type and zone of the watermark, ""
// where all rows are selected.
func PushStep(watermarkType string, zoned bool) StepName {
	switch {
	case watermarkType == "number":
		return StepPushNumber
	case watermarkType == "timestamp" && zoned:
		return StepPushInstant
	case watermarkType == "timestamp":
		return StepPushLocal
	case watermarkType == "text":
		return StepPushText
	}
	return StepPush
}

// RunSteps are the statements of penstock_run. The answers are stored and counted,
// so that the push cannot be optimised away, and what is announced is what arrived.
// A row whose cursor is null is pushed in every run, since no watermark finds it,
// and one whose cursor equals the watermark once more, because another with that
// very value may have come later: those that were delivered are answered unchanged.
// No identifier is put into a text. Numbers compare as doubles: rounding keeps
// their order, so that it can only select too much.
var RunSteps = []Step{
	inAll(StepBegin, []string{"begun"}, Text{Select: "penstock_begin($sync, $mode)"}),
	{ // only where begin answers a gate: its view's row, as an object
		Name: StepGate, Into: []string{"verdict"},
		Snowflake: Text{"OBJECT_CONSTRUCT_KEEP_NULL(" + gateColumns + ")::VARIANT", "FROM IDENTIFIER($gate) AS g"},
		DuckDB:    Text{"CAST(json_object(" + gateColumns + ") AS VARCHAR)", "FROM query_table($gate) AS g"},
		BigQuery:  Text{Rest: "EXECUTE IMMEDIATE FORMAT(\"\"\"SELECT JSON_OBJECT(" + gateColumns + ")\nFROM %s AS g\"\"\", $gate_relation)\nINTO $verdict"},
	},
	inAll(StepVerdict, []string{"answer"}, Text{Select: "penstock_gate($run, $verdict)"}), // a run that it leaves open is to be pushed
	push(StepPush, "", "", "", ""),
	push(StepPushNumber, "FLOAT8", "GET(m.r, $cursor_key)::DOUBLE >= TO_DOUBLE($watermark)", "TRY_CAST(COLUMNS(lambda c: lower(c) = lower($cursor)) AS DOUBLE) >= CAST($watermark AS DOUBLE)", "FLOAT64"),
	push(StepPushInstant, "TIMESTAMPTZ", "GET(m.r, $cursor_key)::TIMESTAMP_TZ >= TO_TIMESTAMP_TZ($watermark)", "TRY_CAST(COLUMNS(lambda c: lower(c) = lower($cursor)) AS TIMESTAMPTZ) >= CAST($watermark AS TIMESTAMPTZ)", "TIMESTAMP"),
	push(StepPushLocal, "TIMESTAMP", "GET(m.r, $cursor_key)::TIMESTAMP_NTZ >= TO_TIMESTAMP_NTZ($watermark)", "TRY_CAST(COLUMNS(lambda c: lower(c) = lower($cursor)) AS TIMESTAMP) >= CAST($watermark AS TIMESTAMP)", "DATETIME"),
	push(StepPushText, "VARCHAR(65535)", "GET(m.r, $cursor_key)::VARCHAR >= $watermark", "CAST(COLUMNS(lambda c: lower(c) = lower($cursor)) AS VARCHAR) >= CAST($watermark AS VARCHAR)", "STRING"),
	{
		Name: StepCount, Into: []string{"received", "queued", "rejected", "superseded", "blocked"},
		Snowflake: Text{countIf("COUNT_IF(GET_PATH(p.answer, 'status')::VARCHAR = '%')"), receiptsOf},
		DuckDB:    Text{countIf("COALESCE(count_if((p.answer->>'status') = '%'), 0)"), receiptsOf},
		Redshift:  Text{countIf("COUNT(CASE WHEN JSON_EXTRACT_PATH_TEXT(p.answer, 'status', TRUE) = '%' THEN 1 END)"), receiptsOf},
		BigQuery:  Text{countIf("COUNTIF(JSON_VALUE(p.answer, '$.status') = '%')"), receiptsOf},
	},
	inAll(StepFinish, []string{"answer"}, Text{Select: "penstock_finish($run, $received)"}),
	inAll(StepCancel, []string{"answer"}, Text{Select: "penstock_cancel($run, $reason)"}),
	{
		Name:      StepTidy,
		Snowflake: Text{Rest: tidyReceipts + "DATEADD('day', -7, SYSDATE())"},
		DuckDB:    Text{Rest: tidyReceipts + "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC') - INTERVAL 7 DAYS"},
		Redshift:  Text{Rest: tidyReceipts + shift.now + " - INTERVAL '7 DAYS'"},
		BigQuery:  Text{Rest: tidyReceipts + query.now + " - INTERVAL 7 DAY"},
	},
}

// The beginnings and ends of statements that the dialects share.
const (
	gateColumns  = "'decision', g.decision, 'total', g.total, 'rules', g.rules, 'definition', g.definition"
	receiptsOf   = "FROM penstock_receipts AS p WHERE p.run = $run"
	tidyReceipts = "DELETE FROM penstock_receipts WHERE sync = $sync AND pushed_at < "
)

// push is a push step: all rows, or those at or above the watermark and those that
// cannot be compared with it. On Redshift, where a name cannot be a variable, its
// procedure has made $insert of the view's name; there all is of one type.
func push(name StepName, shiftType, snowflake, duckdb, bigquery string) Step {
	s := Step{Name: name}
	s.Redshift.Rest = "EXECUTE $insert"
	s.Snowflake.Rest = "INSERT INTO penstock_receipts (sync, run, answer)\n" +
		"SELECT $sync, $run, penstock_push($run, m.r::VARIANT)\n" +
		"FROM (SELECT OBJECT_CONSTRUCT_KEEP_NULL(*) AS r FROM IDENTIFIER($model)) AS m"
	s.DuckDB.Rest = "INSERT INTO penstock_receipts (sync, run, answer)\n" +
		"SELECT $sync, $run, penstock_push($run, m)\nFROM query_table($model) AS m"
	if shiftType != "" {
		s.Redshift.Rest += " || ' WHERE m.' || QUOTE_IDENT($cursor) || '::" + shiftType + " >= ' || QUOTE_LITERAL($watermark) || '::" + shiftType +
			" OR m.' || QUOTE_IDENT($cursor) || ' IS NULL'"
	}
	if snowflake != "" {
		s.Snowflake.Rest += "\nWHERE " + snowflake + " OR COALESCE(IS_NULL_VALUE(GET(m.r, $cursor_key)), TRUE)"
		s.DuckDB.Rest += "\nWHERE COALESCE(" + duckdb + ", TRUE)"
	}
	s.BigQuery.Rest = queryPush(bigquery)
	return s
}

// queryPush is a push step of BigQuery, where no identifier is a variable: the text has
// the dataset and the relation, which is checked and quoted before, and everything else
// goes in beside it. The cursor is read from the row, since a key of JSON may be a
// value. penstock_push stands in no condition, in whose branches BigQuery would make a
// request of every row. Wide numbers are text, so that no digit is lost.
func queryPush(as string) string {
	text := "INSERT INTO %s.penstock_receipts (sync, run, answer)\n" +
		"SELECT @sync, @run, %s.penstock_push(@run, m.r)\n" +
		"FROM (SELECT TO_JSON(t, stringify_wide_numbers => TRUE) AS r FROM %s AS t) AS m"
	using := "$sync AS sync, $run AS run"
	if as != "" {
		text += "\nWHERE COALESCE(SAFE_CAST(JSON_VALUE(m.r[@cursor_key]) AS " + as + ") >= CAST(@watermark AS " + as + "), TRUE)"
		using += ", $cursor_key AS cursor_key, $watermark AS watermark"
	}
	return "EXECUTE IMMEDIATE FORMAT(\"\"\"" + text + "\"\"\", $here, $here, $relation)\nUSING " + using
}

// countIf is the select list that counts the receipts, in all and by status.
func countIf(one string) string {
	list := "COUNT(*)"
	for _, status := range []string{"queued", "rejected", "superseded", "blocked"} {
		list += ", " + strings.ReplaceAll(one, "%", status)
	}
	return list
}

// FindStep is the step of that name; its zero value is of none.
func FindStep(name StepName) Step {
	for _, s := range RunSteps {
		if s.Name == name {
			return s
		}
		if strings.HasPrefix(string(s.Name), string(StepPush)) && name == PlanOf(s.Name) {
			return planStep(s)
		}
	}
	return Step{}
}

// variable is a variable in a Text. What stands before it tells it from a name
// such as SYSTEM$WAIT.
var variable = regexp.MustCompile(`(^|[^\w$])\$([a-z_]+)`)

// Statement is the text as DuckDB takes it, with named parameters.
func (t Text) Statement() string {
	if t.Select == "" {
		return t.Rest
	}
	return strings.TrimSpace("SELECT " + t.Select + " " + t.Rest)
}

// Variables are the names of the statement's variables, each once, in order.
func (t Text) Variables() []string {
	var out []string
	seen := map[string]bool{}
	for _, m := range variable.FindAllStringSubmatch(t.Statement(), -1) {
		if !seen[m[2]] {
			seen[m[2]] = true
			out = append(out, m[2])
		}
	}
	return out
}
