package vendors_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	check "github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/vendors"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/schema"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

//go:generate go test -run TestGeneratedFilesAreCheckedIn -update

var update = flag.Bool("update", false, "write the schema, the configuration page and the golden file")

const (
	syncs     = "../../../sql/syncs"
	checkedIn = syncs + "/penstock.schema.json"

	destinations = "../../../docs/destinations/"
)

var kinds = dest.Kinds(vendors.Vendors())

// The files in the repository are what the tables and the vendors say today.
func TestGeneratedFilesAreCheckedIn(t *testing.T) {
	made, err := schema.Generate(kinds)
	if err != nil {
		t.Fatal(err)
	}
	generated := map[string][]byte{checkedIn: made, "../../../docs/configuration.md": schema.Page(kinds), destinations + "README.md": schema.DestinationIndex(kinds)}
	for _, kind := range kinds {
		source, err := os.ReadFile("../" + kind.Name + "/doc.go")
		if err != nil {
			t.Fatal(err)
		}
		page, err := schema.DestinationPage(kind, source)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(page, []byte("\n  - {")) {
			t.Errorf("the page of %s shows a mapping as a list's text, which marks up what is in it: indent it with a tab, under field_mappings:", kind.Name)
		}
		generated[destinations+kind.Name+".md"] = page
	}
	for file, got := range generated {
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale; run go generate ./shared/dest/vendors", filepath.Base(file))
		}
	}
}

