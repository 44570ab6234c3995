package hubspot_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/hubspot"
	"github.com/penstock-data/penstock/shared/sandbox"
	simulator "github.com/penstock-data/penstock/shared/sandbox/hubspot"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/metadata"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

var conns = syncdef.Connections{{Name: "crm", Type: "hubspot"}}

// faults are the paths that a definition is blamed for.
func faults(t *testing.T, src string) string {
	t.Helper()
	_, _, err := yamlfile.Parse("a.yaml", []byte(src), conns, dest.Kinds(known))
	var list syncdef.Faults
	if err != nil && !errors.As(err, &list) {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range list {
		paths = append(paths, f.Path)
	}
	return strings.Join(paths, " ")
}

func TestDefinitions(t *testing.T) {
	const mapped = "field_mappings: [{source: a, destination: firstname}]\n"
	contacts := "connection: crm\ndestination_object: contacts\n"
	byID := func(operation string) string {
		return contacts + "matching_strategy: field\noperation: " + operation + "\nmatch: {source: id, destination: hs_object_id}\n" + mapped
	}
	for name, c := range map[string]struct{ src, want string }{
		"by email":            {contacts + "matching_strategy: email\n" + mapped, ""},
		"the match mapped":    {contacts + "matching_strategy: email\nfield_mappings: [{source: email, destination: email}]\n", ""},
		"any object":          {"connection: crm\ndestination_object: p4711_car\nmatching_strategy: external_id\nmatch: {source: id, destination: plate}\n" + mapped, ""},
		"by id":               {byID("update"), ""},
		"upsert by id":        {byID("upsert"), "operation"},
		"insert by id":        {byID("insert"), "operation"},
		"id mapped":           {contacts + "matching_strategy: email\nfield_mappings: [{source: a, destination: hs_object_id}]\n", "field_mappings[0].destination"},
		"upper case":          {contacts + "matching_strategy: email\nfield_mappings: [{source: a, destination: FirstName}]\n", "field_mappings[0].destination"},
		"no name":             {contacts + "matching_strategy: email\nfield_mappings: [{source: a, destination: first name}]\n", "field_mappings[0].destination"},
		"no object":           {"connection: crm\ndestination_object: \"a/b\"\nmatching_strategy: external_id\nmatch: {source: id, destination: plate}\n" + mapped, "destination_object"},
		"companies by email":  {"connection: crm\ndestination_object: companies\nmatching_strategy: email\n" + mapped, "match.destination"},
		"by name":             {contacts + "matching_strategy: name\n" + mapped, "matching_strategy"},
		"an upsert reports":   {contacts + "matching_strategy: email\non_missing: report\n" + mapped, "on_missing"},
		"an update creates":   {contacts + "matching_strategy: email\noperation: update\non_missing: create\n" + mapped, "on_missing"},
		"email with case":     {contacts + "matching_strategy: email\nmatch: {case: true}\n" + mapped, "match.case"},
		"keep_json of a text": {contacts + "matching_strategy: email\nfield_mappings: [{source: a, destination: b, keep_json: true}]\n", "field_mappings[0].keep_json"},
	} {
		if got := faults(t, c.src); got != c.want {
			t.Errorf("%s: blamed %q, want %q", name, got, c.want)
		}
	}
}

func TestConnections(t *testing.T) {
	for src, want := range map[string]string{
		"connections: {a: {type: hubspot}}":                                          "",
		"connections: {a: {type: hubspot, url: 'http://api.hubapi.com'}}":            "url",
		"connections: {a: {type: hubspot, url: 'https://api.hubapi.com/crm'}}":       "url",
		"connections: {a: {type: hubspot, calls_per_10s: 1}}":                        "calls_per_10s",
		"connections: {a: {type: hubspot, calls_per_10s: 100, quota: {share: 101}}}": "share",
	} {
		_, err := yamlfile.ParseConnections("connections.yaml", []byte(src+"\n"), dest.Kinds(known))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", src, err, want)
		}
	}
}

