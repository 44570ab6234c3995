package mapping_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// What a destination shows is brought into the form in which the row sent it, and what a
// definition does to a row's value is not done to it: what people changed stays changed.
func TestReadBack(t *testing.T) {
	one, abyss := 1, strings.Repeat("[", 1500)+strings.Repeat("]", 1500)
	for name, c := range map[string]struct {
		field       syncdef.Field
		sent, shown string
		same        bool
	}{
		"text":                     {syncdef.Field{}, `"a"`, `"a"`, true},
		"another text":             {syncdef.Field{}, `"a"`, `"b"`, false},
		"an escaped text":          {syncdef.Field{}, `"\u0041\/"`, `"A/"`, true},
		"an empty text":            {syncdef.Field{}, `""`, `null`, true},
		"a null":                   {syncdef.Field{}, `null`, `null`, true},
		"a text that was emptied":  {syncdef.Field{}, `"a"`, `null`, false},
		"lowered":                  {syncdef.Field{Transform: []string{"lower"}}, `"A"`, `"a"`, true},
		"lowered, then raised":     {syncdef.Field{Transform: []string{"lower"}}, `"A"`, `"A"`, false},
		"cut":                      {syncdef.Field{MaxLength: 2, OnTooLong: syncdef.TruncateLong}, `"abc"`, `"ab"`, true},
		"cut, then longer":         {syncdef.Field{MaxLength: 2, OnTooLong: syncdef.TruncateLong}, `"abc"`, `"abx"`, false},
		"a number's digits":        {syncdef.Field{Type: syncdef.Number}, `"1.50"`, `1.5`, true},
		"a number's exponent":      {syncdef.Field{Type: syncdef.Number}, `1e2`, `100.0`, true},
		"a number as text":         {syncdef.Field{Type: syncdef.Number}, `100`, `"100.00"`, true},
		"rounded":                  {syncdef.Field{Type: syncdef.Number, Scale: &one}, `85.55`, `85.6`, true},
		"rounded, then finer":      {syncdef.Field{Type: syncdef.Number, Scale: &one}, `85.55`, `85.61`, false},
		"beyond the bounds now":    {syncdef.Field{Type: syncdef.Number, Max: "100"}, `100`, `101`, false},
		"a whole number":           {syncdef.Field{Type: syncdef.Integer}, `9007199254740993`, `9007199254740993`, true},
		"a small whole number":     {syncdef.Field{Type: syncdef.Integer}, `7`, `7.0`, true},
		"no number now":            {syncdef.Field{Type: syncdef.Number}, `7`, `"seven"`, false},
		"a boolean":                {syncdef.Field{Type: syncdef.Boolean}, `"yes"`, `true`, true},
		"a boolean as text":        {syncdef.Field{Type: syncdef.Boolean}, `true`, `"true"`, true},
		"an instant":               {syncdef.Field{Type: syncdef.DateTime, TimeZone: "Europe/Berlin"}, `"2026-01-15 10:30:00"`, `"2026-01-15T09:30:00.000+0000"`, true},
		"another instant":          {syncdef.Field{Type: syncdef.DateTime}, `"2026-01-15 10:30:00"`, `"2026-01-15T10:30:01.000+0000"`, false},
		"an epoch":                 {syncdef.Field{Type: syncdef.DateTime, Format: "epoch_seconds"}, `1700000000`, `"2023-11-14T22:13:20Z"`, true},
		"a day":                    {syncdef.Field{Type: syncdef.Date}, `"2026-01-15T23:00:00Z"`, `"2026-01-15"`, true},
		"a picklist's spelling":    {syncdef.Field{Type: syncdef.Picklist, Values: []string{"At Risk", "Healthy"}}, `"at risk"`, `"At Risk"`, true},
		"a picklist's other value": {syncdef.Field{Type: syncdef.Picklist, Values: []string{"At Risk", "Healthy"}}, `"at risk"`, `"Healthy"`, false},
		"an unknown value's place": {syncdef.Field{Type: syncdef.Picklist, Values: []string{"a", "b"}, OnUnknown: syncdef.DefaultUnknown, Default: new("b")}, `"x"`, `"b"`, true},
		"an unknown value now":     {syncdef.Field{Type: syncdef.Picklist, Values: []string{"a", "b"}, OnUnknown: syncdef.DefaultUnknown, Default: new("b")}, `"x"`, `"y"`, false},
		"a null's place":           {syncdef.Field{OnNull: syncdef.DefaultNull, Default: new("none")}, `null`, `"none"`, true},
		"a null's place, emptied":  {syncdef.Field{OnNull: syncdef.DefaultNull, Default: new("none")}, `null`, `null`, false},
		"a set in another order":   {syncdef.Field{Type: syncdef.MultiPicklist}, `["b","a"]`, `"b;a"`, true},
		"an address":               {syncdef.Field{Type: syncdef.Email}, `" Jo@EXAMPLE.com"`, `"Jo@example.com"`, true},
		"an address in small":      {syncdef.Field{Type: syncdef.Email}, `"Jo@example.com"`, `"jo@example.com"`, false},
		"an object":                {syncdef.Field{Type: syncdef.JSON}, `{"b": [1, "x"]}`, `{"b":[1,"x"]}`, true},
		"an object in a text":      {syncdef.Field{Type: syncdef.JSON}, `{"b": [1, "x"]}`, `"{\"b\": [1, \"x\"]}"`, true},
		"another object in a text": {syncdef.Field{Type: syncdef.JSON}, `{"b": [1]}`, `"{\"b\": [2]}"`, false},
		"a list that was deepened": {syncdef.Field{As: syncdef.AsJoin}, `["a"]`, `["a",` + abyss + `]`, false},
		"a flat one, deepened":     {syncdef.Field{Type: syncdef.JSON, As: syncdef.AsFlat}, `{"a":1}`, `{"a":1,"b":` + abyss + `}`, false},
	} {
		c.field.Source, c.field.Destination = "v", "V"
		def := syncdef.Definition{Sync: "s", RecordID: []string{"k"}, Fields: []syncdef.Field{c.field}}
		p, err := mapping.Compile(&def, syncdef.Rules{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m := p.Mapper()
		mapped, fault := m.Map(jsontext.Value(`{"k":"1","v":` + c.sent + `}`))
		if fault != nil {
			t.Errorf("%s: %s", name, fault.Message)
			continue
		}
		sent := string(mapped.Canonical[0])
		forms := m.ReadBack(0, jsontext.Value(c.shown))
		if got := slices.ContainsFunc(forms, func(f jsontext.Value) bool { return string(f) == sent }); got != c.same {
			t.Errorf("%s: sent %s, shown %s, read back as %s", name, sent, c.shown, forms)
		}
		if p.Comparable(0) != "" {
			t.Errorf("%s: cannot be compared: %s", name, p.Comparable(0))
		}
	}
}
