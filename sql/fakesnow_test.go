package sql

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A statement and its answer, as infra/fakesnow takes and gives them.
type statement struct {
	Text   string         `json:"text"`
	Values map[string]any `json:"values,omitempty"`
}

type answer struct {
	Rows  [][]*string `json:"rows"`
	Error string      `json:"error"`
}

// text gives the rows as text.
func (a answer) text() string {
	var lines []string
	for _, row := range a.Rows {
		var values []string
		for _, v := range row {
			if v == nil {
				values = append(values, "NULL")
			} else {
				values = append(values, *v)
			}
		}
		lines = append(lines, strings.Join(values, " "))
	}
	return strings.Join(lines, "\n")
}

// macros stand for the external functions: an answer with the row's id.
var macros = []string{
	`SET TimeZone = 'America/Los_Angeles'`, // fakesnow has no ALTER SESSION SET TIMEZONE
	`CREATE MACRO penstock.public.GET_IGNORE_CASE(r, name) AS (r->>('$."' || (list_filter(json_keys(r), lambda k: lower(k) = lower(name)))[1] || '"'))`, // fakesnow has none
	// fakesnow has no VARIANT with a type of its own, and keeps the quotes of a text in one.
	`CREATE MACRO penstock.public.as_double(v) AS TRY_CAST(v->>'$' AS DOUBLE)`,
	`CREATE MACRO penstock.public.as_timestamp_tz(v) AS TRY_CAST(v->>'$' AS TIMESTAMPTZ)`,
	`CREATE MACRO penstock.public.as_timestamp_ltz(v) AS CAST(NULL AS TIMESTAMPTZ)`,
	`CREATE MACRO penstock.public.as_timestamp_ntz(v) AS TRY_CAST(v->>'$' AS TIMESTAMP)`,
	`CREATE MACRO penstock.public.as_date(v) AS TRY_CAST(v->>'$' AS DATE)`,
	`CREATE MACRO penstock.public.try_to_timestamp_tz(v) AS TRY_CAST(v AS TIMESTAMPTZ)`,
	`CREATE MACRO penstock.public.try_to_timestamp_ntz(v) AS TRY_CAST(v AS TIMESTAMP)`,
	`CREATE MACRO penstock.public.penstock_begin(sync, mode) AS to_json({'run': sync || '.r1', 'select': 'all', 'model': sync, 'mode': mode})`,
	`CREATE MACRO penstock.public.penstock_freshness(s) AS to_json({'sync': s})`,
	`CREATE MACRO penstock.public.penstock_syncs() AS to_json({'syncs': []})`,
	`CREATE MACRO penstock.public.penstock_status(sync) AS to_json({'sync': sync, 'runs': []}), (sync, since, after) AS to_json({'sync': sync, 'runs': []})`,
	`CREATE MACRO penstock.public.penstock_errors(run) AS to_json({'errors': []}), (run, after) AS to_json({'errors': []}), (run, after, since) AS to_json({'errors': []})`,
	`CREATE MACRO penstock.public.penstock_push(run, r) AS to_json({'status': CASE WHEN r->>'ID' = 'bad' THEN 'rejected' ELSE 'queued' END, 'record_id': r->>'ID'})`,
	`CREATE MACRO penstock.public.penstock_finish(run, n) AS to_json({'status': 'finishing', 'run': run, 'rows': n})`,
	`CREATE MACRO penstock.public.penstock_cancel(run, reason) AS to_json({'status': 'cancelled', 'run': run, 'reason': reason})`,
}

// fakesnow runs statements on fakesnow, after the tables and models of the script.
func fakesnow(t *testing.T, statements []statement) []answer {
	t.Helper()
	script, err := Setup("snowflake", Params{APIURL: "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1", RoleARN: "arn:aws:iam::123456789012:role/penstock", Warehouse: "loading"})
	if err != nil {
		t.Fatal(err)
	}
	var all []statement
	for _, s := range split(script) {
		if !elsewhere.MatchString(s) {
			all = append(all, statement{Text: s})
		}
	}
	before := len(all)
	var answers []answer
	python(t, "fakesnow", map[string]any{"macros": macros, "statements": append(all, statements...)}, &answers)
	if len(answers) != before+len(statements) {
		t.Fatalf("%d answers for %d statements", len(answers), before+len(statements))
	}
	for i, a := range answers[:before] {
		if a.Error != "" {
			t.Errorf("%s\n%s", a.Error, all[i].Text)
		}
	}
	return answers[before:]
}

