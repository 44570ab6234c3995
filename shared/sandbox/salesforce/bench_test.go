package salesforce

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// load makes an organisation of n Accounts as the demo's.
func load(b *testing.B, n int, opts Options) *Simulator {
	b.Helper()
	opts.DailyLimit = 1 << 40
	sim, err := New(opts)
	if err != nil {
		b.Fatal(err)
	}
	err = sim.Seed("Account", []string{"Name", "Website", "Phone"}, func(yield func([]string) bool) {
		for i := range n {
			if !yield([]string{fmt.Sprintf("Company %d Limited", i), fmt.Sprintf("https://www.customer%07d.example/", i), "+44 20 7946 0000"}) {
				return
			}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	sim.sessions["t"] = true
	return sim
}

// updateBody is an update of 200 Accounts with the fields of sf_health.
func updateBody(sim *Simulator, from, n, pass int) []byte {
	var w bytes.Buffer
	w.WriteString(`{"allOrNone":false,"records":[`)
	for i := from; i < from+200; i++ {
		if i > from {
			w.WriteByte(',')
		}
		fmt.Fprintf(&w, `{"attributes":{"type":"Account"},"Id":"%s","Health_Score__c":%d.5,"Health_Status__c":"Healthy - Expansion Opportunity","Health_Company_Name__c":"COMPANY %d LIMITED","Health_Contact_Email__c":"person@customer%07d.example","Daily_Active_Users__c":%d,"Feature_Adoption__c":%d,"Monthly_Recurring_Revenue__c":%d,"Renewal_Probability__c":%d,"Support_Tickets_Last_30d__c":%d,"Days_Since_Last_Login__c":%d,"Score_Confidence__c":%d,"Recommended_Action__c":"Monitor regularly and follow standard cadence","Health_Score_Last_Updated__c":"2026-03-01T10:%02d:00Z"}`,
			sim.tables["account"].appendID(nil, i%n), (i+pass)%100, i, i, i%5000, i%101, i*3, (i+pass)%101, i%9, i%60, 70+i%30, pass%60)
	}
	w.WriteString("]}")
	return w.Bytes()
}

func call(b *testing.B, sim *Simulator, body []byte) {
	r := httptest.NewRequest(http.MethodPatch, "/services/data/v62.0/composite/sobjects", bytes.NewReader(body))
	r.Host = "localhost"
	r.Header.Set("Authorization", "Bearer t")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	sim.ServeHTTP(w, r)
	if w.Code != 200 {
		b.Fatal(w.Body)
	}
}

func benchmarkUpdate(b *testing.B, opts Options) {
	const n = 20_000
	sim := load(b, n, opts)
	bodies := make([][]byte, 100)
	for i := range bodies {
		bodies[i] = updateBody(sim, i*200, n, i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		call(b, sim, bodies[i%len(bodies)])
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*200), "ns/row")
}

func BenchmarkUpdate(b *testing.B) { benchmarkUpdate(b, Options{}) }
func BenchmarkUpdateJournalled(b *testing.B) {
	benchmarkUpdate(b, Options{Core: sandbox.Options{Journal: filepath.Join(b.TempDir(), "j")}})
}

// BenchmarkMemory loads Accounts, builds both indexes and writes every record;
// bytes per Account are what stays.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var before, after runtime.MemStats
			for b.Loop() {
				runtime.GC()
				runtime.ReadMemStats(&before)
				sim := load(b, n, Options{})
				q, refusal := sim.parse("SELECT Id FROM Account WHERE Website LIKE '%customer0000001.example%' OR Website = 'x'")
				if refusal != nil || len(q.run()) != 1 {
					b.Fatal(refusal)
				}
				for from := 0; from < n; from += 200 {
					call(b, sim, updateBody(sim, from, n, 1))
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				runtime.KeepAlive(sim)
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/account")
		})
	}
}

// BenchmarkGrams builds the LIKE index over 100,000 Accounts, and uses it once.
func BenchmarkGrams(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		sim := load(b, 100_000, Options{})
		b.StartTimer()
		q, refusal := sim.parse("SELECT Id FROM Account WHERE Website LIKE '%customer0000001.example%'")
		if refusal != nil || len(q.run()) != 1 {
			b.Fatal(refusal)
		}
	}
}
