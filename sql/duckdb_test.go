//go:build cgo

package sql_test

import (
	"compress/gzip"
	"crypto/md5"
	"database/sql"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
	statements "github.com/penstock-data/penstock/sql"
)

// open is a DuckDB with everything in sql/duckdb, set up twice, since the script
// has to be repeatable.
func open(t *testing.T, gateway string) *sql.DB {
	t.Helper()
	w, err := duckdb.Open(t.Context(), duckdb.Config{Gateway: gateway, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	script, err := statements.Setup("duckdb", statements.SnowflakeParams{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := w.Exec(t.Context(), script); err != nil {
			t.Fatal(err)
		}
	}
	return w.DB()
}

func exec(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// read gives a query's rows, each as its columns joined with " | ".
func read(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ("+query+")")
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(values))
		for i, v := range values {
			if texts[i] = v.String; !v.Valid {
				texts[i] = "NULL"
			}
		}
		out = append(out, strings.Join(texts, " | "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// now is the time in UTC, as the tables keep it.
const now = "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')"

func TestCustomerHealthView(t *testing.T) {
	for _, c := range []struct{ name, row, want string }{
		{"high", `' Ann@X.com ', ' Acme ', 0.15, 'high', NOW, '{"usage": 0.2, "support": 0.1}'`, "ann@x.com | ACME | 15.00 | At Risk | 20.00 | 10.00"},
		{"medium", `'a@x.com', 'Acme', 0.45, 'medium', NOW, '{"usage": 0.6, "support": 0.3}'`, "a@x.com | ACME | 45.00 | Moderate Risk | 60.00 | 30.00"},
		{"low", `'a@x.com', 'Acme', 0.85, 'low', NOW, '{"usage": 0.9, "support": 0.8}'`, "a@x.com | ACME | 85.00 | Healthy | 90.00 | 80.00"},
		{"unknown is healthy here", `'a@x.com', NULL, 1.20, '?', NOW, '{"usage": "much"}'`, "a@x.com | NULL | 120.00 | Healthy | NULL | NULL"},
		{"23 hours old", `'a@x.com', 'Acme', 0.85, NULL, NOW - INTERVAL 23 HOURS, NULL`, "a@x.com | ACME | 85.00 | Healthy | NULL | NULL"},
		{"25 hours old", `'a@x.com', 'Acme', 0.85, 'low', NOW - INTERVAL 25 HOURS, NULL`, ""},
		{"no score", `'a@x.com', 'Acme', NULL, 'low', NOW, NULL`, ""},
		{"no email", `NULL, 'Acme', 0.5, 'low', NOW, NULL`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := open(t, "")
			exec(t, db, "INSERT INTO customer_health_scores VALUES ('c1', "+strings.ReplaceAll(c.row, "NOW", now)+")")
			got := read(t, db, "SELECT email, company_name, health_score_pct, customer_health_status, usage_score_pct, support_score_pct FROM salesforce_customer_health")
			if d := cmp.Diff(c.want, strings.Join(got, "\n")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAccountHealthView(t *testing.T) {
	const (
		high   = `0.1234, 'high_risk', 0.9, '{"daily_active_users": 3, "feature_adoption": 0.2}', '{"mrr": 10001, "contract_renewal_probability": 0.2}', '{"support_tickets_30d": 4, "last_login_days_ago": 9}'`
		recent = "'v', NOW, NOW, NOW" //nolint:dupword // three columns
	)
	for _, c := range []struct{ name, row, want string }{
		{"high risk, dear", high + ", " + recent, "12.3 | At Risk - Immediate Action Required | 3 | 20 | 10001 | 20 | 4 | 9 | 90 | Schedule executive check-in within 48 hours"},
		{"high risk, at the limit", strings.Replace(high, "10001", "10000", 1) + ", " + recent, "12.3 | At Risk - Immediate Action Required | 3 | 20 | 10000 | 20 | 4 | 9 | 90 | Monitor regularly and follow standard cadence"},
		{"medium risk, many tickets", strings.Replace(high, "high_risk", "medium_risk", 1) + ", " + recent, "12.3 | Moderate Risk - Monitor Closely | 3 | 20 | 10001 | 20 | 4 | 9 | 90 | Review support ticket themes and offer training"},
		{"low risk, well adopted", `0.8547, 'low_risk', 0.7, '{"daily_active_users": 45, "feature_adoption": 0.87}', '{"mrr": 5, "contract_renewal_probability": 0.95}', '{"support_tickets_30d": 1, "last_login_days_ago": 2}', ` + recent,
			"85.5 | Healthy - Expansion Opportunity | 45 | 87 | 5 | 95 | 1 | 2 | 70 | Excellent expansion opportunity - discuss advanced features"},
		{"unknown category, odd documents", `1.2, 'critical', 1.0, '{"daily_active_users": "?"}', 'null', NULL, ` + recent, "120.0 | Score Pending | NULL | NULL | NULL | NULL | NULL | NULL | 100 | Monitor regularly and follow standard cadence"},
		{"not sure enough", strings.Replace(high, "0.9,", "0.69,", 1) + ", " + recent, ""},
		{"how sure is not known", strings.Replace(high, "0.9,", "NULL,", 1) + ", " + recent, ""},
		{"no score", strings.Replace(high, "0.1234", "NULL", 1) + ", " + recent, ""},
		{"119 minutes old", high + ", 'v', NOW - INTERVAL 119 MINUTES, NOW, NOW", "12.3 | At Risk - Immediate Action Required | 3 | 20 | 10001 | 20 | 4 | 9 | 90 | Schedule executive check-in within 48 hours"},
		{"121 minutes old", high + ", 'v', NOW - INTERVAL 121 MINUTES, NOW, NOW", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := open(t, "")
			exec(t, db, "INSERT INTO customer_health_comprehensive VALUES ('c1', ' Ann@X.com ', ' Acme ', "+strings.ReplaceAll(c.row, "NOW", now)+")")
			got := read(t, db, "SELECT * EXCLUDE (customer_id, email, company_name, health_score_calculated_at, updated_at) FROM salesforce_customer_health_sync WHERE customer_id = 'c1' AND email = 'ann@x.com' AND company_name = 'ACME'")
			if d := cmp.Diff(c.want, strings.Join(got, "\n")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAlertView(t *testing.T) {
	type scoring struct{ score, risk, ago string }
	for _, c := range []struct {
		name     string
		scorings []scoring
		want     string // type and message
	}{
		{"escalated", []scoring{{"0.5000", "'medium_risk'", "2 DAYS"}, {"0.4500", "'high_risk'", "1 MINUTE"}},
			"ESCALATED_TO_HIGH_RISK | :warning: *CUSTOMER HEALTH ALERT*\nCustomer: A & B (a@x.com)\nHealth Status: medium_risk → high_risk\nScore Change: -5.0%\nAction Required: Immediate outreach recommended"},
		{"escalated by a fall is one alert", []scoring{{"0.9", "'low_risk'", "2 DAYS"}, {"0.1", "'high_risk'", "1 MINUTE"}},
			"ESCALATED_TO_HIGH_RISK | :warning: *CUSTOMER HEALTH ALERT*\nCustomer: A & B (a@x.com)\nHealth Status: low_risk → high_risk\nScore Change: -80.0%\nAction Required: Immediate outreach recommended"},
		{"dropped", []scoring{{"0.9000", "'low_risk'", "2 HOURS"}, {"0.6999", "'low_risk'", "59 MINUTES"}},
			"SIGNIFICANT_SCORE_DROP | :chart_with_downwards_trend: *Health Score Drop Alert*\nCustomer: A & B (a@x.com)\nScore dropped by 20.0% to 70.0%\nRisk Level: low_risk\nRecommended: Review recent activity and reach out"},
		{"new", []scoring{{"0.1500", "'high_risk'", "1 MINUTE"}},
			"NEW_HIGH_RISK_CUSTOMER | :rotating_light: *New High Risk Customer*\nCustomer: A & B (a@x.com)\nInitial Health Score: 15.0%\nAction Required: Immediate assessment and outreach"},
		{"a drop of exactly 20 points", []scoring{{"0.9000", "'low_risk'", "2 HOURS"}, {"0.7000", "'low_risk'", "1 MINUTE"}}, ""},
		{"still at high risk", []scoring{{"0.2", "'high_risk'", "2 HOURS"}, {"0.1", "'high_risk'", "1 MINUTE"}}, ""},
		{"new at low risk", []scoring{{"0.9", "'low_risk'", "1 MINUTE"}}, ""},
		{"over an hour ago", []scoring{{"0.15", "'high_risk'", "61 MINUTES"}}, ""},
		{"better now", []scoring{{"0.1", "'high_risk'", "1 HOUR"}, {"0.9", "'low_risk'", "1 MINUTE"}}, ""},
		{"without a score", []scoring{{"NULL", "'high_risk'", "1 MINUTE"}}, ""},
		{"a score again", []scoring{{"NULL", "'low_risk'", "1 DAY"}, {"0.1", "'high_risk'", "1 MINUTE"}},
			"ESCALATED_TO_HIGH_RISK | :warning: *CUSTOMER HEALTH ALERT*\nCustomer: A & B (a@x.com)\nHealth Status: low_risk → high_risk\nScore Change: unknown%\nAction Required: Immediate outreach recommended"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := open(t, "")
			for _, s := range c.scorings {
				exec(t, db, fmt.Sprintf("INSERT INTO customer_health_history VALUES ('c1', 'a@x.com', 'A & B', %s, %s, %s - INTERVAL %s)", s.score, s.risk, now, s.ago))
			}
			got := read(t, db, "SELECT alert_type, slack_message FROM slack_health_alerts")
			if d := cmp.Diff(c.want, strings.Join(got, "\n")); d != "" {
				t.Error(d)
			}
		})
	}
}

// The models of sql/syncs run on the views and give the columns that they list.
func TestSyncModels(t *testing.T) {
	db := open(t, "")
	for _, name := range []string{"salesforce_customer_health", "sf_health", "slack_alerts"} {
		text, err := os.ReadFile("syncs/" + name + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		got := columnsOf(t, db, string(text))
		if len(got) == 0 || got[0] != "customer_id" {
			t.Errorf("%s: columns %v, want customer_id first", name, got)
		}
	}
}

// columnsOf are the columns of a query, which has to run to its end.
func columnsOf(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return columns
}

// control answers penstock_status and penstock_errors as functions/control does.
func control(t *testing.T) string {
	answers := map[string]string{
		"sf_health": `{"sync":"sf_health","version":"v1","applied_at":"2026-01-05T10:00:00Z","watermark":null,"runs":[
			{"id":"sf_health.r3","sync":"sf_health","status":"open","reason":"the login is refused","begun_at":"2026-01-05T13:00:00Z","counts":{"received":1,"delivered":0,"unchanged":0,"superseded":0,"rejected":0,"blocked":0,"failed":0,"calls":0}},
			{"id":"sf_health.rx","sync":"sf_health","status":"open","reason":"Salesforce is busy","begun_at":"2026-01-05T12:30:00Z","counts":{"received":1,"delivered":0,"unchanged":0,"superseded":0,"rejected":0,"blocked":0,"failed":0,"calls":0}},
			{"id":"sf_health.r2","sync":"sf_health","status":"incomplete","reason":"1 of 100 rows did not settle","begun_at":"2026-01-05T12:00:00Z","counts":{"received":100,"delivered":1,"unchanged":90,"superseded":0,"rejected":5,"blocked":0,"failed":3,"calls":2}},
			{"id":"sf_health.r1","sync":"sf_health","status":"complete","begun_at":"2026-01-05T11:00:00Z","ended_at":"2026-01-05T11:00:07.5Z","counts":{"received":90,"delivered":80,"unchanged":10,"superseded":0,"rejected":0,"blocked":0,"failed":0,"calls":1}},
			{"id":"sf_health.r0","sync":"sf_health","status":"complete","begun_at":"2026-01-05T10:00:00Z","ended_at":"2026-01-05T10:00:07Z","counts":{"received":70,"delivered":70,"unchanged":0,"superseded":0,"rejected":0,"blocked":0,"failed":0,"calls":1}}]}`,
		"slack_alerts": `{"sync":"slack_alerts","version":"v1","applied_at":"2026-01-05T10:00:00Z","watermark":null,"runs":null}`,
		"sf_health.rx": `{"errors":[]}`,
		"sf_health.r3": `{"errors":[{"sync":"sf_health","run":"sf_health.r3","batch":"connection","row":0,"record_id":"","error_type":"invalid_client","error_message":"the login is refused","stage":"connection","attempts":0,"occurred_at":"2026-01-05T13:00:01Z","place":0}]}`,
		"sf_health.r2": `{"errors":[{"sync":"sf_health","run":"sf_health.r2","batch":"b","row":7,"record_id":"c7","error_type":"above_max","error_message":"column x: found 120","field":"x","stage":"intake","attempts":0,"occurred_at":"2026-01-05T12:00:01Z","place":1,"source_data":{"customer_id":"c7"}}]}`,
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		body, err := io.ReadAll(z)
		if err != nil {
			t.Error(err)
		}
		batch, err := snowflake.Protocol.Decode(wire.Request{Method: r.Method, Path: r.URL.Path, Header: r.Header.Get, Body: body})
		if err != nil {
			t.Error(err)
		}
		var rows []string
		for _, c := range batch.Calls {
			asked := c.Text(wire.Target) + c.Text(wire.Run) // one of them
			rows = append(rows, fmt.Sprintf("[%d,%s]", c.Number, answers[asked]))
		}
		reply := `{"data":[` + strings.Join(rows, ",") + `]}`
		sum := md5.Sum([]byte(reply))
		w.Header().Set("Content-MD5", base64.StdEncoding.EncodeToString(sum[:]))
		io.WriteString(w, reply) //nolint:errcheck // the test notices a missing answer
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestMonitoringViews(t *testing.T) {
	db := open(t, control(t))
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"SELECT sync_run_id, status, begun_at, ended_at, received, failed, api_calls FROM penstock_runs", []string{
			"sf_health.r3 | open | 2026-01-05 13:00:00 | NULL | 1 | 0 | 0",
			"sf_health.rx | open | 2026-01-05 12:30:00 | NULL | 1 | 0 | 0",
			"sf_health.r2 | incomplete | 2026-01-05 12:00:00 | NULL | 100 | 3 | 2",
			"sf_health.r1 | complete | 2026-01-05 11:00:00 | 2026-01-05 11:00:07.5 | 90 | 0 | 1",
			"sf_health.r0 | complete | 2026-01-05 10:00:00 | 2026-01-05 10:00:07 | 70 | 0 | 1"}},
		{"SELECT * FROM reverse_etl_sync_state ORDER BY sync_name", []string{
			"sf_health | 2026-01-05 11:00:07.5 | 90 | 2026-01-05 10:00:00 | 2026-01-05 13:00:00", "slack_alerts | NULL | NULL | NULL | NULL"}},
		{"SELECT * FROM reverse_etl_sync_errors ORDER BY sync_run_id DESC", []string{
			"sf_health.r3 |  | invalid_client | the login is refused | NULL | connection | NULL | 2026-01-05 13:00:01",
			`sf_health.r2 | c7 | above_max | column x: found 120 | x | intake | {"customer_id":"c7"} | 2026-01-05 12:00:01`}},
		{"SELECT * EXCLUDE minutes_since_last_sync FROM reverse_etl_sync_health", []string{
			"sf_health | 2026-01-05 11:00:07.5 | 90 | STALE | 70 | 20", "slack_alerts | NULL | NULL | STALE | NULL | NULL"}},
		{"SELECT * FROM multi_destination_sync_state", []string{
			"sf_health | Salesforce | CRM | 2026-01-05 11:00:07.5 | 2026-01-05 13:00:00 | 1 | 0 | 0 | NULL | the login is refused",
			"slack_alerts | Slack | Notifications | NULL | NULL | NULL | NULL | NULL | NULL | NULL"}},
	} {
		if d := cmp.Diff(c.want, read(t, db, c.query)); d != "" {
			t.Errorf("%s: %s", c.query, d)
		}
	}
}