// elsewhere are the statements that fakesnow does not have: their texts are parsed.
var elsewhere = regexp.MustCompile(`^(USE|GRANT|DESC INTEGRATION|ALTER API|CREATE API|CREATE DATABASE|CREATE ROLE|CREATE OR REPLACE EXTERNAL|CREATE OR REPLACE PROCEDURE|CREATE STREAM|CREATE TASK)\b`)

// penstock_run's statements do on fakesnow what they are for, each push with its own
// type of watermark.
func TestFakesnowRunSteps(t *testing.T) {
	statements := []statement{
		{Text: `CREATE TABLE rows_of AS
			SELECT 'below' AS id, 4 AS n, '2024-01-15 09:59:59.999999'::TIMESTAMP_NTZ AS local, '2024-01-15T10:59:59+01:00' AS zoned, 'a0' AS name, '4' AS number, '2024-01-14' AS made
			UNION ALL SELECT 'at', 5, '2024-01-15 10:00:00'::TIMESTAMP_NTZ, '2024-01-15T10:00:00Z', 'a1', '5.5', '2024-01-15'
			UNION ALL SELECT 'bad', 10, '2024-01-15 10:00:00.000001'::TIMESTAMP_NTZ, '2024-01-15T05:30:00-05:00', 'b', 'n/a', 'n/a'
			UNION ALL SELECT 'none', NULL, NULL, NULL, NULL, NULL, NULL`},
	}
	want := []string{"*"}
	step := func(name StepName, values map[string]any, expect string) {
		text := strings.ReplaceAll(FindStep(name).Snowflake.Statement(), ", 'AUTO')", ")") // a format that fakesnow does not know
		statements = append(statements, statement{text, values})
		want = append(want, expect)
	}
	step(StepBegin, map[string]any{"sync": "s", "mode": nil}, `{"run":"s.r1","select":"all","model":"s","mode":null}`)
	for i, c := range []struct {
		step                       StepName
		cursor, created, watermark string
		ids                        string
	}{
		{StepPush, "", "", "", "at bad below none"},
		{StepPushNumber, "N", "N", "5", "at bad none"},
		{StepPushLocal, "LOCAL", "LOCAL", "2024-01-15 10:00:00", "at bad none"},
		{StepPushInstant, "ZONED", "ZONED", "2024-01-15T11:00:00+01:00", "at bad none"},
		{StepPushText, "NAME", "NAME", "a1", "none"}, // fakesnow keeps the quotes of a text that it takes out of an object: "a1" is below a1
		{StepPushNumber, "ABSENT", "ABSENT", "5", "at bad below none"},
		// What is no number or time stops nothing, and a date is a whole day.
		{StepPushNumber, "NUMBER", "NUMBER", "5", "at bad none"},
		{StepPushNumber, "N", "NUMBER", "20", "none"},
		{StepPushLocal, "NUMBER", "NUMBER", "2024-01-15 10:00:00", "at bad below none"},
		{StepPushLocal, "LOCAL", "MADE", "2024-01-15 23:00:00", "at none"},
		{StepPushInstant, "MADE", "ZONED", "2024-01-15T18:00:00Z", "bad none"},
	} {
		run := fmt.Sprint("s.r", i)
		values := map[string]any{"sync": "s", "run": run, "model": "rows_of", "cursor_key": c.cursor, "created_key": c.created, "always": false, "watermark": c.watermark}
		n := len(strings.Fields(c.ids))
		step(c.step, values, fmt.Sprint(n))
		statements = append(statements, statement{Text: "SELECT LISTAGG(answer:record_id::VARCHAR, ' ') WITHIN GROUP (ORDER BY answer:record_id::VARCHAR) FROM penstock_receipts WHERE run = '" + run + "'"})
		want = append(want, c.ids)
		rejected := strings.Count(c.ids, "bad")
		step(StepCount, values, fmt.Sprintf("%d %d %d 0 0", n, n-rejected, rejected))
	}
	// Of a stream the deletion beside an insert of the same match value is left out.
	statements = append(statements, statement{Text: `CREATE TABLE changes_of (id VARCHAR, "Email" VARCHAR, "METADATA$ACTION" VARCHAR, "METADATA$ISUPDATE" BOOLEAN)`},
		statement{Text: `INSERT INTO changes_of VALUES ('again', 'a', 'INSERT', FALSE), ('out', 'a', 'DELETE', FALSE), ('half', 'b', 'DELETE', TRUE), ('gone', 'b', 'DELETE', FALSE),
			('none', NULL, 'DELETE', FALSE), ('nobody', NULL, 'INSERT', FALSE)`})
	want = append(want, "*", "*")
	step(StepPushStream, map[string]any{"sync": "s", "run": "s.cdc", "stream": "changes_of", "match_key": "email"}, "5")
	statements = append(statements, statement{Text: "SELECT LISTAGG(answer:record_id::VARCHAR, ' ') WITHIN GROUP (ORDER BY answer:record_id::VARCHAR) FROM penstock_receipts WHERE run = 's.cdc'"})
	want = append(want, "again gone half nobody none")
	step(StepFinish, map[string]any{"run": "s.r0", "received": 4}, `{"status":"finishing","run":"s.r0","rows":4}`)
	step(StepCancel, map[string]any{"run": "s.r0", "reason": "it's 100% over"}, `{"status":"cancelled","run":"s.r0","reason":"it's 100% over"}`)
	statements = append(statements, statement{Text: "UPDATE penstock_receipts SET pushed_at = DATEADD('day', -8, SYSDATE()) WHERE run = 's.r0'"})
	want = append(want, "*")
	step(StepTidy, map[string]any{"sync": "other"}, "0")
	step(StepTidy, map[string]any{"sync": "s"}, "4")
	step(StepPush, map[string]any{"sync": "s", "run": "s.r9", "model": "absent", "cursor_key": "", "watermark": ""}, "! does not exist")
	for i, a := range fakesnow(t, statements) {
		switch {
		case strings.HasPrefix(want[i], "!"):
			if !strings.Contains(a.Error, strings.TrimPrefix(want[i], "! ")) {
				t.Errorf("%s\nanswers %q, %s", statements[i].Text, a.text(), a.Error)
			}
		case a.Error != "":
			t.Errorf("%s\n%s", a.Error, statements[i].Text)
		case want[i] != "*":
			if d := cmp.Diff(want[i], a.text()); d != "" {
				t.Errorf("%s\n%s", statements[i].Text, d)
			}
		}
	}
}

