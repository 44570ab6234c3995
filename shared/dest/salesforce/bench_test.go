package salesforce_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	simulator "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// health is a record with the fields of sf_health.
func health(i, pass int) []dest.Field {
	return []dest.Field{
		field("Health_Score__c", fmt.Sprintf("%d.%d", (i*7+pass)%100, i%10)),
		field("Health_Status__c", `"Healthy - Expansion Opportunity"`),
		field("Health_Company_Name__c", fmt.Sprintf(`"COMPANY %d LIMITED"`, i)),
		field("Health_Contact_Email__c", fmt.Sprintf(`"person%d@customer%06d.example"`, i, i)),
		field("Daily_Active_Users__c", fmt.Sprint(i%5000)),
		field("Feature_Adoption__c", fmt.Sprint(i%101)),
		field("Monthly_Recurring_Revenue__c", fmt.Sprint(i*3)),
		field("Renewal_Probability__c", fmt.Sprint((i+pass)%101)),
		field("Support_Tickets_Last_30d__c", fmt.Sprint(i%9)),
		field("Days_Since_Last_Login__c", fmt.Sprint(i%60)),
		field("Score_Confidence__c", fmt.Sprint(70+i%30)),
		field("Recommended_Action__c", `"Monitor regularly and follow standard cadence"`),
		field("Health_Score_Last_Updated__c", `"2026-03-01T10:30:00Z"`),
	}
}

// benchmarkPush pushes calls of 200 records over loopback HTTP and tells the
// simulator's own time apart.
func benchmarkPush(b *testing.B, def syncdef.Definition, prepare func(*salesforceSeeds, *dest.Batch)) {
	sim, err := simulator.New(simulator.Options{
		Core:        sandbox.Options{ThreadCPU: true, Now: func() time.Time { return noon }},
		Credentials: simulator.Credentials{ClientID: "app", ClientSecret: "hush"}, DailyLimit: 1 << 40,
	})
	if err != nil {
		b.Fatal(err)
	}
	d := over(b, sim, def)
	const n = 20_000
	batch := dest.Batch{Run: "b:1"}
	for i := range n {
		batch.Records = append(batch.Records, dest.Record{Key: fmt.Sprintf("customer%06d.example", i), Fields: health(i, 0)})
	}
	prepare(&salesforceSeeds{sim, b}, &batch)
	calls := d.Calls(batch, 0)
	sim.Core().ResetCalls()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		out, err := d.Push(b.Context(), batch, calls[i%len(calls)])
		if err != nil {
			b.Fatal(err)
		}
		if out[0].Status != dest.Delivered {
			b.Fatalf("%+v", out[0])
		}
	}
	b.StopTimer()
	rows := float64(b.N * 200)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/rows, "ns/row")
	b.ReportMetric(sim.Core().Calls().CPU*1e9/rows, "sim-cpu-ns/row")
	b.ReportMetric(sim.Core().Calls().Seconds*1e9/rows, "sim-ns/row")
}

type salesforceSeeds struct {
	sim *simulator.Simulator
	b   *testing.B
}

// seed makes one Account per record and gives the records their ids.
func (s *salesforceSeeds) seed(batch *dest.Batch) {
	err := s.sim.Seed("Account", []string{"Name", "Website"}, func(yield func([]string) bool) {
		for i, r := range batch.Records {
			if !yield([]string{fmt.Sprintf("Company %d", i), "https://www." + r.Key + "/"}) {
				return
			}
		}
	})
	if err != nil {
		s.b.Fatal(err)
	}
	i := 0
	s.sim.Each("Account", func(r simulator.Record) bool {
		batch.Records[i].ID = r.ID()
		i++
		return true
	})
}

func BenchmarkPushUpdate(b *testing.B) {
	def := matching(syncdef.MatchEmailDomain, "Website")
	benchmarkPush(b, def, func(s *salesforceSeeds, batch *dest.Batch) { s.seed(batch) })
}

func BenchmarkPushUpsert(b *testing.B) {
	benchmarkPush(b, byExternalID, func(_ *salesforceSeeds, batch *dest.Batch) {
		for i := range batch.Records {
			batch.Records[i].Fields = append(batch.Records[i].Fields, field("Name", `"Company"`))
		}
	})
}

// BenchmarkLookup looks up every key of 20,000 Accounts by email domain.
func BenchmarkLookup(b *testing.B) {
	sim, err := simulator.New(simulator.Options{
		Core:        sandbox.Options{ThreadCPU: true},
		Credentials: simulator.Credentials{ClientID: "app", ClientSecret: "hush"}, DailyLimit: 1 << 40,
	})
	if err != nil {
		b.Fatal(err)
	}
	def := matching(syncdef.MatchEmailDomain, "Website")
	d := over(b, sim, def)
	batch := dest.Batch{Run: "b:1"}
	for i := range 20_000 {
		batch.Records = append(batch.Records, dest.Record{Key: fmt.Sprintf("customer%06d.example", i)})
	}
	(&salesforceSeeds{sim, b}).seed(&batch)
	for i := range batch.Records {
		batch.Records[i].ID = ""
	}
	calls := d.Lookups(batch)
	sim.Core().ResetCalls()
	b.ReportAllocs()
	b.ResetTimer()
	rows := 0
	for i := range b.N {
		c := calls[i%len(calls)]
		out, err := d.Lookup(b.Context(), batch, c)
		if err != nil {
			b.Fatal(err)
		}
		if out[0].Status != dest.Found {
			b.Fatalf("%+v", out[0])
		}
		rows += len(out)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
	b.ReportMetric(sim.Core().Calls().CPU*1e9/float64(rows), "sim-cpu-ns/row")
	b.ReportMetric(float64(rows)/float64(b.N), "keys/call")
}
