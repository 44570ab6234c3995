<<<<<<< HEAD
//go:build cgo

package sql_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	osexec "os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	statements "github.com/penstock-data/penstock/sql"
)

// fakesnow runs the monitoring's Snowflake statements with the Python that
// PENSTOCK_FAKESNOW names, and answers the queries; more is run between the tables and
// the refresh.
func (m *monitored) fakesnow(more []string, queries ...string) [][][]*string {
	m.t.Helper()
	python := os.Getenv("PENSTOCK_FAKESNOW")
	if python == "" {
		m.t.Skip("no Python with fakesnow: set PENSTOCK_FAKESNOW to its path")
	}
	type group struct {
		Pending *string  `json:"pending"`
		Steps   []string `json:"steps"`
	}
	task := struct {
		Gateway string   `json:"gateway"`
		Script  []string `json:"script"`
		Groups  []group  `json:"groups"`
		Queries []string `json:"queries"`
	}{Gateway: m.url, Script: append(snowflakeMonitoring(m.t), more...), Queries: queries}
	groups, err := statements.RefreshGroups()
	m.ok(err)
	for _, g := range groups {
		var one group
		if g.Pending.Into != nil {
			pending := colons(g.Pending.Snowflake.Statement())
			one.Pending = &pending
		}
		for _, s := range g.Steps {
			one.Steps = append(one.Steps, colons(s.Snowflake.Statement()))
		}
		task.Groups = append(task.Groups, one)
	}
	in, err := json.Marshal(task)
	m.ok(err)
	cmd := osexec.CommandContext(m.t.Context(), python, "testdata/on_fakesnow.py")
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &said
	if err := cmd.Run(); err != nil {
		m.t.Fatalf("%v: %s", err, said.String())
	}
	var rows [][][]*string
	m.ok(json.Unmarshal(out.Bytes(), &rows))
	return rows
}

// colons writes variables as the procedure has them.
func colons(statement string) string {
	return regexp.MustCompile(`\$(refresh|page)\b`).ReplaceAllString(statement, ":$1")
}

// snowflakeMonitoring are the statements of the set-up that make the monitoring's
// tables and views.
func snowflakeMonitoring(t *testing.T) []string {
	t.Helper()
	script, err := statements.Setup("snowflake", statements.SnowflakeParams{})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	body, _, _ := strings.Cut(script, "CREATE OR REPLACE PROCEDURE penstock_refresh")
	for s := range strings.SplitSeq(body, ";\n") {
		s = regexp.MustCompile(`(?m)^\s*--.*\n`).ReplaceAllString(s, "")
		s = strings.TrimSpace(s)
		if regexp.MustCompile(`^CREATE (TABLE IF NOT EXISTS|OR REPLACE VIEW) (penstock_(models|runs|pages)|reverse_etl|multi_)`).MatchString(s) {
			out = append(out, s)
		}
	}
	if len(out) < 9 {
		t.Fatalf("%d statements, want the 6 tables and 3 views: %q", len(out), out)
	}
	return out
}

// texts are a query's rows on DuckDB, as the other dialect's come.
func (m *monitored) texts(query string) []string { return read(m.t, m.db, query) }

func joined(rows [][]*string) []string {
	var out []string
	for _, r := range rows {
		texts := make([]string, len(r))
		for i, v := range r {
			if texts[i] = "NULL"; v != nil {
				texts[i] = *v
			}
		}
		out = append(out, strings.Join(texts, " | "))
	}
	return out
}

