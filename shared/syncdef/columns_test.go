package syncdef_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
)

func TestColumns(t *testing.T) {
	d, _ := sample()
	d.Fields[0].Source = "EMAIL" // the match column again, in other letters
	want := []string{"region", "customer_id", "email", "status", "name", "since", "updated"}
	if diff := cmp.Diff(want, syncdef.Columns(d)); diff != "" {
		t.Error(diff)
	}
	message := syncdef.Definition{RecordID: []string{"id"}, Fields: []syncdef.Field{{Source: "body"}}}
	if diff := cmp.Diff([]string{"id", "body"}, syncdef.Columns(message)); diff != "" {
		t.Error(diff)
	}
}

func TestCheckColumns(t *testing.T) {
	d, _ := sample()
	all := []string{"region", "customer_id", "email", "score", "status", "name", "since", "updated"}
	without := func(column string, instead ...string) []string {
		var out []string
		for _, c := range all {
			if c != column {
				out = append(out, c)
			}
		}
		return append(out, instead...)
	}
	for _, c := range []struct {
		name    string
		columns []string
		want    []string // path: message
	}{
		{"all there", all, nil},
		{"more than needed", append(without(""), "extra"), nil},
		{"other case", without("score", "SCORE"), nil},
		{"exact name among cases", without("score", "SCORE", "score"), nil},
		{"two cases", without("score", "SCORE", "Score"), []string{
			`field_mappings[0].source: column "score": the model has SCORE and Score, which differ only by case; write the one that is meant`}},
		{"misspelt", without("score", "socre"), []string{
			`field_mappings[0].source: column "score" is not in the model; did you mean socre?`}},
		{"record id", without("customer_id", "custommer_id"), []string{
			`record_id[1]: column "customer_id" is not in the model; did you mean custommer_id?`}},
		{"match", without("email"), []string{
			`match.source: column "email" is not in the model, which has: region, customer_id, score, status, name, since, updated`,
			`quality.rules[0].column: column "email" is not in the model, which has: region, customer_id, score, status, name, since, updated`}},
		{"cursor and mapping", without("updated", "update"), []string{
			`field_mappings[4].source: column "updated" is not in the model; did you mean update?`,
			`incremental.cursor: column "updated" is not in the model; did you mean update?`}},
	} {
		var got []string
		for _, f := range syncdef.CheckColumns(d, c.columns) {
			if f.File != "health" {
				t.Errorf("%s: the fault's file is %q", c.name, f.File)
			}
			got = append(got, f.Path+": "+f.Message)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: want -, got +\n%s", c.name, diff)
		}
	}
}

// Templates and paths name columns too, each at its own key.
func TestCheckColumnsOfMadeFields(t *testing.T) {
	template, constant := "{{first}} {{address.city}} {{nosuch}}", "x"
	d := syncdef.Definition{Sync: "health", RecordID: []string{"id"}, Fields: []syncdef.Field{
		{Value: &template, Destination: "a"}, {Source: "address.geo.lat", Destination: "b"}, {Source: "gone.x", Destination: "c"}, {Value: &constant, Destination: "d"}, {Source: "dotted.name", Destination: "e"},
	}}
	if diff := cmp.Diff([]string{"id", "first", "address.city", "nosuch", "address.geo.lat", "gone.x", "dotted.name"}, syncdef.Columns(d)); diff != "" {
		t.Error(diff)
	}
	var got []string
	for _, f := range syncdef.CheckColumns(d, []string{"ID", "FIRST", "ADDRESS", "dotted.name"}) {
		got = append(got, f.Path+": "+f.Message)
	}
	want := []string{
		`field_mappings[0].value: column "nosuch" is not in the model, which has: ID, FIRST, ADDRESS, dotted.name`,
		`field_mappings[2].source: column "gone" is not in the model, which has: ID, FIRST, ADDRESS, dotted.name`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPersonalColumns(t *testing.T) {
	template := "{{first}} {{profile.last}}"
	d := syncdef.Definition{Sync: "s", Connection: "crm", Fields: []syncdef.Field{
		{Source: "open", Destination: "a"}, {Value: &template, Destination: "b", Personal: true}, {Source: "FIRST", Destination: "c", Personal: true},
	}}
	if diff := cmp.Diff([]string{"first", "profile.last", "profile"}, syncdef.PersonalColumns(&d)); diff != "" {
		t.Error(diff)
	}
	if syncdef.PersonalRefused(&d, &syncdef.Connection{Personal: syncdef.PersonalAllowed}) != "" || syncdef.PersonalRefused(&d, &syncdef.Connection{}) == "" {
		t.Error("what the connection says is not what holds")
	}
	d.Fields = d.Fields[:1]
	if syncdef.PersonalRefused(&d, &syncdef.Connection{}) != "" {
		t.Error("a sync without personal data is refused")
	}
}

func TestNearest(t *testing.T) {
	known := []string{"lanes", "batch_size", "field_mappings", "on_missing", "on_null"}
	for in, want := range map[string]string{
		"lane": "lanes", "LANES": "lanes", "lnaes": "lanes", "bathc_size": "batch_size",
		"field_mapping": "field_mappings", "on_mising": "on_missing", "": "", "colour": "", "x": "",
	} {
		if got := syncdef.Nearest(in, known); got != want {
			t.Errorf("%q: nearest %q, want %q", in, got, want)
		}
	}
}
