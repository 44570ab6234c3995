package salesforce_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/desttest"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/sandbox"
	simulator "github.com/penstock-data/penstock/shared/sandbox/salesforce"
)

func TestOpenRefuses(t *testing.T) {
	if _, err := salesforce.Vendor.Open(config("https://acme.my.salesforce.com")); err != nil {
		t.Fatal(err)
	}
	for says, change := range map[string]func(*dest.Config){
		"only https":  func(c *dest.Config) { c.Connection.URL = "http://acme.my.salesforce.com" },
		"My Domain":   func(c *dest.Config) { c.Connection.URL = "acme" },
		"api_version": func(c *dest.Config) { c.Connection.Options = map[string]string{"api_version": "62.0/../x"} },
		"jwt_bearer":  func(c *dest.Config) { c.Connection.Options = map[string]string{"auth": "password"} },
		"secret":      func(c *dest.Config) { c.Secret = nil },
	} {
		cfg := config("https://acme.my.salesforce.com")
		change(&cfg)
		_, err := salesforce.Vendor.Open(cfg)
		if failed := callError(t, err); failed.Class != dest.Configuration || failed.Scope != dest.ScopeConnection || !strings.Contains(failed.Message, says) {
			t.Errorf("want %q in %+v", says, failed)
		}
	}
	def := byExternalID
	def.Object = "Account WHERE"
	d := start(t, byExternalID)
	v := version(t, byExternalID)
	v.Definition = def
	_, err := d.account.Open(v)
	if failed := callError(t, err); failed.Class != dest.Configuration || failed.Scope != dest.ScopeVersion || !strings.Contains(failed.Message, "destination_object") {
		t.Errorf("%+v", failed)
	}
}

