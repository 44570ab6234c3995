package salesforce_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/sandbox"
	simulator "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	"github.com/penstock-data/penstock/shared/syncdef"
)

func callError(t *testing.T, err error) *dest.CallError {
	t.Helper()
	var failed *dest.CallError
	if !errors.As(err, &failed) {
		t.Fatalf("want a *dest.CallError, got %v", err)
	}
	return failed
}

// TestClasses holds what Salesforce may answer to a whole call, and its class.
func TestClasses(t *testing.T) {
	entry := func(code string) string { return `[{"message":"m","errorCode":"` + code + `"}]` }
	for name, test := range map[string]struct {
		fault sandbox.Fault
		class dest.Class
		after time.Duration
		says  string
	}{
		"daily limit":    {sandbox.Fault{Status: 403, Body: entry("REQUEST_LIMIT_EXCEEDED")}, dest.Throttled, 15 * time.Minute, "used up"},
		"slow down":      {sandbox.Fault{Status: 429, Body: "x", Headers: map[string]string{"Retry-After": "9"}}, dest.Throttled, 9 * time.Second, "slow down"},
		"no permission":  {sandbox.Fault{Status: 403, Body: entry("INSUFFICIENT_ACCESS_OR_READONLY")}, dest.Configuration, 0, "permissions"},
		"API disabled":   {sandbox.Fault{Status: 403, Body: entry("API_DISABLED_FOR_ORG")}, dest.Configuration, 0, "permissions"},
		"unknown field":  {sandbox.Fault{Status: 400, Body: entry("INVALID_FIELD")}, dest.Configuration, 0, "field_mappings"},
		"no such object": {sandbox.Fault{Status: 404, Body: entry("NOT_FOUND")}, dest.Configuration, 0, "object"},
		"bad record":     {sandbox.Fault{Status: 400, Body: entry("JSON_PARSER_ERROR")}, dest.Refused, 0, "JSON_PARSER_ERROR"},
		"too large":      {sandbox.Fault{Status: 413, Body: "<html>"}, dest.Refused, 0, "too large"},
		"timeout inside": {sandbox.Fault{Status: 400, Body: entry("REQUEST_RUNNING_TOO_LONG")}, dest.Unavailable, 0, "LONG"},
		"outage":         {sandbox.Fault{Status: 502, Body: "<html>"}, dest.Unavailable, 0, "502"},
		"redirect":       {sandbox.Fault{Status: 302, Headers: map[string]string{"Location": "https://evil.example/"}}, dest.Configuration, 0, "My Domain"},
		"HTML":           {sandbox.Fault{Status: 200, Body: "\n <html>", ContentType: "text/html"}, dest.Configuration, 0, "HTML, not JSON"},
		"plain text":     {sandbox.Fault{Status: 200, Body: "OK"}, dest.Configuration, 0, "not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			d, sim := start(t, byExternalID)
			test.fault.Match = "composite/sobjects"
			if err := sim.Core().AddFault(test.fault); err != nil {
				t.Fatal(err)
			}
			b := keyed("c1")
			_, err := d.Push(t.Context(), b, d.Calls(b)[0])
			failed := callError(t, err)
			if failed.Class != test.class || failed.After != test.after || !strings.Contains(failed.Message, test.says) {
				t.Errorf("%+v", failed)
			}
		})
	}
}

