package mapping

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/syncdef"
)

func TestLists(t *testing.T) {
	values := []string{"Red", "Dark Blue", "Green"}
	join := syncdef.Field{As: syncdef.AsJoin, Separator: ", "}
	written := syncdef.Field{As: syncdef.AsJSON}
	multi := syncdef.Field{Type: syncdef.MultiPicklist, Values: values}
	open := syncdef.Field{Type: syncdef.MultiPicklist}
	for _, c := range []struct {
		name  string
		field syncdef.Field
		cases map[string]string
	}{
		{"refused", syncdef.Field{}, map[string]string{`["a"]`: "v not_a_string", `{"a":1}`: "v not_a_string"}},
		{"join", join, map[string]string{
			`["a","b \"c\""]`: `"a, b \"c\""`, `[1.50,true,null,"",1e2]`: `"1.5, true, 100"`, `[]`: `null`, `[null]`: `null`,
			`"a"`: `"a"`, `7`: `"7"`, `"[\"a\", \"b\"]"`: `"a, b"`, `"[a"`: `"[a"`, `[["a"]]`: "v not_a_string", `{"a":1}`: "v not_a_string", `null`: `null`,
		}},
		{"join, upper and cut", syncdef.Field{As: syncdef.AsJoin, Separator: "/", Transform: []string{"upper"}, MaxLength: 3, OnTooLong: syncdef.TruncateLong}, map[string]string{`["a","b","c"]`: `"A/B"`}},
		{"json", written, map[string]string{`[ 1, {"a": "x y"} ]`: `"[1,{\"a\":\"x y\"}]"`, `{"a":1}`: `"{\"a\":1}"`, `"a"`: `"a"`, `[]`: `"[]"`}},
		{"flat", syncdef.Field{Type: syncdef.JSON, As: syncdef.AsFlat, Separator: "_"}, map[string]string{
			`{"a":1.50,"b":{"c":"x","d":{"e":null}},"l":["p",2.0],"m":[{"x": 1}],"n":[],"o":{}}`: `{"a":1.50,"b_c":"x","b_d_e":null,"l":"p, 2","m":"[{\"x\":1}]","n":null}`,
			`"{\"a\":{\"b\":1}}"`: `{"a_b":1}`, `7`: `7`, `"x"`: `"x"`, `null`: `null`, `{"a_b":1,"a":{"b":2}}`: "v duplicate_member",
		}},
		{"json kept", syncdef.Field{Type: syncdef.JSON}, map[string]string{`{"a": [1.50]}`: `{"a": [1.50]}`}},
		{"multipicklist", multi, map[string]string{
			`["Green","red"]`: `"Red;Green"`, `"dark blue; Red;"`: `"Red;Dark Blue"`, `["Red","RED","Red"]`: `"Red"`, `"Red"`: `"Red"`,
			`[]`: `null`, `""`: `null`, `" ; "`: `null`, `null`: `null`, `["Red","Pink"]`: "v not_in_picklist", `"[\"Green\"]"`: `"Green"`,
			`["Red;Green"]`: "v not_in_picklist", `{"a":1}`: "v not_a_list", `[{"a":1}]`: "v not_a_string",
		}},
		{"multipicklist of any values", open, map[string]string{`["b","a","b"]`: `"a;b"`, `"b;a"`: `"a;b"`, `[2,1]`: `"1;2"`}},
		{"multipicklist, others by default", syncdef.Field{Type: syncdef.MultiPicklist, Values: values, Default: ptr("Green;Red"), OnUnknown: syncdef.DefaultUnknown, OnNull: syncdef.DefaultNull},
			map[string]string{`["Red","Pink"]`: `"Red;Green"`, `[]`: `"Red;Green"`}},
		{"multipicklist, trimmed and raised", syncdef.Field{Type: syncdef.MultiPicklist, Transform: []string{"upper"}}, map[string]string{`[" a ","b"]`: `"A;B"`}},
	} {
		c.field.Source, c.field.Destination = "v", "V"
		m := compiled(t, c.field)
		for in, want := range c.cases {
			got := result(m.Map(jsontext.Value(`{"id":1,"v":` + in + `}`)))
			if got["value0"]+got["fault"] != want {
				t.Errorf("%s: %s becomes %v, want %s", c.name, in, got, want)
			}
		}
	}
	spread := compiledRules(t, &syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{
		to("v", "plan_*", syncdef.JSON), {Source: "v", Destination: "*", Type: syncdef.JSON, As: syncdef.AsFlat, Separator: "-"}, to("id", "x", ""),
	}}, syncdef.Rules{Spread: true})
	for in, want := range map[string]string{`{"a":{"b":1}}`: `{"a":{"b":1}}`, `null`: `null`, `"x"`: "v not_an_object", `[1]`: "v not_an_object", `"{\"a\":1}"`: `{"a":1}`} {
		got := result(spread.Map(jsontext.Value(`{"id":1,"v":` + in + `}`)))
		if got["value0"]+got["fault"] != want {
			t.Errorf("spread: %s becomes %v, want %s", in, got, want)
		}
	}
	if prefix, is := spread.p.Spread(0); !is || prefix != "plan_" {
		t.Errorf("%q %v", prefix, is)
	}
	if _, is := spread.p.Spread(2); is {
		t.Error("a plain field is spread")
	}
	for name, f := range map[string]syncdef.Field{
		"a value with ;": {Type: syncdef.MultiPicklist, Values: []string{"a;b"}},
		"JSON cut":       {As: syncdef.AsJSON, MaxLength: 5, OnTooLong: syncdef.TruncateLong},
		"as":             {As: "columns"},
		"as flat text":   {As: syncdef.AsFlat},
	} {
		f.Source, f.Destination = "v", "V"
		if _, err := Compile(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{f}}, syncdef.Rules{}); err == nil {
			t.Errorf("%s: no fault", name)
		}
	}
}