// The sample's rows are there for the first push, in a session whose clock is eight
// hours behind: the models find them, each with a cursor.
func TestFakesnowSample(t *testing.T) {
	got := fakesnow(t, []statement{
		{Text: "SELECT customer_id, monthly_recurring_revenue FROM sf_health"},
		{Text: "SELECT customer_id FROM salesforce_customer_health ORDER BY customer_id"},
		{Text: "SELECT customer_id, alert_type FROM slack_alerts"},
		{Text: "SELECT COUNT(*) FROM customer_health_history"},
		{Text: "SELECT customer_id, email, ltv_usd, ltv_segment FROM hubspot_health"},
		{Text: "SELECT customer_id, daily_active_users, feature_adoption, api_calls_trend FROM amplitude_health"},
		{Text: "SELECT user_email, custom_attributes:risk_level::VARCHAR, custom_attributes:account_value::VARCHAR, custom_attributes:health_percentage::VARCHAR, custom_attributes:training_completed::VARCHAR, user_tags FROM intercom_health"},
		{Text: "INSERT INTO deleted_customers SELECT 'cust_001', SYSDATE() UNION ALL SELECT 'c3', SYSDATE()"},
		{Text: "SELECT customer_id, email, should_delete_from_destination FROM sf_health ORDER BY customer_id"},
		{Text: "SELECT customer_id, user_email, should_delete_from_destination FROM intercom_health ORDER BY customer_id"},
		{Text: "SELECT customer_id, ltv_segment, email, should_delete_from_destination FROM hubspot_health ORDER BY customer_id"},
		{Text: "SELECT customer_id, should_delete_from_destination FROM amplitude_health ORDER BY customer_id"},
		{Text: "INSERT INTO customer_health_comprehensive (customer_id) VALUES ('c2')"},
		{Text: "SELECT ABS(DATEDIFF('second', created_at, SYSDATE())) < 60 AND ABS(DATEDIFF('second', updated_at, SYSDATE())) < 60 FROM customer_health_comprehensive WHERE customer_id = 'c2'"},
	})
	for i, want := range []string{"cust_001 12500", "cust_001\ncust_002\ncust_003", "cust_003 ESCALATED_TO_HIGH_RISK", "3",
		"cust_001 john.doe@acmecorp.com 142500.00 high", "cust_001 45 0.87 increasing", "john.doe@acmecorp.com LOW_RISK 12500 85 true [\"health_score_high\",\"risk_low_risk\",\"high_value\"]",
		"2", "c3 NULL True\ncust_001 NULL True", "c3 NULL True\ncust_001 NULL True", "c3 NULL NULL True\ncust_001 high NULL True", "c3 True\ncust_001 True", "1", "True"} {
		if got[i].Error != "" || got[i].text() != want {
			t.Errorf("%d: %q, %s; want %q", i, got[i].text(), got[i].Error, want)
		}
	}
}