// TestOutcomes holds answers that are JSON, but not what was asked for, and
// failures of single records.
func TestOutcomes(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		kind   dest.Record
		status dest.Status
		code   string
	}{
		"too few results":  {`[]`, dest.Record{}, dest.Retry, "bad_answer"},
		"too many":         {`[{"id":"1","success":true},{"id":"2","success":true}]`, dest.Record{}, dest.Retry, "bad_answer"},
		"cut short":        {`[{"id":"1"`, dest.Record{}, dest.Retry, "bad_answer"},
		"another shape":    {`{"ok":true}`, dest.Record{}, dest.Retry, "bad_answer"},
		"created, cut":     {`[{"id":"1"`, dest.Record{Intent: true}, dest.Unknown, "bad_answer"},
		"locked":           {`[{"success":false,"errors":[{"statusCode":"UNABLE_TO_LOCK_ROW","message":"m","fields":[]}]}]`, dest.Record{}, dest.Retry, "UNABLE_TO_LOCK_ROW"},
		"without errors":   {`[{"success":false}]`, dest.Record{}, dest.Rejected, "UNKNOWN"},
		"deleted":          {`[{"success":false,"errors":[{"statusCode":"ENTITY_IS_DELETED","message":"m"}]}]`, dest.Record{ID: "001"}, dest.Rejected, salesforce.CodeGone},
		"purged":           {`[{"success":false,"errors":[{"statusCode":"INVALID_CROSS_REFERENCE_KEY","message":"m","fields":[]}]}]`, dest.Record{ID: "001"}, dest.Rejected, salesforce.CodeGone},
		"another's lookup": {`[{"success":false,"errors":[{"statusCode":"INVALID_CROSS_REFERENCE_KEY","message":"m","fields":["AccountId"]}]}]`, dest.Record{ID: "001"}, dest.Rejected, "INVALID_CROSS_REFERENCE_KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			def := matching(syncdef.MatchField, "Name")
			if test.kind.ID == "" && !test.kind.Intent {
				def = byExternalID
			}
			d, sim := start(t, def)
			if err := sim.Core().AddFault(sandbox.Fault{Match: "composite/sobjects", Status: 200, Body: test.body}); err != nil {
				t.Fatal(err)
			}
			test.kind.Key = "k"
			b := dest.Batch{Records: []dest.Record{test.kind}}
			out, err := d.Push(t.Context(), b, d.Calls(b)[0])
			if err != nil || len(out) != 1 || out[0].Status != test.status || out[0].Code != test.code || out[0].Message == "" {
				t.Errorf("%+v %v", out, err)
			}
		})
	}
}

// TestConfigurationOfAll wants a refusal that meets every record to fail the call,
// so that one cause is not stored a thousand times.
func TestConfigurationOfAll(t *testing.T) {
	d, sim := start(t, byExternalID)
	failure := `{"success":false,"errors":[{"statusCode":"INSUFFICIENT_ACCESS_OR_READONLY","message":"m"}]}`
	b := keyed("c1", "c2")
	for _, test := range []struct {
		body string
		all  bool
	}{{`[` + failure + `,` + failure + `]`, true}, {`[` + failure + `,{"id":"1","success":true,"errors":[]}]`, false}} {
		if err := sim.Core().AddFault(sandbox.Fault{Match: "composite/sobjects", Status: 200, Body: test.body}); err != nil {
			t.Fatal(err)
		}
		out, err := d.Push(t.Context(), b, d.Calls(b)[0])
		if test.all {
			if failed := callError(t, err); failed.Class != dest.Configuration {
				t.Errorf("%+v", failed)
			}
		} else if err != nil || out[0].Status != dest.Rejected || out[1].Status != dest.Delivered {
			t.Errorf("%+v %v", out, err)
		}
	}
}

func TestCalls(t *testing.T) {
	d, _ := start(t, matching(syncdef.MatchField, "Name"))
	var b dest.Batch
	for i := range 450 {
		r := dest.Record{Key: "k"}
		if i%2 == 0 {
			r.ID = string(rune('a' + i)) // updates among creates
		}
		b.Records = append(b.Records, r)
	}
	b.Records[4].ID = b.Records[0].ID // one record twice: not in one call
	seen := map[int]bool{}
	for _, c := range d.Calls(b) {
		ids := map[string]bool{}
		for _, at := range c.Records {
			r := b.Records[at]
			if (r.ID == "") != (b.Records[c.Records[0]].ID == "") || r.ID != "" && ids[r.ID] || seen[at] {
				t.Errorf("record %d does not fit into its call", at)
			}
			seen[at], ids[r.ID] = true, true
		}
		if len(c.Records) > 200 || c.Bucket != "" {
			t.Errorf("%d records, bucket %q", len(c.Records), c.Bucket)
		}
	}
	if len(seen) != 450 {
		t.Errorf("%d records are in calls", len(seen))
	}
	def := byExternalID
	def.BatchSize = 7
	small, _ := start(t, def)
	if calls := small.Calls(keyed("a", "b", "c", "d", "e", "f", "g", "h")); len(calls) != 2 {
		t.Errorf("batch_size 7: %d calls for 8 records", len(calls))
	}
}

