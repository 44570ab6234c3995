package mapping

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/syncdef"
)

func fuzzFields() []syncdef.Field {
	return []syncdef.Field{
		{Type: syncdef.JSON}, {Type: syncdef.String}, {Type: syncdef.String, MaxLength: 3, OnTooLong: syncdef.TruncateLong, Transform: []string{"trim", "upper", "lower"}},
		{Type: syncdef.Number}, {Type: syncdef.Number, Scale: ptr(2)}, {Type: syncdef.Number, Min: "-5", Max: "1e3"}, {Type: syncdef.Integer}, {Type: syncdef.Boolean},
		{Type: syncdef.Date}, {Type: syncdef.DateTime, TimeZone: "Asia/Kolkata"}, {Type: syncdef.DateTime, Format: "epoch_seconds"}, {Type: syncdef.Date, Format: "epoch_milliseconds"},
		{Type: syncdef.Picklist, Values: []string{"a", "B"}}, {Type: syncdef.Email, Transform: []string{"lower"}},
		{As: syncdef.AsJoin, Separator: "-", Transform: []string{"upper"}}, {As: syncdef.AsJSON}, {Type: syncdef.MultiPicklist}, {Type: syncdef.JSON, As: syncdef.AsFlat, Separator: "_"}, {Type: syncdef.MultiPicklist, Values: []string{"a", "B"}},
		{Value: ptr(`x "{{v}}" {{v}}`)}, {Value: ptr("{{v.a}}{{v[0]}}"), Type: syncdef.Number}, {Value: ptr(`{"a": [{{v}}], "b": "{{v}}"}`), Type: syncdef.JSON},
	}
}

// FuzzMap: no value makes Map panic or answer something that is no JSON, and a
// mapper that has seen all earlier rows agrees with a new one. Each field is
// mapped alone, as the first fault ends a row.
func FuzzMap(f *testing.F) {
	for _, v := range []string{`"2024-01-15 10:30:00.123+05:30"`, `"Mon, 15 Jan 2024 10:30:00 GMT"`, `1e400`, `-0.055`, `" A@B.co "`, `"\ud83d\ude80\n"`, `{"a":["}"]}`, `null`, `true`, `"https://www.x.de:80/y"`, `"+1e-399"`, `1705314600.5`, `1,"w":2`} {
		f.Add([]byte(v))
	}
	var used []*Mapper
	for i, field := range fuzzFields() {
		if field.Destination = "F"; field.Value == nil {
			field.Source = "v"
		}
		strategy := []syncdef.Strategy{syncdef.MatchName, syncdef.MatchEmailDomain, syncdef.MatchEmail}[i%3]
		p, err := Compile(&syncdef.Definition{Sync: "s", RecordID: []string{"v"}, Strategy: strategy, Match: syncdef.Match{Source: "v"}, Fields: []syncdef.Field{field}}, syncdef.Rules{Identity: keyRules[strategy]})
		if err != nil {
			f.Fatal(err)
		}
		used = append(used, p.Mapper())
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		object := jsontext.Value(`{"v":` + string(v) + `}`)
		valid := object.IsValid()
		for i, m := range used {
			mapped, fault := m.Map(object)
			if valid && mapped.Values != nil && mapped.Values[0] != nil && !mapped.Values[0].IsValid() {
				t.Errorf("field %d: %s becomes %s", i, v, mapped.Values[0])
			}
			if valid && mapped.Values != nil && mapped.Canonical[0] != nil && !mapped.Canonical[0].IsValid() {
				t.Errorf("field %d: %s is compared as %s", i, v, mapped.Canonical[0])
			}
			if d := cmp.Diff(result(m.p.Mapper().Map(object)), result(mapped, fault)); d != "" {
				t.Errorf("field %d: a used mapper differs: %s", i, d)
			}
		}
	})
}

// FuzzScan compares the scanner with jsontext's decoder on every valid object.
func FuzzScan(f *testing.F) {
	f.Add([]byte(benchRow))
	f.Add([]byte(` { "a\"b" : [1,{"c":"]}"}] , "\\":"\\\"", "é" : -1.5e3,"x":{} , "y" : null } `))
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"0123456":"01234567","01234567":"\\\\\\\\\\\\\\\\","q":"\"\"\"\"\"\"\"\""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r members
		laid := newLayout(nil)
		seen := &laid
		ok := r.scan(b, seen) // on anything at all: no panic
		v := jsontext.Value(b)
		if !v.IsValid() || r.deep {
			return
		}
		if ok != (v.Kind() == '{') {
			t.Fatalf("%s: taken for an object: %v", b, ok)
		}
		if !ok {
			return
		}
		compareMembers(t, b, &r)
		seen.learn(b, &r)
		if !r.scan(b, seen) || !r.familiar {
			t.Errorf("%s: not familiar the second time", b)
		}
		compareMembers(t, b, &r)
	})
}

func compareMembers(t *testing.T, b []byte, r *members) {
	d := jsontext.NewDecoder(bytes.NewReader(b))
	if _, err := d.ReadToken(); err != nil {
		t.Fatal(err)
	}
	i := 0
	for ; d.PeekKind() != '}'; i++ {
		name, err := d.ReadValue()
		if err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		if !r.familiar && (i >= len(r.names) || string(name) != string(b[r.names[i].start:r.names[i].end])) {
			t.Fatalf("%s: name %d is not %s", b, i, name)
		}
		value, err := d.ReadValue()
		if err != nil {
			t.Fatal(err)
		}
		if i >= len(r.values) || string(value) != string(r.value(i)) {
			t.Fatalf("%s: value %d is not %s", b, i, value)
		}
	}
	if i != len(r.values) {
		t.Fatalf("%s: %d members, want %d", b, len(r.values), i)
	}
}

// FuzzRows: whatever row came before, a row maps as it does in a new mapper.
func FuzzRows(f *testing.F) {
	f.Add([]byte(`{}`), []byte(`{"id":1,"a":"x","b":2}`))
	f.Add([]byte(`{"ID":1,"A":"x","b":2}`), []byte(`{"b":1,"id":"","a":null}`))
	f.Add([]byte(`{"id":1,"a":"x"}`), []byte(`{"id":1,"a":"x","A":"y","\u0062":2}`))
	p, err := Compile(&syncdef.Definition{Sync: "s", RecordID: []string{"id", "a"}, Fields: []syncdef.Field{
		{Source: "a", Destination: "A", Transform: []string{"upper"}}, {Source: "b", Destination: "B", Type: syncdef.JSON, OnNull: syncdef.SkipNull}}}, syncdef.Rules{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, before, object []byte) {
		m := p.Mapper()
		m.Map(before)
		got, fault := m.Map(object)
		if d := cmp.Diff(result(p.Mapper().Map(object)), result(got, fault)); d != "" {
			t.Errorf("%s after %s: %s", object, before, d)
		}
	})
}
