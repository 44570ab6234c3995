//go:build cgo

package sql_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	for query, want := range map[string][]string{
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
	} {
		if d := cmp.Diff(want, read(t, m.db, query)); d != "" {
			t.Errorf("%s: %s", query, d)
		}
	}
}
