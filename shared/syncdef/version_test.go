package syncdef_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var update = flag.Bool("update", false, "write the golden files")

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("east", 3600))

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: want -, got + (go test -update writes it)\n%s", name, diff)
	}
}

// sample has every key, so that the golden file notices any change to what a
// version's id covers.
func sample() (syncdef.Definition, syncdef.Rules) {
	scale, standard, tells := 1, "Healthy", true
	d := syncdef.Definition{
		Sync: "health", Connection: "salesforce_prod", Object: "Account",
		Strategy: syncdef.MatchEmailDomain, Match: syncdef.Match{Source: "email", Destination: "Website", Case: &tells, DataType: syncdef.MatchText},
		Operation: syncdef.Upsert, RecordID: []string{"region", "customer_id"},
		Fields: []syncdef.Field{
			{Source: "score", Destination: "Health_Score__c", Type: syncdef.Number, Scale: &scale, Min: "0", Max: "100", OnNull: syncdef.ClearNull},
			{Source: "status", Destination: "Health_Status__c", Type: syncdef.Picklist, Values: []string{"At Risk", "Healthy"},
				Default: &standard, OnNull: syncdef.DefaultNull, OnUnknown: syncdef.DefaultUnknown},
			{Source: "name", Destination: "Name", Type: syncdef.String, MaxLength: 255, OnTooLong: syncdef.TruncateLong,
				Transform: []string{"trim", "upper"}, OnNull: syncdef.SkipNull, Markup: true},
			{Source: "since", Destination: "Since__c", Type: syncdef.Date, Format: "epoch_seconds", OnNull: syncdef.ClearNull},
			{Source: "updated", Destination: "Updated__c", Type: syncdef.DateTime, TimeZone: "Europe/Berlin", OnNull: syncdef.ClearNull},
		},
		Frequency: "hourly", BatchSize: 1000, Lanes: 4, OnError: syncdef.Continue, OnMissing: syncdef.Report,
		OnDuplicate: syncdef.Latest, Send: syncdef.SendChanged,
		Incremental:   &syncdef.Incremental{Cursor: "updated", IncludeFailed: "24h", Always: "mrr > 10000 every 24h"},
		Retry:         &syncdef.Retry{Attempts: 5, Base: "30s", Max: "1h"},
		StoreSource:   syncdef.StoreAll,
		Options:       json.RawMessage(`{"room":"#\u003chealth\u003e","gather_over":20}`),
		Quality:       &syncdef.Quality{WarnOver: "0.01", Rules: []syncdef.QualityRule{{Column: "email", NotNull: true}}},
		Mirror:        &syncdef.Mirror{MaxDeletes: "5%"},
		Notifications: []syncdef.Notification{{Type: "email", Recipients: []string{"a@b.co"}}},
		Freshness:     &syncdef.Freshness{WarnAfter: "2h"},
	}
	return d, syncdef.Rules{
		Type: "crm", Identity: row.Identity{Steps: []row.Step{row.StepTrim, row.StepDomain}, CaseUnsure: true},
		Group: "Room__c", GroupDefault: "#<health>", GroupPrefix: "#", Gather: true, Once: true, Lookup: true,
		LengthUnit: syncdef.LengthRune, DateMin: "1700-01-01", DateMax: "4000-12-31",
	}
}

// Stored versions are found by their ids: what an id covers must not drift.
func TestVersionIsLocked(t *testing.T) {
	d, rules := sample()
	golden(t, "version.golden", syncdef.NewVersion(d, rules, now).ID+"\n"+string(syncdef.Canonical(d, rules))+"\n")
}

// A stored version that is read back is the same version.
func TestVersionSurvivesStorage(t *testing.T) {
	d, rules := sample()
	v := syncdef.NewVersion(d, rules, now)
	stored, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back syncdef.Version
	if err := json.Unmarshal(stored, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v, back); diff != "" {
		t.Error(diff)
	}
	if id := syncdef.NewVersion(back.Definition, back.Rules, now.Add(time.Hour)).ID; id != v.ID {
		t.Errorf("id %s after storage, %s before", id, v.ID)
	}
}

// Everything but the time is part of the id.
func TestEveryChangeIsAnotherVersion(t *testing.T) {
	d, rules := sample()
	seen := map[string]string{syncdef.NewVersion(d, rules, now).ID: "the sample"}
	for name, change := range changes {
		d, rules := sample()
		change(&d, &rules)
		id := syncdef.NewVersion(d, rules, now).ID
		if other, twice := seen[id]; twice {
			t.Errorf("%s has the id of %s", name, other)
		}
		seen[id] = name
	}
}

// Workers read versions as JSON; they must not link YAML, cron or a schema
// generator because of this package.
func TestLinksLittle(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	const shared = "github.com/penstock-data/penstock/shared/"
	for _, linked := range strings.Fields(string(out)) {
		inside, ours := strings.CutPrefix(linked, shared)
		switch {
		case ours && (inside == "syncdef" || inside == "rawjson" || inside == "row" || strings.HasPrefix(inside, "row/")):
		case strings.HasPrefix(linked, "github.com/go-json-experiment/json"), strings.HasPrefix(linked, "golang.org/x/"): // row's values and keys
		default:
			t.Errorf("links %s", linked)
		}
	}
}

// What leads from a record id to the ledger.
func TestRecordLookup(t *testing.T) {
	email := syncdef.Match{Source: "email", Destination: "Email"}
	for name, c := range map[string]struct {
		d    syncdef.Definition
		want syncdef.RecordLookup
	}{
		"no match":             {syncdef.Definition{Strategy: syncdef.MatchNone, RecordID: []string{"id"}, OnDelete: syncdef.RemoveDelete}, syncdef.RecordIsKey},
		"it is the match":      {syncdef.Definition{Strategy: syncdef.MatchEmail, Match: email, RecordID: []string{"EMAIL"}, OnDelete: syncdef.RemoveDelete}, syncdef.RecordIsMatch},
		"it is kept":           {syncdef.Definition{Strategy: syncdef.MatchEmail, Match: email, RecordID: []string{"id"}, OnDelete: syncdef.RemoveDelete}, syncdef.RecordIsKept},
		"of several columns":   {syncdef.Definition{Strategy: syncdef.MatchEmail, Match: email, RecordID: []string{"email", "id"}, OnDelete: syncdef.RemoveDelete}, syncdef.RecordIsKept},
		"nothing is removed":   {syncdef.Definition{Strategy: syncdef.MatchEmail, Match: email, RecordID: []string{"id"}}, syncdef.NoRecord},
		"all rows are deletes": {syncdef.Definition{Strategy: syncdef.MatchEmail, Match: email, RecordID: []string{"id"}, Operation: syncdef.Delete, OnDelete: syncdef.RemoveDelete}, syncdef.NoRecord},
	} {
		if got := c.d.RecordLookup(); got != c.want || c.d.KeepsRecords() != (c.want == syncdef.RecordIsKept) {
			t.Errorf("%s: %q, kept: %v", name, got, c.d.KeepsRecords())
		}
	}
}
