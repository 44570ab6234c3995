package apptest

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/amplitude"
	"github.com/penstock-data/penstock/shared/dest/hubspot"
	"github.com/penstock-data/penstock/shared/dest/intercom"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/dest/slack"
	"github.com/penstock-data/penstock/shared/sandbox"
	salesforcesim "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	slacksim "github.com/penstock-data/penstock/shared/sandbox/slack"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// worldVendors are those that a World has; the vendors of sql/syncs are more.
var (
	worldVendors  = []dest.Vendor{salesforce.Vendor, slack.Vendor}
	sampleVendors = append(slices.Clone(worldVendors), hubspot.Vendor, intercom.Vendor, amplitude.Vendor)
)

// Set is the syncs of sql/syncs that go to a World's vendors.
func Set(t testing.TB) yamlfile.Set {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	set := load(t, filepath.Join(filepath.Dir(file), "..", "..", "..", "sql", "syncs"), sampleVendors)
	elsewhere := func(kind string) bool {
		return !slices.ContainsFunc(worldVendors, func(v dest.Vendor) bool { return v.Name == kind })
	}
	set.Syncs = slices.DeleteFunc(set.Syncs, func(s yamlfile.Sync) bool { return elsewhere(s.Connection.Type) })
	set.Connections = slices.DeleteFunc(set.Connections, func(c syncdef.Connection) bool { return elsewhere(c.Type) })
	return set
}

// Load reads a folder of syncs of a World's vendors.
func Load(t testing.TB, dir string) yamlfile.Set {
	t.Helper()
	return load(t, dir, worldVendors)
}

func load(t testing.TB, dir string, vendors []dest.Vendor) yamlfile.Set {
	t.Helper()
	set, err := yamlfile.Load(dir, dest.Kinds(vendors))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// Vendors are the simulated Salesforce and Slack.
type Vendors struct {
	Salesforce *salesforcesim.Simulator
	Slack      *slacksim.Server
}

// NewVendors makes the simulators. spacing is between two Slack messages of a
// channel; negative is not enforced.
func NewVendors(t testing.TB, now func() time.Time, spacing time.Duration) *Vendors {
	t.Helper()
	secret := salesforcesim.Sandbox.Secret
	sf, err := salesforcesim.New(salesforcesim.Options{
		Core:        sandbox.Options{Now: now},
		Credentials: salesforcesim.Credentials{ClientID: secret["client_id"], ClientSecret: secret["client_secret"]},
	})
	if err != nil {
		t.Fatal(err)
	}
	sl, err := slacksim.New(slacksim.Config{
		Token: slacksim.Sandbox.Secret["token"], Now: now, Spacing: spacing,
		Channels: []slacksim.Channel{{ID: "C0000000001", Name: "customer-health"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &Vendors{Salesforce: sf, Slack: sl}
}

// Services are the vendors with their simulators.
func (v *Vendors) Services() []Service {
	return []Service{
		{Vendor: salesforce.Vendor, Server: v.Salesforce, Secret: salesforcesim.Sandbox.Secret},
		{Vendor: slack.Vendor, Server: v.Slack, Secret: slacksim.Sandbox.Secret},
	}
}

// Secrets are the credentials of a set's connections, by their whole names.
func (v *Vendors) Secrets(t testing.TB, set yamlfile.Set) map[string]string {
	t.Helper()
	return secretsOf(t, v.Services(), set)
}

// Serve serves the simulators on loopback until the test ends, and answers their
// addresses by type.
func (v *Vendors) Serve(t testing.TB) map[string]string {
	t.Helper()
	urls := map[string]string{}
	for name, h := range map[string]http.Handler{salesforce.Vendor.Name: v.Salesforce, slack.Vendor.Name: v.Slack} {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		urls[name] = server.URL
	}
	return urls
}

// SeedAccounts makes one Account per web site.
func (v *Vendors) SeedAccounts(t testing.TB, sites ...string) {
	t.Helper()
	err := v.Salesforce.Seed("Account", []string{"Name", "Website"}, func(yield func([]string) bool) {
		for _, s := range sites {
			if !yield([]string{s, s}) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// seedOnce makes the Account of a web site unless it is there.
func (v *Vendors) seedOnce(t testing.TB, site string) {
	t.Helper()
	if _, ok := v.Accounts("Name")[site]; !ok {
		v.SeedAccounts(t, site)
	}
}

// Accounts are one field of the Accounts, by web site; "" is null.
func (v *Vendors) Accounts(field string) map[string]string {
	all := map[string]string{}
	v.Salesforce.Each("Account", func(r salesforcesim.Record) bool {
		site, _ := r.Text("Website")
		value, _ := r.Text(field)
		all[string(site)] = string(value)
		return true
	})
	return all
}
