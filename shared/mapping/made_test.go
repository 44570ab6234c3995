package mapping

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// madeRow has a column of each kind.
const madeRow = `{"id":1,"first":"Ada \"A\"","LAST":"Love\u00e9lace","n":12.50,"e":1.5E2,"big":123456789012345678901234.0,"t":true,"no":null,
	"empty":"","tags":["a","b"],"mark":"<b> & c","address":{"City":"Berlin","zip":10115,"geo":{"lat":52.5},"phones":[{"no":"1"},{"no":"2"}]},
	"text":" {\"city\":\"Rome\"} ","dotted.name":"x","address.full":"whole","two":{"a":1,"A":2}}`

// making maps madeRow with one field.
func making(t *testing.T, f syncdef.Field, rules syncdef.Rules) string {
	t.Helper()
	if f.Destination == "" {
		f.Destination = "F"
	}
	m := compiledRules(t, &syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{f}}, rules)
	mapped, fault := m.Map(jsontext.Value(madeRow))
	if fault != nil {
		return fault.Field + " " + fault.Rule
	}
	if mapped.Values[0] == nil {
		return "left alone"
	}
	if !mapped.Values[0].IsValid() {
		t.Errorf("%s is no JSON", mapped.Values[0])
	}
	return string(mapped.Values[0])
}

func TestTemplates(t *testing.T) {
	for value, want := range map[string]string{
		"warehouse":              `"warehouse"`,
		"{{first}} {{last}}":     `"Ada \"A\" Loveélace"`,
		"{{ FIRST }}":            `"Ada \"A\""`,
		"n={{n}} {{e}} {{big}}":  `"n=12.5 150 123456789012345678901234"`,
		"{{t}}, {{empty}}.":      `"true, ."`,
		"{{first}} {{no}}":       `null`,
		"{{no}}":                 `null`,
		`\{{first}} {{t}}`:       `"{{first}} true"`,
		`\\{{t}} \ "q" }}`:       `"\\true \\ \"q\" }}"`,
		`{{t}}{{t}}`:             `"truetrue"`,
		"{{tags}}":               `tags not_a_string`,
		"x {{tags}}":             `tags not_a_string`,
		"x {{nosuch}}":           `nosuch missing_column`,
		"{{nosuch}}":             `nosuch missing_column`,
		"{{address.city}}":       `"Berlin"`,
		"in {{address.geo.lat}}": `"in 52.5"`,
		"x {{address.nosuch}}":   `null`,
		"x {{first.a}}":          `first.a not_nested`,
		"x {{nosuch.a}}":         `nosuch missing_column`,
	} {
		if got := making(t, syncdef.Field{Value: &value}, syncdef.Rules{}); got != want {
			t.Errorf("%s: %s, want %s", value, got, want)
		}
	}
}

// A template's text is converted, cut and checked as a column's is, and JSON is made
// of its columns' own.
func TestTemplatesConverted(t *testing.T) {
	for _, c := range []struct {
		value, want string
		field       syncdef.Field
	}{
		{"42", `42`, syncdef.Field{Type: syncdef.Number}},
		{"1{{n}}", `112.5`, syncdef.Field{Type: syncdef.Number}},
		{"{{first}}{{n}}", `F not_a_number`, syncdef.Field{Type: syncdef.Number}},
		{"{{first}}", `first not_a_number`, syncdef.Field{Type: syncdef.Number}}, // the column: it is that one alone
		{"true", `true`, syncdef.Field{Type: syncdef.Boolean}},
		{"2024-01-15", `"2024-01-15"`, syncdef.Field{Type: syncdef.Date}},
		{"{{first}} {{last}}", `"ada \"a\""`, syncdef.Field{MaxLength: 7, OnTooLong: syncdef.TruncateLong, Transform: []string{"lower"}}},
		{"{{first}} {{last}}", `F too_long`, syncdef.Field{MaxLength: 8}},
		{"{{no}}{{first}}", `"none"`, syncdef.Field{Default: ptr("none"), OnNull: syncdef.DefaultNull}},
		{"{{no}}{{first}}", `left alone`, syncdef.Field{OnNull: syncdef.SkipNull}},
		{"{{tags}}", `["a","b"]`, syncdef.Field{Type: syncdef.JSON}},
		{`{"a": {"n": {{n}}}, "b": "x {{first}} {{n}}", "t": {{tags}}}`, `{"a": {"n": 12.50}, "b": "x Ada \"A\" 12.5", "t": ["a","b"]}`, syncdef.Field{Type: syncdef.JSON}},
		{`["{{tags}}"]`, `tags not_a_string`, syncdef.Field{Type: syncdef.JSON}},
		{`[1, {{no}}]`, `null`, syncdef.Field{Type: syncdef.JSON}},
		{`{"a": [1]}`, `{"a": [1]}`, syncdef.Field{Type: syncdef.JSON}},
	} {
		c.field.Value = &c.value
		if got := making(t, c.field, syncdef.Rules{}); got != c.want {
			t.Errorf("%s as %s: %s, want %s", c.value, c.field.Type, got, c.want)
		}
	}
}

