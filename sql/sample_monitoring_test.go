//go:build cgo

package sql_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/run"
)

// sampleMonitoring are the sample's monitoring statements, and its own error type, which
// is written as each dialect writes an object.
func sampleMonitoring(t *testing.T, object, matches string) []string {
	t.Helper()
	return sampleMonitoringOf(t, "sample_monitoring", object, matches)
}

// sampleMonitoringOf are those of a file: Redshift and BigQuery know no alias of the
// select list in WHERE.
func sampleMonitoringOf(t *testing.T, file, object, matches string) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file + ".sql")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for s := range strings.SplitSeq(string(text), ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return append([]string{`INSERT INTO reverse_etl_sync_errors (sync_run_id, record_id, error_type, error_message, source_data)
		SELECT 'sf_health.mine', customer_id, 'FIELD_VALIDATION_ERROR', 'Email format invalid: ' || email, ` + object + ` AS source_data
		FROM (SELECT 'cust_009' AS customer_id, 'no address' AS email) AS m
		WHERE email IS NOT NULL AND NOT ` + matches + `(email, '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}$')`}, out...)
}

// The sample's statements run on its tables, before a refresh, between two, and after;
// what they insert stays.
func TestSampleMonitoring(t *testing.T) {
	m := newMonitored(t)
	m.apply("salesforce_customer_health", nil)
	m.apply("sf_health", nil)
	m.ran("sf_health", time.Hour, run.Counts{Received: 10, Delivered: 9, Failed: 1}, nil)
	for range 2 {
		for _, s := range sampleMonitoring(t, "to_json(m)", "regexp_matches") {
			if strings.HasPrefix(s, "INSERT") {
				exec(t, m.db, s)
			} else {
				read(t, m.db, s)
			}
		}
		m.refresh()
	}
	m.same(map[string][]string{
		"SELECT sync_name, last_successful_run, created_at > TIMESTAMP '2020-01-01' FROM reverse_etl_sync_state WHERE refreshed_at IS NULL": {
			"salesforce_customer_health | 1900-01-01 00:00:00 | true", "salesforce_customer_health | 1900-01-01 00:00:00 | true"},
		"SELECT sync_name, freshness_status FROM reverse_etl_sync_health": {"salesforce_customer_health | STALE", "sf_health | HEALTHY"},
		"SELECT sync_id, destination_name, health_status FROM reverse_etl_dashboard ORDER BY ALL": {
			"intercom_health | Intercom | STALE", "salesforce_customer_health | crm_prod | STALE", "sf_health | Salesforce | HEALTHY", "slack_alerts | Slack | STALE"},
		"SELECT error_type, source_data, occurred_at > TIMESTAMP '2020-01-01' FROM reverse_etl_sync_errors WHERE record_id = 'cust_009' LIMIT 1": {
			`FIELD_VALIDATION_ERROR | {"customer_id":"cust_009","email":"no address"} | true`},
		"SELECT count(*) FROM reverse_etl_sync_errors": {"3"},
	})
}

// They run on a stand-in for Snowflake too, as they are written.
func TestFakesnowSampleMonitoring(t *testing.T) {
	m := newMonitored(t)
	m.apply("sf_health", nil)
	m.ran("sf_health", time.Hour, run.Counts{Received: 10, Delivered: 9, Failed: 1}, nil)
	statements := sampleMonitoring(t, "OBJECT_CONSTRUCT(*)", "REGEXP_LIKE")
	got := m.fakesnow(statements, append([]string{
		"SELECT sync_id, destination_name, last_successful_sync > '2000-01-01' FROM multi_destination_sync_state ORDER BY 1",
		"SELECT error_type, record_id FROM reverse_etl_sync_errors ORDER BY 1",
	}, statements[3:]...)...)
	for n, want := range [][]string{
		{"intercom_health | Intercom | False", "sf_health | Salesforce | True", "slack_alerts | Slack | False"},
		{"FIELD_VALIDATION_ERROR | cust_009", "above_max | c0"},
	} {
		if d := cmp.Diff(want, joined(got[n])); d != "" {
			t.Error(d)
		}
	}
}
