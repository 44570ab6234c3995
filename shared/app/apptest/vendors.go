package apptest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/sandbox"
	salesforcesim "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	slacksim "github.com/penstock-data/penstock/shared/sandbox/slack"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// Prefix is what the names of the secrets begin with.
const Prefix = "penstock/"

// Secrets are the simulators' credentials, as Secrets Manager would hold them.
func Secrets() map[string]string {
	return map[string]string{
		Prefix + "salesforce_prod": `{"client_id":"penstock-test","client_secret":"penstock-test-secret"}`,
		Prefix + "slack_prod":      `{"token":"xoxb-penstock-test"}`,
	}
}

// Vendors are the simulated Salesforce and Slack.
type Vendors struct {
	Salesforce *salesforcesim.Simulator
	Slack      *slacksim.Server
	URLs       map[string]string // by connection type
}

// NewVendors serves the simulators on loopback until the test ends. spacing is
// between two Slack messages of a channel; negative is not enforced.
func NewVendors(t testing.TB, now func() time.Time, spacing time.Duration) *Vendors {
	t.Helper()
	sf, err := salesforcesim.New(salesforcesim.Options{
		Core:        sandbox.Options{Now: now},
		Credentials: salesforcesim.Credentials{ClientID: "penstock-test", ClientSecret: "penstock-test-secret"},
	})
	if err != nil {
		t.Fatal(err)
	}
	sl, err := slacksim.New(slacksim.Config{
		Token: "xoxb-penstock-test", Now: now, Spacing: spacing,
		Channels: []slacksim.Channel{{ID: "C0000000001", Name: "customer-health"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	v := &Vendors{Salesforce: sf, Slack: sl, URLs: map[string]string{}}
	for name, h := range map[string]http.Handler{"salesforce": sf, "slack": sl} {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		v.URLs[name] = server.URL
	}
	return v
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

// Versions are the syncs of sql/syncs as penstock apply stores them. With urls,
// connections of a type get that address; a version keeps its id even then, so
// that the sample messages, which name versions, fit.
func Versions(t testing.TB, urls map[string]string) []syncdef.Version {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	set, err := yamlfile.Load(filepath.Join(filepath.Dir(file), "..", "..", "..", "sql", "syncs"))
	if err != nil {
		t.Fatal(err)
	}
	versions := make([]syncdef.Version, 0, len(set.Syncs))
	for _, s := range set.Syncs {
		v := syncdef.NewVersion(s.Definition, s.Connection, Start)
		if url := urls[v.Connection.Type]; url != "" {
			v.Connection.URL = url
		}
		versions = append(versions, v)
	}
	return slices.Clip(versions)
}

// SecretsManager answers GetSecretValue as AWS does (AWS documentation, "Secrets
// Manager API reference"): the values by name, and ResourceNotFoundException.
func SecretsManager(values map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		reply := func(status int, v map[string]string) {
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(v) // the client went away
		}
		var in struct {
			ID string `json:"SecretId"`
		}
		if target := r.Header.Get("X-Amz-Target"); target != "secretsmanager.GetSecretValue" {
			reply(http.StatusBadRequest, map[string]string{"__type": "UnknownOperationException"})
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.ID == "" {
			reply(http.StatusBadRequest, map[string]string{"__type": "InvalidParameterException"})
			return
		}
		value, ok := values[in.ID]
		if !ok {
			reply(http.StatusBadRequest, map[string]string{"__type": "ResourceNotFoundException", "Message": "Secrets Manager can't find the specified secret."})
			return
		}
		reply(http.StatusOK, map[string]string{
			"ARN":  "arn:aws:secretsmanager:us-east-1:000000000000:secret:" + in.ID + "-AbCdEf",
			"Name": in.ID, "SecretString": value, "VersionId": "00000000-0000-0000-0000-000000000001",
		})
	})
}
