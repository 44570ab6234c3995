//go:build cgo

package sql_test

import (
	"database/sql"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	statements "github.com/penstock-data/penstock/sql"
)

// further is a DuckDB with the sample and the further models, set up twice.
func further(t *testing.T) *sql.DB {
	t.Helper()
	db := open(t, "")
	script, err := statements.SetupModels("duckdb")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		exec(t, db, script)
	}
	return db
}

// same compares a query's rows.
func same(t *testing.T, db *sql.DB, what, query string, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, read(t, db, query)); d != "" {
		t.Errorf("%s: %s", what, d)
	}
}

// Every model of sql/models has a definition, a text in both dialects, and a view that
// answers without a row in any table.
func TestFurtherModels(t *testing.T) {
	db := further(t)
	names, err := fs.Glob(statements.FurtherModels(), "*.sql")
	if err != nil || len(names) != 7 {
		t.Fatal(names, err)
	}
	snow, err := statements.SetupModels("snowflake")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".sql")
		if _, err := fs.Stat(statements.FurtherModels(), name+".yaml"); err != nil {
			t.Error(err)
		}
		if !strings.Contains(snow, "CREATE OR REPLACE VIEW "+name+" AS\n") {
			t.Errorf("%s is not in Snowflake's script", name)
		}
		same(t, db, name, "SELECT count(*) FROM "+name, "0")
	}
	for _, d := range []statements.Dialect{"redshift", "bigquery", "nothing"} {
		if _, err := statements.SetupModels(d); err == nil {
			t.Errorf("%s has the models", d)
		}
	}
}

func TestProductUsage(t *testing.T) {
	for factors, want := range map[string]string{
		`'{"products": [{"name": "Core"}, {"name": "Billing"}], "churn_indicators": {"score": 0.71, "factors": ["no login", "tickets"]}}'`: "Core, Billing | Churn Risk: 0.71 (Factors: no login, tickets)",
		`'{"products": [{"name": "Core"}], "churn_indicators": {"score": 0.7}}'`:                                                           "Core | Churn Risk: 0.7 (Factors: none)",
		`'{"products": [], "churn_indicators": {"score": null, "factors": []}}'`:                                                           " | Churn Risk: not scored (Factors: none)",
		`'{"products": [{"name": "Core"}, {"id": 3}, {"name": null}, 7]}'`:                                                                 "Core | No churn indicators detected",
		`'{"products": null, "churn_indicators": null}'`:                                                                                   "NULL | No churn indicators detected",
		`'{"products": "all of them", "churn_indicators": "high"}'`:                                                                        "NULL | No churn indicators detected",
		`'{"products": [{"name": "Größe, \"XL\""}]}'`:                                                                                      `Größe, "XL" | No churn indicators detected`,
		`'{}'`: "NULL | No churn indicators detected",
		`NULL`: "NULL | No churn indicators detected",
	} {
		db := further(t)
		exec(t, db, "INSERT INTO customer_health_scores VALUES ('c1', 'a@b.c', 'Acme', 0.5, 'low', "+now+", "+factors+")")
		same(t, db, factors, "SELECT active_products, churn_risk_summary FROM product_usage", want)
	}
	for activity, want := range map[string]string{
		"to_json(strftime(" + now + " - INTERVAL 3 DAYS, '%Y-%m-%dT%H:%M:%SZ'))":                       "3",
		"to_json(strftime(" + now + ", '%Y-%m-%d %H:%M:%S'))":                                          "0",
		"to_json(strftime(" + now + " + INTERVAL 14 HOURS - INTERVAL 2 DAYS, '%Y-%m-%dT%H:%M:%S+14'))": "2",
		"'\"yesterday\"'": "NULL", "'null'": "NULL", "'17'": "NULL", "'[]'": "NULL",
	} {
		db := further(t)
		exec(t, db, "INSERT INTO customer_health_scores SELECT 'c1', 'a@b.c', 'Acme', 0.5, 'low', "+now+", json_object('last_activity', "+activity+"::JSON)")
		same(t, db, activity, "SELECT days_since_activity FROM product_usage", want)
	}
}

