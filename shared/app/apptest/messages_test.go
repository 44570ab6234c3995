package apptest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// queue pushes what the sample's messages hold, so that their runs and batches
// are there, and empties the queue again.
func queue(t *testing.T, w *World, name string) {
	t.Helper()
	for _, s := range Samples() {
		if s.Name == name {
			w.Queued(t, s)
		}
	}
}

// counts are a run's without its calls.
func counts(t *testing.T, w *World, id string) run.Counts {
	t.Helper()
	c := w.Run(t, id).Counts
	c.Calls = 0
	return c
}

func testSingle(t *testing.T, w *World, event []byte) {
	queue(t, w, "sqs-single")
	if stay := Stay(t, w.Invoke(t, "salesforce", event)); stay != nil {
		t.Errorf("%v stay", stay)
	}
	if d := cmp.Diff(run.Counts{Received: 4, Queued: 2, Delivered: 2, LookedUp: 2}, counts(t, w, theRun)); d != "" {
		t.Error(d)
	}
	scores := map[string]string{"acmecorp.com": "85", "techstartup.com": "", "enterprise.com": "", "cafenoir.example": "72.5"}
	if d := cmp.Diff(scores, w.Vendors.Accounts("Health_Score__c")); d != "" {
		t.Error(d)
	}
}

func testBatch(t *testing.T, w *World, event []byte) {
	queue(t, w, "sqs-batch")
	if stay := Stay(t, w.Invoke(t, "salesforce", event)); stay != nil {
		t.Errorf("%v stay", stay)
	}
	w.Settle(t)
	// Both queries push the same keys: of what is in hand the later one wins.
	if d := cmp.Diff(run.Counts{Received: 4, Superseded: 4}, counts(t, w, theRun)); d != "" {
		t.Error(d)
	}
	status := Call[struct{ Runs []runs.RunStatus }](t, w.Functions["control"], "status", `"salesforce_customer_health"`)
	if len(status.Runs) != 2 {
		t.Fatalf("%d runs", len(status.Runs))
	}
	for _, r := range status.Runs {
		if r.Status != run.Complete || r.ID != theRun && r.Counts.Delivered != 4 {
			t.Errorf("run %+v", r)
		}
	}
	// Four domains in one lookup, four Accounts in one upsert, and one login.
	if calls := w.Vendors.Salesforce.Core().Calls(); calls.Total != 3 {
		t.Errorf("calls %v, want one each to log in, look up and upsert", calls.By)
	}
}

func testDuplicate(t *testing.T, w *World, event []byte) {
	queue(t, w, "sqs-duplicate")
	want := run.Counts{Received: 4, Queued: 2, Delivered: 2, LookedUp: 2}
	for range 2 { // and the whole event once more
		if stay := Stay(t, w.Invoke(t, "salesforce", event)); stay != nil {
			t.Errorf("%v stay", stay)
		}
		if d := cmp.Diff(want, counts(t, w, theRun)); d != "" { // I2
			t.Error(d)
		}
	}
	if calls := w.Vendors.Salesforce.Core().Calls(); calls.Total != 3 {
		t.Errorf("calls %v, want one each to log in, look up and upsert", calls.By)
	}
}

func testPoison(t *testing.T, w *World, event []byte) {
	queue(t, w, "sqs-poison")
	for _, function := range []string{"salesforce", "deadletter"} { // whoever gets it
		if stay := Stay(t, w.Invoke(t, function, event)); stay != nil {
			t.Errorf("%s: %v stay", function, stay)
		}
		if d := cmp.Diff(run.Counts{Received: 4, Queued: 2, Delivered: 2, LookedUp: 2}, counts(t, w, theRun)); d != "" {
			t.Errorf("%s: %s", function, d)
		}
	}
	errs := w.Errors(t, "unreadable.messages")
	if len(errs) != 1 || errs[0].Type != "unreadable_message" || !errs[0].Due.IsZero() {
		t.Fatalf("errors %+v", errs)
	}
	says(t, errs[0].Message, "in the queue", "not a Penstock message", "find out who sends to this queue")
	says(t, string(errs[0].Source), "meant for another queue")
}

// testReplay has the row that met a lock come back by itself: counted in the retry's
// run, and shown with the run that it failed in.
func testReplay(t *testing.T, w *World, event []byte) {
	queue(t, w, "sqs-replay")
	for range 2 { // and the whole event once more
		if stay := Stay(t, w.Invoke(t, "salesforce", event)); stay != nil {
			t.Errorf("%v stay", stay)
		}
	}
	r := w.Run(t, theRun)
	if r.Counts.Failed != 1 || r.Counts.Received != 4 || r.Retried != 1 || r.Due != 0 {
		t.Errorf("the run: %+v, %d delivered by retries, %d due", r.Counts, r.Retried, r.Due)
	}
	if got := w.Vendors.Accounts("Health_Score__c")["acmecorp.com"]; got != "85" {
		t.Errorf("score %q, want 85", got)
	}
	for _, one := range w.Status(t, healthSync).Runs {
		if run.IsRetry(one.ID) {
			t.Errorf("the retry's run %s is listed among the sync's", one.ID)
		}
	}
}

func testSlack(t *testing.T, w *World, event []byte) {
	queue(t, w, "sqs-slack")
	w.Settle(t) // the run has all rows
	if stay := Stay(t, w.Invoke(t, "slack", event)); stay != nil {
		t.Errorf("%v stay", stay)
	}
	var texts []string
	for _, m := range w.Vendors.Slack.Messages() {
		texts = append(texts, m.ChannelName+": "+m.Text)
	}
	want := []string{"customer-health: ENTERPRISE escalated to high risk: 15%", "customer-health: NEWCO is a new customer at high risk"}
	if d := cmp.Diff(want, texts); d != "" {
		t.Error(d)
	}
	if stay := Stay(t, w.Invoke(t, "slack", event)); stay != nil {
		t.Errorf("%v stay", stay)
	}
	if n := len(w.Vendors.Slack.Messages()); n != 2 {
		t.Errorf("%d messages after the event came again", n)
	}
}
