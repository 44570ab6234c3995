package apptest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/events"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
	"github.com/penstock-data/penstock/shared/wire/gateway"
)

// Bad input has one clear message with its remedy where the user looks, and no
// other row suffers.

const healthSync = "salesforce_customer_health"

func TestUnknownSync(t *testing.T) {
	w := New(t)
	status, _, message := Status(t, w.Invoke(t, "push", Request("push", "q", "q:1", Health("salesforce_customer_helath", "a@b.example", 1))))
	if status != http.StatusBadRequest {
		t.Errorf("status %d", status)
	}
	says(t, message, `no sync "salesforce_customer_helath"`, `"salesforce_customer_health"`, "penstock apply")

	answers := w.Push(t, "q2", "q2:1", Health("nope", "a@b.example", 1), Health(healthSync, "john@acmecorp.com", 2))
	if a := answers[0]; a.Status != "rejected" || a.Reason != "unknown_sync" {
		t.Errorf("answered %+v", a)
	}
	if a := answers[1]; a.Status != "queued" {
		t.Errorf("the other row suffers: %+v", a)
	}
	for function, args := range map[string][]string{"begin": {`"nope"`}, "reset": {`"nope"`}, "retry": {`"nope.r1"`}} {
		status, _, message := Status(t, w.Invoke(t, "control", Request(function, "q", "q:1", args)))
		if status != http.StatusBadRequest {
			t.Errorf("%s: status %d", function, status)
		}
		if function != "retry" {
			says(t, message, `no sync "nope"`, "penstock apply")
		}
	}
	// What only reads fails no query: it may be over many syncs.
	for function, argument := range map[string]string{"status": `"nope"`, "errors": `"nope.r1"`} {
		var read struct {
			Message      string
			Runs, Errors []any
		}
		answer(t, w.Invoke(t, "control", Request(function, "q", "q:1", []string{argument})), &read)
		says(t, read.Message, "nope")
		if len(read.Runs)+len(read.Errors) != 0 {
			t.Errorf("%s: %+v", function, read)
		}
	}
}

// A sync whose definition was written but not applied is as unknown as one that
// was misspelt; the message names both ways out.
func TestUnappliedSync(t *testing.T) {
	w := NewWith(t, yamlfile.Set{})
	status, _, message := Status(t, w.Invoke(t, "push", Request("push", "q", "q:1", Health(healthSync, "a@b.example", 1))))
	if status != http.StatusBadRequest {
		t.Errorf("status %d", status)
	}
	says(t, message, "none is applied yet", "run penstock apply")
}

