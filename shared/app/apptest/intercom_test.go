package apptest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/run"
	intercomsim "github.com/penstock-data/penstock/shared/sandbox/intercom"
)

func testPushIntercom(t *testing.T, _ *World, event []byte) {
	w, server := NewIntercom(t)
	answers := Answers(t, w.Invoke(t, "push", event))
	w.Drain(t, "intercom")
	w.Settle(t)
	people(t, w, server, answers[0].Run)
}

func testSQSIntercom(t *testing.T, _ *World, event []byte) {
	w, server := NewIntercom(t)
	queue(t, w, "sqs-intercom")
	for range 2 { // and the whole event once more
		if stay := Stay(t, w.Invoke(t, "intercom", event)); stay != nil {
			t.Errorf("%v stay", stay)
		}
	}
	w.Settle(t)
	people(t, w, server, run.ImplicitID("intercom_health", "01b1a2c3-0604-8f1e-0000-00000000000a"))
}

// people wants the sample's two contacts, made once, and nothing of them in the log (I6).
func people(t *testing.T, w *World, server *intercomsim.Server, id string) {
	t.Helper()
	got := map[string][]string{}
	for _, c := range server.Contacts() {
		got[c.Values["email"]+" "+c.Values["health_score"]+" "+c.Values["risk_level"]] = c.Tags
	}
	want := map[string][]string{
		"john@acmecorp.com 0.8547 LOW_RISK": {"health_score_high", "high_value", "risk_low_risk"},
		"mike@enterprise.com 0.4 HIGH_RISK": {"health_score_low", "risk_high_risk", "standard_value"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if n := server.Core().Calls().By["POST /contacts"]; n != 2 {
		t.Errorf("%d contacts were made", n)
	}
	if r := w.Run(t, id); r.Status != run.Complete || r.Counts.Delivered != 2 {
		t.Errorf("run %s, %+v", r.Status, r.Counts)
	}
	for _, value := range []string{"acmecorp", "enterprise", "health_score_high", "intercom-penstock-sandbox"} {
		if strings.Contains(strings.ToLower(w.Log()), value) {
			t.Errorf("the log holds %q:\n%s", value, w.Log())
		}
	}
}
