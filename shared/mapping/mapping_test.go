package mapping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// compiled makes a Mapper of a definition with a record id and these fields.
func compiled(t testing.TB, fields ...syncdef.Field) *Mapper {
	t.Helper()
	return compiledDef(t, &syncdef.Definition{Sync: "test", RecordID: []string{"id"}, Fields: fields})
}

func compiledDef(t testing.TB, def *syncdef.Definition) *Mapper {
	t.Helper()
	return compiledRules(t, def, syncdef.Rules{Identity: keyRules[def.Strategy]})
}

// keyRules are rules of identity as a destination that leaves case out has them.
var keyRules = map[syncdef.Strategy]row.Identity{
	syncdef.MatchEmail:       {Steps: []row.Step{row.StepEmail, row.StepLower}},
	syncdef.MatchEmailDomain: {Steps: []row.Step{row.StepDomain}},
	syncdef.MatchName:        {Steps: []row.Step{row.StepTrim, row.StepSpace, row.StepLower, row.StepNFC}},
	syncdef.MatchField:       {Steps: []row.Step{row.StepTrim}},
}

func compiledRules(t testing.TB, def *syncdef.Definition, rules syncdef.Rules) *Mapper {
	t.Helper()
	p, err := Compile(def, rules)
	if err != nil {
		t.Fatal(err)
	}
	return p.Mapper()
}

func ptr[T any](v T) *T { return &v }

// result is a mapped row in a form that prints.
func result(mapped Mapped, fault *row.Fault) map[string]string {
	r := map[string]string{}
	put := func(k string, v []byte) {
		if v != nil {
			r[k] = string(v)
		}
	}
	put("key", mapped.Key)
	put("id", mapped.RecordID)
	put("cursor", mapped.Cursor)
	put("group", mapped.Group)
	if fault != nil {
		r["fault"] = fault.Field + " " + fault.Rule
		return r
	}
	for i, v := range mapped.Values {
		put("value"+string(rune('0'+i)), v)
	}
	return r
}

func TestMapIdentities(t *testing.T) {
	def := &syncdef.Definition{
		Sync: "s", RecordID: []string{"customer_id", "region"}, Strategy: syncdef.MatchEmail, Match: syncdef.Match{Source: "email"},
		Incremental: &syncdef.Incremental{Cursor: "updated"},
		Fields:      []syncdef.Field{{Source: "score", Destination: "Score__c", Type: syncdef.Number}, {Source: "email", Destination: "E", Type: syncdef.String}},
	}
	m := compiledDef(t, def)
	for _, c := range []struct {
		name, in string
		want     map[string]string
	}{
		{"all there", `{"customer_id":7,"region":"eu\"x","email":" John@ACME.com ","updated":"2024-01-15","score":1.50}`,
			map[string]string{"id": `7:eu"x`, "key": "john@acme.com", "cursor": `"2024-01-15"`, "value0": "1.50", "value1": `" John@ACME.com "`}},
		{"white space and other order", "\n{ \"updated\" : 9007199254740993 ,\t\"score\":null , \"email\":\"a@b.co\",\r\n\"customer_id\":\"x\",\"region\":true } ",
			map[string]string{"id": "x:true", "key": "a@b.co", "cursor": "9007199254740993", "value0": "null", "value1": `"a@b.co"`}},
		{"id null", `{"customer_id":null,"region":"r","email":"a@b.co","updated":1,"score":1}`,
			map[string]string{"key": "a@b.co", "cursor": "1", "fault": "customer_id missing_record_id"}},
		{"second part empty", `{"customer_id":1,"region":"  ","email":"a@b.co","updated":{},"score":1}`,
			map[string]string{"key": "a@b.co", "fault": "region missing_record_id"}},
		{"id an object", `{"customer_id":{},"region":"r","email":"a@b.co","updated":null,"score":1}`,
			map[string]string{"key": "a@b.co", "fault": "customer_id missing_record_id"}},
		{"id absent", `{"region":"r","email":"a@b.co","score":1}`,
			map[string]string{"key": "a@b.co", "fault": "customer_id missing_record_id"}},
		{"field before match", `{"customer_id":1,"region":2,"email":"nope","updated":false,"score":"x"}`,
			map[string]string{"id": "1:2", "cursor": "false", "fault": "score not_a_number"}},
		{"match", `{"customer_id":1,"region":2,"email":"nope","score":1}`,
			map[string]string{"id": "1:2", "fault": "email not_an_email"}},
		{"match null", `{"customer_id":1,"region":2,"email":null,"score":1}`,
			map[string]string{"id": "1:2", "fault": "email missing_match_value"}},
		{"match blank", `{"customer_id":1,"region":2,"email":" ","score":1}`,
			map[string]string{"id": "1:2", "fault": "email missing_match_value"}},
		{"match absent", `{"customer_id":1,"region":2,"score":1}`,
			map[string]string{"id": "1:2", "fault": "email missing_column"}},
		{"field fault keeps the key", `{"customer_id":1,"region":2,"email":"A@b.co","score":[]}`,
			map[string]string{"id": "1:2", "key": "a@b.co", "fault": "score not_a_number"}},
		{"an array", `[1]`, map[string]string{"fault": " not_an_object"}},
		{"null", `null`, map[string]string{"fault": " not_an_object"}},
		{"nothing", ``, map[string]string{"fault": " not_an_object"}},
		{"no columns", ` { } `, map[string]string{"fault": "customer_id missing_record_id"}},
	} {
		got := result(m.Map(jsontext.Value(c.in)))
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", c.name, d)
		}
	}
}

