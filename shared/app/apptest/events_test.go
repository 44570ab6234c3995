package apptest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/events"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/run"
)

// sites are the web sites of the sample customers' Accounts.
var sites = []string{"acmecorp.com", "techstartup.com", "enterprise.com", "cafenoir.example"}

// eventTests runs every sample event through its handler; the keys are the names
// of events/.
var eventTests = map[string]func(t *testing.T, w *World, event []byte){
	"push":           testPush,
	"push-retried":   testRetried,
	"push-gzip":      testGzip,
	"push-empty":     testEmpty,
	"push-not-json":  testNotJSON,
	"push-slack":     testPushSlack,
	"control-begin":  testBegin,
	"control-cancel": testCancel,
	"control-errors": testErrors,
	"control-finish": testFinish,
	"control-gate":   testGate,
	"control-plan":   testPlan,
	"control-reset":  testReset,
	"control-retry":  testRetry,
	"control-status": testStatus,
	"control-syncs":  testSyncs,

	"control-freshness": testFreshnessEvent,
	"freshness":         testCountEvent,
	"schedule-tick":     testTick,
	"schedule":          testSchedule,
	"schedule-twice":    testScheduleTwice,
	"sqs-single":        testSingle,
	"sqs-batch":         testBatch,
	"sqs-duplicate":     testDuplicate,
	"sqs-poison":        testPoison,
	"sqs-replay":        testReplay,
	"sqs-slack":         testSlack,
	"push-amplitude":    testPushAmplitude,
	"sqs-amplitude":     testSQSAmplitude,
	"push-hubspot":      testPushHubSpot,
	"sqs-hubspot":       testSQSHubSpot,
	"push-intercom":     testPushIntercom,
	"sqs-intercom":      testSQSIntercom,

	"redshift-push":          testRedshiftPush,
	"redshift-retried":       testRedshiftRetried,
	"redshift-nulls":         testRedshiftNulls,
	"redshift-contradiction": testRedshiftContradiction,
	"redshift-begin":         testRedshiftBegin,
	"redshift-finish":        testRedshiftFinish,
	"redshift-status":        testRedshiftStatus,
	"redshift-errors":        testRedshiftErrors,
	"redshift-syncs":         testRedshiftSyncs,

	"push-token":          testPushToken,
	"push-token-retried":  testRetriedToken,
	"control-token-begin": testBeginToken,
	"authorizer-token":    testToken,
	"authorizer-stranger": testStranger,
}

func TestEvents(t *testing.T) {
	for _, name := range events.Names() {
		test, ok := eventTests[name]
		if !ok {
			t.Errorf("events/%s.json has no test", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := New(t)
			w.Vendors.SeedAccounts(t, sites...)
			test(t, w, Event(t, name))
			for _, value := range []string{"acmecorp", "ENTERPRISE", "cust_00", "john@", "penstock-sandbox-secret", "xoxb"} {
				if strings.Contains(w.Log(), value) { // I6
					t.Errorf("the log holds %q:\n%s", value, w.Log())
				}
			}
		})
	}
	for name := range eventTests {
		if !slices.Contains(events.Names(), name) {
			t.Errorf("events/%s.json is gone", name)
		}
	}
}

// theRun is the run of the sample push.
var theRun = run.ImplicitID("salesforce_customer_health", "01b1a2c3-0604-8f1e-0000-000000000001")

// records are the sample rows' record ids: the match column, as the sample's file
// names no other.
var records = []string{"john@acmecorp.com", "sarah@techstartup.com", "mike@enterprise.com", "anna@cafenoir.example"}

func queuedAnswers(runID string) []Answer {
	var all []Answer
	for _, id := range records {
		all = append(all, Answer{Status: "queued", Run: runID, RecordID: id})
	}
	return all
}

