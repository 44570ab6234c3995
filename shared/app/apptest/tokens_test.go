package apptest

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/authorizer"
	"github.com/penstock-data/penstock/shared/idtoken"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/wire/bigquery"
	"github.com/penstock-data/penstock/shared/wire/gateway"
)

// tokenAnswers reads the answers of a request at /token/...
func tokenAnswers[T any](t testing.TB, raw []byte) []T {
	t.Helper()
	r, err := gateway.DecodeResponse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != http.StatusOK {
		t.Fatalf("status %d: %s", r.Status, r.Body)
	}
	values, err := bigquery.DecodeReply(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]T, len(values))
	for i, v := range values {
		if err := json.Unmarshal(v, &all[i]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func testPushToken(t *testing.T, w *World, event []byte) {
	got := tokenAnswers[Answer](t, w.Invoke(t, "push", event))
	if d := cmp.Diff(queuedAnswers(got[0].Run), got); d != "" {
		t.Error(d)
	}
	w.Drain(t, "salesforce")
	w.Settle(t)
	if r := w.Run(t, got[0].Run); r.Status != run.Complete || r.Counts.Received != 4 || r.Counts.Delivered != 4 {
		t.Errorf("run %s, %+v", r.Status, r.Counts)
	}
	scores := map[string]string{"acmecorp.com": "85", "techstartup.com": "45", "enterprise.com": "15", "cafenoir.example": "72.5"}
	if d := cmp.Diff(scores, w.Vendors.Accounts("Health_Score__c")); d != "" {
		t.Error(d)
	}
	if !strings.Contains(w.Log(), `"caller":"bigquery"`) {
		t.Errorf("the log does not say who called:\n%s", w.Log())
	}
}

func testRetriedToken(t *testing.T, w *World, event []byte) {
	first := w.Invoke(t, "push", Event(t, "push-token"))
	w.Clock.Advance(10 * time.Minute)
	for range 19 {
		if d := cmp.Diff(string(first), string(w.Invoke(t, "push", event))); d != "" {
			t.Fatalf("a repeat is answered otherwise: %s", d)
		}
	}
	w.Drain(t, "salesforce")
	if d := cmp.Diff(string(first), string(w.Invoke(t, "push", event))); d != "" {
		t.Errorf("a repeat after the delivery is answered otherwise: %s", d)
	}
	if n := w.Drain(t, "salesforce"); n != 0 {
		t.Errorf("%d messages after the delivery, want none", n)
	}
	if c := w.Run(t, tokenAnswers[Answer](t, first)[0].Run).Counts; c.Received != 4 || c.Delivered != 4 {
		t.Errorf("counted more than once: %+v", c)
	}
}

func testBeginToken(t *testing.T, w *World, event []byte) {
	first := tokenAnswers[runs.Begun](t, w.Invoke(t, "control", event))[0]
	if first.Run == "" || first.Select != runs.All || first.Sync != "salesforce_customer_health" {
		t.Errorf("%+v", first)
	}
	// What it holds is what counts within a query, whatever the request is called.
	renamed := []byte(strings.Replace(string(event), `124ab1d`, `77f0e2d`, 1))
	if again := tokenAnswers[runs.Begun](t, w.Invoke(t, "control", renamed))[0]; again != first {
		t.Errorf("a repeat under another id is answered %+v, want %+v", again, first)
	}
	other := []byte(strings.Replace(string(event), `18d0a2`, `18d0a3`, 1))
	if second := tokenAnswers[runs.Begun](t, w.Invoke(t, "control", other))[0]; second.Select != runs.Wait {
		t.Errorf("another query's is answered %+v", second)
	}
}

// sampleAuthorizer is the authorizer of the samples, at their time, with the key that
// signed them.
func sampleAuthorizer(t *testing.T, w *World) *authorizer.Handler {
	t.Helper()
	keys, err := os.ReadFile("../authorizer/testdata/sample_keys.json")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write(keys) }))
	t.Cleanup(server.Close)
	now := func() time.Time { return time.Date(2024, 1, 15, 11, 0, 0, 0, time.UTC) }
	const email = "penstock@acme-data.iam.gserviceaccount.com"
	return &authorizer.Handler{
		Policy:     idtoken.Policy{Audience: "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/v1", Emails: []string{email}, Skew: authorizer.Skew},
		Forwarders: []string{email}, Keys: &authorizer.KeySet{URL: server.URL, Client: server.Client(), Now: now}, Now: now,
		Log: slog.New(slog.NewJSONHandler(&w.log, nil)),
	}
}

const sampleAPI = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/v1/"

func testToken(t *testing.T, w *World, event []byte) {
	got, err := sampleAuthorizer(t, w).Invoke(t.Context(), event)
	want := `{"principalId":"104857600000000000001","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"` +
		sampleAPI + `POST/token/*"}]},"context":{"email":"penstock@acme-data.iam.gserviceaccount.com","forward":"true"}}`
	if d := cmp.Diff(want, string(got)); d != "" || err != nil {
		t.Errorf("%v: %s", err, d)
	}
	// What it answers stands in the event that push-token is.
	r, err := gateway.Decode(Event(t, "push-token"))
	if err != nil || r.Verified(bigquery.VerifiedEmail) != "penstock@acme-data.iam.gserviceaccount.com" || r.Verified(bigquery.VerifiedForward) != "true" {
		t.Errorf("push-token: %q, %q, %v", r.Verified(bigquery.VerifiedEmail), r.Verified(bigquery.VerifiedForward), err)
	}
}

func testStranger(t *testing.T, w *World, event []byte) {
	got, err := sampleAuthorizer(t, w).Invoke(t.Context(), event)
	want := `{"principalId":"nobody","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Deny","Resource":"` + sampleAPI + `*"}]}}`
	if d := cmp.Diff(want, string(got)); d != "" || err != nil {
		t.Errorf("%v: %s", err, d)
	}
}
