package mapping

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// conv is one conversion: the column's value in, the field's value or the rule out.
type conv struct{ in, want string }

// run maps every value alone. A want that is no JSON is a rule; "skip" is nil.
func run(t *testing.T, f syncdef.Field, cases []conv) {
	t.Helper()
	f.Source, f.Destination = "v", "V"
	m := compiled(t, f)
	for _, c := range cases {
		mapped, fault := m.Map(jsontext.Value(`{"id":1,"v":` + c.in + `}`))
		got := "skip"
		switch {
		case fault != nil:
			got = fault.Rule
			if fault.Field != "v" {
				t.Errorf("%s: the fault names %q", c.in, fault.Field)
			}
		case mapped.Values[0] != nil:
			got = string(mapped.Values[0])
			if !jsontext.Value(got).IsValid() {
				t.Errorf("%s: %s is no JSON", c.in, got)
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
	}
}

func TestString(t *testing.T) {
	run(t, syncdef.Field{}, []conv{
		{`"ACME"`, `"ACME"`}, {`""`, `""`}, {`"O'Brien"`, `"O'Brien"`}, {`"日本 🚀"`, `"日本 🚀"`},
		{`"a\u0062\/c\n\"\\"`, `"ab/c\n\"\\"`}, {`"\ud83d\ude80"`, `"🚀"`},
		{`12.50`, `"12.50"`}, {`-9007199254740993`, `"-9007199254740993"`}, {`true`, `"true"`}, {`false`, `"false"`},
		{`null`, `null`}, {`{"a":1}`, `not_a_string`}, {`[]`, `not_a_string`},
	})
	run(t, syncdef.Field{Type: syncdef.String, MaxLength: 3}, []conv{
		{`"abc"`, `"abc"`}, {`"äöü"`, `"äöü"`}, {`"abcd"`, `too_long`}, {`"a\u0062c"`, `"abc"`}, {`1234`, `too_long`},
	})
	run(t, syncdef.Field{Type: syncdef.String, MaxLength: 3, OnTooLong: syncdef.TruncateLong}, []conv{
		{`"abcd"`, `"abc"`}, {`"äöüß"`, `"äöü"`}, {`"a\"\\d"`, `"a\"\\"`}, {`"🚀🚀🚀🚀"`, `"🚀"`}, {`12345`, `"123"`},
	})
}

func TestTransforms(t *testing.T) {
	run(t, syncdef.Field{Transform: []string{"trim", "upper"}, MaxLength: 4}, []conv{
		{`"  abcd "`, `"ABCD"`}, {`"ABCD"`, `"ABCD"`}, {`"äß"`, `"Äß"`}, {`"\ta\"b "`, `"A\"B"`}, {`" \u00a0 "`, `""`}, {`true`, `"TRUE"`},
	})
	run(t, syncdef.Field{Transform: []string{"lower"}}, []conv{
		{`"ABC d"`, `"abc d"`}, {`"ÄÉ"`, `"äé"`}, {`"abc"`, `"abc"`}, {`"A\\B"`, `"a\\b"`},
	})
	run(t, syncdef.Field{Type: syncdef.Picklist, Values: []string{"HIGH", "LOW"}, Transform: []string{"trim", "upper"}}, []conv{
		{`" high"`, `"HIGH"`}, {`"mid"`, `not_in_picklist`},
	})
}

func TestNull(t *testing.T) {
	run(t, syncdef.Field{OnNull: syncdef.SkipNull}, []conv{{`null`, `skip`}, {`"x"`, `"x"`}})
	run(t, syncdef.Field{OnNull: syncdef.ClearNull, Default: ptr("unused")}, []conv{{`null`, `null`}})
	run(t, syncdef.Field{OnNull: syncdef.DefaultNull, Default: ptr(`say "hi"`)}, []conv{{`null`, `"say \"hi\""`}})
	run(t, syncdef.Field{Type: syncdef.Number, OnNull: syncdef.DefaultNull, Default: ptr("1.25"), Scale: ptr(1)}, []conv{{`null`, `1.3`}})
	run(t, syncdef.Field{Type: syncdef.Boolean, OnNull: syncdef.DefaultNull, Default: ptr("no")}, []conv{{`null`, `false`}})
	run(t, syncdef.Field{Type: syncdef.DateTime, OnNull: syncdef.DefaultNull, Default: ptr("1900-01-01"), TimeZone: "Europe/Berlin"},
		[]conv{{`null`, `"1899-12-31T23:00:00.000Z"`}})
	run(t, syncdef.Field{Type: syncdef.JSON, OnNull: syncdef.DefaultNull, Default: ptr(` {"a": 1} `)}, []conv{{`null`, `{"a": 1}`}})
}

func TestBoolean(t *testing.T) {
	run(t, syncdef.Field{Type: syncdef.Boolean}, []conv{
		{`true`, `true`}, {`false`, `false`}, {`1`, `true`}, {`0`, `false`}, {`"True"`, `true`}, {`"F"`, `false`}, {`"yes"`, `true`},
		{`" no "`, `false`}, {`"1"`, `true`}, {`"0"`, `false`}, {`"t"`, `true`}, {`"false"`, `false`}, {`null`, `null`},
		{`"Y"`, `true`}, {`"n"`, `false`}, {`"ON"`, `true`}, {`" Off\u00a0"`, `false`}, {`"YES"`, `true`}, {`"T"`, `true`}, {`1.0`, `true`}, {`0e5`, `false`}, {`-0`, `false`},
		{`""`, `null`}, {`" \t"`, `null`}, {`2`, `not_a_boolean`}, {`-1`, `not_a_boolean`}, {`0.5`, `not_a_boolean`}, {`"1.0"`, `not_a_boolean`}, {`"2"`, `not_a_boolean`}, {`"tr"`, `not_a_boolean`}, {`"yess"`, `not_a_boolean`}, {`"y e s"`, `not_a_boolean`}, {`"maybe"`, `not_a_boolean`}, {`{}`, `not_a_boolean`}, {`[]`, `not_a_boolean`},
	})
}

func TestPicklist(t *testing.T) {
	risk := []string{"At Risk", "at risk", "Healthy", `5" pipe`}
	run(t, syncdef.Field{Type: syncdef.Picklist, Values: risk}, []conv{
		{`"At Risk"`, `"At Risk"`}, {`"at risk"`, `"at risk"`}, {`"AT RISK"`, `"At Risk"`}, {`"HEALTHY"`, `"Healthy"`},
		{`"5\" PIPE"`, `"5\" pipe"`}, {`"gone"`, `not_in_picklist`}, {`""`, `not_in_picklist`}, {`5`, `not_in_picklist`}, {`{}`, `not_a_string`}, {`null`, `null`},
	})
	trailing := []conv{{`"At Risk "`, `not_in_picklist`}, {`" Healthy"`, `not_in_picklist`}, {`"gone"`, `not_in_picklist`}, {`""`, `not_in_picklist`}, {`"AT RISK"`, `"At Risk"`}}
	run(t, syncdef.Field{Type: syncdef.Picklist, Values: risk}, trailing)
	run(t, syncdef.Field{Type: syncdef.Picklist, Values: risk, Default: ptr("HEALTHY")}, append(trailing, conv{`null`, `null`}))
	run(t, syncdef.Field{Type: syncdef.Picklist, Values: risk, Default: ptr("HEALTHY"), OnNull: syncdef.DefaultNull}, append(trailing, conv{`null`, `"Healthy"`}))
	run(t, syncdef.Field{Type: syncdef.Picklist, Values: risk, Default: ptr("HEALTHY"), OnNull: syncdef.DefaultNull, OnUnknown: syncdef.RejectUnknown}, append(trailing, conv{`null`, `"Healthy"`}))
	run(t, syncdef.Field{Type: syncdef.Picklist, Values: risk, Default: ptr("HEALTHY"), OnNull: syncdef.SkipNull, OnUnknown: syncdef.DefaultUnknown},
		[]conv{{`"gone"`, `"Healthy"`}, {`"At Risk "`, `"Healthy"`}, {`"at risk"`, `"at risk"`}, {`null`, `skip`}, {`{}`, `not_a_string`}})
	run(t, syncdef.Field{Type: syncdef.Picklist, Values: risk, Transform: []string{"trim"}}, []conv{{`"At Risk "`, `"At Risk"`}})
	run(t, syncdef.Field{Type: syncdef.Picklist, MaxLength: 5}, []conv{{`"any"`, `"any"`}, {`"longer"`, `too_long`}})
	run(t, syncdef.Field{Type: syncdef.Picklist, Values: []string{"1", "2"}}, []conv{{`1`, `"1"`}})
}

func TestJSON(t *testing.T) {
	run(t, syncdef.Field{Type: syncdef.JSON, Transform: []string{"upper"}}, []conv{
		{`{ "a":[1, 9007199254740993,"\u0041"] }`, `{ "a":[1, 9007199254740993,"\u0041"] }`},
		{`"x"`, `"x"`}, {`1e400`, `1e400`}, {`[ ]`, `[ ]`}, {`true`, `true`}, {`null`, `null`},
		{`{"s":"}]\"{"}`, `{"s":"}]\"{"}`},
	})
}

func TestEmail(t *testing.T) {
	run(t, syncdef.Field{Type: syncdef.Email, MaxLength: 40, OnTooLong: syncdef.TruncateLong}, []conv{
		{`"john.doe+x@acmecorp.com"`, `"john.doe+x@acmecorp.com"`}, {`" John@ACME.Com "`, `"John@acme.com"`}, {`" a@b.co"`, `"a@b.co"`},
		{`"a_b%c-d@sub.acme-corp.museum"`, `"a_b%c-d@sub.acme-corp.museum"`}, {`"o'brien@acme.ie"`, `"o'brien@acme.ie"`}, {`"\u0061@b.co"`, `"a@b.co"`},
		{`"not-an-email"`, `not_an_email`}, {`"@acme.com"`, `not_an_email`}, {`"a@"`, `not_an_email`}, {`"a@b"`, `not_an_email`},
		{`"a@b.c"`, `not_an_email`}, {`"a@b.c1"`, `not_an_email`}, {`"a@@b.co"`, `not_an_email`}, {`"a b@b.co"`, `not_an_email`},
		{`"a@b..co"`, `not_an_email`}, {`"a@.co"`, `not_an_email`}, {`"a@b.co."`, `not_an_email`}, {`"ä@b.co"`, `not_an_email`}, {`"a@B\u00fccher.de"`, `"a@xn--bcher-kva.de"`}, {`"\"a b\"@C.co"`, `"\"a b\"@c.co"`}, {`"\"a\\\\b\"@c.co"`, `"\"a\\\\b\"@c.co"`}, {`"a..b@c.co"`, `not_an_email`}, {`".a@c.co"`, `not_an_email`}, {`"a.@c.co"`, `not_an_email`}, {`"a@-c.co"`, `not_an_email`},
		{`""`, `not_an_email`}, {`7`, `not_an_email`}, {`{}`, `not_an_email`}, {`null`, `null`},
		{`"` + strings.Repeat("a", 36) + `@b.co"`, `too_long`},
	})
}