// The account's windows are the connection's share of what it says.
func TestLimits(t *testing.T) {
	cfg := dest.Config{Secret: func(context.Context) (map[string]string, error) { return nil, nil }}
	cfg.Connection.Options = map[string]string{"calls_per_10s": "100"}
	cfg.Connection.Quota = syncdef.Quota{CallsPerDay: 1000, Share: 20}
	a, err := hubspot.Vendor.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(a.Limits().Windows("")); got != fmt.Sprintf("[{%d %v} {%d %v}]", 20, 10*time.Second, 200, 24*time.Hour) {
		t.Error(got)
	}
	cfg.Connection = syncdef.Connection{}
	if a, err = hubspot.Vendor.Open(cfg); err != nil || a.Limits().Windows("")[0].Calls != 95 {
		t.Errorf("%v, %v", a.Limits().Windows(""), err)
	}
}

// A property's own rules: its type, and whether its values are unique.
func TestMatchField(t *testing.T) {
	w := start(t, options(), byEmail)
	describer := w.account.(dest.Describer)
	for property, want := range map[string]dest.MatchField{
		"customer_id": {Known: true, Type: syncdef.MatchText}, "email": {Known: true, Type: syncdef.MatchText}, "nope": {},
	} {
		def := matching(syncdef.Upsert, property)
		if got, err := describer.MatchField(t.Context(), &def); err != nil || got != want {
			t.Errorf("%s: %+v, %v", property, got, err)
		}
	}
	def := matching(syncdef.Upsert, "firstname")
	var call *dest.CallError
	if _, err := describer.MatchField(t.Context(), &def); !errors.As(err, &call) || call.Class != dest.Configuration || call.Scope != dest.ScopeVersion || !strings.Contains(call.Message, "unique") {
		t.Errorf("firstname: %v", err)
	}
}

// Before the first row, a definition is held against the account's metadata.
func TestInspect(t *testing.T) {
	opts := options()
	opts.Schema = simulator.DefaultSchema()
	opts.Schema[0].Properties = append(opts.Schema[0].Properties, simulator.Property{Name: "tier", Type: "enumeration", FieldType: "select", Options: []string{"gold"}, Required: true})
	w := start(t, opts, byEmail)
	wrong := "silver"
	def := byEmail
	def.Fields = []syncdef.Field{
		{Source: "a", Destination: "firstname", Type: syncdef.String, MaxLength: 70_000},
		{Source: "b", Destination: "nope", Type: syncdef.String},
		{Source: "c", Destination: "createdate", Type: syncdef.DateTime},
		{Source: "d", Destination: "ltv_usd", Type: syncdef.Boolean},
		{Source: "e", Destination: "ltv_segment", Type: syncdef.Picklist, Values: []string{"high", "enormous"}},
		{Source: "f", Destination: "renewal_date", Type: syncdef.DateTime},
		{Source: "g", Destination: "interests", Type: syncdef.JSON},
		{Source: "h", Destination: "hs_lead_status", Type: syncdef.JSON},
		{Source: "i", Destination: "lifecyclestage", Type: syncdef.String, Default: &wrong},
	}
	paths := func(def syncdef.Definition) (out []string) {
		object, err := w.account.(dest.Inspector).Describe(t.Context(), &def)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range metadata.Check(&def, object).Faults {
			out = append(out, f.Path)
		}
		return out
	}
	want := []string{"field_mappings[0].max_length", "field_mappings[1].destination", "field_mappings[2].destination", "field_mappings[3].data_type", "field_mappings[4].values[1]",
		"field_mappings[5].data_type", "field_mappings[7].data_type", "field_mappings[8].default", "field_mappings"}
	if d := cmp.Diff(want, paths(def)); d != "" {
		t.Error(d)
	}
	def.Fields = []syncdef.Field{{Source: "a", Destination: "tier", Type: syncdef.String}, {Source: "b", Destination: "ltv_usd", Type: syncdef.Number}}
	if got := paths(def); got != nil {
		t.Errorf("a good one: %v", got)
	}
	def.Strategy, def.Match.Destination = syncdef.MatchField, "firstname"
	if got := paths(def); !slices.Equal(got, []string{"match.destination"}) {
		t.Errorf("not unique: %v", got)
	}
	def.Object = "starships"
	var call *dest.CallError
	if _, err := w.account.(dest.Inspector).Describe(t.Context(), &def); !errors.As(err, &call) || call.Class != dest.Configuration || call.Scope != dest.ScopeVersion {
		t.Errorf("no object: %v", err)
	}
}

