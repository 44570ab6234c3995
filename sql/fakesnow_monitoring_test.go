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

// fakesnow runs the monitoring's Snowflake statements on a stand-in for Snowflake, with
// the Python tools that PENSTOCK_SQL_TOOLS names, and answers the queries; more is run
// between the tables and the refresh.
func (m *monitored) fakesnow(more []string, queries ...string) [][][]*string {
	m.t.Helper()
	bin := os.Getenv("PENSTOCK_SQL_TOOLS")
	if bin == "" {
		m.t.Skip("PENSTOCK_SQL_TOOLS is not set: bash .ci/run python sql")
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
		if g.Pending.Into != nil && g.Pending.Snowflake.Statement() == "" {
			continue // an answer is whole there
		}
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
	cmd := osexec.CommandContext(m.t.Context(), bin+"/python", "../infra/fakesnow_monitoring")
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
	script, err := statements.Setup("snowflake", statements.Params{})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	body, _, _ := strings.Cut(script, "CREATE OR REPLACE PROCEDURE penstock_refresh")
	for s := range strings.SplitSeq(body, ";\n") {
		s = regexp.MustCompile(`(?m)^\s*--.*\n`).ReplaceAllString(s, "")
		s = strings.TrimSpace(s)
		if regexp.MustCompile(`^CREATE (TABLE IF NOT EXISTS|OR REPLACE VIEW) (penstock_(models|runs|pages|pushed|pushing|receipts|destination)|reverse_etl|multi_|destination_data|data_freshness)`).MatchString(s) {
			out = append(out, s)
		}
	}
	if len(out) < 11 {
		t.Fatalf("%d statements, want the 8 tables and 3 views: %q", len(out), out)
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
func TestFakesnowAgrees(t *testing.T) {
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
}