func testPush(t *testing.T, w *World, event []byte) {
	got := Answers(t, w.Invoke(t, "push", event))
	if d := cmp.Diff(queuedAnswers(got[0].Run), got); d != "" {
		t.Error(d)
	}
	if n := w.Drain(t, "salesforce"); n != 2 {
		t.Errorf("%d messages, want one for each of the two lanes", n)
	}
	w.Settle(t)
	r := w.Run(t, got[0].Run)
	want := run.Counts{Received: 4, Delivered: 4, LookedUp: 4, Calls: r.Counts.Calls}
	if d := cmp.Diff(want, r.Counts); d != "" || r.Status != run.Complete || r.Counts.Calls == 0 {
		t.Errorf("run %s, %d calls: %s", r.Status, r.Counts.Calls, d)
	}
	scores := map[string]string{"acmecorp.com": "85", "techstartup.com": "45", "enterprise.com": "15", "cafenoir.example": "72.5"}
	if d := cmp.Diff(scores, w.Vendors.Accounts("Health_Score__c")); d != "" {
		t.Error(d)
	}
	updated := map[string]string{
		"acmecorp.com": "2024-01-15T10:30:00.000+0000", "techstartup.com": "2024-01-15T10:35:00.000+0000",
		"enterprise.com": "2024-01-15T10:40:00.000+0000", "cafenoir.example": "2024-01-15T10:41:00.000+0000",
	}
	if d := cmp.Diff(updated, w.Vendors.Accounts("Health_Score_Last_Updated__c")); d != "" {
		t.Error(d)
	}
}

func testRetried(t *testing.T, w *World, event []byte) {
	first := w.Invoke(t, "push", Event(t, "push"))
	w.Clock.Advance(10 * time.Minute) // longer than the queue remembers what was sent
	if d := cmp.Diff(string(first), string(w.Invoke(t, "push", event))); d != "" {
		t.Errorf("the retry is answered otherwise: %s", d)
	}
	if n := w.Drain(t, "salesforce"); n != 2 {
		t.Errorf("%d messages, want 2: the retry sent some again", n)
	}
	if d := cmp.Diff(string(first), string(w.Invoke(t, "push", event))); d != "" {
		t.Errorf("a retry after the delivery is answered otherwise: %s", d)
	}
	if n := w.Drain(t, "salesforce"); n != 0 {
		t.Errorf("%d messages after the delivery, want none", n)
	}
	r := w.Run(t, Answers(t, first)[0].Run)
	if r.Counts.Received != 4 || r.Counts.Delivered != 4 {
		t.Errorf("counted more than once: %+v", r.Counts)
	}
}

func testGzip(t *testing.T, w *World, event []byte) {
	plain := Answers(t, w.Invoke(t, "push", Event(t, "push")))
	w.Drain(t, "salesforce")
	zipped := Answers(t, w.Invoke(t, "push", event))
	if zipped[0].Run == plain[0].Run {
		t.Error("another query is another run")
	}
	if d := cmp.Diff(queuedAnswers(zipped[0].Run), zipped); d != "" {
		t.Error(d)
	}
	w.Drain(t, "salesforce")
	// Column names in lower case name the same columns.
	if c := w.Run(t, zipped[0].Run).Counts; c.Unchanged != 4 {
		t.Errorf("counts %+v, want all rows unchanged", c)
	}
}

func testEmpty(t *testing.T, w *World, event []byte) {
	status, rows, _ := Status(t, w.Invoke(t, "push", event))
	if status != http.StatusOK || len(rows) != 0 {
		t.Errorf("status %d, %d rows", status, len(rows))
	}
	if open, err := w.Store.LiveRuns(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("no row began %d runs, %v", len(open), err)
	}
}

func testNotJSON(t *testing.T, w *World, event []byte) {
	status, _, message := Status(t, w.Invoke(t, "push", event))
	if status != http.StatusBadRequest {
		t.Errorf("status %d", status)
	}
	says(t, message, "is not JSON", `send {"data":[[0,...],[1,...]]}`)
}

