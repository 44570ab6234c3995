package local_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/events"
	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/wire/gateway"
)

// sampleSync is the sync of the control samples, and sampleRun the run that they name.
const (
	sampleSync = "salesforce_customer_health"
	sampleRun  = sampleSync + ".r0123456789abcdef"
)

// event hands a sample event to a function.
func (d *deployment) event(t *testing.T, function, name string) []byte {
	t.Helper()
	answer, err := d.fleets[function].Invoke(t.Context(), apptest.Event(t, name))
	if err != nil {
		t.Fatalf("%s on %s: %v\n%s", function, name, err, d.log.tail())
	}
	return answer
}

// said reads the one row that a control event is answered with.
func said[T any](t *testing.T, raw []byte) T {
	t.Helper()
	var answer T
	status, rows, message := apptest.Status(t, raw)
	if status != 200 || len(rows) != 1 {
		t.Fatalf("status %d, %d rows: %s", status, len(rows), message)
	}
	if err := json.Unmarshal(rows[0], &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestBootstrapsDriveTheRoad(t *testing.T) {
	d := deploy(t, plan{Set: apptest.Set(t), MaxReceives: map[string]int{"salesforce": 3}})
	d.vendors.SeedAccounts(t, "acmecorp.com", "techstartup.com", "enterprise.com", "cafenoir.example", "example.com", "bracket.example")
	used := map[string]bool{}
	event := func(function, name string) []byte {
		used[name] = true
		return d.event(t, function, name)
	}

	// Intake, with the warehouse's retry.
	first := event("push", "push")
	if d := cmp.Diff(string(first), string(event("push", "push-retried"))); d != "" {
		t.Errorf("the retry is answered otherwise: %s", d)
	}
	counts := map[string]run.Counts{apptest.Answers(t, first)[0].Run: {Received: 4, Delivered: 4}}
	d.settled(t, apptest.Answers(t, first)[0].Run, time.Minute)
	counts[apptest.Answers(t, event("push", "push-gzip"))[0].Run] = run.Counts{Received: 4, Unchanged: 4}
	counts[apptest.Answers(t, event("push", "push-slack"))[0].Run] = run.Counts{Received: 2, Delivered: 2}
	if status, rows, _ := apptest.Status(t, event("push", "push-empty")); status != 200 || len(rows) != 0 {
		t.Errorf("push-empty: %d, %d rows", status, len(rows))
	}
	if status, _, message := apptest.Status(t, event("push", "push-not-json")); status != 400 || !strings.Contains(message, "is not JSON") {
		t.Errorf("push-not-json: %d %s", status, message)
	}
	raw, err := d.fleets["push"].Invoke(t.Context(), events.Oversize())
	if err != nil {
		t.Fatal(err)
	}
	oversize := apptest.Answers(t, raw)[1]
	if oversize.Reason != "row_too_large" {
		t.Errorf("oversize answered %+v", oversize)
	}
	counts[oversize.Run] = run.Counts{Received: 3, Rejected: 1, Superseded: 1, Delivered: 1}
	d.tokens(t, event, counts)
	d.bracket(t, event, counts)
	d.redshift(t, event, counts)

	// The road ends in settled runs, by way of the queues.
	for _, id := range slices.Sorted(maps.Keys(counts)) {
		got := d.settled(t, id, time.Minute).Counts
		got.Calls, got.NoCursor, got.LookedUp = 0, 0, 0
		if d := cmp.Diff(counts[id], got); d != "" {
			t.Errorf("run %s: %s", id, d)
		}
	}
	if errs := apptest.Errors(t, d.fleets["control"], oversize.Run); len(errs) != 1 || errs[0].Type != "row_too_large" {
		t.Errorf("errors %+v", errs)
	}
	scores := map[string]string{"acmecorp.com": "85", "techstartup.com": "45", "enterprise.com": "15", "cafenoir.example": "72.5", "example.com": "50", "bracket.example": "7"}
	if d := cmp.Diff(scores, d.vendors.Accounts("Health_Score__c")); d != "" {
		t.Errorf("Salesforce: %s", d)
	}
	d.queuedEvents(t, event, counts)
	d.cancelled(t, event)
	var texts []string
	for _, m := range d.vendors.Slack.Messages() {
		texts = append(texts, m.Text)
	}
	want := []string{"ENTERPRISE escalated to high risk: 15%", "NEWCO is a new customer at high risk"}
	if d := cmp.Diff(want, texts); d != "" {
		t.Errorf("Slack: %s", d)
	}
	d.poison(t)
	event("sweep", "schedule-tick")
	d.scheduled(t, event)
	for _, s := range apptest.Samples() {
		if s.World != nil { // of another set of syncs: run in memory alone
			used[s.Name], used["push-"+s.Function] = true, true
		}
	}
	for _, name := range events.Names() {
		if !used[name] {
			t.Errorf("events/%s.json did not go through the built binaries", name)
		}
	}
	for _, value := range []string{"acmecorp", "ENTERPRISE", "cust_00", "john@", "penstock-test-secret", "xoxb"} {
		if strings.Contains(d.log.String(), value) { // I6
			t.Errorf("the log holds %q:\n%s", value, d.log.tail())
		}
	}
}

// tokens runs the samples of callers with tokens: what the authorizer let in is taken
// once, and an authorizer without an audience lets in nobody.
func (d *deployment) tokens(t *testing.T, event func(function, name string) []byte, counts map[string]run.Counts) {
	t.Helper()
	first := event("push", "push-token")
	if d := cmp.Diff(string(first), string(event("push", "push-token-retried"))); d != "" {
		t.Errorf("the repeat is answered otherwise: %s", d)
	}
	var answers struct {
		Replies []apptest.Answer `json:"replies"`
	}
	r, err := gateway.DecodeResponse(first)
	if err != nil || json.Unmarshal(r.Body, &answers) != nil || len(answers.Replies) != 4 {
		t.Fatalf("%s, %v", first, err)
	}
	counts[answers.Replies[0].Run] = run.Counts{Received: 4, Unchanged: 4, Repeated: 4}
	for _, name := range []string{"authorizer-token", "authorizer-stranger"} {
		if got := string(event("authorizer", name)); !strings.Contains(got, `"Effect":"Deny"`) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// begin stores the run that the control samples name, as the sync's latest after
// another one.
func (d *deployment) begin(t *testing.T, id, latest string) {
	t.Helper()
	v, err := d.store.Current(t.Context(), sampleSync)
	if err != nil {
		t.Fatal(err)
	}
	err = d.store.BeginRun(t.Context(), run.Run{
		ID: id, Sync: sampleSync, Version: v.ID, Mode: run.Incremental, Bracketed: true, Status: run.Open, BegunAt: time.Now(), Expected: -1,
	}, latest)
	if err != nil {
		t.Fatal(err)
	}
}

// bracket runs the control samples on a run under the id that they name: begun,
// pushed, finished, with one row each rejected, superseded, without an Account and
// delivered; the one without is sent again once its Account is there.
func (d *deployment) bracket(t *testing.T, event func(function, name string) []byte, counts map[string]run.Counts) {
	t.Helper()
	d.begin(t, sampleRun, "")
	if r, err := gateway.DecodeResponse(event("control", "control-token-begin")); err != nil || r.Status != 200 || !strings.Contains(string(r.Body), "is open") {
		t.Errorf("a second active run, from BigQuery: %d %s, %v", r.Status, r.Body, err)
	}
	if b := said[runs.Begun](t, event("control", "control-begin")); b.Select != runs.Wait || !strings.Contains(b.Reason, "is open") {
		t.Errorf("a second active run: %+v", b)
	}
	if g := said[runs.Gated](t, event("control", "control-gate")); g.Run != sampleRun || g.Status != run.Open {
		t.Errorf("control-gate: %+v", g)
	}
	raw, err := d.fleets["push"].Invoke(t.Context(), apptest.Request("push", "q", "q:1",
		apptest.Health(sampleRun, "old@bracket.example", 6), apptest.Health(sampleRun, "new@bracket.example", 7),
		apptest.Health(sampleRun, "no address", 8), apptest.Health(sampleRun, "mike@nowhere.example", 9)))
	if err != nil {
		t.Fatal(err)
	}
	var answers []string
	for _, a := range apptest.Answers(t, raw) {
		answers = append(answers, a.Status)
	}
	if d := cmp.Diff([]string{"superseded", "queued", "rejected", "queued"}, answers); d != "" {
		t.Error(d)
	}
	if r := said[runs.RunStatus](t, event("control", "control-finish")); r.ID != sampleRun || r.Expected != 4 {
		t.Errorf("control-finish: %+v", r)
	}
	d.settled(t, sampleRun, time.Minute)
	counts[sampleRun] = run.Counts{Received: 4, Rejected: 1, Superseded: 1, Delivered: 1, Failed: 1}
	if s := said[runs.SyncStatus](t, event("control", "control-status")); s.Sync != sampleSync || len(s.Runs) == 0 || s.Runs[0].ID != sampleRun {
		t.Errorf("control-status: %+v", s)
	}
	if status, rows, message := apptest.Status(t, event("control", "control-errors")); status != 200 || strings.Count(string(rows[0]), `"record_id"`) != 2 {
		t.Errorf("control-errors: %d %s", status, message)
	}
	if status, rows, message := apptest.Status(t, event("control", "control-freshness")); status != 200 || !strings.Contains(string(rows[0]), `"as_of":null`) {
		t.Errorf("control-freshness: %d %s", status, message)
	}
	if answer := string(event("salesforce", "freshness")); answer != "null" {
		t.Errorf("freshness: %s", answer)
	}
	if list := said[struct{ Syncs []runs.SyncInfo }](t, event("control", "control-syncs")); len(list.Syncs) != 3 {
		t.Errorf("control-syncs: %+v", list)
	}
	if status, rows, message := apptest.Status(t, event("control", "control-plan")); status != 200 || len(rows) != 4 {
		t.Errorf("control-plan: %d %s", status, message)
	}
	// The sample names a record that is not among the errors: none is sent again.
	if r := said[runs.Retried](t, event("control", "control-retry")); r.Queued != 0 {
		t.Errorf("control-retry: %+v", r)
	}
	if status, rows, message := apptest.Status(t, event("control", "control-reset")); status != 200 || !strings.Contains(string(rows[0]), "select: all") {
		t.Errorf("control-reset: %d %s", status, message)
	}
}

// queuedEvents hands the workers the SQS samples: messages that were settled
// already, so that each is acknowledged and none counts again (I2). What is sent
// again is read from a run that these tables do not have, so it is no row's.
func (d *deployment) queuedEvents(t *testing.T, event func(function, name string) []byte, counts map[string]run.Counts) {
	t.Helper()
	calls := d.vendors.Salesforce.Core().Calls().Total
	for _, s := range apptest.Samples() {
		if s.World != nil {
			continue // of another set of syncs
		}
		var want []string
		if s.Name == "sqs-poison" {
			want = apptest.Stay(t, event(s.Function, s.Name))
			if len(want) != 0 {
				t.Errorf("%s: %v stay", s.Name, want)
			}
			continue
		}
		if d := cmp.Diff(want, apptest.Stay(t, event(s.Function, s.Name))); d != "" {
			t.Errorf("%s: what stays: %s", s.Name, d)
		}
	}
	for id, want := range counts {
		got := d.run(t, id).Counts
		got.Calls, got.NoCursor, got.LookedUp = 0, 0, 0
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("run %s was counted again: %s", id, d)
		}
	}
	if n := d.vendors.Salesforce.Core().Calls().Total; n != calls {
		t.Errorf("%d more calls to Salesforce for messages that were settled", n-calls)
	}
}

// cancelled ends a run by its sample: the samples name one run, so that it ends the
// complete one, which stays as it is.
func (d *deployment) cancelled(t *testing.T, event func(function, name string) []byte) {
	t.Helper()
	status, _, message := apptest.Status(t, event("control", "control-cancel"))
	if r := d.run(t, sampleRun); r.Status != run.Complete {
		t.Errorf("a complete run is %s after its cancel, which was answered %d %s", r.Status, status, message)
	}
	begun := control[runs.Begun](t, d, "begin", fmt.Sprintf("%q", sampleSync))
	if r := control[runs.RunStatus](t, d, "cancel", fmt.Sprintf("%q", begun.Run), `"the model is wrong"`); r.Status != run.Cancelled {
		t.Errorf("cancelled: %+v", r)
	}
}

// poison sends a message that is not Penstock's, which is stored as an error.
func (d *deployment) poison(t *testing.T) {
	t.Helper()
	_, err := d.queue.Send(t.Context(), "salesforce", []envelope.Message{{Group: "somebody.else", Dedup: "1", Body: []byte("hello")}})
	if err != nil {
		t.Fatal(err)
	}
	d.until(t, "the poison to become a stored error", time.Minute, func() bool {
		return slices.ContainsFunc(apptest.Errors(t, d.fleets["control"], "unreadable.messages"), func(e run.RowError) bool {
			return e.Type == "unreadable_message" && string(e.Source) == `"hello"`
		})
	})
}
