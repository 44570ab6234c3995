//go:build cgo && unix

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// running is a demo of so many rows whose first pass is over, with its output.
func running(t *testing.T, rows int) (*demo, context.Context, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	d := &demo{cmd: demoCmd{Rows: rows, Seed: 1, Syncs: "../../sql/syncs"}, dir: t.TempDir(), syncs: sampleSyncs,
		s: program{out: &out, err: io.Discard, clock: clock{now: time.Now, zone: time.UTC}, known: listed()}}
	ctx, cancel := context.WithCancel(t.Context())
	g, ctx := errgroup.WithContext(ctx)
	t.Cleanup(func() {
		cancel()
		if err := d.close(g); err != nil {
			t.Error(err)
		}
	})
	if err := d.open(ctx, g); err != nil {
		t.Fatal(err)
	}
	if err := d.pass(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if len(d.wrong) > 0 {
		t.Fatal(d.wrong)
	}
	return d, ctx, &out
}

// call makes a request to a simulator as anybody with its credentials could.
func call(t *testing.T, method, url, kind, body string, headers ...string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Accept", "application/json")
	for _, token := range headers {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s %v", method, url, resp.StatusCode, answer, err)
	}
	return string(answer)
}

const (
	jsonBody = "application/json"
	formBody = "application/x-www-form-urlencoded"
)

// A value that somebody changes at a destination is found by the comparison, at each of
// the five, and so is what is too much there.
func TestDemoFindsWrongValues(t *testing.T) {
	d, ctx, out := running(t, 60)
	t.Run("screen", func(t *testing.T) { fits(t, out.String()) })
	secret := func(kind, key string) string { return d.box.Secret(kind)[key] }
	for _, c := range []struct {
		kind, name, finds string
		field             string // of the record that is changed, which has it
		change            func(t *testing.T, at, id string)
	}{
		{"salesforce", "a number", "Health_Score__c: want ", "Health_Score__c", func(t *testing.T, at, id string) {
			form := url.Values{"grant_type": {"client_credentials"}, "client_id": {secret("salesforce", "client_id")}, "client_secret": {secret("salesforce", "client_secret")}}
			var login struct {
				Token string `json:"access_token"`
			}
			if err := json.Unmarshal([]byte(call(t, http.MethodPost, at+"/services/oauth2/token", formBody, form.Encode())), &login); err != nil {
				t.Fatal(err)
			}
			call(t, http.MethodPatch, at+"/services/data/v68.0/sobjects/Account/"+id, jsonBody, `{"Health_Score__c": 0.7}`, login.Token)
		}},
		{"hubspot", "a number", "ltv_usd: want ", "ltv_usd", func(t *testing.T, at, id string) {
			call(t, http.MethodPatch, at+"/crm/objects/2026-09/contacts/"+id, jsonBody, `{"properties": {"ltv_usd": "0.01"}}`, secret("hubspot", "token"))
		}},
		{"hubspot", "a contact too many", "want no such record, got eve@elsewhere.example", "email", func(t *testing.T, at, _ string) {
			call(t, http.MethodPost, at+"/crm/objects/2026-09/contacts", jsonBody, `{"properties": {"email": "eve@elsewhere.example"}}`, secret("hubspot", "token"))
		}},
		{"hubspot", "a contact too few", "want the record ", "email", func(t *testing.T, at, id string) {
			call(t, http.MethodDelete, at+"/crm/objects/2026-09/contacts/"+id, jsonBody, "", secret("hubspot", "token"))
		}},
		{"intercom", "an attribute of the object", "risk_level: want ", "risk_level", func(t *testing.T, at, id string) {
			call(t, http.MethodPut, at+"/contacts/"+id, jsonBody, `{"custom_attributes": {"risk_level": "NONE"}}`, secret("intercom", "token"))
		}},
		{"intercom", "a tag", "tags: want ", "tags", func(t *testing.T, at, id string) {
			var tag struct{ ID string }
			if err := json.Unmarshal([]byte(call(t, http.MethodPost, at+"/tags", jsonBody, `{"name": "risk_unheard_of"}`, secret("intercom", "token"))), &tag); err != nil {
				t.Fatal(err)
			}
			call(t, http.MethodPost, at+"/contacts/"+id+"/tags", jsonBody, `{"id": "`+tag.ID+`"}`, secret("intercom", "token"))
		}},
		{"amplitude", "a text", "api_calls_trend: want ", "api_calls_trend", func(t *testing.T, at, id string) {
			form := url.Values{"api_key": {secret("amplitude", "api_key")}, "identification": {`[{"user_id": "` + id + `", "user_properties": {"api_calls_trend": "sideways"}}]`}}
			call(t, http.MethodPost, at+"/identify", formBody, form.Encode())
		}},
		{"slack", "a message of somebody else", "want a message of slack_alerts", "text", func(t *testing.T, at, _ string) {
			call(t, http.MethodPost, at+"/api/chat.postMessage", jsonBody, `{"channel": "C0000000001", "text": "hello"}`, secret("slack", "token"))
		}},
	} {
		t.Run(c.kind+"/"+c.name, func(t *testing.T) {
			p := pushedTo(t, c.kind)
			c.change(t, d.box.Endpoints[c.kind], recordWith(t, d, p, c.field))
			got, err := d.compareStore(ctx, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range got.Differences {
				if strings.Contains(x.String(), c.finds) {
					return
				}
			}
			t.Errorf("%d differences, of which none says %q: %v", got.Total, c.finds, got.Differences)
		})
	}
}

// fits checks that a terminal of 80 columns shows the first pass, with a line of
// progress and a line of figures for each sync.
func fits(t *testing.T, printed string) {
	t.Helper()
	for line := range strings.Lines(printed) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > widest {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, p := range sampleSyncs {
		if strings.Count(printed, "  "+p.heading()+" ") != 1 || strings.Count(printed, "| "+p.title+" ") != 1 {
			t.Errorf("not one line each of %s in\n%s", p.heading(), printed)
		}
	}
	if !strings.Contains(printed, "windows go by 100 times faster") {
		t.Errorf("the windows are not told:\n%s", printed)
	}
}

// A folder that the demo goes on with is told within 80 columns, too.
func TestDemoIntroductionFits(t *testing.T) {
	var out bytes.Buffer
	d := &demo{dir: "penstock-data", syncs: sampleSyncs, s: program{out: &out}}
	d.introduce()
	if !strings.Contains(out.String(), "penstock-data is not new") {
		t.Error(out.String())
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > widest {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// pushedTo is the demo's sync to a destination type.
func pushedTo(t *testing.T, kind string) pushedSync {
	t.Helper()
	for _, p := range sampleSyncs {
		if p.kind == kind {
			return p
		}
	}
	t.Fatalf("nothing is pushed to %s", kind)
	return pushedSync{}
}

// recordWith is the id of the first record that has a field.
func recordWith(t *testing.T, d *demo, p pushedSync, field string) string {
	t.Helper()
	v, err := d.definition(p.name)
	if err != nil {
		t.Fatal(err)
	}
	for r := range d.box.Simulated[p.kind].(sandbox.Holder).Records(v.Object) {
		if _, ok := r.Text(field); ok {
			return r.ID()
		}
	}
	t.Fatalf("no record of %s has %s", p.kind, field)
	return ""
}
