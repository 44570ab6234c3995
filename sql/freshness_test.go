//go:build cgo

package sql_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// The sample's own statements, over a table of the destination's records.
const (
	sampleAges = `SELECT 'salesforce_account' as destination, COUNT(*) as total_records,
		COUNT(CASE WHEN health_score_last_updated >= CURRENT_TIMESTAMP::TIMESTAMP - INTERVAL '1 HOUR' THEN 1 END) as updated_last_hour,
		COUNT(CASE WHEN health_score_last_updated >= CURRENT_TIMESTAMP::TIMESTAMP - INTERVAL '4 HOURS' THEN 1 END) as updated_last_4_hours,
		COUNT(CASE WHEN health_score_last_updated >= CURRENT_TIMESTAMP::TIMESTAMP - INTERVAL '1 DAY' THEN 1 END) as updated_last_day,
		MIN(health_score_last_updated) as oldest_update, MAX(health_score_last_updated) as newest_update,
		COUNT(CASE WHEN health_score_pct IS NULL THEN 1 END) as missing_health_scores,
		COUNT(CASE WHEN customer_health_status IS NULL THEN 1 END) as missing_status
		FROM salesforce_accounts WHERE health_score_last_updated IS NOT NULL`
	sampleStale = `SELECT 'salesforce' as destination, COUNT(*) as total_records_with_health_data,
		COUNT(CASE WHEN health_score_last_updated >= CURRENT_TIMESTAMP::TIMESTAMP - INTERVAL '4 HOURS' THEN 1 END) as records_updated_recently,
		ROUND(100 - (COUNT(CASE WHEN health_score_last_updated >= CURRENT_TIMESTAMP::TIMESTAMP - INTERVAL '4 HOURS' THEN 1 END) * 100.0 / COUNT(*)), 6) as stale_data_percentage
		FROM salesforce_accounts WHERE health_score_pct IS NOT NULL`
	ourAges = `SELECT destination, total_records, updated_last_hour, updated_last_4_hours, updated_last_day, oldest_update, newest_update, missing_health_scores, missing_status
		FROM destination_data_freshness WHERE sync_name = 'sf_health'`
	ourStale = `SELECT destination, total_records_with_health_data, records_updated_recently, ROUND(stale_data_percentage, 6)
		FROM data_freshness_check WHERE sync_name = 'sf_health'`
)

// aged stores what a worker has counted for a sync.
func (m *monitored) aged(sync string, change func(*freshness.Reading)) {
	m.t.Helper()
	r, err := m.store.Freshness(m.t.Context(), sync)
	m.ok(err)
	r = freshness.Reading{Sync: sync, Connection: "crm_prod", Object: "Account", Asked: "Updated__c", TriedAt: m.now, Revision: r.Revision}
	change(&r)
	m.ok(m.store.SetFreshness(m.t.Context(), r))
}

// ages gives a definition the field that holds the time of the data.
func (m *monitored) ages(sync string) {
	m.t.Helper()
	m.ok(m.store.Apply(m.t.Context(), syncdef.NewVersion(syncdef.Definition{
		Sync: sync, Connection: "crm_prod", Object: "Account", Freshness: &syncdef.Freshness{DestinationField: "Updated__c"},
		Fields: []syncdef.Field{{Source: "HEALTH_SCORE_PCT", Destination: "Score__c"}, {Source: "customer_health_status", Destination: "Status__c"}},
	}, syncdef.Rules{Type: "salesforce"}, m.now)))
}

