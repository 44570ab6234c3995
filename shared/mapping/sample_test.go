package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// TestSample maps the sample's three customers with its Salesforce mapping.
func TestSample(t *testing.T) {
	m := compiledDef(t, &syncdef.Definition{
		Sync: "salesforce_customer_health", Object: "Account", Strategy: syncdef.MatchEmailDomain, RecordID: []string{"email"},
		Match: syncdef.Match{Source: "email", Destination: "Website"},
		Fields: []syncdef.Field{
			{Source: "health_score_pct", Destination: "Health_Score__c", Type: syncdef.Number},
			{Source: "customer_health_status", Destination: "Health_Status__c", Type: syncdef.Picklist},
			{Source: "usage_score_pct", Destination: "Usage_Score__c", Type: syncdef.Number},
			{Source: "support_score_pct", Destination: "Support_Score__c", Type: syncdef.Number},
			{Source: "health_score_updated_date", Destination: "Health_Score_Last_Updated__c", Type: syncdef.DateTime},
		},
	})
	for _, c := range []struct {
		in   string
		want map[string]string
	}{
		{`{"COMPANY_NAME":"ACME CORP","CUSTOMER_HEALTH_STATUS":"Healthy","EMAIL":"john@acmecorp.com","HEALTH_SCORE_PCT":85.00,"HEALTH_SCORE_UPDATED_DATE":"2024-01-15 10:30:00.000","SUPPORT_SCORE_PCT":80.00,"USAGE_SCORE_PCT":90.00}`,
			map[string]string{"id": "john@acmecorp.com", "key": "acmecorp.com", "value0": "85.00", "value1": `"Healthy"`, "value2": "90.00", "value3": "80.00", "value4": `"2024-01-15T10:30:00.000Z"`}},
		{`{"COMPANY_NAME":"TECHSTARTUP","CUSTOMER_HEALTH_STATUS":"Moderate Risk","EMAIL":"sarah@techstartup.com","HEALTH_SCORE_PCT":45.00,"HEALTH_SCORE_UPDATED_DATE":"2024-01-15 10:35:00.000","SUPPORT_SCORE_PCT":30.00,"USAGE_SCORE_PCT":null}`,
			map[string]string{"id": "sarah@techstartup.com", "key": "techstartup.com", "value0": "45.00", "value1": `"Moderate Risk"`, "value2": "null", "value3": "30.00", "value4": `"2024-01-15T10:35:00.000Z"`}},
		{`{"COMPANY_NAME":"ENTERPRISE","CUSTOMER_HEALTH_STATUS":"At Risk","EMAIL":"mike@enterprise.com","HEALTH_SCORE_PCT":15.00,"HEALTH_SCORE_UPDATED_DATE":"2024-01-15 10:40:00.000","SUPPORT_SCORE_PCT":10.00}`,
			map[string]string{"id": "mike@enterprise.com", "key": "enterprise.com", "fault": "usage_score_pct missing_column"}},
	} {
		if d := cmp.Diff(c.want, result(m.Map(jsontext.Value(c.in)))); d != "" {
			t.Errorf("-want +got\n%s", d)
		}
	}
}