func TestOurFilesFitTheSchema(t *testing.T) {
	s, err := check.NewCompiler().Compile(checkedIn)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(syncs + "/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("found %d files in %s (%v), want at least 4", len(files), syncs, err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := yaml.Unmarshal(src, &v); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// The repository's own syncs are valid, and each has what the demo relies on.
func TestOurSyncs(t *testing.T) {
	set, err := yamlfile.Load(syncs, kinds)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range set.Syncs {
		names = append(names, s.Definition.Sync)
	}
	if diff := cmp.Diff([]string{"amplitude_health", "hubspot_health", "intercom_health", "salesforce_customer_health", "sf_health", "slack_alerts"}, names); diff != "" {
		t.Error(diff)
	}
	if _, ok := set.Find("nobody"); ok || len(set.Notices()) != 0 {
		t.Errorf("found nobody: %v; notices: %v", ok, set.Notices())
	}
	want := syncdef.Connections{
		{Name: "amplitude_prod", Type: "amplitude", URL: "https://api2.amplitude.com", Secret: "amplitude_prod", Options: map[string]string{"region": "us"}},
		{Name: "hubspot_prod", Type: "hubspot", Secret: "hubspot_prod", Quota: syncdef.Quota{CallsPerDay: 650_000, Share: 50}, Options: map[string]string{"calls_per_10s": "190"}},
		{Name: "intercom_prod", Type: "intercom", URL: "https://api.intercom.io", Secret: "intercom_prod", Quota: syncdef.Quota{Share: 50},
			Options: map[string]string{"region": "us", "calls_per_minute": "10000"}},
		{Name: "salesforce_prod", Type: "salesforce", URL: "https://acme.my.salesforce.com", Secret: "salesforce_prod",
			Quota: syncdef.Quota{CallsPerDay: 100_000, Share: 50}, Options: map[string]string{"auth": "client_credentials", "api_version": "68.0"}},
		{Name: "slack_prod", Type: "slack", URL: "https://slack.com/api/", Secret: "slack_prod"},
	}
	if diff := cmp.Diff(want, set.Connections); diff != "" {
		t.Error(diff)
	}
	for _, s := range set.Syncs {
		if s.Rules.Type != s.Connection.Type {
			t.Errorf("%s has the rules of %q", s.Definition.Sync, s.Rules.Type)
		}
		for _, column := range syncdef.Columns(s.Definition) { // the model beside it selects what the mapping needs
			if !strings.Contains(s.Model, "    "+column+"\n") && !strings.Contains(s.Model, "    "+column+",\n") {
				t.Errorf("the model of %s does not select %s:\n%s", s.Definition.Sync, column, s.Model)
			}
		}
	}
}

// The columns of the sample's views, the customer's id and the cursor: no more may
// be needed, and of the first all are used.
func TestOurSyncsFitTheSample(t *testing.T) {
	set, err := yamlfile.Load(syncs, kinds)
	if err != nil {
		t.Fatal(err)
	}
	health, _ := set.Find("sf_health")
	view := []string{"customer_id", "email", "company_name", "health_score_percentage", "health_status_description",
		"daily_active_users", "feature_adoption_pct", "monthly_recurring_revenue", "renewal_probability_pct",
		"support_tickets_last_30d", "days_since_last_login", "score_confidence_pct", "health_score_calculated_at",
		"recommended_action", "updated_at"}
	if faults := health.CheckColumns(view); len(faults) > 0 {
		t.Error(faults)
	}
	if got := syncdef.Columns(health.Definition); len(got) != len(view) {
		t.Errorf("sf_health uses %d of the %d columns: %v", len(got), len(view), got)
	}
	alerts, _ := set.Find("slack_alerts")
	if faults := alerts.CheckColumns([]string{"CUSTOMER_ID", "EMAIL", "COMPANY_NAME", "ALERT_TYPE", "SLACK_MESSAGE", "ALERT_TIME"}); len(faults) > 0 {
		t.Error(faults)
	}
	for name, view := range map[string][]string{
		"intercom_health":  {"customer_id", "user_email", "health_score_decimal", "risk_category", "custom_attributes", "user_tags", "updated_at"},
		"hubspot_health":   {"customer_id", "email", "ltv_usd", "ltv_segment", "updated_at"},
		"amplitude_health": {"customer_id", "daily_active_users", "feature_adoption", "api_calls_trend", "updated_at"},
	} {
		s, _ := set.Find(name)
		if faults := s.CheckColumns(view); len(faults) > 0 {
			t.Error(faults)
		}
		if got := syncdef.Columns(s.Definition); len(got) != len(view) {
			t.Errorf("%s uses %d of the %d columns: %v", name, len(got), len(view), got)
		}
	}
}

// Each vendor's data can be read, printed and made a schema of.
func TestKindsAreWhole(t *testing.T) {
	for _, v := range vendors.Vendors() {
		if v.Open == nil || v.Title == "" || v.Rules == nil || !regexp.MustCompile(`^[a-z][a-z0-9]*$`).MatchString(v.Name) {
			t.Errorf("%q: a vendor has a name in small letters, a title, rules, and opens accounts", v.Name)
		}
		if len(v.Operations) == 0 {
			t.Errorf("%s carries out nothing", v.Name)
		}
		for _, op := range v.Operations {
			if !slices.Contains(syncdef.Operations, op) {
				t.Errorf("%s: this version does not know %s", v.Name, op)
			}
		}
		for s, pair := range v.Pairs {
			if !slices.Contains(v.Strategies, s) || pair.Source == "" || pair.Destination == "" {
				t.Errorf("%s: the pair of %s: %+v", v.Name, s, pair)
			}
		}
		for _, key := range slices.Concat(v.Connection, v.Definition, v.Field) {
			if why := flaw(key); why != "" {
				t.Errorf("%s: the key %s %s", v.Name, key.Name, why)
			}
		}
	}
}

// flaw says what is wrong with a key of a table, "" when nothing is.
func flaw(key syncdef.Key) string {
	pattern, err := regexp.Compile(`^(?:` + key.Pattern + `)$`)
	number, notNumber := strconv.Atoi(key.Default)
	switch {
	case key.Doc == "":
		return "is not explained"
	case err != nil:
		return "has a pattern that does not compile"
	case key.Pattern != "" && key.Example == "":
		return "has a pattern and no example"
	case key.Default == "":
		return ""
	case key.Type == syncdef.KeyInteger && (notNumber != nil || number < key.Min || (key.Max != 0 && number > key.Max)),
		key.Type == syncdef.KeyBoolean && key.Default != "true" && key.Default != "false",
		len(key.Allowed) > 0 && !slices.Contains(key.Allowed, key.Default),
		key.Pattern != "" && !pattern.MatchString(key.Default):
		return "has a default that it would refuse"
	}
	return ""
}