// Where a text is markup, what columns put into a template is none, and no entity is
// cut in two.
func TestTemplateEntities(t *testing.T) {
	value, rules := "<https://x|y> {{mark}} & {{first}}", syncdef.Rules{Entities: "text"}
	want := `<https://x|y> &lt;b&gt; &amp; c & Ada \"A\"`
	if got := making(t, syncdef.Field{Value: &value, Destination: "text"}, rules); got != `"`+want+`"` {
		t.Error(got)
	}
	if got := making(t, syncdef.Field{Value: &value, Destination: "other"}, rules); !strings.Contains(got, "<b> & c") {
		t.Error(got)
	}
	shout := syncdef.Field{Value: ptr("{{mark}} &lt; {{t}}"), Destination: "text", Transform: []string{"upper"}}
	if got := making(t, shout, rules); got != `"&lt;B&gt; &amp; C &lt; TRUE"` {
		t.Error(got)
	}
	for most, want := range map[int]string{16: `"<https://x|y> "`, 17: `"<https://x|y> "`, 18: `"<https://x|y> &lt;"`, 36: `"<https://x|y> &lt;b&gt; &amp; c & Ad"`} {
		got := making(t, syncdef.Field{Value: &value, Destination: "text", MaxLength: most, OnTooLong: syncdef.TruncateLong}, rules)
		if got != want {
			t.Errorf("cut to %d: %s, want %s", most, got, want)
		}
	}
	alone := "{{mark}}"
	if got := making(t, syncdef.Field{Value: &alone, Destination: "text"}, rules); got != `"&lt;b&gt; &amp; c"` {
		t.Errorf("a column alone in a template: %s", got)
	}
}

// A source may lead into a column; a column of the whole name comes first.
func TestNestedSources(t *testing.T) {
	for source, want := range map[string]string{
		"address.city":         `"Berlin"`,
		"ADDRESS.zip":          `"10115"`,
		"address.geo.lat":      `"52.5"`,
		"address.phones[1].no": `"2"`,
		"address.phones[2].no": `null`,
		"address.phones.no":    `address.phones.no not_nested`,
		"address.geo":          `address.geo not_a_string`,
		"text.city":            `"Rome"`,
		"dotted.name":          `"x"`,
		"address.full":         `"whole"`,
		"no.thing":             `null`,
		"nosuch.thing":         `nosuch missing_column`,
		"two.a":                `"1"`,
		"first.a":              `first.a not_nested`,
		`address.geo.lat.x`:    `address.geo.lat.x not_nested`,
	} {
		if got := making(t, syncdef.Field{Source: source}, syncdef.Rules{}); got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
}

// What is stored of a failed row maps again, nested sources and templates included.
func TestMadeSourceColumns(t *testing.T) {
	value := "{{first}} {{address.city}}"
	def := &syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{{Value: &value, Destination: "F"}, {Source: "text.city", Destination: "G"}}}
	m := compiledRules(t, def, syncdef.Rules{})
	cut, ok := m.p.CutSource(nil, jsontext.Value(madeRow))
	if !ok || strings.Contains(string(cut), "tags") {
		t.Fatalf("%s", cut)
	}
	mapped, fault := m.Map(cut)
	if fault != nil || string(mapped.Values[0]) != `"Ada \"A\" Berlin"` || string(mapped.Values[1]) != `"Rome"` {
		t.Errorf("%v %s", fault, mapped.Values)
	}
}

func TestMadeCompileFaults(t *testing.T) {
	for value, want := range map[string]string{
		"{{a":           "value: {{ is not closed",
		"{{}}":          "value: {{}} names no column",
		"{{a|b}}":       "there are no filters",
		`{"a": {{x}}`:   "value: it is not JSON",
		`{"a": {{x}}1}`: "value: it is not JSON",
		`nonsense`:      "is not JSON",
	} {
		_, err := Compile(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{{Value: &value, Destination: "F", Type: syncdef.JSON}}}, syncdef.Rules{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", value, err, want)
		}
	}
}
