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
func offline(t testing.TB, def syncdef.Definition) *destination {
	t.Helper()
	if def.Operation == "" {
		def.Operation = syncdef.Upsert
	}
	def.Object = "Account"
	a, err := Open(dest.Config{
		Connection: syncdef.Connection{Name: "c", URL: "https://acme.my.salesforce.com"},
		Secret:     func(context.Context) (map[string]string, error) { return nil, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.Open(syncdef.Version{Definition: def})
	if err != nil {
		t.Fatal(err)
	}
	return d.(*destination)
}

func BenchmarkEncode(b *testing.B) {
	def := syncdef.Definition{Strategy: syncdef.MatchExternalID, Match: syncdef.Match{Destination: "Customer_ID__c"}}
	for f := range 13 {
		def.Fields = append(def.Fields, syncdef.Field{Destination: fmt.Sprintf("Field_Number_%d__c", f)})
	}
	d := offline(b, def)
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
		buf = d.encode(buf[:0], upsertKind, batch, call)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*200), "ns/row")
}

func TestEncode(t *testing.T) {
	value := func(name, v string) dest.Field { return dest.Field{Name: name, Value: jsontext.Value(v)} }
	match := func(strategy syncdef.Strategy, field string, kind syncdef.MatchType) *destination {
		return offline(t, syncdef.Definition{Strategy: strategy, Match: syncdef.Match{Source: "x", Destination: field, DataType: kind}})
	}
	external, search := match(syncdef.MatchExternalID, "Ext__c", ""), match(syncdef.MatchEmailDomain, "Website", "")
	number := match(syncdef.MatchExternalID, "Number__c", syncdef.MatchNumber)
	byName := match(syncdef.MatchName, "Name", "")
	ids := offline(t, syncdef.Definition{Strategy: syncdef.MatchField, Operation: syncdef.Update, Match: syncdef.Match{Source: "x", Destination: "id"}})
	insert := offline(t, syncdef.Definition{Operation: syncdef.Insert})
	boxes := offline(t, syncdef.Definition{Fields: []syncdef.Field{{Destination: "On__c", Type: syncdef.Boolean}, {Destination: "A__c"}}})
	nulls := []dest.Field{value("On__c", "null"), value("A__c", "null")}
	for name, test := range map[string]struct {
		d    *destination
		kind int
		r    dest.Record
		want string
	}{
		"upsert": {external, upsertKind, dest.Record{Key: `o'brien "1"`, Match: ` O'Brien "1" `, ID: "001", Fields: []dest.Field{value("ext__c", `"no"`), value("A__c", "12345678901234567890.12345"), value("B__c", "null")}},
			`"Ext__c":"O'Brien \"1\"","A__c":12345678901234567890.12345,"B__c":null`},
		"upsert, key only":   {external, upsertKind, dest.Record{Key: "abc"}, `"Ext__c":"abc"`},
		"upsert by a number": {number, upsertKind, dest.Record{Key: "4711", Match: "4711.0"}, `"Number__c":4711`},
		"update": {search, updateKind, dest.Record{Key: "acme.com", ID: "001", Fields: []dest.Field{value("Website", `"x"`)}},
			`"Id":"001","Website":"x"`},
		"update by its own Id": {ids, updateKind, dest.Record{Key: "0015g0000000001AAA", Match: "0015g0000000001", Fields: []dest.Field{value("A__c", `1`)}},
			`"Id":"0015g0000000001AAA","A__c":1`},
		"create by domain": {search, createKind, dest.Record{Key: "acme.com", Match: "Joe@Acme.com", Fields: []dest.Field{value("Name", `"A"`)}},
			`"Website":"acme.com","Name":"A"`},
		"create by name": {byName, createKind, dest.Record{Key: "acme corp", Match: "ACME  Corp"},
			`"Name":"ACME  Corp"`},
		"create, mapped": {search, createKind, dest.Record{Key: "acme.com", Fields: []dest.Field{value("website", `"https://acme.com"`)}},
			`"website":"https://acme.com"`},
		"create, mapped null": {search, createKind, dest.Record{Key: "acme.com", Fields: []dest.Field{value("Website", `null`)}},
			`"Website":"acme.com"`},
		"insert": {insert, createKind, dest.Record{Key: "7", Match: "7", Fields: []dest.Field{value("Name", `"A"`)}},
			`"Name":"A"`},
		"clear":  {boxes, updateKind, dest.Record{ID: "001", Delete: true, Fields: nulls}, `"Id":"001","On__c":false,"A__c":null`},
		"a null": {boxes, updateKind, dest.Record{ID: "001", Fields: nulls}, `"Id":"001","On__c":null,"A__c":null`},
		"JSON is text": {insert, createKind, dest.Record{Key: "7", Fields: []dest.Field{value("A__c", `{"a":["x y"]}`), value("B__c", `[1]`)}},
			`"A__c":"{\"a\":[\"x y\"]}","B__c":"[1]"`},
	} {
		got := string(test.d.encode(nil, test.kind, dest.Batch{Records: []dest.Record{test.r}}, dest.Call{Records: []int{0}}))
		want := `{"allOrNone":false,"records":[{"attributes":{"type":"Account"},` + test.want + `}]}`
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", name, got, want)
		}
	}
}
