package apptest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/wire/redshift"
)

// direct reads a good answer of the redshift function to n rows.
func direct[T any](t *testing.T, raw []byte, n int) []T {
	t.Helper()
	values, err := redshift.DecodeReply(raw, n)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]T, n)
	for i, v := range values {
		if err := json.Unmarshal(v, &all[i]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func testRedshiftPush(t *testing.T, w *World, event []byte) {
	got := direct[Answer](t, w.Invoke(t, "redshift", event), 4)
	if d := cmp.Diff(queuedAnswers(got[0].Run), got); d != "" {
		t.Error(d)
	}
	w.Drain(t, "salesforce")
	w.Settle(t)
	if r := w.Run(t, got[0].Run); r.Status != run.Complete || r.Counts.Delivered != 4 {
		t.Errorf("run %s, %+v", r.Status, r.Counts)
	}
	scores := map[string]string{"acmecorp.com": "85", "techstartup.com": "45", "enterprise.com": "15", "cafenoir.example": "72.5"}
	if d := cmp.Diff(scores, w.Vendors.Accounts("Health_Score__c")); d != "" {
		t.Error(d)
	}
}

func testRedshiftRetried(t *testing.T, w *World, event []byte) {
	first := w.Invoke(t, "redshift", Event(t, "redshift-push"))
	w.Clock.Advance(10 * time.Minute)
	if d := cmp.Diff(string(first), string(w.Invoke(t, "redshift", event))); d != "" {
		t.Errorf("the retry is answered otherwise: %s", d)
	}
	if n := w.Drain(t, "salesforce"); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
	w.Settle(t)
	r := w.Run(t, direct[Answer](t, first, 4)[0].Run)
	if r.Counts.Received != 4 || r.Counts.Delivered != 4 || r.Counts.Repeated != 4 {
		t.Errorf("counted more than once: %+v", r.Counts)
	}
}

func testRedshiftNulls(t *testing.T, w *World, event []byte) {
	var got []string
	for _, a := range direct[Answer](t, w.Invoke(t, "redshift", event), 3) {
		got = append(got, a.Status+" "+a.Reason)
	}
	if d := cmp.Diff([]string{"queued ", "rejected unknown_sync", "rejected not_an_object"}, got); d != "" {
		t.Error(d)
	}
}

func testRedshiftContradiction(t *testing.T, w *World, event []byte) {
	_, err := redshift.DecodeReply(w.Invoke(t, "redshift", event), 2)
	if err == nil || !strings.Contains(err.Error(), "num_records of the request is 3, and it has 2 rows") {
		t.Error(err)
	}
	if n := w.Depth(t, "salesforce"); n != 0 {
		t.Errorf("%d messages", n)
	}
}

func testRedshiftBegin(t *testing.T, w *World, event []byte) {
	first := direct[runs.Begun](t, w.Invoke(t, "redshift", event), 1)[0]
	other := []byte(strings.Replace(string(event), "53FF1F97", "99999999", 1)) // sent again under another id
	again := direct[runs.Begun](t, w.Invoke(t, "redshift", other), 1)[0]
	if d := cmp.Diff(first, again); d != "" || first.Run == "" {
		t.Errorf("a begin that came again is answered otherwise: %s", d)
	}
	next := []byte(strings.Replace(string(event), "5678237", "5678299", 1))
	if wait := direct[runs.Begun](t, w.Invoke(t, "redshift", next), 1)[0]; wait.Select != runs.Wait {
		t.Errorf("a second begin: %+v", wait)
	}
	// A cluster whose numbers of queries come again begins another run.
	Call[runs.RunStatus](t, w.Functions["control"], "cancel", `"`+first.Run+`"`)
	if later := direct[runs.Begun](t, w.Invoke(t, "redshift", other), 1)[0]; later.Run == "" || later.Run == first.Run {
		t.Errorf("after its end: %+v", later)
	}
}

func testRedshiftFinish(t *testing.T, w *World, event []byte) {
	begun(t, w)
	if r := direct[runs.RunStatus](t, w.Invoke(t, "redshift", event), 1)[0]; r.Status != run.Finishing || r.Expected != 4 {
		t.Errorf("finished %+v", r)
	}
}

func testRedshiftStatus(t *testing.T, w *World, event []byte) {
	pushed := w.Push(t, "q", "q:1", Health("salesforce_customer_health", "john@acmecorp.com", 85))
	s := direct[SyncStatus](t, w.Invoke(t, "redshift", event), 1)[0]
	if s.Sync != "salesforce_customer_health" || len(s.Runs) != 1 || s.Runs[0].ID != pushed[0].Run {
		t.Errorf("status %+v", s)
	}
}

func testRedshiftErrors(t *testing.T, w *World, event []byte) {
	begun(t, w)
	w.Push(t, "q", "q:1", Health(controlRun, "no address", 2))
	page := direct[struct {
		Errors []struct {
			RecordID string `json:"record_id"`
		}
	}](t, w.Invoke(t, "redshift", event), 1)[0]
	if len(page.Errors) != 1 || page.Errors[0].RecordID != "no address" {
		t.Errorf("errors %+v", page)
	}
}

func testRedshiftSyncs(t *testing.T, w *World, event []byte) {
	if list := direct[struct{ Syncs []runs.SyncInfo }](t, w.Invoke(t, "redshift", event), 1)[0]; len(list.Syncs) != 3 {
		t.Errorf("syncs %+v", list)
	}
}