func TestLimits(t *testing.T) {
	d, _ := start(t, byExternalID)
	if w := d.Limits().Windows(""); len(w) != 1 || w[0].Calls != 50_000 || w[0].Per != 24*time.Hour {
		t.Errorf("%+v", w)
	}
}

func TestNewRefuses(t *testing.T) {
	good := salesforce.Config{
		Connection: syncdef.Connection{Name: "c", URL: "https://acme.my.salesforce.com"}, Definition: byExternalID,
		Secret: func(context.Context) (map[string]string, error) { return nil, nil },
	}
	if _, err := salesforce.New(good); err != nil {
		t.Fatal(err)
	}
	for says, change := range map[string]func(*salesforce.Config){
		"only https":         func(c *salesforce.Config) { c.Connection.URL = "http://acme.my.salesforce.com" },
		"My Domain":          func(c *salesforce.Config) { c.Connection.URL = "acme" },
		"api_version":        func(c *salesforce.Config) { c.Connection.APIVer = "62/../x" },
		"jwt_bearer":         func(c *salesforce.Config) { c.Connection.Auth = "password" },
		"destination_object": func(c *salesforce.Config) { c.Definition.Object = "Account WHERE" },
		"match.destination":  func(c *salesforce.Config) { c.Definition.Match.Destination = "" },
		"matching_strategy":  func(c *salesforce.Config) { c.Definition.Strategy = "" },
		"operation":          func(c *salesforce.Config) { c.Definition.Operation = syncdef.Mirror },
		`"a\"b"`: func(c *salesforce.Config) {
			c.Definition.Fields = []syncdef.Field{{Destination: `a"b`}}
		},
	} {
		cfg := good
		change(&cfg)
		if _, err := salesforce.New(cfg); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q in %v", says, err)
		}
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
		d, err := salesforce.New(salesforce.Config{
			Connection: syncdef.Connection{Name: "prod", URL: srv.URL, Auth: test.auth, Secret: "vault"}, Definition: byExternalID,
			Secret: func(context.Context) (map[string]string, error) {
				if test.secret == nil {
					return nil, errors.New("not there")
				}
				return test.secret, nil
			},
			Now: func() time.Time { return noon },
		})
		if err != nil {
			t.Fatal(err)
		}
		b := dest.Batch{Records: []dest.Record{account(1)}}
		out, err := d.Push(t.Context(), b, d.Calls(b)[0])
		if test.says == "" {
			if err != nil || out[0].Status != dest.Delivered {
				t.Errorf("%s: %+v %v", name, out, err)
			}
			continue
		}
		failed := callError(t, err)
		if failed.Class != dest.Configuration || !strings.Contains(failed.Message, test.says) || strings.Contains(failed.Message, "s3cr3t") {
			t.Errorf("%s: %+v", name, failed)
		}
	}
}

// TestNotReached has nobody listening: nothing was sent.
func TestNotReached(t *testing.T) {
	srv := httptest.NewServer(nil)
	srv.Close()
	d := connect(t, byExternalID, srv.URL)
	b := keyed("c1")
	_, err := d.Push(t.Context(), b, d.Calls(b)[0])
	if failed := callError(t, err); failed.Class != dest.Unavailable || strings.Contains(failed.Message, "token") {
		t.Errorf("%+v", failed)
	}
}
