package sql

import (
	"slices"
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

// planSteps are the plan steps of everything that is selected from a model.
var planSteps = func() []Step {
	var out []Step
	for _, s := range append(slices.Clone(selections), changed) {
		out = append(out, s.plan())
	}
	return out
}()

// plan is the step that counts what penstock_plan says of a selection.
func (s selecting) plan() Step {
	plain := func(from source, count, sum string) Text {
		return Text{Select: planList(count, sum), Rest: "FROM (\nSELECT penstock_plan($sync, " + from.row + ") AS answer\n" + from.from + "\n) AS p"}
	}
	into := "\nINTO $" + strings.Join(planInto, ", $")
	step := Step{Name: PlanOf(s.name), Into: planInto}
	step.Snowflake = plain(s.snowflake, "COUNT_IF(GET_PATH(p.answer, 'action')::VARCHAR = '%')", "SUM(GET_PATH(p.answer, 'estimate.%')::DOUBLE)")
	step.DuckDB = plain(s.duckdb, "COALESCE(count_if((p.answer->>'action') = '%'), 0)", "sum(CAST(p.answer->'estimate'->>'%' AS DOUBLE))")
	if s.redshift != "" {
		list := planList("COUNT(CASE WHEN JSON_EXTRACT_PATH_TEXT(p.answer, 'action', TRUE) = '%' THEN 1 END)", "SUM(CAST(NULLIF(JSON_EXTRACT_PATH_TEXT(p.answer, 'estimate', '%', TRUE), '') AS DOUBLE PRECISION))")
		step.Redshift.Rest = "EXECUTE 'SELECT " + strings.ReplaceAll(list, "'", "''") +
			" FROM (SELECT ' || $here || '.penstock_plan(' || QUOTE_LITERAL($sync) || ', m." + rowAlias + ") AS answer" + s.redshift + " || ') AS p'" + into
	}
	list := planList("COUNTIF(JSON_VALUE(p.answer, '$.action') = '%')", "SUM(CAST(JSON_VALUE(p.answer, '$.estimate.%') AS FLOAT64))")
	step.BigQuery.Rest = `EXECUTE IMMEDIATE FORMAT("""SELECT ` + list + "\nFROM (\nSELECT %s.penstock_plan(@sync, " + s.bigquery.row + ") AS answer\n" + s.bigquery.from + "\n) AS p" +
		`""", $here, ` + s.names + ")" + into + "\nUSING $sync AS sync" + s.using
	return step
}

// planList is the select list of a plan: count counts an action, and sum adds up a
// figure of the estimate, each in the place of %.
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
