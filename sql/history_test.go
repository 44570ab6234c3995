//go:build cgo

package sql_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/apptest"
)

// detection is the sample's query for what has changed, as it stands there.
const detection = `
SELECT
    customer_id,
    email,
    -- Compare with last sync values to detect changes
    CASE
        WHEN current_health_score != COALESCE(last_synced_health_score, -1)
        THEN current_health_score
        ELSE NULL
    END as health_score_update,
    CASE
        WHEN current_risk_category != COALESCE(last_synced_risk_category, '')
        THEN current_risk_category
        ELSE NULL
    END as risk_category_update
FROM customer_health_with_sync_history
WHERE current_health_score != COALESCE(last_synced_health_score, -1)
   OR current_risk_category != COALESCE(last_synced_risk_category, '')`

// history is a sync of all values, and one of what has changed by the view of the first.
func history(t *testing.T) *road {
	t.Helper()
	const to = "destination_object: Account\nmatching_strategy: email_domain\nmatch: {source: email, destination: Website}\nrecord_id: customer_id\n"
	r := newRoad(t, map[string]string{
		"customer_health": to + "field_mappings:\n- {source: health_score, destination: Health_Score__c, data_type: number}\n- {source: risk_category, destination: Recommended_Action__c}\nincremental: {changed_only: true}\n",
		"changes":         to + "field_mappings:\n- {source: health_score_update, destination: Health_Score__c, data_type: number, on_null: skip}\n- {source: risk_category_update, destination: Recommended_Action__c, on_null: skip}\n",
	})
	r.exec("CREATE TABLE customer_health (customer_id VARCHAR, email VARCHAR, health_score DECIMAL(3, 2), Risk_Category VARCHAR)")
	r.exec("INSERT INTO customer_health VALUES ('c1', 'x@a.com', 0.8, 'low'), ('c2', 'x@b.com', 0.4, 'medium')")
	r.views()
	r.exec("CREATE VIEW changes AS " + detection)
	r.world.Clock.Advance(time.Since(apptest.Start))
	return r
}

func (r *road) runs(sync string) {
	r.Helper()
	if _, err := r.call("penstock_run('" + sync + "')"); err != nil {
		r.Fatal(err)
	}
	r.settle()
	r.refresh()
}

// The view shows what was delivered beside what is, in the model's types, and as of the
// last refresh.
func TestSyncHistory(t *testing.T) {
	r := history(t)
	const shown = "SELECT customer_id, current_health_score, last_synced_health_score, current_risk_category, last_synced_risk_category FROM customer_health_with_sync_history ORDER BY 1"
	see := func(want ...string) {
		t.Helper()
		if d := cmp.Diff(want, read(t, r.w.DB(), shown)); d != "" {
			t.Error(d)
		}
	}
	see("c1 | 0.80 | NULL | low | NULL", "c2 | 0.40 | NULL | medium | NULL")
	if _, err := r.call("penstock_run('customer_health')"); err != nil {
		t.Fatal(err)
	}
	see("c1 | 0.80 | NULL | low | NULL", "c2 | 0.40 | NULL | medium | NULL") // on its way
	r.settle()
	r.refresh()
	see("c1 | 0.80 | 0.80 | low | low", "c2 | 0.40 | 0.40 | medium | medium")
	r.exec("UPDATE customer_health SET health_score = 0.1 WHERE customer_id = 'c2'")
	see("c1 | 0.80 | 0.80 | low | low", "c2 | 0.10 | 0.40 | medium | medium")
	if _, err := r.call("penstock_run('customer_health')"); err != nil {
		t.Fatal(err)
	}
	see("c1 | 0.80 | 0.80 | low | low", "c2 | 0.10 | 0.40 | medium | medium")
	r.settle()
	r.refresh()
	see("c1 | 0.80 | 0.80 | low | low", "c2 | 0.10 | 0.10 | medium | medium")
	// What failed is not what was delivered.
	r.exec("UPDATE customer_health SET email = 'x@nowhere.com', health_score = 0.2 WHERE customer_id = 'c1'")
	r.runs("customer_health")
	see("c1 | 0.20 | 0.80 | low | low", "c2 | 0.10 | 0.10 | medium | medium")
}

// The query for what has changed runs as a sync, and a field that has not changed keeps
// its value at the destination.
func TestChangeDetection(t *testing.T) {
	r := history(t)
	r.runs("customer_health")
	if got := read(t, r.w.DB(), "SELECT * FROM changes"); len(got) != 0 {
		t.Errorf("nothing has changed: %q", got)
	}
	r.exec("UPDATE customer_health SET health_score = 0.1 WHERE customer_id = 'c2'")
	if d := cmp.Diff([]string{"c2 | x@b.com | 0.10 | NULL"}, read(t, r.w.DB(), "SELECT * FROM changes")); d != "" {
		t.Error(d)
	}
	r.runs("changes")
	for field, want := range map[string]map[string]string{
		"Health_Score__c":       {"https://a.com": "0.8", "https://b.com": "0.1"},
		"Recommended_Action__c": {"https://a.com": "low", "https://b.com": "medium"},
	} {
		got := r.world.Vendors.Accounts(field)
		for site, value := range want {
			if got[site] != value {
				t.Errorf("%s of %s is %q, want %q", field, site, got[site], value)
			}
		}
	}
	if c := r.last("changes").Counts; c.Received != 1 || c.Delivered != 1 {
		t.Errorf("%+v", c)
	}
}