// answers are the queries whose answers both dialects must give alike. Times are cut
// to the second, and numbers to what they say: the drivers write them differently.
var answers = []string{
	"SELECT sync, model, cursor_column, destination_name, destination_type, interval_minutes, warn_minutes, stale_minutes, dashboard_stale_minutes, store_source FROM penstock_models ORDER BY sync",
	"SELECT sync_name, sync_run_id, mode, status, outcome, reason, LEFT(CAST(begun_at AS VARCHAR), 19), LEFT(CAST(ended_at AS VARCHAR), 19), received, delivered, unchanged, superseded, rejected, blocked, failed, cancelled, api_calls, due, retried_delivered FROM penstock_runs ORDER BY sync_run_id",
	"SELECT sync_name, LEFT(CAST(last_successful_run AS VARCHAR), 19), last_synced_record_count FROM reverse_etl_sync_state ORDER BY sync_name",
	"SELECT error_ref, sync_run_id, record_id, error_type, error_message, field, stage, LEFT(CAST(occurred_at AS VARCHAR), 19) FROM reverse_etl_sync_errors ORDER BY error_ref, record_id",
	"SELECT sync_id, destination_name, destination_type, LEFT(CAST(last_successful_sync AS VARCHAR), 19), LEFT(CAST(last_attempted_sync AS VARCHAR), 19), records_processed, records_succeeded, records_failed, sync_duration_seconds, error_summary FROM multi_destination_sync_state ORDER BY sync_id",
	"SELECT sync_name, LEFT(CAST(last_successful_run AS VARCHAR), 19), last_synced_record_count, freshness_status, previous_record_count, record_count_change, last_outcome FROM reverse_etl_sync_health",
	"SELECT destination_name, destination_type, CAST(success_rate_pct AS DECIMAL(9, 1)), CAST(records_per_second AS DECIMAL(12, 2)), health_status, LEFT(CAST(last_successful_sync AS VARCHAR), 19), error_summary, sync_id, last_outcome FROM reverse_etl_dashboard",
	"SELECT alert_type, sync_name, alert_message, last_outcome FROM reverse_etl_alerts",
}

// many are 50 syncs of every state that the views tell apart, with 20,000 errors.
func (m *monitored) many() {
	for n := range 50 {
		name := fmt.Sprintf("sync_%02d", n)
		m.apply(name, func(d *syncdef.Definition) {
			d.Frequency = []string{"hourly", "daily", "0 6 * * 1-5", "every 90m", ""}[n%5]
			if n%7 == 0 {
				d.Freshness = &syncdef.Freshness{WarnAfter: "90m", StaleAfter: "3h"}
			}
			if n%11 == 0 {
				d.StoreSource = syncdef.StoreNone
			}
		})
		if n == 49 {
			continue // never ran
		}
		ago := time.Duration(n) * 37 * time.Minute
		m.ran(name, ago+25*time.Hour, run.Counts{Received: 1000, Delivered: 900, Unchanged: 100}, nil)
		m.ran(name, ago+24*time.Hour, run.Counts{Received: 50, Delivered: 50}, func(r *run.Run) { r.Mode = run.Full })
		m.ran(name, ago, run.Counts{Received: 1000 + int64(n), Delivered: 600 + int64(n), Rejected: 300, Failed: 100}, nil)
		switch n % 6 {
		case 1:
			m.ran(name, ago/2, run.Counts{Received: 7, Failed: 7}, nil)
		case 2:
			m.ran(name, ago/2, run.Counts{Received: 9, Delivered: 3, Cancelled: 6}, func(r *run.Run) { r.Status, r.Reason = run.Cancelled, "the model is missing" })
		case 3:
			m.ran(name, 0, run.Counts{Received: 4, Queued: 4}, func(r *run.Run) { r.Status, r.EndedAt, r.Reason = run.Open, time.Time{}, "Salesforce is busy" })
		case 4:
			m.ran(name, ago/2, run.Counts{}, nil)
		}
	}
}

