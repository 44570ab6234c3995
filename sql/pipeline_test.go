//go:build cgo

package sql_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// comprehensive is a row of customer_health_comprehensive: score and category, and the
// documents.
func comprehensive(score, risk, usage, money, engagement string) string {
	return "INSERT INTO customer_health_comprehensive VALUES ('cust_9', ' Ann@X.com ', ' Acme ', " + score + ", " + risk + ", 0.3, " + usage + ", " + money + ", " + engagement + ", 'v', " +
		"TIMESTAMP '2024-01-15 10:40:00', NULL, TIMESTAMP '2024-01-15 10:41:00')"
}

// What a contact is worth: the worth is exact to the cent, and where the revenue is not
// known there is neither a worth nor a segment, also where it is no number.
func TestWorthView(t *testing.T) {
	for money, want := range map[string]string{
		`'{"mrr": 12500, "contract_renewal_probability": 0.95}'`:      "142500.00 | high",
		`'{"mrr": 8333.34, "contract_renewal_probability": 1.0}'`:     "100000.08 | high",
		`'{"mrr": 10000, "contract_renewal_probability": 0.8334}'`:    "100008.00 | high",
		`'{"mrr": 12500, "contract_renewal_probability": 0.6667}'`:    "100005.00 | high",
		`'{"mrr": 100000, "contract_renewal_probability": 0.083333}'`: "99999.60 | medium",
		`'{"mrr": 20000, "contract_renewal_probability": 0.416666}'`:  "99999.84 | medium",
		`'{"mrr": 25000, "contract_renewal_probability": 0.083334}'`:  "25000.20 | medium",
		`'{"mrr": 6250, "contract_renewal_probability": 0.333333}'`:   "24999.98 | low",
		`'{"mrr": 0, "contract_renewal_probability": 0.95}'`:          "0.00 | low",
		`'{"mrr": null, "contract_renewal_probability": 0.95}'`:       "NULL | NULL",
		`'{"contract_renewal_probability": 0.95}'`:                    "NULL | NULL",
		`'{"mrr": "much", "contract_renewal_probability": 0.95}'`:     "NULL | NULL",
		`'{"mrr": 12500}'`: "NULL | NULL",
		`NULL`:             "NULL | NULL",
	} {
		db := open(t, "")
		exec(t, db, comprehensive("NULL", "NULL", "NULL", money, "NULL"))
		got := read(t, db, "SELECT ltv_usd, ltv_segment FROM hubspot_health WHERE customer_id = 'cust_9' AND email = 'ann@x.com'")
		if d := cmp.Diff(want, strings.Join(got, "\n")); d != "" {
			t.Errorf("%s: %s", money, d)
		}
	}
	db := open(t, "") // close to the edges, on both sides
	exec(t, db, comprehensive("1", "NULL", "NULL", `'{"mrr": 10000, "contract_renewal_probability": 0.833333}'`, "NULL"))
	exec(t, db, comprehensive("1", "NULL", "NULL", `'{"mrr": 3125, "contract_renewal_probability": 0.666667}'`, "NULL"))
	exec(t, db, comprehensive("1", "NULL", "NULL", `'{"mrr": 31250, "contract_renewal_probability": 0.266667}'`, "NULL"))
	exec(t, db, comprehensive("1", "NULL", "NULL", `'{"mrr": 12500, "contract_renewal_probability": 0.166667}'`, "NULL"))
	want := []string{"25000.01 | medium", "25000.05 | medium", "99999.96 | medium", "100000.13 | high"}
	if d := cmp.Diff(want, read(t, db, "SELECT ltv_usd, ltv_segment FROM hubspot_health ORDER BY ltv_usd")); d != "" {
		t.Error(d)
	}
}

func TestUsageView(t *testing.T) {
	for usage, want := range map[string]string{
		`'{"daily_active_users": 45, "feature_adoption": 0.87, "api_calls_trend": "increasing"}'`: "cust_9 | 45 | 0.87 | increasing",
		`'{"daily_active_users": "?", "feature_adoption": null}'`:                                 "cust_9 | NULL | NULL | NULL",
		`NULL`: "cust_9 | NULL | NULL | NULL",
	} {
		db := open(t, "")
		exec(t, db, comprehensive("NULL", "NULL", usage, "NULL", "NULL"))
		got := read(t, db, "SELECT customer_id, daily_active_users, feature_adoption, api_calls_trend FROM amplitude_health")
		if d := cmp.Diff(want, strings.Join(got, "\n")); d != "" {
			t.Errorf("%s: %s", usage, d)
		}
	}
}