// The views over what workers have counted give the figures of the sample's own
// statements over the records themselves.
func TestFreshnessViews(t *testing.T) {
	m := newMonitored(t)
	m.ages("sf_health")
	exec(t, m.db, "CREATE TABLE salesforce_accounts (health_score_last_updated TIMESTAMP, health_score_pct DOUBLE, customer_health_status VARCHAR)")
	oldest, newest := m.now.Add(-80*time.Hour), m.now.Add(-10*time.Minute)
	for _, r := range []struct {
		at     time.Time
		fields string
	}{{oldest, "85.5, 'Healthy'"}, {m.now.Add(-20 * time.Hour), "NULL, 'Healthy'"}, {m.now.Add(-3 * time.Hour), "7, NULL"}, {newest, "0, NULL"}} {
		exec(t, m.db, fmt.Sprintf("INSERT INTO salesforce_accounts VALUES (TIMESTAMP '%s', %s)", r.at.Format(time.DateTime), r.fields))
	}
	m.aged("sf_health", func(r *freshness.Reading) {
		r.AsOf = m.now
		r.Figures = freshness.Figures{Field: "Updated__c", Total: freshness.N(4), Updated1h: freshness.N(1), Updated4h: freshness.N(2), Updated1d: freshness.N(3),
			Oldest: &oldest, Newest: &newest, Missing: map[string]int64{"Score__c": 1, "Status__c": 2}}
	})
	m.refresh()
	m.refresh()
	for ours, theirs := range map[string]string{ourAges: sampleAges, ourStale: sampleStale} {
		want := read(t, m.db, theirs)
		if d := cmp.Diff(want, read(t, m.db, ours)); d != "" || len(want) != 1 || strings.Contains(want[0], "NULL") {
			t.Errorf("theirs -, ours +\n%s\n%q", d, want)
		}
	}
	m.same(map[string][]string{
		"SELECT sync_name, destination_name, object, field, CAST(as_of AS VARCHAR), missing->>'Score__c', message FROM penstock_destination_freshness": {
			"sf_health | crm_prod | Account | Updated__c | " + m.now.Format(time.DateTime) + " | 1 | NULL"},
	})
}

// A destination without records gives NULL, and nothing is divided by zero; one that
// tells nothing says why.
func TestFreshnessOfNothing(t *testing.T) {
	m := newMonitored(t)
	m.ages("sf_health")
	m.ages("slack_alerts")
	m.apply("plain", nil)
	m.aged("sf_health", func(r *freshness.Reading) {
		r.AsOf = m.now
		r.Figures = freshness.Figures{Field: "Updated__c", Total: freshness.N(0), Updated1h: freshness.N(0), Updated4h: freshness.N(0), Updated1d: freshness.N(0)}
	})
	m.aged("slack_alerts", func(r *freshness.Reading) { r.Failure = "slack cannot be searched" })
	m.refresh()
	exec(t, m.db, "DROP TABLE penstock_destination_freshness") // as in a warehouse of an earlier release
	m.refresh()
	m.same(map[string][]string{
		ourAges:  {"salesforce_account | 0 | 0 | 0 | 0 | NULL | NULL | NULL | NULL"},
		ourStale: {"salesforce | 0 | 0 | NULL"},
		"SELECT sync_name, total_records, message FROM destination_data_freshness WHERE sync_name <> 'plain'": {
			"sf_health | 0 | NULL", "slack_alerts | NULL | slack cannot be searched"},
		"SELECT sync_name, stale_data_percentage, LEFT(message, 34) FROM data_freshness_check": {
			"plain | NULL | the definition names no field that", "sf_health | NULL | NULL", "slack_alerts | NULL | slack cannot be searched"},
		"SELECT count(*) FROM penstock_pages": {"0"},
	})
}

// Of a date without a time the hours are not known: nor is what is stale by them.
func TestFreshnessOfADate(t *testing.T) {
	m := newMonitored(t)
	m.ages("sf_health")
	m.aged("sf_health", func(r *freshness.Reading) {
		r.AsOf = m.now
		r.Figures = freshness.Figures{Field: "Updated__c", Total: freshness.N(4), Updated1d: freshness.N(1), Why: "Updated__c is a date without a time"}
	})
	m.refresh()
	m.same(map[string][]string{ourStale: {"salesforce | 4 | NULL | NULL"}})
}
