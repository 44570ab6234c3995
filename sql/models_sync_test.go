//go:build cgo

package sql_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
	salesforcesim "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	statements "github.com/penstock-data/penstock/sql"
)

// modelRoad is a road of sql/models: their definitions, tables and views, and an
// organisation that makes the custom fields which they write.
func modelRoad(t *testing.T) *road {
	t.Helper()
	clock := apptest.NewClock()
	v := apptest.NewVendors(t, clock.Now, -1)
	secret := salesforcesim.Sandbox.Secret
	crm, err := salesforcesim.New(salesforcesim.Options{
		Core: sandbox.Options{Now: clock.Now}, AcceptCustom: true,
		Credentials: salesforcesim.Credentials{ClientID: secret["client_id"], ClientSecret: secret["client_secret"]},
	})
	if err != nil {
		t.Fatal(err)
	}
	v.Salesforce = crm
	world := apptest.NewOf(t, clock, v.Services(), apptest.Load(t, "models"))
	world.Vendors = v
	r := roadOf(t, world)
	for _, set := range []func() (string, error){
		func() (string, error) { return statements.Setup("duckdb", statements.Params{NoRows: true}) },
		func() (string, error) { return statements.SetupModels("duckdb") },
	} {
		script, err := set()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.w.Exec(t.Context(), script); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// recordsBy are the records by customer id, each with these fields.
func (r *road) recordsBy(fields ...string) []string {
	r.Helper()
	var out []string
	r.world.Vendors.Salesforce.Each("Customer__c", func(a salesforcesim.Record) bool {
		var line []string
		for _, f := range append([]string{"Customer_ID__c"}, fields...) {
			text, known := a.Text(f)
			if !known {
				text = []byte("-")
			}
			line = append(line, string(text))
		}
		out = append(out, strings.Join(line, " | "))
		return true
	})
	slices.Sort(out)
	return out
}

// sync runs a sync and says how its rows ended.
func (r *road) sync(name string, want run.Counts) {
	r.Helper()
	answer, err := r.call("penstock_run('" + name + "')")
	if err != nil {
		r.Fatal(err)
	}
	if !strings.HasPrefix(answer, name+" RUN ") {
		r.Fatalf("%s: %s", name, answer)
	}
	r.settle()
	list, err := r.world.Control.List(r.Context(), name, 1)
	if err != nil || len(list) != 1 {
		r.Fatal(list, err)
	}
	got := list[0].Counts
	got.NoCursor, got.Calls = 0, 0
	if d := cmp.Diff(want, got); d != "" {
		r.Errorf("%s: %s %v", name, d, r.world.Errors(r.T, list[0].ID))
	}
}

// Every model goes all the way: what it says stands at the destination, and pushed again
// nothing of it is sent.
func TestFurtherModelsSync(t *testing.T) {
	r := modelRoad(t)
	const at = "TIMESTAMP '2024-01-15 10:00:00'"
	for _, s := range []string{
		`INSERT INTO customer_health_scores VALUES ('c1', 'a@x.com', 'Acme', 0.5, 'low', ` + at + `, '{"products": [{"name": "Core"}, {"name": "Billing"}], "churn_indicators": {"score": 0.7, "factors": ["tickets"]}}'), ('c2', 'b@x.com', 'Beta', 0.4, 'high', ` + at + `, '{"products": []}')`,
		`INSERT INTO customer_data VALUES ('c1', TRUE, 1234.5, TIMESTAMP '2024-07-15 03:30:00', NULL)`,
		`INSERT INTO customer_health_comprehensive (customer_id, email, company_name, health_score, risk_category, updated_at) VALUES ('c1', 'a@x.com', repeat('😀', 300), 0.8547, 'high_risk', ` + at + `)`,
		`INSERT INTO customer_lifecycle VALUES ('c8', 'h@x.com', 0.5, 'active', NULL, ` + at + `), ('c9', 'i@x.com', 0.5, 'deleted', NULL, ` + at + `)`,
		`INSERT INTO customer_health_changes VALUES ('c5', 'e@x.com', 0.6, 'INSERT', TRUE), ('c5', 'e@x.com', 0.5, 'DELETE', TRUE), ('c6', 'f@x.com', 0.7, 'INSERT', FALSE)`,
	} {
		r.exec(s)
	}
	enriched(t, r.w.DB())
	for _, one := range []struct {
		sync   string
		counts run.Counts
		fields []string
		want   []string // of the records of its customers
	}{
		{"product_usage", run.Counts{Received: 4, Superseded: 1, Delivered: 3}, []string{"Active_Products__c", "Churn_Risk_Summary__c"}, []string{"c1 | Core, Billing | Churn Risk: 0.7 (Factors: tickets)", "c2 | - | No churn indicators detected"}},
		{"customer_profile", run.Counts{Received: 1, Delivered: 1}, []string{"Is_Enterprise__c", "Monthly_Revenue_Text__c", "Last_Login_ET__c", "Phone__c"}, []string{"c1 | Yes | 1234.50 | 2024-07-14 23:30:00 | Not provided"}},
		// 255 smileys are 510 of the destination's characters: the definition cuts once more.
		{"picklist_health", run.Counts{Received: 1, Delivered: 1}, []string{"Health_Status__c", "Health_Score__c", "Health_Company_Name__c"}, []string{"c1 | At Risk | 85.5 | " + strings.Repeat("😀", 127)}},
		{"customer_enriched", run.Counts{Received: 2, Delivered: 2}, []string{"Events_Last_30d__c", "Revenue_Last_90d__c", "Satisfaction__c"}, []string{"busy | 3 | 150.75 | 3.5", "quiet | 0 | 0.00 | -"}},
		{"soft_deletes", run.Counts{Received: 2, Delivered: 1, Unchanged: 1}, []string{"Health_Contact_Email__c"}, []string{"c8 | h@x.com"}},
		{"resync_health", run.Counts{Received: 1, Delivered: 1}, []string{"Health_Contact_Email__c"}, []string{"c1 | a@x.com"}},
		{"health_changes", run.Counts{Received: 2, Delivered: 2}, []string{"Health_Score__c"}, []string{"c5 | 60.0", "c6 | 70.0"}},
	} {
		r.sync(one.sync, one.counts)
		all := r.recordsBy(one.fields...)
		for _, want := range one.want {
			if !slices.Contains(all, want) {
				t.Errorf("%s: no record is %s: %q", one.sync, want, all)
			}
		}
	}
	r.sync("customer_profile", run.Counts{Received: 1, Unchanged: 1})
	r.sync("picklist_health", run.Counts{Received: 1, Unchanged: 1})

	// A mark deletes what the sync wrote, and a stream's delete too, in whichever order.
	r.exec("UPDATE customer_lifecycle SET deleted_at = last_updated + INTERVAL 1 HOUR, last_updated = last_updated + INTERVAL 1 HOUR WHERE customer_id = 'c8'")
	r.sync("soft_deletes", run.Counts{Received: 2, Delivered: 1, Unchanged: 1})
	r.exec("DELETE FROM customer_health_changes")
	r.exec("INSERT INTO customer_health_changes VALUES ('c6', 'f@x.com', 0.7, 'DELETE', FALSE), ('c5', 'e@x.com', 0.9, 'INSERT', FALSE), ('c5', 'e@x.com', 0.6, 'DELETE', FALSE)")
	r.sync("health_changes", run.Counts{Received: 2, Delivered: 2})
	all := fmt.Sprint(r.recordsBy("Health_Score__c"))
	if strings.Contains(all, "c8") || strings.Contains(all, "c6") || !strings.Contains(all, "c5 | 90") {
		t.Errorf("after the deletes: %s", all)
	}
}
