package mapping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/syncdef"
)

func sourceDefinition() *syncdef.Definition {
	return &syncdef.Definition{
		Sync: "s", RecordID: []string{"id", "part"}, Strategy: syncdef.MatchEmail, Match: syncdef.Match{Source: "email"},
		Incremental: &syncdef.Incremental{Cursor: "updated"},
		Fields:      []syncdef.Field{{Source: "score", Destination: "S", Type: syncdef.Number}, {Source: "email", Destination: "E"}, {Source: "größe", Destination: "G", OnNull: syncdef.SkipNull}},
	}
}

func TestSourceColumns(t *testing.T) {
	m := compiledDef(t, sourceDefinition())
	want := []string{"score", "email", "größe", "id", "part", "updated", "sync_action", "should_delete_from_destination", "METADATA$ACTION", "METADATA$ISUPDATE", "is_update"}
	if d := cmp.Diff(want, m.p.SourceColumns()); d != "" {
		t.Error(d)
	}
	if m.p.SourceColumns()[0] = "x"; m.p.columns[0] != "score" {
		t.Error("the program's own columns were handed out")
	}
}

func TestCutSource(t *testing.T) {
	m := compiledDef(t, sourceDefinition())
	for in, want := range map[string]string{
		`{}`: `{}`, ` { "secret" : "x" } `: `{}`,
		` { "ID" : 1 , "secret":"x","Part":"a\"b","nested":{"id":2}, "EMAIL":"a@b.co" ,"updated":null}`:                                             `{"ID":1,"Part":"a\"b","EMAIL":"a@b.co","updated":null}`,
		`{"email":"a","Email":"b","EMAIL2":"c","sc\u006fre":1.50,"gr\u00f6ße":2}`:                                                                   `{"email":"a","Email":"b","sc\u006fre":1.50,"gr\u00f6ße":2}`,
		`{"metadata$action":"DELETE","METADATA$ISUPDATE":false,"METADATA$ROW_ID":"r","SYNC_ACTION":"delete","should_delete_from_destination":true}`: `{"metadata$action":"DELETE","METADATA$ISUPDATE":false,"SYNC_ACTION":"delete","should_delete_from_destination":true}`,
	} {
		got, ok := m.p.CutSource([]byte("x"), jsontext.Value(in))
		if !ok || string(got) != "x"+want {
			t.Errorf("%s: %s %v, want %s", in, got, ok, want)
		}
	}
	for _, in := range []string{``, `[1]`, `"{}"`, `null`, `{"id":1`} {
		if got, ok := m.p.CutSource([]byte("x"), jsontext.Value(in)); ok || string(got) != "x" {
			t.Errorf("%s: %s", in, got)
		}
	}
}

// FuzzCutSource: a row that is cut maps to what the row does.
func FuzzCutSource(f *testing.F) {
	f.Add([]byte(`{"ID":1,"secret":"x","Part":"a\"b","EMAIL":"a@b.co","updated":null,"score":1.0,"größe":null}`))
	f.Add([]byte(`{"id":1,"part":2,"email":"A@b.co","Email":"b","score":"x","größe":1}`))
	f.Add([]byte(` {"id":{},"par\u0074":2,"score":[ ]} `))
	p := compiledDef(f, sourceDefinition()).p
	f.Fuzz(func(t *testing.T, object []byte) {
		if !jsontext.Value(object).IsValid() {
			return
		}
		cut, ok := p.CutSource(nil, object)
		if !ok {
			return
		}
		if !jsontext.Value(cut).IsValid() {
			t.Fatalf("%s is cut to %s", object, cut)
		}
		if d := cmp.Diff(result(p.Mapper().Map(object)), result(p.Mapper().Map(cut))); d != "" {
			t.Errorf("%s, cut to %s: %s", object, cut, d)
		}
	})
}

// TestNoValueInMessages: whatever is wrong with a value, the message does not tell it (I6).
func TestNoValueInMessages(t *testing.T) {
	const marker = "4711"
	values := []string{`"4711x"`, `"x 4711"`, `47110815`, `-4711`, `4711.5`, `{"k":"4711"}`, `["4711"]`, `"4711@"`, `"a@4711"`, `"4711@gmail.com"`, `"4711-13-01"`, `" 4711 "`, `"` + strings.Repeat("4711", 20) + `"`, `4711e99999`, `"4711-01-01"`}
	var faults int
	check := func(def *syncdef.Definition, in string) {
		t.Helper()
		rules := syncdef.Rules{Identity: keyRules[def.Strategy], Group: "channel", DateMin: "1700-01-01", DateMax: "4000-12-31"}
		_, fault := compiledRules(t, def, rules).Map(jsontext.Value(in))
		if fault == nil {
			return
		}
		faults++
		if strings.Contains(fault.Message+fault.Field+fault.Rule, marker) {
			t.Errorf("%s: %s", in, fault.Message)
		}
	}
	for _, v := range values {
		object := `{"id":1,"v":` + v + `}`
		for _, f := range append(fuzzFields(), syncdef.Field{MaxLength: 3}, syncdef.Field{Type: syncdef.Email, MaxLength: 3}, syncdef.Field{Type: syncdef.Integer, Min: "0", Max: "9"}) {
			if f.Destination = "V"; f.Value == nil {
				f.Source = "v"
			}
			check(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{f}}, object)
		}
		for strategy := range keyRules {
			check(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Strategy: strategy, Match: syncdef.Match{Source: "v"}}, object)
		}
		check(&syncdef.Definition{Sync: "s", RecordID: []string{"v"}}, object)
		check(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}}, v)
	}
	if faults < 100 {
		t.Errorf("only %d faults were seen", faults)
	}
}
