package syncdef

import (
	"slices"
	"testing"
	"time"
)

func TestSplitAlways(t *testing.T) {
	for text, want := range map[string]struct {
		condition string
		every     time.Duration
	}{
		"mrr > 10000 every 24h":           {"mrr > 10000", 24 * time.Hour},
		"every = 'every 2h' EVERY 1h30m":  {"every = 'every 2h'", 90 * time.Minute},
		"tier IN ('a', 'b')\n  every 7d ": {"tier IN ('a', 'b')", 7 * 24 * time.Hour},
		"mrr > 10000":                     {},
		"every 24h":                       {},
		"mrr > 1 every now":               {},
		"mrr > 1 every 5s":                {},
		"mrr > 1 every 367d":              {},
		"mrr > 1 every -24h":              {},
	} {
		condition, every, ok := SplitAlways(text)
		if condition != want.condition || every != want.every || ok != (want.every > 0) {
			t.Errorf("%q: %q %s %v", text, condition, every, ok)
		}
	}
}

func TestCheckFragment(t *testing.T) {
	for text, ok := range map[string]bool{
		"a > 1 AND b IN ('x;y', 'it''s -- one', '/*')": true,
		`"odd; name" = 1`:        true,
		"`odd; name` = 1":        true,
		"COALESCE(a, b) desc":    true,
		"a IN (SELECT b FROM c)": true,
		"list[1] > 2":            true,
		"a; b":                   false,
		"a -- b":                 false,
		"a /* b":                 false,
		"a # b":                  false,
		"a // b":                 false,
		"a) OR (b":               false,
		"a, b":                   false,
		"(a":                     false,
		"'a":                     false,
		`'a\' OR 1=1 OR b = '`:   false,
		"$$a; b$$ = c":           false,
		"a \x00 b":               false,
	} {
		if err := CheckFragment(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// The hash is of what is in the view, and of nothing else.
func TestSourceHash(t *testing.T) {
	d := Definition{
		Sync: "s", RecordID: []string{"id"}, Match: Match{Source: "email"}, Incremental: &Incremental{ChangedOnly: true},
		Fields: []Field{{Source: "address.city", Destination: "a"}, {Source: "Score", Destination: "b"}},
	}
	if got := d.SourceColumns(); !slices.Equal(got, []string{"Score", "address", "email", "id"}) {
		t.Error(got)
	}
	hash := d.SourceHash()
	d.Lanes, d.Frequency = 7, "hourly"
	if d.SourceView() != "penstock_source_s" || d.SourceHash() != hash || len(hash) != 8 {
		t.Errorf("%s %s %s", d.SourceView(), d.SourceHash(), hash)
	}
	for name, change := range map[string]func(d *Definition){
		"model": func(d *Definition) { d.Model = "x" }, "column": func(d *Definition) { d.Fields = d.Fields[:1] },
		"always": func(d *Definition) { d.Incremental = &Incremental{ChangedOnly: true, Always: "a every 1h"} },
		"order":  func(d *Definition) { d.Incremental = &Incremental{ChangedOnly: true, OrderBy: []string{"a"}} },
	} {
		other := d
		change(&other)
		if other.SourceHash() == hash {
			t.Errorf("another %s has the same hash", name)
		}
	}
	d.Incremental = &Incremental{Cursor: "u", Created: "c", Overlap: "5m"}
	if d.SourceView() != "" || d.SourceHash() != "" {
		t.Error("a view for a definition that adds no SQL")
	}
}
