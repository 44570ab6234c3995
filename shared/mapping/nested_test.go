package mapping

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// to is a field from a column to a destination.
func to(source, destination string, t syncdef.Type) syncdef.Field {
	return syncdef.Field{Source: source, Destination: destination, Type: t}
}

func TestNestedDestinations(t *testing.T) {
	skip := to("b", "list[1]", "")
	skip.OnNull = syncdef.SkipNull
	def := &syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{
		to("a", "address.city", ""), to("n", "score", syncdef.Number), to("b", `address.geo."lat`, syncdef.Number),
		to("a", "list[0]", ""), skip, to("j", "list[2].x", syncdef.JSON), to("b", "gone.x.y", ""), to("n", `dot\.ted`, syncdef.Number),
	}}
	m := compiledRules(t, def, syncdef.Rules{Nested: true})
	want := []string{"address", "score", "list", "gone", "dot.ted"}
	if diff := cmp.Diff(want, m.p.Names()); diff != "" || len(m.p.Tags()) != len(want) {
		t.Fatal(diff)
	}
	for in, want := range map[string][]string{
		`{"id":1,"a":"x","n":1.50,"b":7.0,"j":{"k": 1}}`: {`{"city":"x","geo":{"\"lat":7.0}}`, `1.50`, `["x","7.0",{"x":{"k": 1}}]`, `{"x":{"y":"7.0"}}`, `1.50`},
		`{"id":1,"a":"x","n":null,"b":null,"j":null}`:    {`{"city":"x","geo":null}`, `null`, `["x",null]`, `null`, `null`},
		`{"id":1,"a":null,"n":1,"b":null,"j":null}`:      {`null`, `1`, `null`, `null`, `1`},
	} {
		mapped, fault := m.Map(jsontext.Value(in))
		if fault != nil {
			t.Fatal(fault)
		}
		var got []string
		for i, v := range mapped.Values {
			if !v.IsValid() || !mapped.Canonical[i].IsValid() {
				t.Errorf("%s: field %d is %s, compared as %s", in, i, v, mapped.Canonical[i])
			}
			got = append(got, string(v))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", in, diff)
		}
	}
}

// A built field is compared by value, and changes when a part of it does.
func TestNestedFingerprints(t *testing.T) {
	m := compiledRules(t, &syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Fields: []syncdef.Field{
		to("n", "a.n", syncdef.Number), to("j", "a.j", syncdef.JSON),
	}}, syncdef.Rules{Nested: true})
	print := func(in string) (row.Fingerprint, uint32) {
		mapped, fault := m.Map(jsontext.Value(in))
		if fault != nil {
			t.Fatal(fault)
		}
		p, _ := row.Digest(m.p.Tags(), mapped.Canonical, nil)
		return p, ledger.FieldHash(mapped.Canonical[0])
	}
	p, h := print(`{"id":1,"n":1,"j":{"x":1}}`)
	if again, hash := print(`{"id":1,"n":"1.0","j":{ "x" : 1 }}`); again != p || hash != h {
		t.Error("the same values in another spelling are another record")
	}
	if other, hash := print(`{"id":1,"n":1,"j":{"x":2}}`); other == p || hash == h {
		t.Error("another value is the same record")
	}
}

// A plain definition's fingerprints are those of every release before.
func TestPlainFingerprintIsKept(t *testing.T) {
	p, err := Compile(benchDefinition(), benchRules)
	if err != nil {
		t.Fatal(err)
	}
	mapped, fault := p.Mapper().Map(jsontext.Value(benchRow))
	if fault != nil {
		t.Fatal(fault)
	}
	print, _ := row.Digest(p.Tags(), mapped.Canonical, nil)
	const want = "943e9de0fa3a99c7ad6502d1d76bc254"
	if got := hex.EncodeToString(print[:]); got != want {
		t.Errorf("%s, want %s: every record of every sync would be sent again", got, want)
	}
}

func TestNestedFaults(t *testing.T) {
	for name, fields := range map[string][]string{
		"twice":               {"a.b", "A.b"},
		"whole and part":      {"a", "a.b"},
		"part and whole":      {"a.b", "a"},
		"list and object":     {"a[0]", "a.b"},
		"a gap":               {"a[0]", "a[2]"},
		"no path":             {"a."},
		"a gap in the middle": {"a.b[1]"},
	} {
		def := &syncdef.Definition{Sync: "s", RecordID: []string{"id"}}
		for _, f := range fields {
			def.Fields = append(def.Fields, to("v", f, ""))
		}
		if _, err := Compile(def, syncdef.Rules{Nested: true}); err == nil || !strings.Contains(err.Error(), "destination") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Compile(def, syncdef.Rules{}); err != nil {
			t.Errorf("%s, of names: %v", name, err)
		}
	}
}
