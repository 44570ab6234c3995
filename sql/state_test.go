//go:build cgo

package sql_test

import (
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/apptest"
)

// stateQuery is the sample's incremental query over the state table, as it stands there,
// and its second strategy: what failed in the last day.
const stateQuery = `
SELECT
    hs.customer_id,
    hs.email,
    hs.health_score * 100 as health_score_pct,
    hs.risk_category,
    hs.last_updated
FROM health hs
CROSS JOIN (
    SELECT last_successful_run
    FROM reverse_etl_sync_state
    WHERE sync_name = 'accounts'
) state
WHERE hs.last_updated > state.last_successful_run
   OR hs.created_at > state.last_successful_run -- Catch new records
   OR customer_id IN (
    SELECT DISTINCT record_id
    FROM reverse_etl_sync_errors
    WHERE sync_run_id LIKE '%accounts%'
      AND occurred_at >= CURRENT_TIMESTAMP - INTERVAL '24 HOURS'
)
ORDER BY hs.last_updated`

// The state table, which penstock_refresh keeps, selects what changed since the last
// success, what is new, and what failed.
func TestStateTable(t *testing.T) {
	r := newRoad(t, map[string]string{"accounts": "destination_object: Account\nmatching_strategy: email_domain\nmatch: {source: email, destination: Website}\nrecord_id: customer_id\n" +
		"field_mappings: [{source: health_score_pct, destination: Health_Score__c, data_type: number}]\nmodel: changed\n"})
	r.world.Clock.Advance(time.Since(apptest.Start))
	r.exec("CREATE TABLE health (customer_id VARCHAR, email VARCHAR, health_score DECIMAL(3, 2), risk_category VARCHAR, last_updated TIMESTAMP, created_at TIMESTAMP)")
	r.exec("INSERT INTO health VALUES ('c1', 'x@a.com', 0.1, 'low', '2024-01-01', '2024-01-01'), ('c2', 'x@b.com', 0.2, 'low', '2024-01-01', '2024-01-01')")
	r.refresh() // makes the tables
	r.exec("DELETE FROM reverse_etl_sync_state")
	r.exec("INSERT INTO reverse_etl_sync_state (sync_name, last_successful_run) VALUES ('accounts', '1900-01-01 00:00:00')")
	r.exec("CREATE VIEW changed AS " + stateQuery)
	ran := func(want string) {
		t.Helper()
		r.same(r.ran("incremental"), want)
		r.refresh()
	}
	ran("all: c1 c2; 2 sent")
	ran("all: -; 0 sent")
	at := r.world.Clock.Now().Add(time.Second).UTC().Format("2006-01-02 15:04:05.999999")
	r.exec("UPDATE health SET health_score = 0.3, last_updated = ? WHERE customer_id = 'c2'", at)
	r.exec("INSERT INTO health VALUES ('c3', 'x@nowhere.com', 0.2, 'low', '2023-01-01', ?)", at)
	ran("all: c3 c2; 1 sent")
	r.world.Vendors.SeedAccounts(t, "https://nowhere.com")
	ran("all: c3; 1 sent") // it failed
}

// Of a record that changed only the fields that changed are sent: what somebody else
// wrote into another field stays.
func TestOnlyChangedFieldsAreSent(t *testing.T) {
	const to = "destination_object: Account\nmatching_strategy: email_domain\nmatch: {source: email, destination: Website}\nrecord_id: email\nmodel: health\nfield_mappings:\n"
	r := newRoad(t, map[string]string{
		"accounts": to + "- {source: score, destination: Health_Score__c, data_type: number}\n- {source: note, destination: Recommended_Action__c}\n",
		"person":   to + "- {value: by hand, destination: Recommended_Action__c}\n",
	})
	r.world.Clock.Advance(time.Since(apptest.Start))
	r.exec("CREATE TABLE health AS SELECT 'x@a.com' AS email, 1 AS score, 'as it was' AS note")
	r.ran("incremental")
	if _, err := r.call("penstock_run('person')"); err != nil {
		t.Fatal(err)
	}
	r.settle()
	r.exec("UPDATE health SET score = 2")
	r.ran("incremental")
	action, score := r.world.Vendors.Accounts("Recommended_Action__c")["https://a.com"], r.world.Vendors.Accounts("Health_Score__c")["https://a.com"]
	if action != "by hand" || strings.TrimSuffix(score, ".0") != "2" {
		t.Errorf("%q and %q: a field that had not changed was sent", action, score)
	}
}