func TestCustomerProfile(t *testing.T) {
	db := further(t)
	for values, want := range map[string]string{
		`TRUE, 1234.5, TIMESTAMP '2024-01-15 15:30:00', '+1 555'`: "Yes | 1234.50 | 2024-01-15 10:30:00 | +1 555",
		`FALSE, 0, TIMESTAMP '2024-07-15 03:30:00', ''`:           "No | 0.00 | 2024-07-14 23:30:00 | ",
		`NULL, NULL, NULL, NULL`:                                  "No | NULL | NULL | Not provided",
		`NULL, 0.0050, TIMESTAMP '2024-03-10 06:59:59', NULL`:     "No | 0.01 | 2024-03-10 01:59:59 | Not provided", // the last second of winter
		`NULL, 0.0049, TIMESTAMP '2024-03-10 07:00:00', NULL`:     "No | 0.00 | 2024-03-10 03:00:00 | Not provided", // two o'clock there is not
		`NULL, -0.0050, TIMESTAMP '2024-11-03 05:30:00', NULL`:    "No | -0.01 | 2024-11-03 01:30:00 | Not provided",
		`NULL, 2.6750, TIMESTAMP '2024-11-03 06:30:00', NULL`:     "No | 2.68 | 2024-11-03 01:30:00 | Not provided", // half past one, a second time
		`NULL, 99999999999999.9949, NULL, NULL`:                   "No | 99999999999999.99 | NULL | Not provided",
	} {
		exec(t, db, "DELETE FROM customer_data")
		exec(t, db, "INSERT INTO customer_data VALUES ('c1', "+values+")")
		same(t, db, values, "SELECT is_enterprise_text, monthly_revenue_formatted, last_login_et, phone_display FROM customer_profile", want)
	}
}

func TestPicklistHealth(t *testing.T) {
	db := further(t)
	for values, want := range map[string]string{
		"'high_risk', 'Acme', 0.8547": "At Risk | Acme | 85.4700", "'medium_risk', '', 0": "Moderate Risk |  | 0.0000",
		"'low_risk', NULL, NULL": "Healthy | NULL | 0.0000", "'HIGH_RISK', 'x', 1": "Healthy | x | 100.0000", "NULL, 'x', 1": "Healthy | x | 100.0000",
	} {
		exec(t, db, "DELETE FROM customer_health_comprehensive")
		exec(t, db, "INSERT INTO customer_health_comprehensive (customer_id, risk_category, company_name, health_score) VALUES ('c1', "+values+")")
		same(t, db, values, "SELECT health_status_picklist, company_name_truncated, health_score_pct FROM picklist_health", want)
	}
	// 255 characters, however many bytes each has; none is cut in two.
	for _, mark := range []string{"x", "ü", "漢", "😀"} {
		exec(t, db, "DELETE FROM customer_health_comprehensive")
		exec(t, db, "INSERT INTO customer_health_comprehensive (customer_id, company_name) VALUES ('c1', repeat(?, 300))", mark)
		same(t, db, mark, "SELECT company_name_truncated FROM picklist_health", strings.Repeat(mark, 255))
	}
}

// enriched fills the tables of customer_enriched: a busy customer, one of whom nothing
// is known, and one that is not active.
func enriched(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, s := range []string{
		"INSERT INTO customers VALUES ('busy', 'b@x.com', 'Busy', 'active'), ('quiet', 'q@x.com', 'Quiet', 'active'), ('gone', 'g@x.com', 'Gone', 'closed'), ('odd', 'o@x.com', 'Odd', NULL)",
		"INSERT INTO customer_health_scores VALUES ('busy', '', '', 0.4, 'medium', " + now + " - INTERVAL 2 DAYS, NULL), ('busy', '', '', 0.9, 'low', " + now + " - INTERVAL 1 DAY, NULL)",
		"INSERT INTO events SELECT i, 'busy', " + now + " - i * INTERVAL 1 DAY FROM range(1, 4) t(i)",
		"INSERT INTO events VALUES ('old', 'busy', " + now + " - INTERVAL 31 DAYS), ('else', 'gone', " + now + ")",
		"INSERT INTO transactions VALUES ('t1', 'busy', 100.25, " + now + "), ('t2', 'busy', 50.50, " + now + " - INTERVAL 89 DAYS), ('t3', 'busy', 7, " + now + " - INTERVAL 91 DAYS)",
		"INSERT INTO support_tickets VALUES ('s1', 'busy', 4, " + now + "), ('s2', 'busy', NULL, " + now + "), ('s3', 'busy', 3, " + now + "), ('s4', 'busy', 1, " + now + " - INTERVAL 61 DAYS)",
	} {
		exec(t, db, s)
	}
}