// Both dialects give equal answers over one live gateway.
func TestDialectsAgree(t *testing.T) {
	m := newMonitored(t)
	m.many()
	theirs := m.fakesnow(nil, answers...)
	m.refresh()
	rows := 0
	for n, query := range answers {
		want := m.texts(query)
		rows += len(want)
		if d := cmp.Diff(want, joined(theirs[n])); d != "" {
			t.Errorf("%s: DuckDB -, Snowflake +: %.4000s", query, d)
		}
	}
	if got := m.texts("SELECT count(*) FROM reverse_etl_sync_errors")[0]; rows < 20_000 || got < "19600" {
		t.Errorf("%d rows were compared, %s errors", rows, got)
	}
=======
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
	`CREATE MACRO penstock.public.penstock_begin(sync, mode) AS to_json({'run': sync || '.r1', 'select': 'all', 'model': sync, 'mode': mode})`,
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
	script, err := Setup("snowflake", SnowflakeParams{APIURL: "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1", RoleARN: "arn:aws:iam::123456789012:role/penstock", Warehouse: "loading"})
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
var elsewhere = regexp.MustCompile(`^(USE|GRANT|DESC INTEGRATION|ALTER API|CREATE API|CREATE DATABASE|CREATE OR REPLACE EXTERNAL|CREATE OR REPLACE PROCEDURE|CREATE STREAM|CREATE TASK)\b`)

// penstock_run's statements do on fakesnow what they are for, each push with its own
// type of watermark.
func TestFakesnowRunSteps(t *testing.T) {
	statements := []statement{
		{Text: `CREATE TABLE rows_of AS
			SELECT 'below' AS id, 4 AS n, '2024-01-15 09:59:59.999999'::TIMESTAMP_NTZ AS local, '2024-01-15T10:59:59+01:00' AS zoned, 'a0' AS name
			UNION ALL SELECT 'at', 5, '2024-01-15 10:00:00'::TIMESTAMP_NTZ, '2024-01-15T10:00:00Z', 'a1'
			UNION ALL SELECT 'bad', 10, '2024-01-15 10:00:00.000001'::TIMESTAMP_NTZ, '2024-01-15T05:30:00-05:00', 'b'
			UNION ALL SELECT 'none', NULL, NULL, NULL, NULL`},
	}
	want := []string{"*"}
	step := func(name StepName, values map[string]any, expect string) {
		statements = append(statements, statement{FindStep(name).Snowflake.Statement(), values})
		want = append(want, expect)
	}
	step(StepBegin, map[string]any{"sync": "s", "mode": nil}, `{"run":"s.r1","select":"all","model":"s","mode":null}`)
	for i, c := range []struct {
		step              StepName
		cursor, watermark string
		ids               string
	}{
		{StepPush, "", "", "at bad below none"},
		{StepPushNumber, "N", "5", "at bad none"},
		{StepPushLocal, "LOCAL", "2024-01-15 10:00:00", "at bad none"},
		{StepPushInstant, "ZONED", "2024-01-15T11:00:00+01:00", "at bad none"},
		{StepPushText, "NAME", "a1", "none"}, // fakesnow keeps the quotes of a text that it takes out of an object: "a1" is below a1
		{StepPushNumber, "ABSENT", "5", "at bad below none"},
	} {
		run := fmt.Sprint("s.r", i)
		values := map[string]any{"sync": "s", "run": run, "model": "rows_of", "cursor_key": c.cursor, "watermark": c.watermark}
		n := len(strings.Fields(c.ids))
		step(c.step, values, fmt.Sprint(n))
		statements = append(statements, statement{Text: "SELECT LISTAGG(answer:record_id::VARCHAR, ' ') WITHIN GROUP (ORDER BY answer:record_id::VARCHAR) FROM penstock_receipts WHERE run = '" + run + "'"})
		want = append(want, c.ids)
		rejected := strings.Count(c.ids, "bad")
		step(StepCount, values, fmt.Sprintf("%d %d %d 0 0", n, n-rejected, rejected))
	}
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
		{Text: "INSERT INTO customer_health_comprehensive (customer_id) VALUES ('c2')"},
		{Text: "SELECT ABS(DATEDIFF('second', created_at, SYSDATE())) < 60 AND ABS(DATEDIFF('second', updated_at, SYSDATE())) < 60 FROM customer_health_comprehensive WHERE customer_id = 'c2'"},
	})
	for i, want := range []string{"cust_001 12500", "cust_001\ncust_002\ncust_003", "cust_003 ESCALATED_TO_HIGH_RISK", "3", "1", "True"} {
		if got[i].Error != "" || got[i].text() != want {
			t.Errorf("%d: %q, %s; want %q", i, got[i].text(), got[i].Error, want)
		}
	}
>>>>>>> sqlB
}
