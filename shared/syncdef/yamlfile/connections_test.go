package yamlfile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

func TestConnections(t *testing.T) {
	got, err := yamlfile.ParseConnections("connections.yaml", []byte(`connections:
  slack_prod: {type: slack}
  sandbox:
    type: salesforce
    url: http://127.0.0.1:8080
    auth: jwt_bearer
    secret: team/sandbox
    api_version: 62.0
    quota: {calls_per_day: 15000, share: 20}
  prod: {type: salesforce, url: https://acme.my.salesforce.com}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := syncdef.Connections{
		{Name: "prod", Type: "salesforce", URL: "https://acme.my.salesforce.com", Secret: "prod",
			Auth: "client_credentials", Quota: syncdef.Quota{CallsPerDay: 100_000, Share: 50}},
		{Name: "sandbox", Type: "salesforce", URL: "http://127.0.0.1:8080", Secret: "team/sandbox",
			Auth: "jwt_bearer", APIVer: "62.0", Quota: syncdef.Quota{CallsPerDay: 15_000, Share: 20}},
		{Name: "slack_prod", Type: "slack", URL: "https://slack.com/api/", Secret: "slack_prod"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConnectionFaults(t *testing.T) {
	at := func(settings string) string { return "connections:\n  a: {" + settings + "}\n" }
	sf := func(settings string) string {
		return at("type: salesforce, url: 'https://a.my.salesforce.com', " + settings)
	}
	var out strings.Builder
	for _, c := range []struct{ name, src, paths string }{
		{"empty", "", ""},
		{"no connections", "links: {}\n", "connections links"},
		{"a list", "connections: [a]\n", "connections"},
		{"name", "connections: {A.b: {type: slack}}\n", "connections.A.b"},
		{"no type", at("secret: a"), "connections.a.type"},
		{"type", at("type: hubspot"), "connections.a.type"},
		{"no url", at("type: salesforce"), "connections.a.url"},
		{"url without a scheme", at("type: salesforce, url: acme.my.salesforce.com"), "connections.a.url"},
		{"url in the clear", at("type: salesforce, url: 'http://acme.my.salesforce.com'"), "connections.a.url"},
		{"url with a password", at("type: slack, url: 'https://me:hunter2@slack.com/'"), "connections.a.url"},
		{"url with a query", at("type: slack, url: 'https://slack.com/?token=hunter2'"), "connections.a.url"},
		{"auth", sf("auth: password"), "connections.a.auth"},
		{"auth for Slack", at("type: slack, auth: jwt_bearer"), "connections.a.auth"},
		{"version", sf("api_version: v62"), "connections.a.api_version"},
		{"a secret", sf("client_secret: hunter2"), "connections.a.client_secret"},
		{"a token", at("type: slack, token: hunter2"), "connections.a.token"},
		{"share", sf("quota: {share: 0}"), "connections.a.quota.share"},
		{"calls", sf("quota: {calls_per_day: -1}"), "connections.a.quota.calls_per_day"},
		{"quota for Slack", at("type: slack, quota: {share: 10}"), "connections.a.quota"},
		{"key", sf("adress: x"), "connections.a.adress"},
		{"twice", "connections:\n  a: {type: slack}\n  a: {type: slack}\n", "connections.a"},
	} {
		_, err := yamlfile.ParseConnections("connections.yaml", []byte(c.src))
		var got syncdef.Faults
		if !errors.As(err, &got) {
			t.Errorf("%s: no faults (%v)", c.name, err)
			continue
		}
		paths := make([]string, len(got))
		for i, f := range got {
			paths[i] = f.Path
		}
		if diff := cmp.Diff(c.paths, strings.Join(paths, " ")); diff != "" {
			t.Errorf("%s: paths, want -, got +\n%s\n%v", c.name, diff, err)
		}
		fmt.Fprintf(&out, "== %s\n%s\n", c.name, err)
	}
	if strings.Contains(out.String(), "hunter2") { // I6
		t.Error("a fault repeats a secret")
	}
	golden(t, "connections.golden", out.String())
}