func testPushSlack(t *testing.T, w *World, event []byte) {
	answers := Answers(t, w.Invoke(t, "push", event))
	for _, a := range answers {
		if a.Status != "queued" {
			t.Errorf("answered %+v", a)
		}
	}
	if answers[0].RecordID != "cust_003:ESCALATED_TO_HIGH_RISK:2024-01-15T10:40:00Z" {
		t.Errorf("record id %q", answers[0].RecordID)
	}
	w.Drain(t, "slack")
	if n := len(w.Vendors.Slack.Messages()); n != 0 {
		t.Errorf("%d messages were posted before the run had all its rows", n)
	}
	w.Settle(t)
	w.Drain(t, "slack")
	w.Settle(t)
	if n := len(w.Vendors.Slack.Messages()); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
	if r := w.Run(t, answers[0].Run); r.Status != run.Complete || r.Counts.Delivered != 2 {
		t.Errorf("run %s, %+v", r.Status, r.Counts)
	}
}

// controlRun is the run of the control samples.
const controlRun = "salesforce_customer_health.r0123456789abcdef"

// begun stores the run that the control samples name.
func begun(t *testing.T, w *World) {
	t.Helper()
	v, err := w.Store.Current(t.Context(), "salesforce_customer_health")
	if err != nil {
		t.Fatal(err)
	}
	err = w.Store.BeginRun(t.Context(), run.Run{
		ID: controlRun, Sync: v.Definition.Sync, Version: v.ID, Mode: run.Incremental, Bracketed: true, Status: run.Open, BegunAt: w.Clock.Now(), Expected: -1,
	}, "")
	if err != nil {
		t.Fatal(err)
	}
}

// answer reads the one row that a control event is answered with.
func answer(t *testing.T, raw []byte, into any) {
	t.Helper()
	status, rows, message := Status(t, raw)
	if status != http.StatusOK || len(rows) != 1 {
		t.Fatalf("status %d, %d rows: %s", status, len(rows), message)
	}
	if err := json.Unmarshal(rows[0], into); err != nil {
		t.Fatal(err)
	}
}

func testBegin(t *testing.T, w *World, event []byte) {
	var first, again struct{ Run, Sync, Version, Mode string }
	answer(t, w.Invoke(t, "control", event), &first)
	answer(t, w.Invoke(t, "control", event), &again)
	if d := cmp.Diff(first, again); d != "" {
		t.Errorf("a retried begin is answered otherwise: %s", d)
	}
	r := w.Run(t, first.Run)
	if !r.Bracketed || r.Status != run.Open || first.Mode != "incremental" || first.Version != r.Version {
		t.Errorf("begun %+v, stored %+v", first, r)
	}
	wait := Call[runs.Begun](t, w.Functions["control"], "begin", `"salesforce_customer_health"`, `"full"`)
	if wait.Select != runs.Wait || wait.Run != "" {
		t.Errorf("a second begin while the first is open: %+v", wait)
	}
	says(t, wait.Reason, first.Run, "is open and waits for", "penstock_finish", "penstock_cancel('"+first.Run+"') ends it")
}

// The sample's sync has no quality: whatever its gate would say, the run goes on.
func testGate(t *testing.T, w *World, event []byte) {
	begun(t, w)
	for range 2 {
		var got runs.Gated
		answer(t, w.Invoke(t, "control", event), &got)
		if got.Run != controlRun || got.Decision != quality.Proceed || got.Status != run.Open {
			t.Errorf("%+v", got)
		}
	}
	if r := w.Run(t, controlRun); r.Gate != nil || r.Status != run.Open {
		t.Errorf("%+v", r)
	}
}

func testFinish(t *testing.T, w *World, event []byte) {
	begun(t, w)
	w.Push(t, "q", "q:1", Health(controlRun, "john@acmecorp.com", 85), Health(controlRun, "sarah@techstartup.com", 45),
		Health(controlRun, "mike@enterprise.com", 15), Health(controlRun, "nobody@nowhere.example", 1))
	var r runs.RunStatus
	answer(t, w.Invoke(t, "control", event), &r)
	if r.Status != run.Finishing || r.Expected != 4 || r.Counts.Received != 4 {
		t.Errorf("finished %+v", r)
	}
	w.Drain(t, "salesforce")
	w.Settle(t)
	answer(t, w.Invoke(t, "control", event), &r)
	if r.Status != run.Complete || r.Counts.Delivered != 3 || r.Counts.Failed != 1 {
		t.Errorf("finished again %+v", r)
	}
}