// What penstock init writes is sound, for contacts and for other objects.
func TestExample(t *testing.T) {
	e := hubspot.Kind.Example
	var usual []syncdef.Column
	for _, name := range e.Rows[0] {
		usual = append(usual, syncdef.Column{Name: name, Type: syncdef.String})
	}
	key, given, work, home := syncdef.Column{Name: "customer_id", Type: syncdef.Integer}, syncdef.Column{Name: "hs_object_id"}, syncdef.Column{Name: "Work Mail", Type: syncdef.Email}, syncdef.Column{Name: "Email"}
	for _, c := range []struct {
		object, match string
		columns       []syncdef.Column
	}{
		{e.Object, `match: {source: "email", destination: email}`, usual},
		{e.Object, `match: {source: "Email", destination: email}`, []syncdef.Column{key, work, home}},
		{e.Object, `match: {source: "Work Mail", destination: email}`, []syncdef.Column{key, work, {Name: "name"}}},
		{e.Object, `match: {source: "customer_id", destination: customer_id}`, []syncdef.Column{key, given, {Name: "name"}}},
		{"companies", `match: {source: "customer_id", destination: customer_id}`, usual},
	} {
		object, columns := c.object, c.columns
		if got := e.Target(object, "customer_id", columns); !slices.Contains(got, c.match) {
			t.Errorf("%s: %q, want %s", object, got, c.match)
		}
		lines := append([]string{"connection: crm"}, e.Target(object, "customer_id", columns)...)
		lines = append(lines, "field_mappings:")
		for _, f := range e.Fields("customer_id", columns) {
			lines = append(lines, fmt.Sprintf("  - {source: %q, destination: %s}", f.Source, f.Destination))
		}
		if got := faults(t, strings.Join(lines, "\n")+"\n"); got != "" {
			t.Errorf("%s: blamed %s", object, got)
		}
	}
}

// A token that was replaced is read anew, once, and the call goes on.
func TestTokenIsReadAnew(t *testing.T) {
	w := start(t, options(), byEmail)
	token, reads := "pat-old", 0
	cfg := w.cfg
	cfg.Secret = func(context.Context) (map[string]string, error) {
		reads++
		defer func() { token = "pat-test" }()
		return map[string]string{"token": token}, nil
	}
	a, err := hubspot.Vendor.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Probe(t.Context()); err != nil || reads != 2 || a.APICalls() != 2 {
		t.Errorf("%v, %d reads, %d calls", err, reads, a.APICalls())
	}
}

// A key that may not ask whose it is is a key all the same: nothing is pinned, and the
// probe answers.
func TestKeyWithoutAccountScope(t *testing.T) {
	w := start(t, options(), byEmail)
	if err := w.sim.Core().AddFault(sandbox.Fault{Match: "/account-info", Status: 403, Count: -1, Body: `{"status":"error","category":"MISSING_SCOPES","message":"x"}`}); err != nil {
		t.Fatal(err)
	}
	if id, err := w.account.Identity(t.Context()); id != "" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	if err := w.account.Probe(t.Context()); err != nil {
		t.Error(err)
	}
}

// The version of the API stands in one place.
func TestVersionIsInOnePlace(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") || f == "doc.go" {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		n += strings.Count(string(b), "2026-")
	}
	if n != 1 {
		t.Errorf("a dated version stands in %d places", n)
	}
}
