package syncdef_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// changes are edits that people make, by name.
var changes = map[string]func(*syncdef.Definition, *syncdef.Connection){
	"scale":      func(d *syncdef.Definition, _ *syncdef.Connection) { two := 2; d.Fields[0].Scale = &two },
	"no scale":   func(d *syncdef.Definition, _ *syncdef.Connection) { d.Fields[0].Scale = nil },
	"no minimum": func(d *syncdef.Definition, _ *syncdef.Connection) { d.Fields[0].Min = "" },
	"a mapping added": func(d *syncdef.Definition, _ *syncdef.Connection) {
		d.Fields = append(d.Fields, syncdef.Field{Source: "seats", Destination: "Seats__c", Type: syncdef.Integer, OnNull: syncdef.ClearNull})
	},
	"a mapping removed": func(d *syncdef.Definition, _ *syncdef.Connection) { d.Fields = slices.Delete(d.Fields, 1, 2) },
	"mappings in another order": func(d *syncdef.Definition, _ *syncdef.Connection) {
		d.Fields[0], d.Fields[1] = d.Fields[1], d.Fields[0]
	},
	"a value with a quote": func(d *syncdef.Definition, _ *syncdef.Connection) {
		d.Fields[1].Values = []string{"At Risk", `Healthy "now"`}
	},
	"a blank default": func(d *syncdef.Definition, _ *syncdef.Connection) { blank := ""; d.Fields[1].Default = &blank },
	"lanes":           func(d *syncdef.Definition, _ *syncdef.Connection) { d.Lanes = 8 },
	"object":          func(d *syncdef.Definition, _ *syncdef.Connection) { d.Object = "Contact" },
	"connection": func(d *syncdef.Definition, c *syncdef.Connection) {
		d.Connection, c.Name, c.URL = "salesforce_eu", "salesforce_eu", "https://eu.my.salesforce.com"
	},
	"the connection's address": func(_ *syncdef.Definition, c *syncdef.Connection) { c.URL = "https://eu.my.salesforce.com" },
	"share":                    func(_ *syncdef.Definition, c *syncdef.Connection) { c.Quota.Share = 25 },
	"match": func(d *syncdef.Definition, _ *syncdef.Connection) {
		d.Strategy, d.Match = syncdef.MatchExternalID, syncdef.Match{Source: "customer_id", Destination: "Customer__c"}
	},
	"record id":    func(d *syncdef.Definition, _ *syncdef.Connection) { d.RecordID = []string{"customer_id"} },
	"no cursor":    func(d *syncdef.Definition, _ *syncdef.Connection) { d.Incremental = nil },
	"quality":      func(d *syncdef.Definition, _ *syncdef.Connection) { d.Quality = map[string]any{"warn_over": 0.02} },
	"no freshness": func(d *syncdef.Definition, _ *syncdef.Connection) { d.Freshness = nil },
	"frequency":    func(d *syncdef.Definition, _ *syncdef.Connection) { d.Frequency = "*/15 * * * *" },
}

func TestDiff(t *testing.T) {
	d, c := sample()
	older := syncdef.NewVersion(d, c, now)
	var out strings.Builder
	names := make([]string, 0, len(changes))
	for name := range changes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		d, c := sample()
		changes[name](&d, &c)
		diff := syncdef.Diff(older, syncdef.NewVersion(d, c, now))
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
		d, c := sample()
		older := syncdef.NewVersion(d, c, now)
		d, c = sample()
		change(&d, &c)
		newer := syncdef.NewVersion(d, c, now)
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
	d, c := sample()
	v := syncdef.NewVersion(d, c, now)
	if got := syncdef.Diff(v, v); len(got) > 0 {
		t.Errorf("a version differs from itself: %v", got)
	}
}
