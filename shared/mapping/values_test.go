package mapping

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// fingerprint maps one value and gives what is sent, its fingerprint and its hash.
func fingerprint(t *testing.T, m *Mapper, value string) (sent string, print row.Fingerprint, hash uint32) {
	t.Helper()
	mapped, fault := m.Map(jsontext.Value(`{"id":1,"v":` + value + `}`))
	if fault != nil {
		t.Fatalf("%s: %s", value, fault)
	}
	print, _ = row.Digest(row.Tags("V"), mapped.Canonical, nil)
	return string(mapped.Values[0]), print, ledger.FieldHash(mapped.Canonical[0])
}

// TestFingerprintByValue: the spellings of a class are one value and are sent as
// they stand, and those of two classes are two.
func TestFingerprintByValue(t *testing.T) {
	type class map[string]string // spelling: what is sent
	big := "1234567890123456789012345"
	for _, c := range []struct {
		name    string
		field   syncdef.Field
		classes []class
	}{
		{"number", syncdef.Field{Type: syncdef.Number}, []class{
			{`1`: `1`, `1.0`: `1.0`, `1.00`: `1.00`, `"1"`: `1`, `1e0`: `1e0`, `"1.00"`: `1.00`, `" +1 "`: `1`, `10E-1`: `10E-1`},
			{`9007199254740993`: `9007199254740993`, `9007199254740993.0`: `9007199254740993.0`}, {`9007199254740992`: `9007199254740992`},
			{big: big, `"` + big + `.000"`: big + `.000`}, {big + `.1`: big + `.1`}, {`0`: `0`, `-0`: `-0`, `0.00`: `0.00`, `0e7`: `0e7`}, {`-1`: `-1`},
			{`1e400`: `1e400`, `10e399`: `10e399`}, {`null`: `null`, `""`: `null`}, {`1e999999999999`: `1e999999999999`}, {`1e999999999998`: `1e999999999998`},
		}},
		{"scaled number", syncdef.Field{Type: syncdef.Number, Scale: ptr(1)}, []class{{`85.47`: `85.5`, `85.50`: `85.50`, `"85.5"`: `85.5`}, {`85`: `85`, `85.0`: `85.0`, `85.04`: `85`}}},
		{"integer", syncdef.Field{Type: syncdef.Integer}, []class{{`12`: `12`, `12.0`: `12`, `"12"`: `12`, `1.2e1`: `12`}, {`0`: `0`, `-0`: `-0`}, {`120`: `120`}}},
		{"instant", syncdef.Field{Type: syncdef.DateTime}, []class{{
			`"2024-01-15 10:30:00"`: `"2024-01-15T10:30:00.000Z"`, `"2024-01-15T11:30:00+01:00"`: `"2024-01-15T10:30:00.000Z"`,
			`"Mon, 15 Jan 2024 10:30:00 GMT"`: `"2024-01-15T10:30:00.000Z"`, `"2024-01-15T10:30:00.000000Z"`: `"2024-01-15T10:30:00.000Z"`}}},
		{"boolean", syncdef.Field{Type: syncdef.Boolean}, []class{{`true`: `true`, `1`: `true`, `"Yes"`: `true`}, {`false`: `false`, `"off"`: `false`}}},
		{"json", syncdef.Field{Type: syncdef.JSON}, []class{
			{`{"a":[1,"x y"]}`: `{"a":[1,"x y"]}`, `{ "a" : [1, "x y"] }`: `{ "a" : [1, "x y"] }`}, {`{"a":[1,"xy"]}`: `{"a":[1,"xy"]}`}, {`{"a":["\" "]}`: `{"a":["\" "]}`},
			{`1`: `1`}, {`1.0`: `1.0`}, {`"1"`: `"1"`}, {`"a b"`: `"a b"`}, {`"ab"`: `"ab"`},
		}},
		{"text", syncdef.Field{}, []class{{`"1"`: `"1"`, `1`: `"1"`}, {`"1.0"`: `"1.0"`, `1.0`: `"1.0"`}, {`"a\u0062"`: `"ab"`, `"ab"`: `"ab"`}, {`"AB"`: `"AB"`}}},
	} {
		c.field.Source, c.field.Destination = "v", "V"
		m := compiled(t, c.field)
		prints, hashes := map[row.Fingerprint]int{}, map[uint32]int{}
		for n, class := range c.classes {
			for in, want := range class {
				sent, print, hash := fingerprint(t, m, in)
				if sent != want {
					t.Errorf("%s: %s is sent as %s, want %s", c.name, in, sent, want)
				}
				if other, known := prints[print]; known && other != n {
					t.Errorf("%s: %s is taken for %v", c.name, in, c.classes[other])
				}
				if other, known := hashes[hash]; known && other != n {
					t.Errorf("%s: %s hashes to %v", c.name, in, c.classes[other])
				}
				prints[print], hashes[hash] = n, n
			}
		}
		if len(prints) != len(c.classes) || len(hashes) != len(c.classes) {
			t.Errorf("%s: %d values have %d fingerprints and %d hashes", c.name, len(c.classes), len(prints), len(hashes))
		}
	}
}

