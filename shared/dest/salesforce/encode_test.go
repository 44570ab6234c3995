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
	def := syncdef.Definition{Strategy: syncdef.MatchExternalID, Match: syncdef.Match{Destination: "Customer_ID__c"}}
	for f := range 13 {
		def.Fields = append(def.Fields, syncdef.Field{Destination: fmt.Sprintf("Field_Number_%d__c", f)})
	}
	s := offline(b, def)
	batch, call := dest.Batch{}, dest.Call{}
	for i := range 200 {
		r := dest.Record{Key: fmt.Sprintf("cust_%06d", i)}
		for f := range 13 {
			r.Fields = append(r.Fields, dest.Field{Name: def.Fields[f].Destination, Value: jsontext.Value(`"some value"`)})
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

func TestEncode(t *testing.T) {
	value := func(name, v string) dest.Field { return dest.Field{Name: name, Value: jsontext.Value(v)} }
	external := offline(t, syncdef.Definition{Strategy: syncdef.MatchExternalID, Match: syncdef.Match{Destination: "Ext__c"}})
	search := offline(t, syncdef.Definition{Strategy: syncdef.MatchEmailDomain, Match: syncdef.Match{Destination: "Website"}})
	for name, test := range map[string]struct {
		s    *Salesforce
		kind int
		r    dest.Record
		want string
	}{
		"upsert": {external, upsertKind, dest.Record{Key: `O'Brien "1"`, ID: "001", Fields: []dest.Field{value("ext__c", `"no"`), value("A__c", "12345678901234567890.12345"), value("B__c", "null")}},
			`"Ext__c":"O'Brien \"1\"","A__c":12345678901234567890.12345,"B__c":null`},
		"update": {search, updateKind, dest.Record{Key: "acme.com", ID: "001", Fields: []dest.Field{value("Website", `"x"`)}},
			`"Id":"001","Website":"x"`},
		"create": {search, createKind, dest.Record{Key: "acme.com", Fields: []dest.Field{value("Name", `"A"`)}},
			`"Website":"acme.com","Name":"A"`},
		"create, mapped": {search, createKind, dest.Record{Key: "acme.com", Fields: []dest.Field{value("website", `"https://acme.com"`)}},
			`"website":"https://acme.com"`},
		"create, mapped null": {search, createKind, dest.Record{Key: "acme.com", Fields: []dest.Field{value("Website", `null`)}},
			`"Website":"acme.com"`},
	} {
		got := string(test.s.encode(nil, test.kind, dest.Batch{Records: []dest.Record{test.r}}, dest.Call{Records: []int{0}}))
		want := `{"allOrNone":false,"records":[{"attributes":{"type":"Account"},` + test.want + `}]}`
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", name, got, want)
		}
	}
}
