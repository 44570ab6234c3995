package sql

import (
	"regexp"
	"strings"
)

// The plan steps take a push step's place in a dry run: what the push would select, and
// what penstock_plan answers of it, counted. They store nothing.
const (
	StepPlan        StepName = "plan"
	StepPlanNumber  StepName = "plan since a number"
	StepPlanInstant StepName = "plan since a timestamp with a zone"
	StepPlanLocal   StepName = "plan since a timestamp without a zone"
	StepPlanText    StepName = "plan since a text"
)

// planActions are what a plan step counts, beside all rows; calls, seconds and dollars
// follow, of which the vendor's calls and the time are estimates.
var planActions = []string{"create", "update", "delete", "unchanged", "superseded", "rejected"}

// planInto are the variables of a plan step's row.
var planInto = []string{"received", "created", "updated", "deleted", "unchanged", "superseded", "rejected", "calls", "seconds", "dollars"}

// PlanOf is the name of the plan step that stands for a push step.
func PlanOf(push StepName) StepName {
	return StepName(strings.Replace(string(push), string(StepPush), string(StepPlan), 1))
}

// planStep makes a plan step of a push step.
func planStep(push Step) Step {
	s := Step{Name: PlanOf(push.Name), Into: planInto}
	s.Snowflake = planText(push.Snowflake, "COUNT_IF(GET_PATH(p.answer, 'action')::VARCHAR = '%')", "SUM(GET_PATH(p.answer, 'estimate.%')::DOUBLE)")
	s.DuckDB = planText(push.DuckDB, "COALESCE(count_if((p.answer->>'action') = '%'), 0)", "sum(CAST(p.answer->'estimate'->>'%' AS DOUBLE))")
	s.Redshift = shiftPlan(push.Redshift, "COUNT(CASE WHEN JSON_EXTRACT_PATH_TEXT(p.answer, 'action', TRUE) = '%' THEN 1 END)", "SUM(CAST(NULLIF(JSON_EXTRACT_PATH_TEXT(p.answer, 'estimate', '%', TRUE), '') AS DOUBLE PRECISION))")
	s.BigQuery = queryPlan(push.BigQuery, "COUNTIF(JSON_VALUE(p.answer, '$.action') = '%')", "SUM(CAST(JSON_VALUE(p.answer, '$.estimate.%') AS FLOAT64))")
	return s
}

// pushed is a push step's statement: the row that it pushes, and where from.
var (
	pushed        = regexp.MustCompile(`(?s)^INSERT INTO penstock_receipts .*?penstock_push\(\$run, ([^\n]+)\)\n(FROM .*)$`)
	pushedChanged = regexp.MustCompile(`(?s)^INSERT INTO penstock_pushing .*?penstock_push\(\$run, ([\w.:]+)\)[^\n]*\n(FROM .*)$`)
)

// planText is a push step's text as a plan: count counts an action, and sum adds up a
// figure of the estimate, each in the place of %.
func planText(push Text, count, sum string) Text {
	list := planList(count, sum)
	m := pushed.FindStringSubmatch(push.Rest)
	if m == nil {
		m = pushedChanged.FindStringSubmatch(push.Rest)
	}
	if m == nil {
		return Text{}
	}
	return Text{Select: list, Rest: "FROM (\nSELECT penstock_plan($sync, " + m[1] + ") AS answer\n" + m[2] + "\n) AS p"}
}

// planList is the select list of a plan.
func planList(count, sum string) string {
	list := "COUNT(*)"
	for _, action := range planActions {
		list += ", " + strings.ReplaceAll(count, "%", action)
	}
	for _, figure := range []string{"calls", "seconds", "aws_dollars"} {
		list += ", COALESCE(" + strings.ReplaceAll(sum, "%", figure) + ", 0)"
	}
	return list
}

// queryPushed is BigQuery's push step, whose statement is a text: the row that it
// pushes, where from, and what goes in beside it.
var queryPushed = regexp.MustCompile(`(?s)^EXECUTE IMMEDIATE FORMAT\("""INSERT INTO .*?\.penstock_push\(@run, ([^\n]+)\)\n(FROM .*)""", \$here, \$here, (.*)\)\nUSING \$sync AS sync, \$run AS run(.*)$`)

// queryPlan is planText of such a statement.
func queryPlan(push Text, count, sum string) Text {
	m := queryPushed.FindStringSubmatch(push.Rest)
	if m == nil {
		return Text{}
	}
	return Text{Rest: `EXECUTE IMMEDIATE FORMAT("""SELECT ` + planList(count, sum) + "\nFROM (\nSELECT %s.penstock_plan(@sync, " + m[1] + ") AS answer\n" + m[2] + "\n) AS p" + `""", $here, ` + m[3] + ")\n" +
		"INTO $" + strings.Join(planInto, ", $") + "\nUSING $sync AS sync" + strings.Replace(m[4], keepRows, "", 1)}
}

// shiftPushed is Redshift's push step, a text as well: where the rows come from.
var shiftPushed = regexp.MustCompile(`(?s)^EXECUTE 'INSERT INTO .*?( FROM ' \|\| \$relation \|\| ' AS m.*)$`)

// shiftPlan is planText of such a statement, whose end may stand within its quotes.
func shiftPlan(push Text, count, sum string) Text {
	m := shiftPushed.FindStringSubmatch(push.Rest)
	if m == nil {
		return Text{}
	}
	return Text{Rest: "EXECUTE 'SELECT " + strings.ReplaceAll(planList(count, sum), "'", "''") +
		" FROM (SELECT ' || $here || '.penstock_plan(' || QUOTE_LITERAL($sync) || ', m." + rowAlias + ") AS answer" + m[1] + " || ') AS p'\nINTO $" + strings.Join(planInto, ", $")}
}
