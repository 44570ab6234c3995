package syncdef_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// changes are edits that people make, by name.
var changes = map[string]func(*syncdef.Definition, *syncdef.Rules){
	"scale":      func(d *syncdef.Definition, _ *syncdef.Rules) { two := 2; d.Fields[0].Scale = &two },
	"no scale":   func(d *syncdef.Definition, _ *syncdef.Rules) { d.Fields[0].Scale = nil },
	"no minimum": func(d *syncdef.Definition, _ *syncdef.Rules) { d.Fields[0].Min = "" },
	"a mapping added": func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Fields = append(d.Fields, syncdef.Field{Source: "seats", Destination: "Seats__c", Type: syncdef.Integer, OnNull: syncdef.ClearNull})
	},
	"a mapping removed": func(d *syncdef.Definition, _ *syncdef.Rules) { d.Fields = slices.Delete(d.Fields, 1, 2) },
	"mappings in another order": func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Fields[0], d.Fields[1] = d.Fields[1], d.Fields[0]
	},
	"a value with a quote": func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Fields[1].Values = []string{"At Risk", `Healthy "now"`}
	},
	"a blank default":       func(d *syncdef.Definition, _ *syncdef.Rules) { blank := ""; d.Fields[1].Default = &blank },
	"lanes":                 func(d *syncdef.Definition, _ *syncdef.Rules) { d.Lanes = 8 },
	"object":                func(d *syncdef.Definition, _ *syncdef.Rules) { d.Object = "Contact" },
	"connection":            func(d *syncdef.Definition, _ *syncdef.Rules) { d.Connection = "salesforce_eu" },
	"the connection's type": func(_ *syncdef.Definition, r *syncdef.Rules) { r.Type = "desk" },
	"the rule of identity": func(_ *syncdef.Definition, r *syncdef.Rules) {
		r.Identity = row.Identity{Steps: []row.Step{row.StepDomain}}
	},
	"the options": func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Options = json.RawMessage(`{"gather_over":20,"room":"#<other>"}`)
	},
	"no options":             func(d *syncdef.Definition, _ *syncdef.Rules) { d.Options = nil },
	"retry":                  func(d *syncdef.Definition, _ *syncdef.Rules) { d.Retry = nil },
	"the match field's case": func(d *syncdef.Definition, _ *syncdef.Rules) { d.Match.Case = nil },
	"match": func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Strategy, d.Match = syncdef.MatchExternalID, syncdef.Match{Source: "customer_id", Destination: "Customer__c"}
	},
	"record id": func(d *syncdef.Definition, _ *syncdef.Rules) { d.RecordID = []string{"customer_id"} },
	"no cursor": func(d *syncdef.Definition, _ *syncdef.Rules) { d.Incremental = nil },
	"quality": func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Quality = &syncdef.Quality{WarnOver: "0.02", MinRows: 1}
	},
	"no freshness": func(d *syncdef.Definition, _ *syncdef.Rules) { d.Freshness = nil },
	"frequency":    func(d *syncdef.Definition, _ *syncdef.Rules) { d.Frequency = "*/15 * * * *" },
}

func TestDiff(t *testing.T) {
	d, rules := sample()
	older := syncdef.NewVersion(d, rules, now)
	var out strings.Builder
	names := make([]string, 0, len(changes))
	for name := range changes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		d, rules := sample()
		changes[name](&d, &rules)
		diff := syncdef.Diff(older, syncdef.NewVersion(d, rules, now))
		if len(diff) == 0 {
			t.Errorf("%s: no difference", name)
		}
		out.WriteString("== " + name + "\n" + syncdef.FormatChanges(diff))
	}
	golden(t, "diff.golden", out.String())
}

// A difference read backwards adds what it removed.
func TestDiffBothWays(t *testing.T) {
	for name, change := range changes {
		d, rules := sample()
		older := syncdef.NewVersion(d, rules, now)
		d, rules = sample()
		change(&d, &rules)
		newer := syncdef.NewVersion(d, rules, now)
		there, back := syncdef.Diff(older, newer), syncdef.Diff(newer, older)
		if len(there) != len(back) {
			t.Errorf("%s: %d changes there, %d back", name, len(there), len(back))
			continue
		}
		opposite := map[syncdef.Op]syncdef.Op{syncdef.Added: syncdef.Removed, syncdef.Removed: syncdef.Added, syncdef.Changed: syncdef.Changed}
		for _, a := range there {
			if !slices.ContainsFunc(back, func(b syncdef.Change) bool {
				return b.Op == opposite[a.Op] && b.Path == a.Path && a.Old == b.New && a.New == b.Old
			}) {
				t.Errorf("%s: %q has no counterpart in %v", name, a, back)
			}
		}
	}
}

func TestNoDiff(t *testing.T) {
	d, rules := sample()
	v := syncdef.NewVersion(d, rules, now)
	if got := syncdef.Diff(v, v); len(got) > 0 {
		t.Errorf("a version differs from itself: %v", got)
	}
}

// connections are edits that people make to a connection, by name.
var connections = map[string]func(*syncdef.Connection){
	"address":     func(c *syncdef.Connection) { c.URL = "https://eu.crm.example" },
	"secret":      func(c *syncdef.Connection) { c.Secret = "other" },
	"type":        func(c *syncdef.Connection) { c.Type = "desk" },
	"share":       func(c *syncdef.Connection) { c.Quota.Share = 25 },
	"own key":     func(c *syncdef.Connection) { c.Options = map[string]string{"login": "key", "release": "7"} },
	"no own keys": func(c *syncdef.Connection) { c.Options = nil },
	"no quota":    func(c *syncdef.Connection) { c.Quota = syncdef.Quota{} },
}

func account() syncdef.Connection {
	return syncdef.Connection{Name: "crm", Type: "crm", URL: "https://crm.example", Secret: "crm",
		Quota: syncdef.Quota{CallsPerDay: 1000, Share: 50}, Options: map[string]string{"login": "key"}}
}

func TestDiffConnection(t *testing.T) {
	var out strings.Builder
	out.WriteString("== new\n" + syncdef.FormatChanges(syncdef.DiffConnection(syncdef.Connection{}, account())))
	for _, name := range slices.Sorted(maps.Keys(connections)) {
		c := account()
		connections[name](&c)
		diff := syncdef.DiffConnection(account(), c)
		if len(diff) == 0 {
			t.Errorf("%s: no difference", name)
		}
		out.WriteString("== " + name + "\n" + syncdef.FormatChanges(diff))
	}
	if diff := syncdef.DiffConnection(account(), account()); len(diff) > 0 {
		t.Errorf("a connection differs from itself: %v", diff)
	}
	golden(t, "connection.golden", out.String())
}
