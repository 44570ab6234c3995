package apptest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/run"
	amplitudesim "github.com/penstock-data/penstock/shared/sandbox/amplitude"
)

func testPushAmplitude(t *testing.T, _ *World, event []byte) {
	w, server := NewAmplitude(t)
	answers := Answers(t, w.Invoke(t, "push", event))
	w.Drain(t, "amplitude")
	w.Settle(t)
	usage(t, w, server, answers[0].Run)
}

func testSQSAmplitude(t *testing.T, _ *World, event []byte) {
	w, server := NewAmplitude(t)
	queue(t, w, "sqs-amplitude")
	for range 2 { // and the whole event once more
		if stay := Stay(t, w.Invoke(t, "amplitude", event)); stay != nil {
			t.Errorf("%v stay", stay)
		}
	}
	w.Settle(t)
	usage(t, w, server, run.ImplicitID("amplitude_usage", "01b1a2c3-0604-8f1e-0000-000000000009"))
	if n := server.Core().Calls().Total; n != 1 {
		t.Errorf("%d calls for what one takes", n)
	}
}

// usage wants the sample's two users at the vendor, the run complete, and nothing of
// them in the log (I6).
func usage(t *testing.T, w *World, server *amplitudesim.Server, id string) {
	t.Helper()
	got := map[string]string{}
	for _, u := range server.Users() {
		for name, v := range u.Properties {
			got[u.ID+" "+name] = string(v)
		}
	}
	want := map[string]string{
		"cust_003 api_calls_trend": `"rising"`, "cust_003 daily_active_users": "42", "cust_003 feature_adoption": "0.85", "cust_003 first_plan": `"starter"`,
		"cust_005 daily_active_users": "0", "cust_005 feature_adoption": "0.1", "cust_005 first_plan": `"growth"`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if r := w.Run(t, id); r.Status != run.Complete || r.Outcome != run.Succeeded || r.Counts.Delivered != 2 {
		t.Errorf("run %s %s, %+v", r.Status, r.Outcome, r.Counts)
	}
	for _, value := range []string{"cust_00", "starter", "rising", amplitudesim.Sandbox.Secret["api_key"]} {
		if strings.Contains(w.Log(), value) {
			t.Errorf("the log holds %q:\n%s", value, w.Log())
		}
	}
}
