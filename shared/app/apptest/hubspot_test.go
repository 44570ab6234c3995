package apptest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/run"
)

func testPushHubSpot(t *testing.T, _ *World, event []byte) {
	w, server := NewHubSpot(t)
	answers := Answers(t, w.Invoke(t, "push", event))
	w.Drain(t, "hubspot")
	w.Settle(t)
	if r := w.Run(t, answers[0].Run); r.Counts.Delivered != 2 || r.Outcome != run.Succeeded {
		t.Errorf("%s %+v", r.Outcome, r.Counts)
	}
	got := server.Record("contacts", "email", "john@acmecorp.com")
	delete(got, "id")
	want := map[string]string{"email": "john@acmecorp.com", "interests": "sql;etl", "ltv_segment": "high", "ltv_usd": "144000", "renewal_date": "2024-12-31"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	keepsToItself(t, w)
}

func testSQSHubSpot(t *testing.T, _ *World, event []byte) {
	w, server := NewHubSpot(t)
	queue(t, w, "sqs-hubspot")
	for range 2 { // and the whole event once more
		if stay := Stay(t, w.Invoke(t, "hubspot", event)); stay != nil {
			t.Errorf("%v stay", stay)
		}
		if server.Count("contacts") != 1 && server.Count("contacts") != 2 || server.Core().Calls().By["POST /crm/objects/2026-09/contacts/batch/upsert"] > 2 {
			t.Errorf("%d contacts, calls %v", server.Count("contacts"), server.Core().Calls().By)
		}
	}
	keepsToItself(t, w)
}

// keepsToItself wants no row value and no secret in the log (I6).
func keepsToItself(t *testing.T, w *World) {
	t.Helper()
	for _, value := range []string{"acmecorp", "enterprise", "cust_00", "144000", "pat-penstock"} {
		if strings.Contains(strings.ToLower(w.Log()), value) {
			t.Errorf("the log holds %q:\n%s", value, w.Log())
		}
	}
}
