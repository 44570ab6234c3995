package apptest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
	salesforcesim "github.com/penstock-data/penstock/shared/sandbox/salesforce"
)

// A failure is held where it belongs (I9): whatever a vendor or the storage does to
// one row, call, version or connection, the others' rows arrive as if nothing was.

// soon is how long every other row may take, from when its message can first be
// received.
const soon = time.Minute

// faulty is a World of the syncs of testdata/faults.
func faulty(t *testing.T) *World {
	t.Helper()
	return NewWith(t, Load(t, "testdata/faults"))
}

// account is a row of accounts or wrong; its record's name is made of its key.
func account(sync string, key string, n int) []string {
	return []string{fmt.Sprintf("%q", sync), fmt.Sprintf(`{"id":%q,"name":"Customer %s","n":%d,"u":%d}`, key, key, n, n)}
}

// accounts are rows with the keys c000, c001 and so on.
func accounts(sync string, rows int) (out [][]string) {
	for n := range rows {
		out = append(out, account(sync, fmt.Sprintf("c%03d", n), n))
	}
	return out
}

// stored are the values of Daily_Active_Users__c by Customer_ID__c.
func (w *World) stored(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	w.Vendors.Salesforce.Each("Account", func(r salesforcesim.Record) bool {
		key, _ := r.Text("Customer_ID__c")
		n, _ := r.Text("Daily_Active_Users__c")
		if _, twice := all[string(key)]; twice {
			t.Errorf("there are two Accounts of one key")
		}
		all[string(key)] = string(n)
		return true
	})
	return all
}

// fault arms a fault of the simulated CRM.
func (w *World) fault(t *testing.T, f sandbox.Fault) {
	t.Helper()
	if err := w.Vendors.Salesforce.Core().AddFault(f); err != nil {
		t.Fatal(err)
	}
}

// types counts a run's errors by type.
func (w *World) errorTypes(t *testing.T, id string) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, e := range w.Errors(t, id) {
		all[e.Type]++
	}
	return all
}

