package mapping

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// benchRow is the sample's Salesforce view plus customer_id: 13 columns, 350 bytes or so.
const benchRow = `{"customer_id":"cust_000123","email":"john.doe@acmecorp.com","company_name":"ACME CORPORATION","health_score_percentage":85.47,` +
	`"health_status_description":"Healthy - Expansion Opportunity","daily_active_users":45,"feature_adoption_pct":87,"monthly_recurring_revenue":12500,` +
	`"renewal_probability_pct":95,"support_tickets_last_30d":1,"days_since_last_login":2,"score_confidence_pct":92,"health_score_calculated_at":"2024-01-15 10:30:00.123"}`

// benchDefinition maps 12 of its columns.
func benchDefinition() *syncdef.Definition {
	one := 1
	return &syncdef.Definition{
		Sync: "sf_health", Object: "Account", RecordID: []string{"customer_id"},
		Strategy: syncdef.MatchEmailDomain, Match: syncdef.Match{Source: "email", Destination: "Website"},
		Incremental: &syncdef.Incremental{Cursor: "health_score_calculated_at"},
		Fields: []syncdef.Field{
			{Source: "COMPANY_NAME", Destination: "Name", Type: syncdef.String, MaxLength: 255, OnTooLong: syncdef.TruncateLong},
			{Source: "health_score_percentage", Destination: "Health_Score__c", Type: syncdef.Number, Scale: &one, Min: "0", Max: "100"},
			{Source: "health_status_description", Destination: "Health_Status__c", Type: syncdef.Picklist, Values: []string{
				"At Risk - Immediate Action Required", "Moderate Risk - Monitor Closely", "Healthy - Expansion Opportunity", "Score Pending"}},
			{Source: "daily_active_users", Destination: "DAU__c", Type: syncdef.Integer},
			{Source: "feature_adoption_pct", Destination: "Adoption__c", Type: syncdef.Number, Min: "0", Max: "100"},
			{Source: "monthly_recurring_revenue", Destination: "MRR__c", Type: syncdef.Number},
			{Source: "renewal_probability_pct", Destination: "Renewal__c", Type: syncdef.Number, Min: "0", Max: "100"},
			{Source: "support_tickets_last_30d", Destination: "Tickets__c", Type: syncdef.Integer},
			{Source: "days_since_last_login", Destination: "Last_Login__c", Type: syncdef.Integer},
			{Source: "score_confidence_pct", Destination: "Confidence__c", Type: syncdef.Number, Min: "0", Max: "100"},
			{Source: "health_score_calculated_at", Destination: "Calculated__c", Type: syncdef.DateTime},
			{Source: "email", Destination: "Contact_Email__c", Type: syncdef.Email, Transform: []string{"trim", "lower"}},
		},
	}
}

// benchRules are those of a destination that matches by a website's domain.
var benchRules = syncdef.Rules{Identity: row.Identity{Steps: []row.Step{row.StepDomain}}, DateMin: "1700-01-01", DateMax: "4000-12-31"}

func BenchmarkMap(b *testing.B) {
	p, err := Compile(benchDefinition(), benchRules)
	if err != nil {
		b.Fatal(err)
	}
	m := p.Mapper()
	object := jsontext.Value(benchRow)
	b.SetBytes(int64(len(object)))
	b.ReportAllocs()
	for b.Loop() {
		if _, fault := m.Map(object); fault != nil {
			b.Fatal(fault)
		}
	}
}

// BenchmarkScan is the share of finding the columns.
func BenchmarkScan(b *testing.B) {
	p, err := Compile(benchDefinition(), benchRules)
	if err != nil {
		b.Fatal(err)
	}
	m := p.Mapper()
	object := jsontext.Value(benchRow)
	m.Map(object)
	b.ReportAllocs()
	for b.Loop() {
		m.row.scan(object, &m.seen)
	}
}

// BenchmarkNewLayout is a row whose columns differ from those of the row before.
func BenchmarkNewLayout(b *testing.B) {
	p, err := Compile(benchDefinition(), benchRules)
	if err != nil {
		b.Fatal(err)
	}
	m := p.Mapper()
	rows := []jsontext.Value{[]byte(benchRow), []byte(benchRow[:len(benchRow)-1] + `,"more":1}`)}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Map(rows[i&1])
	}
}

// BenchmarkDecode is what jsontext's decoder alone needs for the same row.
func BenchmarkDecode(b *testing.B) {
	object := jsontext.Value(benchRow)
	b.ReportAllocs()
	for b.Loop() {
		if !object.IsValid() {
			b.Fatal("not valid")
		}
	}
}