func testStatus(t *testing.T, w *World, event []byte) {
	pushed := w.Push(t, "q", "q:1", Health("salesforce_customer_health", "john@acmecorp.com", 85))
	w.Drain(t, "salesforce")
	var s struct {
		Sync, Version string
		Watermark     *string
		Runs          []runs.RunStatus
	}
	answer(t, w.Invoke(t, "control", event), &s)
	if s.Sync != "salesforce_customer_health" || s.Version == "" || s.Watermark != nil || len(s.Runs) != 1 {
		t.Fatalf("status %+v", s)
	}
	if r := s.Runs[0]; r.ID != pushed[0].Run || r.Status != run.Open || r.Counts.Delivered != 1 {
		t.Errorf("run %+v", r)
	}
}

func testPlan(t *testing.T, w *World, event []byte) {
	w.Push(t, "q", "q:1", Health("salesforce_customer_health", "john@acmecorp.com", 85))
	w.Drain(t, "salesforce")
	status, rows, message := Status(t, w.Invoke(t, "control", event))
	if status != http.StatusOK || len(rows) != 4 {
		t.Fatalf("%d %s", status, message)
	}
	var actions []string
	for _, r := range rows {
		var p runs.Planned
		if err := json.Unmarshal(r, &p); err != nil {
			t.Fatal(err)
		}
		actions = append(actions, string(p.Action))
	}
	if d := cmp.Diff([]string{"update", "update", "update", "update"}, actions); d != "" { // what it does not find is an error: on_missing: report
		t.Error(d)
	}
	if n := w.Depth(t, "salesforce"); n != 0 {
		t.Errorf("a plan queued %d messages", n)
	}
}

func testErrors(t *testing.T, w *World, event []byte) {
	begun(t, w)
	w.Push(t, "q", "q:1", Health(controlRun, "nobody@nowhere.example", 1), Health(controlRun, "no address", 2))
	w.Drain(t, "salesforce")
	var page struct {
		Errors []struct {
			RecordID string `json:"record_id"`
			Type     string `json:"error_type"`
			Stage    string
			Source   struct{ Email string } `json:"source_data"`
		}
		Next string
	}
	answer(t, w.Invoke(t, "control", event), &page)
	if len(page.Errors) != 2 || page.Next != "" {
		t.Fatalf("errors %+v", page)
	}
	if e := page.Errors[0]; e.RecordID != "nobody@nowhere.example" || e.Stage != "match" && e.Stage != "deliver" || e.Source.Email != "nobody@nowhere.example" {
		t.Errorf("no Account: %+v", e)
	}
	if e := page.Errors[1]; e.RecordID != "no address" || e.Stage != "intake" {
		t.Errorf("no address: %+v", e)
	}
}

func testCancel(t *testing.T, w *World, event []byte) {
	begun(t, w)
	w.Push(t, "q", "q:1", Health(controlRun, "john@acmecorp.com", 85), Health(controlRun, "sarah@techstartup.com", 45))
	for range 2 { // a repeated call is answered alike
		var r runs.RunStatus
		answer(t, w.Invoke(t, "control", event), &r)
		if r.Status != run.Cancelled || !strings.Contains(r.Reason, "the model is wrong") {
			t.Errorf("cancelled: %s, %q", r.Status, r.Reason)
		}
	}
	if a := w.Push(t, "q", "q:2", Health(controlRun, "mike@enterprise.com", 15))[0]; a.Status != "blocked" {
		t.Errorf("a row that comes after it is answered %+v", a)
	}
	w.Drain(t, "salesforce")
	w.Settle(t)
	if c := w.Run(t, controlRun).Counts; c.Cancelled != 2 || c.Blocked != 1 || c.Delivered != 0 {
		t.Errorf("counts %+v", c)
	}
	if scores := w.Vendors.Accounts("Health_Score__c"); scores["acmecorp.com"] != "" {
		t.Errorf("rows of a cancelled run are delivered: %v", scores)
	}
}