func TestSupportView(t *testing.T) {
	const recent = "calculated_at = " + now
	for _, c := range []struct{ name, row, set, want string }{
		{"well", comprehensive("0.8547", "'low_risk'", "NULL", `'{"mrr": 12500}'`, `'{"support_tickets_30d": 1, "last_login_days_ago": 2, "training_completion": 1.0}'`), recent,
			`ann@x.com | 0.8547 | low_risk | {"health_percentage":85,"risk_level":"LOW_RISK","support_priority":"normal","recent_support_tickets":1,"days_since_login":2,"training_completed":true,"account_value":"12500"} | [health_score_high, risk_low_risk, high_value]`},
		{"ill", comprehensive("0.1234", "'high_risk'", "NULL", `'{"mrr": 5000}'`, `'{"training_completion": 0.4}'`), recent,
			`ann@x.com | 0.1234 | high_risk | {"health_percentage":12,"risk_level":"HIGH_RISK","support_priority":"high","recent_support_tickets":null,"days_since_login":null,"training_completed":false,"account_value":"5000"} | [health_score_low, risk_high_risk, standard_value]`},
		{"at the edges", comprehensive("0.6", "'medium_risk'", "NULL", `'{"mrr": 5000.01}'`, `'{"training_completion": 0.99}'`), recent,
			`ann@x.com | 0.6000 | medium_risk | {"health_percentage":60,"risk_level":"MEDIUM_RISK","support_priority":"medium","recent_support_tickets":null,"days_since_login":null,"training_completed":false,"account_value":"5000.01"} | [health_score_medium, risk_medium_risk, high_value]`},
		{"little is known", comprehensive("NULL", "NULL", "NULL", "NULL", `'{"support_tickets_30d": "?"}'`), recent,
			`ann@x.com | NULL | NULL | {"health_percentage":null,"risk_level":null,"support_priority":"normal","recent_support_tickets":null,"days_since_login":null,"training_completed":null,"account_value":null} | [standard_value]`},
		{"nearly six hours old", comprehensive("0.8", "'low_risk'", "NULL", "NULL", "NULL"), recent + " - INTERVAL 359 MINUTES",
			`ann@x.com | 0.8000 | low_risk | {"health_percentage":80,"risk_level":"LOW_RISK","support_priority":"normal","recent_support_tickets":null,"days_since_login":null,"training_completed":null,"account_value":null} | [health_score_high, risk_low_risk, standard_value]`},
		{"older", comprehensive("0.8", "'low_risk'", "NULL", "NULL", "NULL"), recent + " - INTERVAL 361 MINUTES", ""},
		{"without an address", comprehensive("0.8", "'low_risk'", "NULL", "NULL", "NULL"), recent + ", email = NULL", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := open(t, "")
			exec(t, db, c.row)
			exec(t, db, "UPDATE customer_health_comprehensive SET "+c.set)
			got := read(t, db, "SELECT user_email, health_score_decimal, risk_category, json_merge_patch(custom_attributes, '{\"last_health_update\": null}'), user_tags FROM intercom_health")
			if d := cmp.Diff(c.want, strings.Join(got, "\n")); d != "" {
				t.Error(d)
			}
			if c.want != "" {
				at := read(t, db, "SELECT custom_attributes->>'last_health_update' = strftime(calculated_at, '%Y-%m-%d %H:%M:%S') FROM intercom_health JOIN customer_health_comprehensive USING (customer_id)")
				if d := cmp.Diff([]string{"true"}, at); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

// A customer that is gone is one deleting row of each model, without its address, however
// old its score is and whether or not its own row is still there.
func TestDeletedCustomers(t *testing.T) {
	db := open(t, "")
	exec(t, db, comprehensive("0.8", "'low_risk'", "NULL", "NULL", "NULL"))
	exec(t, db, "INSERT INTO customer_health_comprehensive SELECT * REPLACE ('cust_8' AS customer_id, 0.9 AS confidence_score, "+now+" AS calculated_at) FROM customer_health_comprehensive")
	exec(t, db, "INSERT INTO deleted_customers VALUES ('cust_9', TIMESTAMP '2024-02-01 00:00:00'), ('cust_7', TIMESTAMP '2024-02-02 00:00:00')")
	for model, match := range map[string]string{"sf_health": "email", "intercom_health": "user_email", "hubspot_health": "email", "amplitude_health": "NULL"} {
		here := "ann@x.com"
		if match == "NULL" {
			here = match
		}
		want := []string{
			"cust_7 | NULL | true | 2024-02-02 00:00:00", "cust_8 | " + here + " | false | 2024-01-15 10:41:00", "cust_9 | NULL | true | 2024-02-01 00:00:00"}
		if d := cmp.Diff(want, read(t, db, "SELECT customer_id, "+match+" AS match, should_delete_from_destination, updated_at FROM "+model+" ORDER BY 1")); d != "" {
			t.Errorf("%s: %s", model, d)
		}
	}
}