// TestEmptyFirstRow: a new mapper knows no columns, which is the layout of {}.
func TestEmptyFirstRow(t *testing.T) {
	m := compiled(t, syncdef.Field{Source: "a", Destination: "A"})
	if d := cmp.Diff(map[string]string{"fault": "id missing_record_id"}, result(m.Map(jsontext.Value(`{}`)))); d != "" {
		t.Error(d)
	}
}

func TestColumnNames(t *testing.T) {
	m := compiled(t, syncdef.Field{Source: "Email", Destination: "E", OnNull: syncdef.SkipNull}, syncdef.Field{Source: "größe", Destination: "G"})
	for _, c := range []struct {
		name, in string
		want     map[string]string
	}{
		{"other case", `{"ID":"1","EMAIL":"a","GRÖSSE":"n","Größe":"x"}`, map[string]string{"id": "1", "key": "1", "value0": `"a"`, "value1": `"x"`}},
		{"exact wins", `{"id":1,"EMAIL":"a","Email":"b","größe":"x"}`, map[string]string{"id": "1", "key": "1", "value0": `"b"`, "value1": `"x"`}},
		{"exact wins, first", `{"id":1,"Email":"b","EMAIL":"a","größe":"x"}`, map[string]string{"id": "1", "key": "1", "value0": `"b"`, "value1": `"x"`}},
		{"ambiguous", `{"id":1,"EMAIL":"a","email":"b","größe":"x"}`, map[string]string{"id": "1", "key": "1", "fault": "Email missing_column"}},
		{"absent", `{"id":1,"größe":"x"}`, map[string]string{"id": "1", "key": "1", "fault": "Email missing_column"}},
		{"escaped name", `{"id":1,"\u0065mail":"a","gr\u00f6\u00dfe":null}`, map[string]string{"id": "1", "key": "1", "value0": `"a"`, "value1": "null"}},
		{"one column less than the row before", `{"id":1,"\u0065mail":"a"}`, map[string]string{"id": "1", "key": "1", "fault": "größe missing_column"}},
		{"same names again", `{"id":2,"\u0065mail":null,"größe":"y"}`, map[string]string{"id": "2", "key": "2", "value1": `"y"`}},
		{"prefix of the name before", `{"id":2,"e":1,"email":"a","größe":"y"}`, map[string]string{"id": "2", "key": "2", "value0": `"a"`, "value1": `"y"`}},
	} {
		if d := cmp.Diff(c.want, result(m.Map(jsontext.Value(c.in)))); d != "" {
			t.Errorf("%s: -want +got\n%s", c.name, d)
		}
	}
}

