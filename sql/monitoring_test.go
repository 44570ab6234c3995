//go:build cgo

package sql_test

import (
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// Every applied sync is there without an INSERT, and what is stored of its runs and
// errors.
func TestRefresh(t *testing.T) {
	m := newMonitored(t)
	m.apply("sf_health", nil)
	m.apply("sf_health_eu", nil)
	m.apply("slack_alerts", nil)
	m.ran("sf_health", 2*time.Hour, run.Counts{Received: 100, Delivered: 80, Unchanged: 20}, nil)
	m.ran("sf_health", time.Hour, run.Counts{Received: 90, Delivered: 87, Rejected: 3}, nil)
	m.ran("sf_health_eu", time.Hour, run.Counts{Received: 5, Failed: 5}, nil)
	m.refresh()
	m.same(map[string][]string{
		"SELECT sync_name, status, outcome, received, delivered, rejected FROM penstock_runs ORDER BY ALL": {
			"sf_health | complete | partial | 90 | 87 | 3", "sf_health | complete | succeeded | 100 | 80 | 0", "sf_health_eu | complete | failed | 5 | 0 | 0"},
		"SELECT sync_name, last_synced_record_count, last_successful_run IS NULL FROM reverse_etl_sync_state ORDER BY ALL": {
			"sf_health | 87 | false", "sf_health_eu | NULL | true", "slack_alerts | NULL | true"},
		"SELECT sync_name, freshness_status, previous_record_count, record_count_change, last_outcome FROM reverse_etl_sync_health": {
			"sf_health | HEALTHY | 100 | -13 | partial", "sf_health_eu | STALE | NULL | NULL | failed", "slack_alerts | STALE | NULL | NULL | NULL"},
		"SELECT record_id, error_type, source_data FROM reverse_etl_sync_errors WHERE sync_run_id LIKE 'sf_health.%' ORDER BY ALL": {
			`c0 | above_max | {"customer_id":"c0","n":9007199254740993}`, `c1 | above_max | {"customer_id":"c1","n":9007199254740993}`, `c2 | above_max | {"customer_id":"c2","n":9007199254740993}`},
		"SELECT count(*) FROM reverse_etl_sync_errors": {"8"},
		"SELECT * FROM penstock_pages":                 nil,
	})
}

// Rows that were inserted by hand stay, whenever they were; a row of one's own is filled
// in from the first success on, and shown once.
func TestYourRowsStay(t *testing.T) {
	m := newMonitored(t)
	m.apply("sf_health", nil)
	m.apply("intercom_health", nil)
	m.refresh()
	// As the sample has them, here after a refresh.
	exec(t, m.db, `INSERT INTO multi_destination_sync_state (sync_id, destination_name, destination_type, last_successful_sync) VALUES
		('sf_health', 'Salesforce', 'CRM', '1900-01-01'), ('intercom_health', 'Intercom', 'Support', '1900-01-01'), ('slack_alerts', 'Slack', 'Notifications', '1900-01-01')`)
	exec(t, m.db, `INSERT INTO reverse_etl_sync_state (sync_name, last_successful_run) VALUES ('sf_health', '1900-01-01 00:00:00'), ('mine', '1900-01-01 00:00:00')`)
	exec(t, m.db, `INSERT INTO reverse_etl_sync_errors (sync_run_id, record_id, error_type, error_message, source_data)
		VALUES ('mine', 'c1', 'FIELD_VALIDATION_ERROR', 'Email format invalid', '{"email": "x"}'), ('sf_health.q1', 'c2', 'MY_OWN', 'old', NULL)`)
	exec(t, m.db, `UPDATE reverse_etl_sync_errors SET occurred_at = TIMESTAMP '2020-01-01' WHERE record_id = 'c2'`)
	exec(t, m.db, `INSERT INTO penstock_models (sync, model, destination_name) VALUES ('sf_health', 'my_view', 'Sales')`)
	m.same(map[string][]string{
		"SELECT sync_name, freshness_status FROM reverse_etl_sync_health":                       {"intercom_health | STALE", "mine | STALE", "sf_health | STALE"},
		"SELECT destination_name, sync_id, health_status FROM reverse_etl_dashboard ORDER BY 2": {"Intercom | intercom_health | STALE", "Salesforce | sf_health | STALE", "Slack | slack_alerts | STALE"},
	})
	m.ran("sf_health", time.Hour, run.Counts{Received: 10, Delivered: 10}, nil)
	m.refresh()
	m.refresh()
	m.same(map[string][]string{
		"SELECT sync_name, last_successful_run > TIMESTAMP '2000-01-01', last_synced_record_count, refreshed_at IS NULL FROM reverse_etl_sync_state ORDER BY ALL": {
			"intercom_health | NULL | NULL | false", "mine | false | NULL | true", "sf_health | true | 10 | true"},
		"SELECT sync_id, destination_name, destination_type, last_successful_sync > TIMESTAMP '2000-01-01', records_processed FROM multi_destination_sync_state ORDER BY ALL": {
			"intercom_health | Intercom | Support | false | NULL", "sf_health | Salesforce | CRM | true | 10", "slack_alerts | Slack | Notifications | false | NULL"},
		"SELECT sync_run_id, error_type FROM reverse_etl_sync_errors ORDER BY ALL": {"mine | FIELD_VALIDATION_ERROR", "sf_health.q1 | MY_OWN"},
		"SELECT sync, model, destination_name, destination_type, warn_minutes FROM penstock_models ORDER BY ALL": {
			"intercom_health | intercom_health | crm_prod | crm | 120", "sf_health | my_view | Sales | crm | 120"},
		"SELECT sync_name, freshness_status FROM reverse_etl_sync_health": {"intercom_health | STALE", "mine | STALE", "sf_health | HEALTHY"},
	})
}

// What is 30 days old goes, if penstock_refresh wrote it; a sync that is not applied any
// more is not shown after 3 hours, and goes too.
func TestOldRowsGo(t *testing.T) {
	m := newMonitored(t)
	m.apply("a", nil)
	m.apply("b", nil)
	m.ran("a", 24*time.Hour, run.Counts{Received: 2, Delivered: 1, Failed: 1}, nil)
	m.ran("b", time.Hour, run.Counts{Received: 1, Delivered: 1}, nil)
	m.refresh()
	exec(t, m.db, "INSERT INTO reverse_etl_sync_errors (sync_run_id, record_id, occurred_at) VALUES ('a', 'mine', TIMESTAMP '2020-01-01')")
	exec(t, m.db, "INSERT INTO penstock_runs (sync_name, sync_run_id, ended_at) VALUES ('a', 'mine', TIMESTAMP '2020-01-01')")
	m.ok(m.store.Remove(t.Context(), "b"))
	age := func(days string) {
		for _, table := range []string{"penstock_models", "reverse_etl_sync_state", "multi_destination_sync_state"} {
			exec(t, m.db, "UPDATE "+table+" SET refreshed_at = refreshed_at - INTERVAL "+days)
		}
		exec(t, m.db, "UPDATE reverse_etl_sync_errors SET occurred_at = occurred_at - INTERVAL "+days)
		exec(t, m.db, "UPDATE penstock_runs SET begun_at = begun_at - INTERVAL "+days+", ended_at = ended_at - INTERVAL "+days)
		m.refresh()
	}
	age("'4 HOURS'")
	m.same(map[string][]string{
		"SELECT sync_name FROM reverse_etl_sync_health":                      {"a"},
		"SELECT sync_id FROM reverse_etl_dashboard":                          {"a"},
		"SELECT sync_name FROM reverse_etl_sync_state ORDER BY ALL":          {"a", "b"},
		"SELECT record_id FROM reverse_etl_sync_errors ORDER BY ALL":         {"c0", "mine"},
		"SELECT DISTINCT sync_run_id = 'mine' FROM penstock_runs ORDER BY 1": {"false", "true"},
	})
	age("'31 DAYS'")
	m.same(map[string][]string{
		"SELECT sync FROM penstock_models":                                        {"a"},
		"SELECT sync_name FROM reverse_etl_sync_state ORDER BY ALL":               {"a"},
		"SELECT sync_id FROM multi_destination_sync_state ORDER BY ALL":           {"a"},
		"SELECT record_id FROM reverse_etl_sync_errors WHERE record_id = 'mine' ": {"mine"},
	})
}

// Rows that were in hand when a run was ended are read when they settle, hours after its end
// and after later runs.
func TestAnEndedRunIsReadToItsEnd(t *testing.T) {
	m := newMonitored(t)
	m.apply("sf_health", nil)
	ended := m.ran("sf_health", 5*time.Hour, run.Counts{Received: 10, Delivered: 2}, func(r *run.Run) { r.Status = run.Cancelled })
	m.ran("sf_health", time.Minute, run.Counts{Received: 1, Delivered: 1}, nil)
	m.refresh()
	m.batchCounts(ended.ID, run.Counts{Delivered: 7, Cancelled: 1})
	m.refresh()
	m.same(map[string][]string{
		"SELECT status, received, delivered, cancelled FROM penstock_runs ORDER BY ALL": {"cancelled | 10 | 9 | 1", "complete | 1 | 1 | 0"},
	})
}
