package apptest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// ageing is a World of a sync whose records hold the time of their data, of one that says
// nothing of it, and of one whose destination cannot be searched.
func ageing(t *testing.T, quota string) *World {
	t.Helper()
	dir := t.TempDir()
	account := "connection: crm\ndestination_object: Account\nmatching_strategy: external_id\nmatch: {source: id, destination: Customer_ID__c}\nrecord_id: id\nfield_mappings:\n" +
		"  - {source: NAME, destination: Name}\n  - {source: n, destination: Daily_Active_Users__c, data_type: integer}\n"
	for name, text := range map[string]string{
		"connections": "connections:\n  crm: {type: salesforce, url: https://acme.my.salesforce.com" + quota + "}\n  chat: {type: slack}\n",
		"aged":        account + "  - {source: at, destination: Health_Score_Last_Updated__c, data_type: datetime}\nfreshness: {destination_field: Health_Score_Last_Updated__c}\n",
		"plain":       account,
		"said":        "connection: chat\ndestination_object: message\noperation: insert\nrecord_id: id\nslack:\n  channel: \"#alerts\"\nfield_mappings:\n  - {source: name, destination: text}\nfreshness: {destination_field: at}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return NewWith(t, Load(t, dir))
}

// fresh calls penstock_freshness as SQL does.
func (w *World) fresh(t *testing.T, sync string) runs.FreshnessAnswer {
	t.Helper()
	status, values, message := Status(t, w.Invoke(t, "control", Request("freshness", "q-fresh", "q-fresh:1", []string{fmt.Sprintf("%q", sync)})))
	if status != 200 || len(values) != 1 {
		t.Fatalf("%d %s", status, message)
	}
	var a runs.FreshnessAnswer
	if err := json.Unmarshal(values[0], &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func aged(id string, n any, at time.Time) []string {
	return []string{`"aged"`, fmt.Sprintf(`{"id":%q,"name":"Customer %s","n":%v,"at":%q}`, id, id, n, at.Format(time.RFC3339))}
}

// What a destination holds is counted by its age, at most every 15 minutes, and answered
// with the time at which it was; a destination that fails leaves the figures, and says so.
func TestFreshness(t *testing.T) {
	w := ageing(t, "")
	now := w.Clock.Now()
	if got := w.fresh(t, "aged"); got.AsOf != nil || got.Total != nil || !strings.Contains(got.Message, "not counted yet: that is done within 15 minutes") {
		t.Errorf("before: %+v", got)
	}
	w.Push(t, "q", "q:1", aged("a", 1, now.Add(-time.Minute)), aged("b", "null", now.Add(-2*time.Hour)), aged("c", 3, now.Add(-100*time.Hour)))
	w.Pass(t, soon)
	count := func() int {
		before := w.Vendors.Salesforce.Core().Calls().Total
		for _, f := range []string{"salesforce", "slack"} {
			w.Invoke(t, f, []byte(worker.Freshness))
		}
		return int(w.Vendors.Salesforce.Core().Calls().Total - before)
	}
	asOf := w.Clock.Now()
	if n := count(); n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
	oldest, newest := now.Add(-100*time.Hour), now.Add(-time.Minute)
	want := runs.FreshnessAnswer{
		Sync: "aged", Connection: "crm", Type: "salesforce", Object: "Account", AsOf: &asOf,
		Figures: freshness.Figures{Field: "Health_Score_Last_Updated__c", Total: freshness.N(3), Updated1h: freshness.N(1), Updated4h: freshness.N(2), Updated1d: freshness.N(2),
			Oldest: &oldest, Newest: &newest, Missing: map[string]int64{"Name": 0, "Daily_Active_Users__c": 1, "Health_Score_Last_Updated__c": 0}},
		MissingColumns: map[string]int64{"name": 0, "n": 1, "at": 0},
	}
	if d := cmp.Diff(want, w.fresh(t, "aged")); d != "" {
		t.Errorf("want -, got +\n%s", d)
	}
	for sync, message := range map[string]string{"plain": "write freshness: {destination_field: FIELD}", "said": "slack cannot be searched"} {
		if got := w.fresh(t, sync); got.AsOf != nil || got.Total != nil || !strings.Contains(got.Message, message) {
			t.Errorf("%s: %+v", sync, got)
		}
	}
	if got := w.fresh(t, "nobody"); !strings.Contains(got.Message, "there is no sync") {
		t.Errorf("nobody: %+v", got)
	}
	w.Clock.Advance(14 * time.Minute)
	if n := count(); n != 0 {
		t.Errorf("%d calls after 14 minutes", n)
	}
	w.Clock.Advance(time.Minute)
	w.fault(t, sandbox.Fault{Match: "describe", Status: 403, Body: `[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`})
	count()
	got := w.fresh(t, "aged")
	if got.AsOf == nil || !got.AsOf.Equal(asOf) || *got.Total != 3 || !strings.Contains(got.Message, "could not be counted since: ") {
		t.Errorf("after a failure: %+v", got)
	}
}

// Counting takes its calls out of the connection's share: where that is spent, nothing is
// asked of the vendor.
func TestFreshnessKeepsToTheShare(t *testing.T) {
	w := ageing(t, ", quota: {calls_per_day: 4, share: 50}")
	before := w.Vendors.Salesforce.Core().Calls().Total
	for range 5 {
		w.Invoke(t, "salesforce", []byte(worker.Freshness))
		w.Clock.Advance(15 * time.Minute)
	}
	if n := w.Vendors.Salesforce.Core().Calls().Total - before; n > 2 {
		t.Errorf("%d calls in two hours, of 2 a day", n)
	}
	if got := w.fresh(t, "aged"); !strings.Contains(got.Message, "share of the vendor's quota is spent") {
		t.Errorf("%+v", got)
	}
}

func testFreshnessEvent(t *testing.T, w *World, event []byte) {
	status, values, message := Status(t, w.Invoke(t, "control", event))
	if status != 200 || len(values) != 1 || !strings.Contains(string(values[0]), `"sync":"salesforce_customer_health"`) || !strings.Contains(string(values[0]), `"as_of":null`) {
		t.Errorf("%d %s %s", status, message, values)
	}
}

func testCountEvent(t *testing.T, w *World, event []byte) {
	for _, f := range []string{"salesforce", "slack"} {
		if answer := string(w.Invoke(t, f, event)); answer != "null" {
			t.Errorf("%s: %s", f, answer)
		}
	}
	if n := w.Vendors.Salesforce.Core().Calls().Total; n != 0 {
		t.Errorf("%d calls for syncs that name no field", n)
	}
}