func TestCustomerEnriched(t *testing.T) {
	db := further(t)
	enriched(t, db)
	same(t, db, "each side summed up first", "SELECT * EXCLUDE (last_activity_date) FROM customer_enriched ORDER BY customer_id",
		"busy | b@x.com | Busy | 90.00 | low | 3 | 150.75 | 2 | 3.5 | 3",
		"quiet | q@x.com | Quiet | NULL | NULL | 0 | 0.00 | 0 | NULL | 0")
	same(t, db, "the last activity", "SELECT last_activity_date = (SELECT max(event_timestamp) FROM events WHERE customer_id = 'busy') FROM customer_enriched ORDER BY customer_id", "true", "NULL")

	// Joined first and summed up then, the way it is mostly written, each sum counts every
	// row of the other sides: two scores, three events, two transactions, three tickets.
	const plain = `SELECT c.customer_id, COUNT(e.event_id), SUM(t.amount), COUNT(DISTINCT t.transaction_id), AVG(s.satisfaction_score), COUNT(s.ticket_id)
FROM customers c
LEFT JOIN customer_health_scores hs ON c.customer_id = hs.customer_id
LEFT JOIN events e ON c.customer_id = e.customer_id AND e.event_timestamp >= ` + now + ` - INTERVAL 30 DAYS
LEFT JOIN transactions t ON c.customer_id = t.customer_id AND t.transaction_date >= ` + now + ` - INTERVAL 90 DAYS
LEFT JOIN support_tickets s ON c.customer_id = s.customer_id AND s.created_date >= ` + now + ` - INTERVAL 60 DAYS
WHERE c.status = 'active' AND c.customer_id = 'busy'
GROUP BY c.customer_id, c.email, c.company_name, hs.health_score, hs.risk_category`
	same(t, db, "joined first", plain, "busy | 18 | 1356.75 | 2 | 3.5 | 18", "busy | 18 | 1356.75 | 2 | 3.5 | 18")
}

// Two scores of one time are one row, the same at every look.
func TestCustomerEnrichedTies(t *testing.T) {
	db := further(t)
	exec(t, db, "INSERT INTO customers VALUES ('c1', 'a@x.com', 'A', 'active')")
	exec(t, db, "INSERT INTO customer_health_scores VALUES ('c1', '', '', 0.4, 'medium', TIMESTAMP '2024-01-15 10:00:00', NULL), ('c1', '', '', 0.3, 'high', TIMESTAMP '2024-01-15 10:00:00', NULL), ('c1', '', '', 0.9, 'low', NULL, NULL)")
	same(t, db, "a tie", "SELECT health_score_pct, risk_category FROM customer_enriched", "30.00 | high")
}

func TestSoftDeletes(t *testing.T) {
	db := further(t)
	for values, want := range map[string]string{
		"'active', NULL":  "false | a@x.com | 50.00",
		"'deleted', NULL": "true | NULL | NULL",
		"'active', TIMESTAMP '2024-01-15 10:00:00'": "true | NULL | NULL",
		"NULL, NULL":                            "false | a@x.com | 50.00", // a status that is not known empties nothing
		"NULL, TIMESTAMP '2024-01-15 10:00:00'": "true | NULL | NULL",
		"'Deleted', NULL":                       "false | a@x.com | 50.00",
	} {
		exec(t, db, "DELETE FROM customer_lifecycle")
		exec(t, db, "INSERT INTO customer_lifecycle VALUES ('c1', 'a@x.com', 0.5, "+values+", "+now+")")
		same(t, db, values, "SELECT should_delete_from_destination, email, health_score_pct FROM soft_deletes", want)
	}
}

