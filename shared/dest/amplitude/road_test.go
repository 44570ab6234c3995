package amplitude_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/amplitude"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
	sim "github.com/penstock-data/penstock/shared/sandbox/amplitude"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// customer is a row of the sync.
func customer(id string, users int, trend string) []string {
	return []string{`"amplitude_usage"`, fmt.Sprintf(`{"CUSTOMER_ID":%q,"DAILY_ACTIVE_USERS":%d,"FEATURE_ADOPTION":0.5,"API_CALLS_TREND":%q,"FIRST_PLAN":"starter","UPDATED_AT":"2024-01-15 10:00:00"}`, id, users, trend)}
}

// Over the whole road: of 100 rows the faulty ones fail alone, who gets too much comes
// again by itself, ids that differ by case are two users, what would be cut is rejected
// at once, and what did not change costs no call.
func TestRoad(t *testing.T) {
	w, s := apptest.NewAmplitude(t)
	if err := s.Core().AddFault(sandbox.Fault{FailRecords: []string{"cust_007"}, Count: -1, Code: "events_with_invalid_fields", Message: "user_properties"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Core().AddFault(sandbox.Fault{FailRecords: []string{"cust_008"}, Count: 2, Code: "throttled_users"}); err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for i := range 100 {
		rows = append(rows, customer(fmt.Sprintf("cust_%03d", i), i, "rising"))
	}
	rows[5] = customer("CUST_006", 5, "falling")
	rows[9] = customer("Undefined", 9, "rising")
	rows[10] = customer("cust_010", 10, strings.Repeat("x", 1025))
	answers := w.Push(t, "q", "q:1", rows...)
	if a := answers[10]; a.Status != "rejected" {
		t.Errorf("a text that is too long: %+v", a)
	}
	id := answers[0].Run
	w.Drain(t, "amplitude")
	if n := s.Core().Calls().Total; n > 3 {
		t.Errorf("%d calls; one, and one for each kind of refusal", n)
	}
	w.Pass(t, 10*time.Minute)
	r := w.Run(t, id)
	if r.Status != run.Complete || r.Outcome != run.Partial || r.Counts.Delivered != 96 || r.Counts.Failed != 3 || r.Counts.Rejected != 1 || r.Retried != 1 {
		t.Errorf("%s %s %+v, retried %d", r.Status, r.Outcome, r.Counts, r.Retried)
	}
	for user, want := range map[string]string{"cust_006": "6", "CUST_006": "5", "cust_008": "8"} {
		if u := s.User(user); u == nil || string(u.Properties["daily_active_users"]) != want {
			t.Errorf("%s: %+v", user, u)
		}
	}
	if s.User("cust_007") != nil || s.User("Undefined") != nil || s.Count() != 97 {
		t.Errorf("%d users", s.Count())
	}
	s.Core().ClearFaults()
	calls := s.Core().Calls().Total
	again := w.Push(t, "q2", "q2:1", rows[:5]...)
	w.Drain(t, "amplitude")
	if r := w.Run(t, again[0].Run); r.Counts.Unchanged != 5 || s.Core().Calls().Total != calls {
		t.Errorf("the same values again: %+v, %d calls", r.Counts, s.Core().Calls().Total-calls)
	}
	for _, value := range []string{"cust_0", "CUST_0", "rising", "Undefined"} {
		if strings.Contains(w.Log(), value) {
			t.Errorf("the log holds %q:\n%s", value, w.Log())
		}
	}
}

// A call that holds one poison row fails as a whole: it is halved down to the row.
func TestPoisonRow(t *testing.T) {
	w, s := apptest.NewAmplitude(t)
	if err := s.Core().AddFault(sandbox.Fault{Match: "/batch", Holding: "cust_042", Count: -1, Status: 403, Body: `{"message":"Forbidden"}`}); err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for i := range 100 {
		rows = append(rows, customer(fmt.Sprintf("cust_%03d", i), i, "rising"))
	}
	id := w.Push(t, "q", "q:1", rows...)[0].Run
	w.Drain(t, "amplitude")
	w.Settle(t)
	if r := w.Run(t, id); r.Counts.Delivered != 99 || r.Counts.Failed != 1 || s.Count() != 99 {
		t.Errorf("%+v, %d users", r.Counts, s.Count())
	}
}

// points is a row of the sync that adds.
func points(plan string, value, bonus int, badge string) []string {
	return []string{`"amplitude_points"`, fmt.Sprintf(`{"CUSTOMER_ID":"cust_001","PLAN":%q,"ORDER_VALUE":%d,"BONUS":%d,"BADGE":%q,"UPDATED_AT":"2024-01-15 10:00:00"}`, plan, value, bonus, badge)}
}

// What is added is added once, whatever becomes of the answers: sent again by itself,
// by a person's retry, with a newer row that changes something else, or by a worker that
// died; and what did not change is not added again.
func TestAddsOnceOverTheRoad(t *testing.T) {
	set, err := yamlfile.Load("testdata/adds", dest.Kinds([]dest.Vendor{amplitude.Vendor}))
	if err != nil {
		t.Fatal(err)
	}
	lost := sandbox.Fault{Match: "/batch", Holding: "cust_001", AfterCommit: true, Status: 502, Count: -1}
	never := sandbox.Fault{Match: "/batch", Holding: "cust_001", Status: 502, Count: -1}
	for name, c := range map[string]struct {
		fault sandbox.Fault
		doubt func(w *apptest.World, s *sim.Server)
		want  string
	}{
		"sent again by itself":           {lost, func(*apptest.World, *sim.Server) {}, `pro 30 7 ["a","b"]`},
		"never arrived":                  {never, func(*apptest.World, *sim.Server) {}, `pro 30 7 ["a","b"]`},
		"a newer row, something else":    {lost, func(w *apptest.World, _ *sim.Server) { w.Push(t, "q3", "q3:1", points("max", 20, 7, "b")) }, `max 30 7 ["a","b"]`},
		"a newer row, nothing arrived":   {never, func(w *apptest.World, _ *sim.Server) { w.Push(t, "q3", "q3:1", points("max", 20, 7, "b")) }, `max 30 7 ["a","b"]`},
		"a newer row that adds more":     {lost, func(w *apptest.World, _ *sim.Server) { w.Push(t, "q3", "q3:1", points("pro", 20, 8, "b")) }, `pro 30 15 ["a","b"]`},
		"the same row, in a newer query": {lost, func(w *apptest.World, _ *sim.Server) { w.Push(t, "q3", "q3:1", points("pro", 20, 7, "b")) }, `pro 30 7 ["a","b"]`},
		"newer rows, and one more doubt": {lost, func(w *apptest.World, s *sim.Server) {
			w.Push(t, "q3", "q3:1", points("max", 20, 7, "b"))
			w.Drain(t, "amplitude")
			w.Push(t, "q4", "q4:1", points("top", 20, 7, "c"))
			w.Drain(t, "amplitude")
		}, `top 30 7 ["a","b","c"]`},
	} {
		w, s := apptest.NewAmplitude(t)
		w.Apply(t, set)
		w.Push(t, "q1", "q1:1", points("start", 10, 7, "a"))
		w.Drain(t, "amplitude")
		if err := s.Core().AddFault(c.fault); err != nil {
			t.Fatal(err)
		}
		id := w.Push(t, "q2", "q2:1", points("pro", 20, 7, "b"))[0].Run
		w.Drain(t, "amplitude")
		if n := len(w.Errors(t, id)); n != 1 {
			t.Fatalf("%s: %d errors", name, n)
		}
		c.doubt(w, s)
		s.Core().ClearFaults()
		w.Pass(t, 30*time.Minute)
		p := s.User("cust_001").Properties
		if got := fmt.Sprintf("%s %s %s %s", strings.Trim(string(p["plan"]), `"`), p["spent"], p["points"], p["badges"]); got != c.want {
			t.Errorf("%s: the user holds %s, want %s", name, got, c.want)
		}
	}
}

// So it is in an outage of everything, after which an older row that may have been sent and
// a newer one stand side by side: neither adds what did not change.
func TestAddsOnceAfterAnOutage(t *testing.T) {
	set, err := yamlfile.Load("testdata/adds", dest.Kinds([]dest.Vendor{amplitude.Vendor}))
	if err != nil {
		t.Fatal(err)
	}
	for name, fault := range map[string]sandbox.Fault{"nothing arrives": {}, "all arrives": {AfterCommit: true}} {
		w, s := apptest.NewAmplitude(t)
		w.Apply(t, set)
		w.Push(t, "q1", "q1:1", points("start", 10, 7, "a"))
		w.Drain(t, "amplitude")
		fault.Match, fault.Status, fault.Count = "/batch", 503, -1
		if err := s.Core().AddFault(fault); err != nil {
			t.Fatal(err)
		}
		w.Push(t, "q2", "q2:1", points("pro", 10, 8, "a"))
		w.Drain(t, "amplitude")
		w.Push(t, "q3", "q3:1", points("max", 10, 8, "a"))
		w.Drain(t, "amplitude")
		s.Core().ClearFaults()
		w.Pass(t, 2*time.Hour)
		p := s.User("cust_001").Properties
		if got := fmt.Sprintf("%s %s %s %s", p["plan"], p["spent"], p["points"], p["badges"]); got != `"max" 10 15 ["a"]` {
			t.Errorf("%s: the user holds %s", name, got)
		}
	}
}

// A change of another column is an event of the row's device too, and the device alone is
// no change while it stays the same.
func TestDeviceGoesAlongOverTheRoad(t *testing.T) {
	set, err := yamlfile.Load("testdata/adds", dest.Kinds([]dest.Vendor{amplitude.Vendor}))
	if err != nil {
		t.Fatal(err)
	}
	w, s := apptest.NewAmplitude(t)
	w.Apply(t, set)
	push := func(query, device string, logins int) run.Counts {
		id := w.Push(t, query, query+":1", []string{`"amplitude_devices"`, fmt.Sprintf(`{"CUSTOMER_ID":"cust_001","DEVICE":%q,"LOGINS":%d,"UPDATED_AT":"2024-01-15 10:00:00"}`, device, logins)})[0].Run
		w.Drain(t, "amplitude")
		w.Settle(t)
		return w.Run(t, id).Counts
	}
	push("q1", "dev_00001", 1)
	if c := push("q2", "dev_00001", 1); c.Unchanged != 1 || s.Core().Calls().Total != 1 {
		t.Errorf("the same again: %+v, %d calls", c, s.Core().Calls().Total)
	}
	if err := s.Core().AddFault(sandbox.Fault{Match: "/batch", Holding: `"device_id":"dev_00001"`, Count: 1, Status: 503}); err != nil {
		t.Fatal(err)
	}
	if c := push("q3", "dev_00001", 2); c.Delivered+c.Failed != 1 || len(s.Core().Faults()) != 0 {
		t.Errorf("an event without its device: %+v", c)
	}
	w.Pass(t, 10*time.Minute)
	if c := push("q4", "dev_00002", 2); c.Delivered != 1 {
		t.Errorf("another device: %+v", c)
	}
}
