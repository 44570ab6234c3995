package sql

import (
	"regexp"
	"slices"
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
	StepCheck       StepName = "check" // of the view that is read: how many rows of it are made of another definition
	StepPush        StepName = "push"
	StepPushNumber  StepName = "push since a number"
	StepPushInstant StepName = "push since a timestamp with a zone"
	StepPushLocal   StepName = "push since a timestamp without a zone"
	StepPushText    StepName = "push since a text"
	StepPushStream  StepName = "push a stream"
	StepForget      StepName = "forget"              // what was remembered of the sync's rows, before all are pushed
	StepForgetSent  StepName = "forget what is sent" // the same of what was on its way
	StepPushChanged StepName = "push what changed"
	StepReceive     StepName = "push: keep the receipts" // of what changed
	StepGone        StepName = "note what is gone"
	StepDoubled     StepName = "leave out what is doubled" // a row of whose key another one was not pushed
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
// $created is the cursor again where the definition names no column of that kind.
// No identifier is put into a text. Numbers compare as doubles: rounding keeps
// their order, so that it can only select too much.
var RunSteps = slices.Concat(
	[]Step{inAll(StepBegin, []string{"begun"}, Text{Select: "penstock_begin($sync, $mode)"})},
	gateSteps, []Step{checkStep}, pushSteps(), changedSteps, streamSteps, endSteps,
)

// gateSteps are of runs whose begin answers a gate.
var gateSteps = []Step{
	{ // its view's row, as an object
		Name: StepGate, Into: []string{"verdict"},
		Snowflake: Text{"OBJECT_CONSTRUCT_KEEP_NULL(" + gateColumns + ")::VARIANT", "FROM IDENTIFIER($gate) AS g"},
		DuckDB:    Text{"CAST(json_object(" + gateColumns + ") AS VARCHAR)", "FROM query_table($gate) AS g"},
		BigQuery:  Text{Rest: "EXECUTE IMMEDIATE FORMAT(\"\"\"SELECT JSON_OBJECT(" + gateColumns + ")\nFROM %s AS g\"\"\", $gate_relation)\nINTO $verdict"},
	},
	inAll(StepVerdict, []string{"answer"}, Text{Select: "penstock_gate($run, $verdict)"}), // a run that it leaves open is to be pushed
}

// endSteps are those after the push.
var endSteps = []Step{
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
		Name:      StepTidy, // DuckDB's penstock_run ends with a refresh, which does it
		Snowflake: Text{Rest: tidyReceipts + "DATEADD('day', -7, SYSDATE())"},
		Redshift:  Text{Rest: strings.Replace(tidyReceipts, "sync = $sync AND ", "", 1) + shift.now + " - INTERVAL '7 DAYS'"},
		BigQuery:  Text{Rest: tidyReceipts + query.now + " - INTERVAL 7 DAY"},
	},
}

// The beginnings and ends of statements that the dialects share.
const (
	gateColumns  = "'decision', g.decision, 'total', g.total, 'rules', g.rules, 'definition', g.definition"
	receiptsOf   = "FROM penstock_receipts AS p WHERE p.run = $run"
	tidyReceipts = "DELETE FROM penstock_receipts WHERE sync = $sync AND pushed_at < "
)

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
	for _, steps := range [][]Step{RunSteps, planSteps} {
		if i := slices.IndexFunc(steps, func(s Step) bool { return s.Name == name }); i >= 0 {
			return steps[i]
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
