package mapping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

func TestCompileRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		field syncdef.Field
		want  string
	}{
		{"type", syncdef.Field{Type: "float"}, "data_type"},
		{"transform", syncdef.Field{Transform: []string{"title"}}, "transform"},
		{"min", syncdef.Field{Type: syncdef.Number, Min: "low"}, "min"},
		{"max", syncdef.Field{Type: syncdef.Integer, Max: "1e"}, "max"},
		{"scale", syncdef.Field{Type: syncdef.Number, Scale: ptr(-1)}, "scale"},
		{"zone", syncdef.Field{Type: syncdef.DateTime, TimeZone: "Europe/Atlantis"}, "time_zone"},
		{"local zone", syncdef.Field{Type: syncdef.DateTime, TimeZone: "Local"}, "time_zone"},
		{"format", syncdef.Field{Type: syncdef.Date, Format: "DD.MM.YYYY"}, "format"},
		{"on_null", syncdef.Field{OnNull: "empty"}, "on_null"},
		{"no default", syncdef.Field{OnNull: syncdef.DefaultNull}, "needs a default"},
		{"default not a number", syncdef.Field{Type: syncdef.Number, Default: ptr("n/a")}, "default: column src"},
		{"default out of range", syncdef.Field{Type: syncdef.Number, Max: "10", Default: ptr("11")}, "default"},
		{"default not in values", syncdef.Field{Type: syncdef.Picklist, Values: []string{"a"}, Default: ptr("b")}, "default"},
		{"default too long", syncdef.Field{MaxLength: 2, Default: ptr("abc")}, "default"},
		{"default not JSON", syncdef.Field{Type: syncdef.JSON, Default: ptr("{")}, "default"},
		{"default not a date", syncdef.Field{Type: syncdef.Date, Default: ptr("soon")}, "default"},
		{"on_unknown", syncdef.Field{Type: syncdef.Picklist, OnUnknown: "skip"}, "on_unknown"},
		{"on_unknown without default", syncdef.Field{Type: syncdef.Picklist, Values: []string{"a"}, OnUnknown: syncdef.DefaultUnknown}, "needs a default"},
		{"default blank", syncdef.Field{Type: syncdef.Number, Default: ptr(" ")}, "default: column src"},
		{"value too long for UTF-16", syncdef.Field{Type: syncdef.Picklist, Values: []string{"🚀"}, MaxLength: 1}, "max_length"},
		{"value too long", syncdef.Field{Type: syncdef.Picklist, Values: []string{"abc"}, MaxLength: 2}, "max_length"},
	} {
		c.field.Source, c.field.Destination = "src", "Dst__c"
		_, err := Compile(&syncdef.Definition{Sync: "broken", RecordID: []string{"id"}, Fields: []syncdef.Field{c.field}}, syncdef.Rules{})
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, part := range []string{"broken", "src -> Dst__c", c.want} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not name %q", c.name, err, part)
			}
		}
	}
}

func TestCompileReportsAll(t *testing.T) {
	_, err := Compile(&syncdef.Definition{Sync: "broken", Strategy: syncdef.MatchField, Fields: []syncdef.Field{{Source: "a", Type: "x"}, {Source: "b", Type: "y"}}}, syncdef.Rules{})
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"field a", "field b", "record_id", "match.source"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %q", err, part)
		}
	}
	if _, err := Compile(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Strategy: "phone"}, syncdef.Rules{}); err == nil {
		t.Error("an unknown strategy passes")
	}
}

func TestCompileRefusesRules(t *testing.T) {
	for want, rules := range map[string]syncdef.Rules{
		"date_min": {DateMin: "1700"}, "date_max": {DateMax: "soon"}, "length_unit": {LengthUnit: "pixels"}, "identity": {Identity: row.Identity{Steps: []row.Step{"soundex"}}},
	} {
		_, err := Compile(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Strategy: syncdef.MatchName, Match: syncdef.Match{Source: "m"}}, rules)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", rules, err)
		}
	}
}

func TestProgramTags(t *testing.T) {
	p, err := Compile(benchDefinition(), benchRules)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(row.Tags("Name", "Health_Score__c", "Health_Status__c"), p.Tags()[:3]); d != "" {
		t.Error(d)
	}
	if len(p.Tags()) != 12 {
		t.Errorf("%d tags", len(p.Tags()))
	}
}
