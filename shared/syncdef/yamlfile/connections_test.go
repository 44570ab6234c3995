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
  chat_prod: {type: chat}
  sandbox:
    type: crm
    url: http://127.0.0.1:8080
    login: key
    secret: team/sandbox
    release: 62.0
    quota: {calls_per_day: 15000, share: 20}
  prod: {type: crm, url: https://acme.crm.example}
`), kinds)
	if err != nil {
		t.Fatal(err)
	}
	want := syncdef.Connections{
		{Name: "chat_prod", Type: "chat", URL: "https://chat.example/api/", Secret: "chat_prod"},
		{Name: "prod", Type: "crm", URL: "https://acme.crm.example", Secret: "prod",
			Options: map[string]string{"login": "secret", "release": "68.0"}, Quota: syncdef.Quota{Share: 50}},
		{Name: "sandbox", Type: "crm", URL: "http://127.0.0.1:8080", Secret: "team/sandbox",
			Options: map[string]string{"login": "key", "release": "62.0"}, Quota: syncdef.Quota{CallsPerDay: 15_000, Share: 20}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConnectionFaults(t *testing.T) {
	at := func(settings string) string { return "connections:\n  a: {" + settings + "}\n" }
	crm := func(settings string) string {
		return at("type: crm, url: 'https://a.crm.example', " + settings)
	}
	var out strings.Builder
	for _, c := range []struct{ name, src, paths string }{
		{"empty", "", ""},
		{"no connections", "links: {}\n", "connections links"},
		{"a list", "connections: [a]\n", "connections"},
		{"name", "connections: {A.b: {type: chat}}\n", "connections.A.b"},
		{"no type", at("secret: a"), "connections.a.type"},
		{"type", at("type: desk"), "connections.a.type"},
		{"no url", at("type: crm"), "connections.a.url"},
		{"url without a scheme", at("type: crm, url: acme.crm.example"), "connections.a.url"},
		{"url in the clear", at("type: crm, url: 'http://acme.crm.example'"), "connections.a.url"},
		{"url of a private network", at("type: crm, url: 'https://10.1.2.3'"), "connections.a.url"},
		{"url of instance metadata", at("type: crm, url: 'https://169.254.169.254/latest'"), "connections.a.url"},
		{"url in IPv6's clothes", at("type: crm, url: 'https://[::ffff:192.168.0.1]:8443'"), "connections.a.url"},
		{"url with a password", at("type: chat, url: 'https://me:hunter2@chat.example/'"), "connections.a.url"},
		{"url with a query", at("type: chat, url: 'https://chat.example/?token=hunter2'"), "connections.a.url"},
		{"login", crm("login: password"), "connections.a.login"},
		{"a key of another type", at("type: chat, login: key"), "connections.a.login"},
		{"release", crm("release: v62"), "connections.a.release"},
		{"two keys together", crm("release: 11.0, login: key"), "connections.a.release"},
		{"not judged twice", crm("release: [11.0], login: key"), "connections.a.release"},
		{"quota is a number", at("type: chat, quota: 3"), "connections.a.quota"},
		{"a secret", crm("client_secret: hunter2"), "connections.a.client_secret"},
		{"a token", at("type: chat, token: hunter2"), "connections.a.token"},
		{"share", crm("quota: {share: 0}"), "connections.a.quota.share"},
		{"calls", crm("quota: {calls_per_day: -1}"), "connections.a.quota.calls_per_day"},
		{"quota of a type without", at("type: chat, quota: {share: 10}"), "connections.a.quota"},
		{"key", crm("adress: x"), "connections.a.adress"},
		{"twice", "connections:\n  a: {type: chat}\n  a: {type: chat}\n", "connections.a"},
	} {
		_, err := yamlfile.ParseConnections("connections.yaml", []byte(c.src), kinds)
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