func TestGroup(t *testing.T) {
	text := syncdef.Field{Source: "text", Destination: "text"}
	channel := syncdef.Field{Source: "room", Destination: "channel"}
	for _, c := range []struct {
		name   string
		fields []syncdef.Field
		fixed  string
		in     string
		want   map[string]string
	}{
		{"fixed", []syncdef.Field{text}, "C1", `{"id":1,"text":"a\nb"}`, map[string]string{"id": "1", "key": "1", "group": "C1", "value0": `"a\nb"`}},
		{"mapped", []syncdef.Field{text, channel}, "C1", `{"id":1,"text":"a","room":"C2"}`, map[string]string{"id": "1", "key": "1", "group": "C2", "value0": `"a"`, "value1": `"C2"`}},
		{"mapped, with what it may be written with", []syncdef.Field{text, channel}, "C1", `{"id":1,"text":"a","room":"#C2"}`, map[string]string{"id": "1", "key": "1", "group": "C2", "value0": `"a"`, "value1": `"#C2"`}},
		{"fixed, with what it may be written with", []syncdef.Field{text}, "#C1", `{"id":1,"text":"a"}`, map[string]string{"id": "1", "key": "1", "group": "C1", "value0": `"a"`}},
		{"mapped but null", []syncdef.Field{text, channel}, "C1", `{"id":1,"text":"a","room":null}`, map[string]string{"id": "1", "key": "1", "group": "C1", "value0": `"a"`, "value1": "null"}},
		{"none", []syncdef.Field{channel}, "", `{"id":1,"room":null}`, map[string]string{"id": "1", "key": "1", "fault": "room missing_channel"}},
	} {
		m := compiledRules(t, &syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: c.fields}, syncdef.Rules{Group: "channel", GroupDefault: c.fixed, GroupPrefix: "#"})
		if d := cmp.Diff(c.want, result(m.Map(jsontext.Value(c.in)))); d != "" {
			t.Errorf("%s: -want +got\n%s", c.name, d)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	m := compiledDef(t, benchDefinition())
	object := jsontext.Value(benchRow)
	if n := testing.AllocsPerRun(100, func() {
		if _, fault := m.Map(object); fault != nil {
			t.Fatal(fault)
		}
	}); n != 0 {
		t.Errorf("%v allocations a row, want 0", n)
	}
}

// TestTruncatedRows: no beginning of a row is taken for a row, nor read beyond its end.
func TestTruncatedRows(t *testing.T) {
	object := jsontext.Value(`{"id":1,"nested":{"a":["}\"",2]},"text":"a \"quoted\" text of some length","flag":true,"number":-1.5e3}`)
	m := compiled(t, syncdef.Field{Source: "text", Destination: "T"})
	if _, fault := m.Map(object); fault != nil {
		t.Fatal(fault)
	}
	for end := range object {
		if _, fault := m.Map(object[:end:end]); fault == nil || fault.Rule != "not_an_object" {
			t.Errorf("%s: %v", object[:end], fault)
		}
	}
}

// TestValuesOutliveGrowth guards the slices of a row against its own buffer's growth.
func TestValuesOutliveGrowth(t *testing.T) {
	var fields []syncdef.Field
	var in strings.Builder
	in.WriteString(`{"id":1`)
	for i := range 50 {
		name := "c" + strings.Repeat("x", i)
		fields = append(fields, syncdef.Field{Source: name, Destination: name, Transform: []string{"upper"}})
		in.WriteString(`,"` + name + `":"` + strings.Repeat("a", i+1) + `"`)
	}
	in.WriteString(`}`)
	mapped, fault := compiled(t, fields...).Map(jsontext.Value(in.String()))
	if fault != nil {
		t.Fatal(fault)
	}
	for i, v := range mapped.Values {
		if want := `"` + strings.Repeat("A", i+1) + `"`; string(v) != want {
			t.Errorf("field %d is %s", i, v)
		}
	}
}
