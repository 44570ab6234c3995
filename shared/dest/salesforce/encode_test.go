package salesforce

import (
	"context"
	"fmt"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// offline makes a destination that is never called.
func offline(t testing.TB, def syncdef.Definition) *Salesforce {
	t.Helper()
	if def.Operation == "" {
		def.Operation = syncdef.Upsert
	}
	def.Object = "Account"
	s, err := New(Config{
		Connection: syncdef.Connection{Name: "c", URL: "https://acme.my.salesforce.com"}, Definition: def,
		Secret: func(context.Context) (map[string]string, error) { return nil, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func BenchmarkEncode(b *testing.B) {
	s := offline(b, syncdef.Definition{Strategy: syncdef.MatchExternalID, Match: syncdef.Match{Destination: "Customer_ID__c"}})
	batch, call := dest.Batch{}, dest.Call{}
	for i := range 200 {
		r := dest.Record{Key: fmt.Sprintf("cust_%06d", i)}
		for f := range 13 {
			r.Fields = append(r.Fields, dest.Field{Name: fmt.Sprintf("Field_Number_%d__c", f), Value: jsontext.Value(`"some value"`)})
		}
		batch.Records, call.Records = append(batch.Records, r), append(call.Records, i)
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = s.encode(buf[:0], upsertKind, batch, call)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*200), "ns/row")
}