// TestLongNumbers: a number of a megabyte costs about what its text does.
func TestLongNumbers(t *testing.T) {
	m := compiled(t, syncdef.Field{Source: "v", Destination: "V", Type: syncdef.Number, Max: "1e9999999"})
	long := "1" + strings.Repeat("0", 1_000_000)
	_, one, _ := fingerprint(t, m, long)
	_, two, _ := fingerprint(t, m, long+".0")
	_, other, _ := fingerprint(t, m, "1"+long)
	if one != two || one == other {
		t.Error("a long number is not compared by value")
	}
}

func TestJoinedRecordID(t *testing.T) {
	two := compiledDef(t, &syncdef.Definition{Sync: "s", RecordID: []string{"a", "b"}})
	seen := map[string]string{}
	for in, want := range map[string]string{
		`{"a":"x:1","b":"2"}`: `x\:1:2`, `{"a":"x","b":"1:2"}`: `x:1:2`, `{"a":"x\\","b":":2"}`: `x\\::2`, `{"a":"x","b":"\\:1:2"}`: `x:\:1:2`, `{"a":"","b":"x"}`: "", `{"a":"x\\:","b":"2"}`: `x\\\::2`, `{"a":"x","b":"y"}`: `x:y`, `{"a":1,"b":2.50}`: `1:2.5`, `{"a":"1.0","b":3e2}`: `1.0:300`,
	} {
		mapped, fault := two.Map(jsontext.Value(in))
		if want == "" && fault != nil {
			continue
		}
		if fault != nil || string(mapped.RecordID) != want || string(mapped.Key) != want {
			t.Errorf("%s: %s, key %s, %v", in, mapped.RecordID, mapped.Key, fault)
		}
		if other, twice := seen[string(mapped.RecordID)]; twice {
			t.Errorf("%s and %s share the id %s", in, other, mapped.RecordID)
		}
		seen[string(mapped.RecordID)] = in
	}
	one := compiledDef(t, &syncdef.Definition{Sync: "s", RecordID: []string{"a"}})
	if mapped, _ := one.Map(jsontext.Value(`{"a":"x:1\\"}`)); string(mapped.RecordID) != `x:1\` {
		t.Errorf("an id of one column became %s", mapped.RecordID)
	}
}

// TestLengths: a text is counted in the destination's unit, and cut between two
// characters as people see them.
func TestLengths(t *testing.T) {
	family, flag, thumb, accent, india := "👨‍👩‍👧‍👦", "🇩🇪", "👍🏽", "e\u0301", "नि" // 11, 4, 4, 2, 2 units of UTF-16
	for _, c := range []struct {
		unit         syncdef.LengthUnit
		most         int
		in, cut      string
		tooLong, one bool // without truncate; even with it
	}{
		{"", 3, "abc", "abc", false, false}, {"", 3, "abcd", "abc", true, false}, {"", 2, "😀", "😀", false, false}, {"", 3, "😀😀", "😀", true, false}, {"", 3, "äöü", "äöü", false, false},
		{"", 255, strings.Repeat("😀", 255), strings.Repeat("😀", 127), true, false},
		{"", 11, family, family, false, false}, {"", 12, "a" + family, "a" + family, false, false}, {"", 11, "a" + family, "a", true, false}, {"", 10, family, "", true, true},
		{"", 4, flag + flag, flag, true, false}, {"", 6, flag + flag, flag, true, false}, {"", 5, thumb + "x" + thumb, thumb + "x", true, false}, {"", 3, "a" + thumb, "a", true, false},
		{"", 2, "x" + accent, "x", true, false}, {"", 3, "x" + accent, "x" + accent, false, false}, {"", 2, "a" + india, "a", true, false}, {"", 3, "ab\r\n", "ab", true, false},
		{"utf16", 1, "😀", "", true, true},
		{"rune", 1, "😀", "😀", false, false}, {"rune", 2, "😀😀😀", "😀😀", true, false}, {"rune", 6, family, "", true, true},
		{"byte", 4, "ää", "ää", false, false}, {"byte", 3, "ää", "ä", true, false}, {"byte", 5, "a😀b", "a😀", true, false}, {"byte", 4, "a😀b", "a", true, false},
	} {
		in, _ := jsontext.AppendQuote(nil, c.in)
		object := jsontext.Value(`{"id":1,"v":` + string(in) + `}`)
		field := syncdef.Field{Source: "v", Destination: "V", MaxLength: c.most}
		def := &syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{field}}
		_, fault := compiledRules(t, def, syncdef.Rules{LengthUnit: c.unit}).Map(object)
		if c.tooLong != (fault != nil && fault.Rule == "too_long") {
			t.Errorf("%s %d %q: %v", c.unit, c.most, c.in, fault)
		}
		def.Fields[0].OnTooLong = syncdef.TruncateLong
		mapped, fault := compiledRules(t, def, syncdef.Rules{LengthUnit: c.unit}).Map(object)
		if c.one {
			if fault == nil || fault.Rule != "too_long" {
				t.Errorf("%s %d %q: cut to %s, want a fault", c.unit, c.most, c.in, mapped.Values)
			}
			continue
		}
		want, _ := jsontext.AppendQuote(nil, c.cut)
		if fault != nil || string(mapped.Values[0]) != string(want) {
			t.Errorf("%s %d %q: %s %v, want %q", c.unit, c.most, c.in, mapped.Values, fault, c.cut)
		}
	}
}

// TestNested: a row of 1,000 levels passes, one of more is refused, whichever column it is.
func TestNested(t *testing.T) {
	m := compiled(t, syncdef.Field{Source: "v", Destination: "V", Type: syncdef.JSON})
	nested := func(levels int) string { // the row's own included
		return strings.Repeat(`[`, levels-1) + strings.Repeat(`]`, levels-1)
	}
	for _, c := range []struct {
		column string
		levels int
		want   string
	}{{"v", 1000, ""}, {"v", 1001, "too_deep"}, {"other", 1001, "too_deep"}, {"other", 2_000_000, "too_deep"}} {
		object := `{"id":1,"v":` + nested(c.levels) + `}`
		if c.column != "v" {
			object = `{"id":1,"v":2,"other":` + strings.ReplaceAll(strings.ReplaceAll(nested(c.levels), "[", `{"a":`), "]", "}")
			object = strings.Replace(object, `:}`, `:0}`, 1) + `}`
		}
		mapped, fault := m.Map(jsontext.Value(object))
		got := ""
		if fault != nil {
			got = fault.Rule
		}
		if got != c.want {
			t.Errorf("%d levels in %s: %q, want %q", c.levels, c.column, got, c.want)
		}
		if fault == nil && len(mapped.Values[0]) != 2*c.levels-2 {
			t.Errorf("%d levels became %d bytes", c.levels, len(mapped.Values[0]))
		}
		if _, ok := m.p.CutSource(nil, jsontext.Value(object)); ok != (c.want == "") {
			t.Errorf("%d levels in %s: its source is cut: %v", c.levels, c.column, ok)
		}
	}
	if mapped, fault := m.Map(jsontext.Value(`{"id":1,"v":[2]}`)); fault != nil || string(mapped.Values[0]) != "[2]" {
		t.Errorf("the row after a deep one: %v", fault)
	}
}

// TestDeepTexts: JSON within a text, or in a template, has as many levels as a row at
// most, and of what has more nothing is left out in silence.
func TestDeepTexts(t *testing.T) {
	brackets := func(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }
	flat := syncdef.Field{Type: syncdef.JSON, As: syncdef.AsFlat, Separator: "_"}
	made := flat
	made.Value = ptr(`{"a":{{v}},"b":1}`)
	for _, c := range []struct {
		name       string
		field      syncdef.Field
		text, want string // of the column, with a * for the levels; with few of them
		passes     bool   // with any levels
	}{
		{"join", syncdef.Field{As: syncdef.AsJoin}, `["a",*,"b"]`, "v not_a_string", false},
		{"set", syncdef.Field{Type: syncdef.MultiPicklist}, `["a",*,"b"]`, "v not_a_string", false},
		{"member", syncdef.Field{Source: "v.plan"}, ` {"x":*,"plan":"gold"} `, `"gold"`, false},
		{"member before", syncdef.Field{Source: "v.plan"}, `{"plan":"gold","x":*}`, `"gold"`, false},
		{"element", syncdef.Field{Source: "v[1]"}, `[*,"gold"]`, `"gold"`, false},
		{"spread", syncdef.Field{Type: syncdef.JSON, Destination: "*"}, `{"x":*,"plan":"gold"}`, `{"x":*,"plan":"gold"}`, false},
		{"flat", flat, `{"x":{"y":*},"plan":"gold"}`, `{"x_y":"*","plan":"gold"}`, false},
		{"as it is", syncdef.Field{}, `[*]`, `"[*]"`, true},
		{"JSON as it is", syncdef.Field{Type: syncdef.JSON}, `[*]`, `"[*]"`, true},
		{"no JSON", syncdef.Field{As: syncdef.AsJoin}, `[*`, `"[*"`, true},
		{"more than JSON", syncdef.Field{As: syncdef.AsJoin}, `[*] x`, `"[*] x"`, true},
	} {
		if c.field.Source == "" {
			c.field.Source = "v"
		}
		if c.field.Destination == "" {
			c.field.Destination = "V"
		}
		m := compiledRules(t, &syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{c.field}}, syncdef.Rules{Spread: true})
		for _, levels := range []int{2, 997, 999, 1500, 20_000} {
			text, _ := jsontext.AppendQuote(nil, strings.ReplaceAll(c.text, "*", brackets(levels)))
			got := result(m.Map(jsontext.Value(`{"id":1,"v":` + string(text) + `}`)))
			want := strings.ReplaceAll(c.want, "*", brackets(levels))
			if levels > 997 && !c.passes {
				want = c.field.Source + " too_deep"
			}
			if got["value0"]+got["fault"] != want {
				t.Errorf("%s, %d levels: %.40s, want %.40s", c.name, levels, got, want)
			}
		}
	}
	for levels, want := range map[int]string{997: `{"a":"` + brackets(997) + `","b":1}`, 999: "V too_deep"} {
		made.Destination = "V"
		got := result(compiled(t, made).Map(jsontext.Value(`{"id":1,"v":` + brackets(levels) + `}`)))
		if got["value0"]+got["fault"] != want {
			t.Errorf("a template of %d levels: %.40s", levels, got)
		}
	}
	for key, f := range map[string]syncdef.Field{"value: ": {Value: ptr(brackets(1500))}, "default: ": {Source: "v", Default: ptr(brackets(1500))}} {
		f.Destination, f.Type = "V", syncdef.JSON
		if _, err := Compile(&syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{f}}, syncdef.Rules{}); err == nil || !strings.Contains(err.Error(), key+"it nests more than 1000 levels deep") {
			t.Errorf("%s%.100v", key, err)
		}
	}
}