// A run pins the version it began with, whatever is applied meanwhile.
func TestRunKeepsItsVersion(t *testing.T) {
	w := New(t)
	w.Vendors.SeedAccounts(t, sites...)
	begun := Call[struct{ Run, Version string }](t, w.Functions["control"], "begin", `"`+healthSync+`"`)
	v, err := w.Store.Current(t.Context(), healthSync)
	if err != nil {
		t.Fatal(err)
	}
	v.ID, v.Definition.Fields = "v00000000000a", v.Definition.Fields[1:]
	if err := w.Store.Apply(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	w.Push(t, "q", "q:1", Health(begun.Run, "john@acmecorp.com", 85))
	w.Drain(t, "salesforce")
	if got := w.Vendors.Accounts("Health_Score__c")["acmecorp.com"]; got != "85" {
		t.Errorf("score %q, want 85 by the version that the run pinned", got)
	}
}

// A version that is gone from the state table: its rows are stored as errors that
// say what to do, and nobody else's suffer (I1, I9).
func TestVersionThatIsGone(t *testing.T) {
	w := New(t)
	w.Vendors.SeedAccounts(t, sites...)
	v, err := w.Store.Current(t.Context(), healthSync)
	if err != nil {
		t.Fatal(err)
	}
	v.ID = "v00000000000a" // as if another table had been restored under the functions
	if err := w.Store.Apply(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	gone := w.Push(t, "q1", "q1:1", Health(healthSync, "john@acmecorp.com", 85))[0].Run
	w.Deliver("salesforce").Syncs = New(t).Store
	w.Apply(t, Set(t))
	good := w.Push(t, "q2", "q2:1", Health(healthSync, "sarah@techstartup.com", 45))[0].Run // another lane
	if n := w.Drain(t, "salesforce"); n != 2 || w.Depth(t, "salesforce") != 0 {
		t.Fatalf("%d messages, %d left", n, w.Depth(t, "salesforce"))
	}
	if c := w.Run(t, good).Counts; c.Delivered != 1 {
		t.Errorf("the other row suffers: %+v", c)
	}
	w.Settle(t)
	if r := w.Run(t, gone); r.Status != run.Complete || r.Outcome != run.None || r.Counts.Failed != 1 {
		t.Errorf("afterwards %s %s, %+v", r.Status, r.Outcome, r.Counts)
	}
	errs := w.Errors(t, gone)
	if len(errs) != 1 || errs[0].Type != "unknown_version" || !errs[0].Due.IsZero() {
		t.Fatalf("errors %+v", errs)
	}
	says(t, errs[0].Message, "version v00000000000a", "is not stored", "apply the sync")
}

func TestUnknownRun(t *testing.T) {
	w := New(t)
	id := healthSync + ".r0000000000000000"
	status, _, message := Status(t, w.Invoke(t, "push", Request("push", "q", "q:1", Health(id, "a@b.example", 1))))
	if status != http.StatusBadRequest {
		t.Errorf("push: status %d", status)
	}
	says(t, message, "there is no run", "penstock_begin")
	status, _, message = Status(t, w.Invoke(t, "control", Request("finish", "q", "q:1", []string{`"` + id + `"`, "1"})))
	if status != http.StatusBadRequest {
		t.Errorf("finish: status %d", status)
	}
	says(t, message, "there is no run", `SELECT penstock_status('`+healthSync+`')  lists the sync's runs`)
	status, _, message = Status(t, w.Invoke(t, "control", Request("finish", "q", "q:1", []string{`"` + id + `"`, `"many"`})))
	if status != http.StatusBadRequest {
		t.Errorf("finish: status %d", status)
	}
	says(t, message, "rows is", "no whole number")
}

func TestRowWithoutItsRecordID(t *testing.T) {
	w := New(t)
	w.Vendors.SeedAccounts(t, sites...)
	const sync = `"sf_health"`
	good := func(id string) []string {
		return []string{sync, `{` + id + `"email":"john@acmecorp.com","company_name":"Acme","health_score_percentage":85,` +
			`"health_status_description":"Healthy - Expansion Opportunity","daily_active_users":1,"feature_adoption_pct":1,` +
			`"monthly_recurring_revenue":1,"renewal_probability_pct":1,"support_tickets_last_30d":1,"days_since_last_login":1,` +
			`"score_confidence_pct":90,"recommended_action":"call","health_score_calculated_at":"2024-01-15 10:30:00","updated_at":"2024-01-15 10:30:00"}`}
	}
	answers := w.Push(t, "q", "q:1", good(""), good(`"customer_id":null,`), good(`"customer_id":"cust_001",`))
	for i, a := range answers[:2] {
		if a.Status != "rejected" || a.Field != "customer_id" {
			t.Errorf("row %d answered %+v", i, a)
		}
		says(t, a.Message, "customer_id", []string{"OBJECT_CONSTRUCT_KEEP_NULL", "names the row, in every row"}[i])
	}
	if a := answers[2]; a.Status != "queued" || a.RecordID != "cust_001" {
		t.Errorf("the other row suffers: %+v", a)
	}
	w.Drain(t, "salesforce")
	errs := w.Errors(t, answers[2].Run)
	if len(errs) != 2 || errs[0].Stage != "intake" || errs[0].Row != 0 || errs[1].Row != 1 {
		t.Errorf("errors %+v", errs)
	}
	if r := w.Run(t, answers[2].Run); r.Counts.Rejected != 2 || r.Counts.Delivered != 1 {
		t.Errorf("counts %+v", r.Counts)
	}
}

func TestBodyThatIsNoJSON(t *testing.T) {
	w := New(t)
	for body, want := range map[string]string{
		"hello": `is not JSON (byte 0); send {"data":[[0,...],[1,...]]}`,
		`{"data":[[0,"salesforce_customer_health",{"EMAIL":"jo`: `ends in the middle; send {"data":[[0,...],[1,...]]}`,
		"":                 `no body; send {"data":[[0,...],[1,...]]}`,
		`{"rows":[]}`:      `has no "data"; send {"data":[[0,...],[1,...]]}`,
		`{"data":{"0":1}}`: `"data" is an object; send {"data":[[0,...],[1,...]]}`,
	} {
		status, _, message := Status(t, w.Invoke(t, "push", RawRequest("push", "q", "q:1", []byte(body))))
		if status != http.StatusBadRequest {
			t.Errorf("%s: status %d", body, status)
		}
		says(t, message, want)
		if strings.Contains(message, "EMAIL") {
			t.Errorf("the message quotes the row: %s", message)
		}
	}
	// Not even an event of API Gateway.
	r, err := gateway.DecodeResponse(w.Invoke(t, "push", []byte(`{"Records":[]}`)))
	if err != nil || r.Status != http.StatusBadRequest {
		t.Errorf("an SQS event: %+v, %v", r, err)
	}
}

func TestRowOf5MB(t *testing.T) {
	w := New(t)
	w.Vendors.SeedAccounts(t, "example.com")
	answers := Answers(t, w.Invoke(t, "push", events.Oversize()))
	if len(answers) != 3 {
		t.Fatalf("%d answers", len(answers))
	}
	large := answers[1]
	if large.Status != "rejected" || large.Reason != "row_too_large" {
		t.Errorf("answered %+v", large)
	}
	says(t, large.Message, "4297 KiB", fmt.Sprintf("at most %d KiB", envelope.MaxRow>>10), "select fewer or shorter columns")
	w.Drain(t, "salesforce")
	// The other two have one domain, so that the last one wins.
	if a := []string{answers[0].Status, answers[2].Status}; !cmp.Equal(a, []string{"superseded", "queued"}) {
		t.Errorf("the other rows: %v", a)
	}
	if c := w.Run(t, large.Run).Counts; c.Delivered != 1 || c.Superseded != 1 || c.Rejected != 1 {
		t.Errorf("counts %+v", c)
	}
	errs := w.Errors(t, large.Run)
	if len(errs) != 1 || errs[0].Type != "row_too_large" || errs[0].Row != 1 || len(errs[0].Source) > envelope.MaxRow {
		t.Errorf("errors: %d", len(errs))
	}
}

func TestAbsentSecret(t *testing.T) {
	w := New(t)
	w.Vendors.SeedAccounts(t, sites...)
	kept := w.Secrets[Prefix+"salesforce_prod"]
	delete(w.Secrets, Prefix+"salesforce_prod")
	id := w.Push(t, "q", "q:1", Health(healthSync, "john@acmecorp.com", 85))[0].Run
	w.Drain(t, "salesforce")
	stuck(t, w, id, `the secret "penstock/salesforce_prod" in AWS Secrets Manager has no value or does not exist`,
		"aws secretsmanager put-secret-value --secret-id penstock/salesforce_prod", "if there is no such secret, first deploy the stack with this connection in the parameter TYPEConnections",
		`it holds {"client_id": "...", "client_secret": "..."}`)

	w.Secrets[Prefix+"salesforce_prod"] = kept
	recovers(t, w, id)
}

func TestSecretThatIsNoObject(t *testing.T) {
	w := New(t)
	w.Vendors.SeedAccounts(t, sites...)
	kept := w.Secrets[Prefix+"salesforce_prod"]
	w.Secrets[Prefix+"salesforce_prod"] = "hunter2"
	id := w.Push(t, "q", "q:1", Health(healthSync, "john@acmecorp.com", 85))[0].Run
	w.Drain(t, "salesforce")
	stuck(t, w, id, "is not a JSON object of strings", "put-secret-value")
	if strings.Contains(w.Run(t, id).Waits+w.Log(), "hunter2") { // I6
		t.Error("the secret is shown")
	}
	w.Secrets[Prefix+"salesforce_prod"] = `{"client_id":"penstock-sandbox"}`
	w.Clock.Advance(time.Hour)
	w.Drain(t, "salesforce")
	stuck(t, w, id, "client_secret")
	w.Secrets[Prefix+"salesforce_prod"] = kept
	recovers(t, w, id)
}

func TestDestinationThatAnswersHTML(t *testing.T) {
	for status, want := range map[int][]string{
		http.StatusOK:         {"HTML", "url"},
		http.StatusBadGateway: {"502 Bad Gateway", "tried again by itself"},
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			w := New(t)
			w.Vendors.SeedAccounts(t, sites...)
			core := w.Vendors.Salesforce.Core()
			fault := sandbox.Fault{Match: "/services/", Count: -1, Status: status, ContentType: "text/html", Body: "<html><title>Maintenance</title><body>back soon</body></html>"}
			if err := core.AddFault(fault); err != nil {
				t.Fatal(err)
			}
			id := w.Push(t, "q", "q:1", Health(healthSync, "john@acmecorp.com", 85))[0].Run
			w.Drain(t, "salesforce")
			stuck(t, w, id, want...)
			core.ClearFaults()
			recovers(t, w, id)
		})
	}
}

// stuck fails the test unless the run and its sync say why nothing goes on, and no
// row was given up.
func stuck(t *testing.T, w *World, id string, parts ...string) {
	t.Helper()
	r := w.Run(t, id)
	if r.Counts.Failed != 0 || r.Counts.Delivered != 0 {
		t.Errorf("counts %+v: a connection that is not set up is waited for", r.Counts)
	}
	says(t, r.Waits, parts...)
	says(t, w.Status(t, run.SyncOf(id)).Paused, parts...)
	if errs := w.Errors(t, id); len(errs) != 0 {
		t.Errorf("errors %+v", errs)
	}
}

// recovers fails the test unless the run ends complete, without a reason, once
// what was wrong is mended: within half an hour, the longest pause, and its jitter.
func recovers(t *testing.T, w *World, id string) {
	t.Helper()
	w.Pass(t, 40*time.Minute)
	if r := w.Run(t, id); r.Status != run.Complete || r.Counts.Delivered != 1 || r.Reason != "" || r.Waits != "" {
		t.Errorf("afterwards %s, %+v, %q, %q", r.Status, r.Counts, r.Reason, r.Waits)
	}
}
