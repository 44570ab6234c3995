package mapping

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/syncdef"
)

var update = flag.Bool("update", false, "rewrite testdata")

// TestMessages locks what people read: one message per rule.
func TestMessages(t *testing.T) {
	field := func(typ syncdef.Type) syncdef.Field {
		return syncdef.Field{Source: "col", Destination: "Dst__c", Type: typ}
	}
	with := func(f syncdef.Field, set func(*syncdef.Field)) syncdef.Field { set(&f); return f }
	long := `"` + strings.Repeat("Ä", 300) + `"`
	group := ""
	var out strings.Builder
	say := func(def *syncdef.Definition, in string) {
		rules := syncdef.Rules{Identity: keyRules[def.Strategy], Group: group, DateMin: "1700-01-01", DateMax: "4000-12-31"}
		_, fault := compiledRules(t, def, rules).Map(jsontext.Value(in))
		if fault == nil {
			t.Errorf("no fault in %s", in)
			return
		}
		out.WriteString(fault.Rule + " [" + fault.Field + "]\n    " + fault.Message + "\n")
	}
	value := func(f syncdef.Field, v string) {
		say(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{f}}, `{"id":1,"col":`+v+`}`)
	}
	value(field(syncdef.String), `{"usage":0.9}`)
	value(with(field(syncdef.String), func(f *syncdef.Field) { f.MaxLength = 255 }), long)
	value(with(field(syncdef.Email), func(f *syncdef.Field) { f.MaxLength = 10 }), `"jane.doe@acme.com"`)
	value(field(syncdef.Number), `"n/a"`)
	value(with(field(syncdef.Number), func(f *syncdef.Field) { f.Min, f.Max = "0", "100" }), `-0.1`)
	value(with(field(syncdef.Number), func(f *syncdef.Field) { f.Min, f.Max = "0", "100" }), `120`)
	value(with(field(syncdef.Number), func(f *syncdef.Field) { f.Min = "0" }), `"x"`)
	value(with(field(syncdef.Integer), func(f *syncdef.Field) { f.Max = "9" }), `10`)
	value(field(syncdef.Integer), `12.5`)
	value(field(syncdef.Boolean), `"maybe"`)
	value(field(syncdef.Date), `"15.01.2024"`)
	value(field(syncdef.DateTime), `1705314600`)
	value(with(field(syncdef.DateTime), func(f *syncdef.Field) { f.Format = "epoch_seconds" }), `"2024-01-15"`)
	value(with(field(syncdef.DateTime), func(f *syncdef.Field) { f.Format = "epoch_milliseconds" }), `1e30`)
	value(with(field(syncdef.Picklist), func(f *syncdef.Field) { f.Values = []string{"At Risk", "Healthy"} }), `"unknown_risk"`)
	value(with(field(syncdef.Picklist), func(f *syncdef.Field) { f.Values = strings.Split("a,b,c,d,e,f,g,h,i,j,k,l", ",") }), `"z"`)
	value(field(syncdef.Email), `"not-an-email"`)

	say(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{field(syncdef.String)}}, `{"id":1}`)
	say(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{field(syncdef.String)}}, `{"id":1,"COL":1,"Col":2}`)
	say(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}}, `{"id":null}`)
	say(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}}, `{"ident":1}`)
	say(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}}, `"{\"id\":1}"`)
	match := &syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Strategy: syncdef.MatchEmailDomain, Match: syncdef.Match{Source: "email"}}
	say(match, `{"id":1,"email":null}`)
	say(match, `{"id":1,"email":"jane"}`)
	say(match, `{"id":1,"email":"jane@gmail.com"}`)
	group = "channel"
	say(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{{Source: "room", Destination: "channel"}}}, `{"id":1,"room":null}`)

	const file = "testdata/messages.golden"
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), out.String()); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}