func TestResyncHealth(t *testing.T) {
	db := further(t)
	row := func(id, score, risk, money, calculated, updated string) {
		exec(t, db, "INSERT INTO customer_health_comprehensive (customer_id, email, health_score, risk_category, financial_metrics, calculated_at, updated_at) VALUES ('"+id+"', 'a@x.com', "+score+", "+risk+", "+money+", "+now+" - INTERVAL "+calculated+", "+now+" - INTERVAL "+updated+")")
	}
	row("changed", "0.5", "'low_risk'", `'{"mrr": 1}'`, "1 MINUTE", "1 MINUTE")
	row("old", "0.5", "'low_risk'", `'{"mrr": 1}'`, "3 DAYS", "3 DAYS")
	row("failed", "0.5", "NULL", "NULL", "3 DAYS", "3 DAYS")
	row("failed long ago", "0.5", "'low_risk'", "NULL", "3 DAYS", "3 DAYS")
	row("worth", "0.5", "'low_risk'", `'{"mrr": "10000.01"}'`, "23 HOURS", "3 DAYS")
	row("worth, at risk", "0.5", "'high_risk'", `'{"mrr": 20000}'`, "23 HOURS", "3 DAYS")
	row("worth, not scored anew", "0.5", "'high_risk'", `'{"mrr": 20000}'`, "25 HOURS", "3 DAYS")
	row("worth not enough", "0.5", "'high_risk'", `'{"mrr": 10000}'`, "1 HOUR", "3 DAYS")
	row("tie a", "0.5", "'low_risk'", `'{"mrr": 11000}'`, "1 HOUR", "3 DAYS")
	row("tie b", "0.5", "'low_risk'", `'{"mrr": 11000}'`, "1 HOUR", "3 DAYS")
	exec(t, db, "INSERT INTO reverse_etl_sync_errors (sync_run_id, record_id, error_type, occurred_at) VALUES ('resync_health.r1', 'failed', 'x', "+now+" - INTERVAL 23 HOURS), ('resync_health.r1', 'failed long ago', 'x', "+now+" - INTERVAL 25 HOURS), ('resync_health_more.r1', 'old', 'x', "+now+"), ('resync_health.r1', NULL, 'x', "+now+")")

	same(t, db, "before the first sync all", "SELECT count(*) FROM resync_health", "10")
	exec(t, db, "INSERT INTO multi_destination_sync_state (sync_id, last_successful_sync) VALUES ('resync_health', "+now+" - INTERVAL 1 HOUR), ('resync_health_more', "+now+")")
	same(t, db, "by three reasons, in order", "SELECT customer_id FROM resync_health", "worth, at risk", "tie a", "tie b", "worth", "changed", "failed")
	same(t, db, "hashes tell rows apart", "SELECT count(DISTINCT record_hash), count(record_hash), min(length(record_hash)) FROM resync_health", "6 | 6 | 32")
	before := read(t, db, "SELECT record_hash FROM resync_health WHERE customer_id = 'changed'")
	exec(t, db, "UPDATE customer_health_comprehensive SET risk_category = 'medium_risk' WHERE customer_id = 'changed'")
	if after := read(t, db, "SELECT record_hash FROM resync_health WHERE customer_id = 'changed'"); cmp.Equal(before, after) {
		t.Error("another category has the same hash")
	}
	same(t, db, "of nulls there is a hash too", "SELECT record_hash IS NULL FROM resync_health WHERE customer_id = 'failed'", "false")
}

// What a stream's rows mean for a customer, in whichever order they come.
func TestHealthChanges(t *testing.T) {
	for _, c := range []struct{ name, rows, want string }{
		{"an insert", "('c1', 'a@x.com', 0.5, 'INSERT', FALSE)", "upsert | INSERT | false | 50.00"},
		{"a delete", "('c1', 'a@x.com', 0.5, 'DELETE', FALSE)", "delete | DELETE | false | 50.00"},
		{"an update", "('c1', 'a@x.com', 0.5, 'DELETE', TRUE), ('c1', 'a@x.com', 0.6, 'INSERT', TRUE)", "upsert | INSERT | true | 60.00"},
		{"an update, the new half first", "('c1', 'a@x.com', 0.6, 'INSERT', TRUE), ('c1', 'a@x.com', 0.5, 'DELETE', TRUE)", "upsert | INSERT | true | 60.00"},
		{"deleted and there again", "('c1', 'a@x.com', 0.7, 'INSERT', FALSE), ('c1', 'a@x.com', 0.5, 'DELETE', FALSE)", "upsert | INSERT | false | 70.00"},
		{"the word of another tool", "('c1', 'a@x.com', 0.7, 'UPDATE', TRUE)", "upsert | UPDATE | true | 70.00"},
		{"nothing that is known", "('c1', 'a@x.com', 0.7, 'TRUNCATE', FALSE), ('c1', 'a@x.com', 0.7, NULL, NULL)", ""},
	} {
		db := further(t)
		exec(t, db, "INSERT INTO customer_health_changes VALUES "+c.rows)
		got := read(t, db, "SELECT sync_action, change_type, is_update, health_score_pct FROM health_changes")
		if d := cmp.Diff(c.want, strings.Join(got, "\n")); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}