func TestLogin(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	privatePEM := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	sim, err := simulator.New(simulator.Options{
		Core:        sandbox.Options{Now: func() time.Time { return noon }},
		Credentials: simulator.Credentials{ClientID: "app", ClientSecret: "hush", Username: "sync@acme.example", PublicKey: &key.PublicKey},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(sim)
	defer srv.Close()
	for name, test := range map[string]struct {
		auth   string
		secret map[string]string
		says   string // "" delivers
	}{
		"client credentials": {"", map[string]string{"client_id": "app", "client_secret": "hush"}, ""},
		"wrong secret":       {"client_credentials", map[string]string{"client_id": "app", "client_secret": "s3cr3t"}, "check client_id and client_secret"},
		"no secret":          {"", map[string]string{"client_id": "app"}, `"vault" has no client_secret`},
		"absent":             {"", nil, `the secret "vault" cannot be read: not there; it holds {"client_id": "...", "client_secret": "..."}`},
		"JWT":                {"jwt_bearer", map[string]string{"client_id": "app", "username": "sync@acme.example", "private_key": privatePEM}, ""},
		"JWT, other user":    {"jwt_bearer", map[string]string{"client_id": "app", "username": "x@acme.example", "private_key": privatePEM}, "pre-authorised"},
		"JWT, no key":        {"jwt_bearer", map[string]string{"client_id": "app", "username": "x", "private_key": "s3cr3t"}, "not an RSA key"},
	} {
		cfg := desttest.Recorded(t, config(srv.URL))
		cfg.Connection.Secret = "vault"
		cfg.Connection.Options = map[string]string{"auth": test.auth, "api_version": "68.0"}
		cfg.Secret = func(context.Context) (map[string]string, error) {
			if test.secret == nil {
				return nil, errors.New("not there")
			}
			return test.secret, nil
		}
		a, err := salesforce.Vendor.Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		err = a.Probe(t.Context())
		if test.says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		failed := callError(t, err)
		if failed.Class != dest.Configuration || failed.Scope != dest.ScopeConnection || !strings.Contains(failed.Message, test.says) || strings.Contains(failed.Message, "s3cr3t") {
			t.Errorf("%s: %+v", name, failed)
		}
	}
}

// TestLoginAnswers holds what a login may answer.
func TestLoginAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		fault sandbox.Fault
		class dest.Class
		after time.Duration
		says  string
	}{
		"redirect":   {sandbox.Fault{Status: 301, Headers: map[string]string{"Location": "https://evil.example/"}}, dest.Configuration, 0, "login answers with a redirect"},
		"HTML":       {sandbox.Fault{Status: 200, Body: "<html>", ContentType: "text/html"}, dest.Configuration, 0, "HTML, not JSON"},
		"no token":   {sandbox.Fault{Status: 200, Body: `{}`}, dest.Configuration, 0, "External Client App"},
		"outage":     {sandbox.Fault{Status: 503, Body: "x", Headers: map[string]string{"Retry-After": "7"}}, dest.Unavailable, 7 * time.Second, "503"},
		"slow down":  {sandbox.Fault{Status: 429, Body: "x"}, dest.Unavailable, 0, "429"},
		"not paired": {sandbox.Fault{Status: 400, Body: `{"error":"unsupported_grant_type","error_description":"grant type not supported"}`}, dest.Configuration, 0, "External Client App"},
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, byExternalID)
			test.fault.Match = "oauth2/token"
			d.arm(t, test.fault)
			failed := callError(t, d.account.Probe(t.Context()))
			if failed.Class != test.class || failed.Scope != dest.ScopeConnection || failed.After != test.after || failed.Received || !strings.Contains(failed.Message, test.says) || failed.Code == "" {
				t.Errorf("%+v", failed)
			}
			if err := d.account.Probe(t.Context()); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestIdentity reads the organisation's id from the login, else from its record.
func TestIdentity(t *testing.T) {
	for name, test := range map[string]struct {
		login, query string
		status       int
		want         string
		fails        bool
	}{
		"from the login":       {`"id":"https://login.salesforce.com/id/00Dx0000000BV7zEAG/005x00000012Q9PAAU"`, "", 500, "00Dx0000000BV7zEAG", false},
		"in 15 characters":     {`"id":"https://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P"`, "", 500, "00Dx0000000BV7zEAG", false},
		"from its record":      {`"x":1`, `{"totalSize":1,"done":true,"records":[{"attributes":{},"Id":"00Dx0000000BV7zEAG"}]}`, 200, "00Dx0000000BV7zEAG", false},
		"another address":      {`"id":"https://login.salesforce.com/"`, `{"totalSize":1,"done":true,"records":[{"Id":"00Dx0000000BV7z"}]}`, 200, "00Dx0000000BV7zEAG", false},
		"it may not be told":   {`"x":1`, entry("INVALID_TYPE", "sObject type 'Organization' is not supported."), 400, "", false},
		"an answer of nothing": {`"x":1`, `{}`, 200, "", true},
		"an outage":            {`"x":1`, "", 503, "", true},
		"no API":               {`"x":1`, entry("API_DISABLED_FOR_ORG", "m"), 403, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "oauth2") {
					w.Write([]byte(`{"access_token":"t",` + test.login + `}`)) //nolint:errcheck // the client may be gone
					return
				}
				w.WriteHeader(test.status)
				w.Write([]byte(test.query)) //nolint:errcheck // the client may be gone
			}))
			defer srv.Close()
			got, err := connect(t, byExternalID, srv.URL).account.Identity(t.Context())
			if got != test.want || (err != nil) != test.fails {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// TestProbeIsTheConnections wants the probe's refusal to be held against nobody
// else.
func TestProbeIsTheConnections(t *testing.T) {
	for name, f := range map[string]sandbox.Fault{
		"no such version": {Status: 404, Body: entry("NOT_FOUND", "The requested resource does not exist")},
		"no rights":       {Status: 403, Body: entry("SOMETHING_NEW", "m")},
		"disabled":        {Status: 403, Body: entry("API_DISABLED_FOR_ORG", "m")},
	} {
		d := start(t, byExternalID)
		f.Match = "GET"
		d.arm(t, f)
		if failed := callError(t, d.account.Probe(t.Context())); failed.Class != dest.Configuration || failed.Scope != dest.ScopeConnection {
			t.Errorf("%s: %+v", name, failed)
		}
	}
}

// TestSandboxSecret logs in to the simulator as it is started, in both flows, with the
// secret that every program has for it.
func TestSandboxSecret(t *testing.T) {
	sim, err := simulator.Sandbox.Open(sandbox.Settings{Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	srv := httptest.NewServer(sim)
	defer srv.Close()
	for _, auth := range []string{"client_credentials", "jwt_bearer"} {
		cfg := desttest.Recorded(t, config(srv.URL))
		cfg.Connection.Options = map[string]string{"auth": auth}
		cfg.Secret = func(context.Context) (map[string]string, error) { return simulator.Sandbox.Secret, nil }
		a, err := salesforce.Vendor.Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Probe(t.Context()); err != nil {
			t.Errorf("%s: %v", auth, err)
		}
	}
}