// One record of 200 makes the vendor fail every call that holds it, in each way
// that a call can fail: it becomes a stored error, comes back by itself, and the
// other 199 are there within a minute, with hardly more calls than halving takes.
func TestPoisonRow(t *testing.T) {
	const rows, poison = 200, "c077"
	for name, f := range map[string]sandbox.Fault{
		"answered 500":            {Status: 500, Body: `[{"errorCode":"UNKNOWN_EXCEPTION","message":"An unexpected error occurred"}]`},
		"answered with HTML":      {Status: 502, ContentType: "text/html", Body: "<html><title>Bad Gateway</title></html>"},
		"answered 200 with HTML":  {Status: 200, ContentType: "text/html", Body: "<html>maintenance</html>"},
		"answered nothing":        {Status: 200, Body: ""},
		"answered {}":             {Status: 200, Body: "{}"},
		"answered short":          {Shorten: 1},
		"answered long":           {Lengthen: 1},
		"answered in half":        {Cut: -40},
		"reset":                   {DropAfterCommit: true},
		"broken within":           {Cut: 20, DropAfterCommit: true},
		"carried out, then 502":   {AfterCommit: true, Status: 502, Body: "bad gateway"},
		"refused as too complex":  {Status: 400, Body: `[{"errorCode":"EXCEEDED_ID_LIMIT","message":"record limit reached"}]`},
		"refused as too large":    {Status: 413, Body: `[{"errorCode":"REQUEST_BODY_TOO_LARGE","message":"too large"}]`},
		"forbidden":               {Status: 403, Body: `[{"errorCode":"FORBIDDEN","message":"blocked"}]`},
		"refused as not readable": {Status: 400, Body: `[{"errorCode":"JSON_PARSER_ERROR","message":"unexpected character"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			w := faulty(t)
			f.Match, f.Holding, f.Count = "PATCH", `"`+poison+`"`, -1
			w.fault(t, f)
			id := w.Push(t, "q", "q:1", accounts("accounts", rows)...)[0].Run
			w.Pass(t, soon)
			got := w.stored(t)
			for n := range rows {
				key := fmt.Sprintf("c%03d", n)
				if key != poison && got[key] != fmt.Sprint(n) {
					t.Fatalf("within a minute %d of %d are there, not %s", len(got), rows, key)
				}
			}
			errs := w.Errors(t, id)
			if len(errs) != 1 || errs[0].RecordID != poison || errs[0].Attempts < 1 {
				t.Fatalf("errors %+v", errs)
			}
			if calls := w.Vendors.Salesforce.Core().Calls().Total; calls > 60 {
				t.Errorf("%d calls for one poison row of %d", calls, rows)
			}
			w.Vendors.Salesforce.Core().ClearFaults()
			w.Pass(t, time.Hour)
			r := w.Run(t, id)
			if r.Status != run.Complete || r.Counts.Delivered != rows-1 || r.Counts.Failed != 1 {
				t.Errorf("the run is %s: %+v", r.Status, r.Counts)
			}
			if f.Status != 413 && f.Status != 400 && (w.stored(t)[poison] != "77" || r.Retried != 1 || r.Due != 0) {
				t.Errorf("the poison row did not come back by itself: %q, %d retried, %d due", w.stored(t)[poison], r.Retried, r.Due)
			}
		})
	}
}

// A poison row that stays one ends with its attempts.
func TestPoisonRowThatStays(t *testing.T) {
	w := faulty(t)
	w.fault(t, sandbox.Fault{Match: "PATCH", Holding: `"c001"`, Status: 500, Count: -1, Body: `[{"errorCode":"UNKNOWN_EXCEPTION","message":"An unexpected error occurred"}]`})
	id := w.Push(t, "q", "q:1", accounts("accounts", 3)...)[0].Run
	w.Pass(t, 2*time.Hour)
	errs := w.Errors(t, id)
	if len(errs) != 1 || errs[0].Attempts != 3 || !errs[0].Due.IsZero() {
		t.Fatalf("errors %+v", errs)
	}
	if r := w.Run(t, id); r.Status != run.Complete || r.Outcome != run.Partial || r.Counts.Delivered != 2 || r.Due != 0 {
		t.Errorf("the run is %s %s: %+v, %d due", r.Status, r.Outcome, r.Counts, r.Due)
	}
	before := w.Vendors.Salesforce.Core().Calls().Total
	w.Pass(t, 24*time.Hour)
	if n := w.Vendors.Salesforce.Core().Calls().Total - before; n != 0 {
		t.Errorf("%d calls after the last attempt", n)
	}
}

// Where a lookup finds the records, a call that may have created some is looked for before
// any of it is sent again: no record is made twice, whether the answer was lost once or one
// record makes each of its calls fail, and all others are there within a minute.
func TestCreatedOnce(t *testing.T) {
	const rows, poison = 200, "c077"
	for name, f := range map[string]sandbox.Fault{
		"carried out, then 502, once":  {AfterCommit: true, Status: 502, Body: "bad gateway", Count: 1},
		"reset once":                   {DropAfterCommit: true, Count: 1},
		"answered short, three times":  {Shorten: 1, Count: 3},
		"answered in half, five times": {Cut: -40, Count: 5},
		"one record's calls, reset":    {DropAfterCommit: true, Holding: `"` + poison + `"`, Count: -1},
		"one record's calls, 500":      {Status: 500, Holding: `"` + poison + `"`, Count: -1, Body: `[{"errorCode":"UNKNOWN_EXCEPTION","message":"An unexpected error occurred"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			w := faulty(t)
			f.Match = "POST /services/data/v68.0/composite/sobjects"
			w.fault(t, f)
			var pushed [][]string
			for n := range rows {
				key := fmt.Sprintf("c%03d", n)
				pushed = append(pushed, []string{`"fields"`, fmt.Sprintf(`{"id":%q,"acct":%q,"name":%q,"n":%d}`, key, key, key, n)})
			}
			id := w.Push(t, "q", "q:1", pushed...)[0].Run
			w.Pass(t, soon)
			made := map[string]int{}
			for _, r := range w.records("Account", "AccountNumber") {
				made[r["AccountNumber"]]++
			}
			for n := range rows {
				key := fmt.Sprintf("c%03d", n)
				if made[key] > 1 || made[key] < 1 && (key != poison || f.Holding == "") {
					t.Errorf("%s is there %d times", key, made[key])
				}
			}
			w.Vendors.Salesforce.Core().ClearFaults()
			w.Pass(t, time.Hour)
			if r := w.Run(t, id); r.Status != run.Complete || r.Counts.Delivered+r.Retried != rows {
				t.Errorf("the run is %s: %+v, %d retried", r.Status, r.Counts, r.Retried)
			}
			if n := len(w.records("Account")); n != rows {
				t.Errorf("%d Accounts of %d keys", n, rows)
			}
			if calls := w.Vendors.Salesforce.Core().Calls().Total; calls > 120 {
				t.Errorf("%d calls", calls)
			}
		})
	}
}

// Half of a create whose answer was lost was carried out: what the look finds is updated and
// the rest created, never in one call, whatever befalls both meanwhile.
func TestHalfCreated(t *testing.T) {
	for _, rows := range []int{8, 12, 40} {
		for forbidden := range 6 {
			w := faulty(t)
			var pushed [][]string
			var locked []string
			for n := range rows {
				key := fmt.Sprintf("c%03d", n)
				if n%2 == 0 {
					locked = append(locked, key)
				}
				pushed = append(pushed, []string{`"fields"`, fmt.Sprintf(`{"id":%q,"acct":%q,"name":%q,"n":%d}`, key, key, key, n)})
			}
			const creates = "POST /services/data/v68.0/composite/sobjects"
			w.fault(t, sandbox.Fault{Match: creates, FailRecords: locked, Code: "UNABLE_TO_LOCK_ROW", Count: 1})
			w.fault(t, sandbox.Fault{Match: creates, Status: 502, Body: "bad gateway", AfterCommit: true, Count: 1})
			if forbidden > 0 {
				w.fault(t, sandbox.Fault{Match: "/composite/sobjects", Status: 403, Body: `[{"errorCode":"FORBIDDEN","message":"blocked"}]`, Count: forbidden})
			}
			id := w.Push(t, "q", "q:1", pushed...)[0].Run
			w.Pass(t, time.Hour)
			made := map[string]string{}
			all := w.records("Account", "AccountNumber", "Daily_Active_Users__c")
			for _, r := range all {
				made[r["AccountNumber"]] = r["Daily_Active_Users__c"]
			}
			if len(all) != rows || len(made) != rows {
				t.Errorf("%d rows, %d forbidden: %d Accounts of %d keys", rows, forbidden, len(all), len(made))
			}
			if r := w.Run(t, id); r.Counts.Delivered+r.Retried != int64(rows) {
				t.Errorf("%d rows, %d forbidden: the run is %s: %+v, %d retried: %v", rows, forbidden, r.Status, r.Counts, r.Retried, w.errorTypes(t, id))
			}
		}
	}
}

// The Account of a sample row makes every call fail that updates it.
func TestPoisonAccount(t *testing.T) {
	w := New(t)
	w.Vendors.SeedAccounts(t, sites...)
	w.fault(t, sandbox.Fault{Match: "PATCH", Holding: ids(w)["acmecorp.com"], Status: 500, Count: -1, Body: `[{"errorCode":"UNKNOWN_EXCEPTION","message":"An unexpected error occurred"}]`})
	w.Invoke(t, "push", Event(t, "push"))
	w.Pass(t, soon)
	want := map[string]string{"acmecorp.com": "", "techstartup.com": "45", "enterprise.com": "15", "cafenoir.example": "72.5"}
	if d := cmp.Diff(want, w.Vendors.Accounts("Health_Score__c")); d != "" {
		t.Error(d)
	}
	if errs := w.Errors(t, theRun); len(errs) != 1 || errs[0].RecordID != "john@acmecorp.com" {
		t.Errorf("errors %+v", errs)
	}
}

// A row that is refused, alone in its call or one of 200, is a stored error of its
// own at once: it says nothing of its connection.
func TestRefusedRow(t *testing.T) {
	for _, rows := range []int{1, 2, 200} {
		t.Run(fmt.Sprint(rows), func(t *testing.T) {
			w := faulty(t)
			w.fault(t, sandbox.Fault{FailRecords: []string{"c000"}, Count: -1, Code: "INSUFFICIENT_ACCESS_OR_READONLY", Message: "insufficient access rights on object id"})
			id := w.Push(t, "q", "q:1", accounts("accounts", rows)...)[0].Run
			w.Drain(t, "salesforce")
			if d := cmp.Diff(map[string]int{"INSUFFICIENT_ACCESS_OR_READONLY": 1}, w.errorTypes(t, id)); d != "" {
				t.Errorf("at once: %s", d)
			}
			if e := w.Errors(t, id)[0]; e.Attempts != 1 || !e.Due.IsZero() || e.Stage != "deliver" {
				t.Errorf("the error: %+v", e)
			}
			if got := len(w.stored(t)); got != rows-1 {
				t.Errorf("%d of %d others are there", got, rows-1)
			}
			if s := w.Status(t, "accounts"); s.Paused != "" || s.Halted != "" || w.Depth(t, "salesforce") != 0 {
				t.Errorf("paused %q, halted %q, %d messages", s.Paused, s.Halted, w.Depth(t, "salesforce"))
			}
		})
	}
}

// A vendor that is slow in answering one row's calls: the others are there within a
// minute of their own time.
func TestSlowAnswers(t *testing.T) {
	w := faulty(t)
	w.Net.Slow(func(r Requested) bool { return r.Method == "PATCH" && strings.Contains(r.Body, `"c003"`) })
	id := w.Push(t, "q", "q:1", accounts("accounts", 20)...)[0].Run
	w.Pass(t, 30*time.Minute)
	if got := len(w.stored(t)); got < 19 {
		t.Errorf("%d of 20 are there", got)
	}
	w.Net.Slow(nil)
	w.Pass(t, time.Hour)
	want := map[string]string{}
	for n := range 20 {
		want[fmt.Sprintf("c%03d", n)] = fmt.Sprint(n)
	}
	if d := cmp.Diff(want, w.stored(t)); d != "" {
		t.Error(d)
	}
	if r := w.Run(t, id); r.Counts.Delivered+r.Counts.Failed != 20 || r.Status != run.Complete {
		t.Errorf("the run is %s: %+v", r.Status, r.Counts)
	}
	if kinds := slices.Collect(maps.Keys(w.errorTypes(t, id))); len(kinds) > 1 {
		t.Errorf("error types %v", kinds)
	}
}
