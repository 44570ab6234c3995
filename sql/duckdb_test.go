//go:build cgo

package sql_test

import (
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
	statements "github.com/penstock-data/penstock/sql"
)

// open is a DuckDB with everything in sql/duckdb, set up twice, since the script
// has to be repeatable.
func open(t *testing.T, gateway string) *sql.DB {
	t.Helper()
	_, db := warehouse(t, gateway)
	return db
}

func warehouse(t *testing.T, gateway string) (*duckdb.Warehouse, *sql.DB) {
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
	script, err := statements.Setup("duckdb", statements.Params{NoRows: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := w.Exec(t.Context(), script); err != nil {
			t.Fatal(err)
		}
	}
	return w, w.DB()
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
			got := read(t, db, "SELECT * EXCLUDE (customer_id, email, company_name, health_score_calculated_at, updated_at, should_delete_from_destination) FROM salesforce_customer_health_sync WHERE customer_id = 'c1' AND email = 'ann@x.com' AND company_name = 'ACME'")
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
	for _, name := range []string{"salesforce_customer_health", "sf_health", "slack_alerts", "intercom_health", "hubspot_health", "amplitude_health"} {
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

// The sample's rows are there for the first push, whatever the session's time zone and
// however often the script was run, and a row of one's own gets its times in UTC.
func TestSampleRows(t *testing.T) {
	for _, zone := range []string{"UTC", "America/Los_Angeles", "Asia/Tokyo"} {
		w, err := duckdb.Open(t.Context(), duckdb.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		w.DB().SetMaxOpenConns(1) // one session, with one time zone
		script, err := statements.Setup("duckdb", statements.Params{})
		if err != nil {
			t.Fatal(err)
		}
		exec(t, w.DB(), "SET TimeZone = '"+zone+"'")
		for range 2 {
			exec(t, w.DB(), script)
		}
		exec(t, w.DB(), "INSERT INTO customer_health_comprehensive (customer_id, health_score, confidence_score, calculated_at, financial_metrics) VALUES ('rich', 1, 1, "+now+`, '{"mrr": 3000000000}')`)
		for query, want := range map[string]string{
			"SELECT customer_id, monthly_recurring_revenue FROM sf_health ORDER BY 1":                                                         "cust_001 | 12500\nrich | 3000000000",
			"SELECT customer_id FROM salesforce_customer_health ORDER BY 1":                                                                   "cust_001\ncust_002\ncust_003",
			"SELECT customer_id, alert_type FROM slack_alerts":                                                                                "cust_003 | ESCALATED_TO_HIGH_RISK",
			"SELECT count(*) FROM customer_health_history":                                                                                    "3",
			"SELECT bool_and(abs(date_diff('second', u, " + now + ")) < 60) FROM (SELECT updated_at AS u FROM customer_health_comprehensive)": "true",
			"SELECT abs(date_diff('second', created_at, " + now + ")) < 60 FROM customer_health_comprehensive WHERE customer_id = 'rich'":     "true",
			"SELECT count(*) FROM (SELECT updated_at FROM sf_health WHERE updated_at IS NULL)":                                                "0",
		} {
			if d := cmp.Diff(want, strings.Join(read(t, w.DB(), query), "\n")); d != "" {
				t.Errorf("%s: %s: %s", zone, query, d)
			}
		}
	}
}

// Without the sample there is what every warehouse needs, and nothing of the sample.
func TestSetupWithoutSample(t *testing.T) {
	w, err := duckdb.Open(t.Context(), duckdb.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	script, err := statements.Setup("duckdb", statements.Params{NoSample: true})
	if err != nil {
		t.Fatal(err)
	}
	exec(t, w.DB(), script)
	got := strings.Join(read(t, w.DB(), "SELECT table_name FROM information_schema.tables ORDER BY 1"), " ")
	if !strings.Contains(got, "penstock_receipts") || !strings.Contains(got, "reverse_etl_sync_state") || strings.Contains(got, "customer_health") || strings.Contains(got, "sf_health") {
		t.Errorf("there are %s", got)
	}
}

// The words that name no view without quotes are those of syncdef.Reserved, and no others.
func TestReservedWords(t *testing.T) {
	db := open(t, "http://127.0.0.1:1")
	for _, word := range read(t, db, "SELECT keyword_name FROM duckdb_keywords() ORDER BY 1") {
		_, err := db.ExecContext(t.Context(), "CREATE OR REPLACE VIEW "+word+" AS SELECT 1 AS a; SELECT * FROM "+word+" AS m")
		if reserved := syncdef.Reserved("duckdb", word); reserved != (err != nil) {
			t.Errorf("%s: reserved %v: %v", word, reserved, err)
		}
	}
}