func testReset(t *testing.T, w *World, event []byte) {
	var said struct{ Sync, Message string }
	answer(t, w.Invoke(t, "control", event), &said)
	if said.Sync != "salesforce_customer_health" {
		t.Errorf("answered %+v", said)
	}
	says(t, said.Message, "select: all")
	if b := Call[runs.Begun](t, w.Functions["control"], "begin", `"salesforce_customer_health"`); b.Select != runs.All || b.Run == "" {
		t.Errorf("the next run selects %q", b.Select)
	}
}

// testRetry has two rows whose Accounts are missing; one Account is made, and the
// event names its row.
func testRetry(t *testing.T, w *World, event []byte) {
	for site, id := range ids(w) {
		if site == "enterprise.com" {
			if err := w.Vendors.Salesforce.Remove("Account", id); err != nil {
				t.Fatal(err)
			}
		}
	}
	begun(t, w)
	w.Push(t, "q", "q:1", Health(controlRun, "nobody@nowhere.example", 1), Health(controlRun, "mike@enterprise.com", 15))
	w.Drain(t, "salesforce")
	w.Vendors.SeedAccounts(t, "enterprise.com")
	var first, again runs.Retried
	answer(t, w.Invoke(t, "control", event), &first)
	if first.Queued != 1 || first.Rejected+first.Superseded+first.PushAgain+first.Unknown != 0 || !run.IsRetry(first.Run) {
		t.Errorf("answered %+v", first)
	}
	w.Drain(t, "salesforce")
	answer(t, w.Invoke(t, "control", event), &again)
	if again.Run != first.Run || w.Depth(t, "salesforce") != 0 {
		t.Errorf("a repeated call: %+v, %d messages", again, w.Depth(t, "salesforce"))
	}
	if got := w.Vendors.Accounts("Health_Score__c")["enterprise.com"]; got != "15" {
		t.Errorf("score %q, want 15", got)
	}
	if r := w.Run(t, controlRun); r.Counts.Failed != 2 || r.Retried != 1 || r.Due != 0 {
		t.Errorf("the run: %+v, %d delivered by retries, %d due", r.Counts, r.Retried, r.Due)
	}
}

// ids are the Accounts' by web site.
func ids(w *World) map[string]string { return w.Vendors.Accounts("Id") }

func testSyncs(t *testing.T, w *World, event []byte) {
	var list struct{ Syncs []runs.SyncInfo }
	answer(t, w.Invoke(t, "control", event), &list)
	var names []string
	for _, s := range list.Syncs {
		names = append(names, s.Sync+" "+s.Type+" "+s.Cursor)
	}
	want := []string{"salesforce_customer_health salesforce ", "sf_health salesforce updated_at", "slack_alerts slack alert_time"}
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
}

func testTick(t *testing.T, w *World, event []byte) {
	pushed := w.Push(t, "q", "q:1", Health("salesforce_customer_health", "john@acmecorp.com", 85))
	w.Drain(t, "salesforce")
	w.Clock.Advance(Quiet - time.Second)
	w.Invoke(t, "sweep", event)
	if r := w.Run(t, pushed[0].Run); r.Status != run.Open {
		t.Errorf("run is %s before the quiet time is over", r.Status)
	}
	w.Clock.Advance(time.Second)
	w.Invoke(t, "sweep", event)
	if r := w.Run(t, pushed[0].Run); r.Status != run.Complete {
		t.Errorf("run is %s after the quiet time", r.Status)
	}
}

// says fails the test unless the message holds every part.
func says(t *testing.T, message string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(message, p) {
			t.Errorf("the message does not say %q: %s", p, message)
		}
	}
}
