package apptest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
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

// A vendor that finds every small row too large says so of the version.
func TestEveryRowTooLarge(t *testing.T) {
	w := faulty(t)
	w.fault(t, sandbox.Fault{Match: "PATCH", Count: -1, Status: 413, Body: `[{"errorCode":"REQUEST_BODY_TOO_LARGE","message":"too large"}]`})
	id := w.Push(t, "q", "q:1", accounts("accounts", 20)...)[0].Run
	w.Pass(t, soon)
	says(t, w.Status(t, "accounts").Halted, "413")
	w.Vendors.Salesforce.Core().ClearFaults()
	w.Pass(t, 15*time.Minute)
	if r := w.Run(t, id); r.Status != run.Complete || r.Counts.Delivered != 20 {
		t.Errorf("mended: %s, %+v", r.Status, r.Counts)
	}
	if s := w.Status(t, "accounts"); s.Halted != "" {
		t.Errorf("still halted: %s", s.Halted)
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

// A sync whose mapping names a field that the vendor lacks halts alone: the other
// sync of the connection does not notice, and the halted one's rows come back when
// it is mended.
func TestTwoSyncsOneWrong(t *testing.T) {
	w := faulty(t)
	bad := w.Push(t, "q1", "q1:1", accounts("wrong", 50)...)[0].Run
	good := w.Push(t, "q2", "q2:1", accounts("accounts", 200)...)[0].Run
	w.Pass(t, soon)
	if got := len(w.stored(t)); got != 200 || w.Run(t, good).Counts.Delivered != 200 {
		t.Errorf("%d of 200 rows are there", got)
	}
	says(t, w.Status(t, "wrong").Halted, "No_Such_Field__c")
	if s := w.Status(t, "accounts"); s.Paused != "" || s.Halted != "" {
		t.Errorf("the good one: paused %q, halted %q", s.Paused, s.Halted)
	}
	for n := range 12 { // and it stays so for the next pushes
		w.Push(t, "q2", fmt.Sprint("q2:", n+2), account("accounts", fmt.Sprint("late", n), n))
		w.Pass(t, soon)
		if w.stored(t)[fmt.Sprint("late", n)] == "" {
			t.Fatalf("the good sync waits after %d minutes", n)
		}
	}
	w.Pass(t, 10*time.Minute)
	if r := w.Run(t, bad); r.Counts.Failed != 50 || r.Status != run.Complete || r.Outcome != run.None {
		t.Errorf("the wrong one is %s %s: %+v", r.Status, r.Outcome, r.Counts)
	}
	if errs := w.Errors(t, bad); len(errs) != 50 || errs[0].Due.IsZero() {
		t.Errorf("%d errors, first due %v", len(errs), errs[0].Due)
	}
}

// throttled refuses half of the reads and commits of the ledger.
type throttled struct {
	deliver.Ledger
	chance *rand.Rand
}

var errThrottled = errors.New("ProvisionedThroughputExceededException: the level of configured provisioned throughput was exceeded")

func (l throttled) refuses() bool { return l.chance.IntN(2) == 0 }

func (l throttled) Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error) {
	if l.refuses() {
		return nil, errThrottled
	}
	return l.Ledger.Entries(ctx, target, keys)
}

func (l throttled) Commit(ctx context.Context, target string, entries []ledger.Entry) ([]int, error) {
	if l.refuses() {
		return nil, errThrottled
	}
	return l.Ledger.Commit(ctx, target, entries)
}

// A ledger that throttles slows the road down; nothing is lost, counted twice or
// taken for a crash.
func TestThrottledStorage(t *testing.T) {
	w := faulty(t)
	d := w.Deliver("salesforce")
	d.Ledger = throttled{d.Ledger, rand.New(rand.NewPCG(1, 2))}
	id := w.Push(t, "q", "q:1", accounts("accounts", 400)...)[0].Run
	w.Pass(t, soon)
	w.Settle(t)
	if r := w.Run(t, id); r.Status != run.Complete || r.Counts.Delivered+r.Counts.Unchanged != 400 || r.Counts.Failed != 0 {
		t.Errorf("the run is %s: %+v", r.Status, r.Counts)
	}
	if got := len(w.stored(t)); got != 400 {
		t.Errorf("%d Accounts", got)
	}
	if !strings.Contains(w.Log(), `"StorageFailures"`) {
		t.Error("the metric StorageFailures is not written")
	}
}

// refusing refuses all of the ledger.
type refusing struct{ deliver.Ledger }

func (refusing) Entries(context.Context, string, []string) (map[string]ledger.Entry, error) {
	return nil, errors.New("AccessDeniedException: the table's key is disabled")
}

// Storage that fails for hours is no crash and no attempt: afterwards the rows go
// out, and nobody's row is an error.
func TestStorageOutageIsNotACrash(t *testing.T) {
	w := New(t)
	w.Vendors.SeedAccounts(t, sites...)
	id := Answers(t, w.Invoke(t, "push", Event(t, "push")))[0].Run
	d := w.Deliver("salesforce")
	good := d.Ledger
	d.Ledger = refusing{good}
	w.Pass(t, 5*time.Hour)
	if n := w.Depth(t, "salesforce"); n != 2 {
		t.Fatalf("%d messages are left, want 2", n)
	}
	if r := w.Run(t, id); r.Status.Ended() {
		t.Errorf("the run is %s: %s", r.Status, r.Reason)
	}
	d.Ledger = good
	w.Pass(t, 20*time.Minute)
	if r := w.Run(t, id); r.Status != run.Complete || r.Outcome != run.Succeeded || r.Counts.Delivered != 4 {
		t.Errorf("the run is %s %s: %+v", r.Status, r.Outcome, r.Counts)
	}
	if errs := w.Errors(t, id); len(errs) != 0 {
		t.Errorf("errors %+v", errs)
	}
}

// brokenRuns cannot be read.
type brokenRuns struct{ deliver.Runs }

func (brokenRuns) Run(context.Context, string) (run.Run, error) {
	return run.Run{}, errors.New("ThrottlingException")
}

// The chat worker's storage is down for half an hour: the messages are posted once
// each afterwards.
func TestChatHalfAnHour(t *testing.T) {
	w := New(t)
	id := Answers(t, w.Invoke(t, "push", Event(t, "push-slack")))[0].Run
	w.Clock.Advance(3 * time.Minute)
	w.Invoke(t, "sweep", Tick())
	d := w.Deliver("slack")
	good := d.Runs
	d.Runs = brokenRuns{good}
	w.Pass(t, 30*time.Minute)
	if n := len(w.Vendors.Slack.Messages()); n != 0 {
		t.Fatalf("%d messages", n)
	}
	d.Runs = good
	w.Pass(t, 15*time.Minute)
	if n := len(w.Vendors.Slack.Messages()); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
	if r := w.Run(t, id); r.Status != run.Complete || r.Counts.Delivered != 2 || len(w.Errors(t, id)) != 0 {
		t.Errorf("the run is %s: %+v, %d errors", r.Status, r.Counts, len(w.Errors(t, id)))
	}
}

// The vendor is out for so long that the run was finished long ago: its rows are on
// their way, so it goes on, and completes.
func TestOutageDoesNotEndARun(t *testing.T) {
	w := faulty(t)
	w.fault(t, sandbox.Fault{Status: 503, Count: -1, ContentType: "text/html", Body: "<html>maintenance</html>"})
	begun := Call[struct{ Run string }](t, w.Functions["control"], "begin", `"accounts"`)
	first := Request("push", "q", "q:1", accounts(begun.Run, 20)...)
	answered := w.Invoke(t, "push", first)
	Call[struct{}](t, w.Functions["control"], "finish", fmt.Sprintf("%q", begun.Run), "20")
	w.Pass(t, 5*time.Hour)
	r := w.Run(t, begun.Run)
	if r.Status != run.Finishing {
		t.Fatalf("the run is %s: %s", r.Status, r.Reason)
	}
	says(t, r.Waits, "20 rows", `connection "crm"`, "503")
	w.Vendors.Salesforce.Core().ClearFaults()
	w.Pass(t, 40*time.Minute)
	r = w.Run(t, begun.Run)
	if r.Status != run.Complete || r.Outcome != run.Succeeded || r.Counts.Delivered != 20 {
		t.Errorf("the run is %s %s: %+v", r.Status, r.Outcome, r.Counts)
	}
	if mark := string(w.Status(t, "accounts").Watermark); mark != "19" {
		t.Errorf("the mark is %q", mark)
	}
	// The warehouse repeats its batch after all that.
	if d := cmp.Diff(string(answered), string(w.Invoke(t, "push", first))); d != "" || w.Depth(t, "salesforce") != 0 {
		t.Errorf("a retry is answered otherwise, or sent again: %s", d)
	}
}

// What is not a whole answer to a lookup is no answer: nothing is created, and no
// row is said not to be found. The rows come back by themselves and are created once.
func TestLookupsWithoutAnswer(t *testing.T) {
	for name, f := range map[string]sandbox.Fault{
		"{}":               {Status: 200, Body: `{}`},
		"no parts":         {Status: 200, Body: `{"compositeResponse":[]}`},
		"a part is {}":     {Find: `"body":\{.*\},"httpHeaders"`, Replace: `"body":{},"httpHeaders"`},
		"no records":       {Find: `"totalSize":\d+`, Replace: `"totalSize":5`},
		"not done":         {Find: `"done":true`, Replace: `"done":false`},
		"5, not done":      {Find: `"totalSize":\d+,"done":true`, Replace: `"totalSize":5,"done":false`},
		"fewer parts":      {Shorten: 1},
		"more parts":       {Lengthen: 1},
		"HTML":             {Status: 200, ContentType: "text/html", Body: "<html>maintenance</html>"},
		"nothing":          {Status: 200},
		"cut off":          {Cut: -30},
		"null":             {Status: 200, Body: `null`},
		"an empty list":    {Status: 200, Body: `[]`},
		"a part says 500":  {Find: `"httpStatusCode":200`, Replace: `"httpStatusCode":500`},
		"records are null": {Find: `"records":\[[^\]]*\]`, Replace: `"records":null`},
	} {
		t.Run(name, func(t *testing.T) {
			w := faulty(t)
			w.Vendors.SeedAccounts(t, "there.example")
			f.Match, f.Count = "POST /composite", -1
			w.fault(t, f)
			id := w.Push(t, "q", "q:1", domain("a", "x@there.example", 1), domain("b", "x@new.example", 2))[0].Run
			w.Drain(t, "salesforce")
			if n := w.Vendors.Salesforce.Count("Account"); n != 1 {
				t.Fatalf("%d Accounts, one of them made without an answer", n)
			}
			for kind := range w.errorTypes(t, id) {
				if kind == "not_found" || kind == "missing" || kind == "unknown" {
					t.Errorf("a row is said to be %s", kind)
				}
			}
			w.Vendors.Salesforce.Core().ClearFaults()
			w.Pass(t, 2*time.Hour)
			want := map[string]string{"there.example": "1", "new.example": "2"}
			if d := cmp.Diff(want, w.Vendors.Accounts("Daily_Active_Users__c")); d != "" {
				t.Errorf("afterwards: %s%+v", d, w.Errors(t, id))
			}
		})
	}
}

func domain(id, email string, n int) []string {
	return []string{`"domains"`, fmt.Sprintf(`{"id":%q,"email":%q,"name":"Customer %s","n":%d}`, id, email, id, n)}
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

// What no worker could settle becomes stored errors (I1), which are not sent again
// by themselves; penstock_retry does, once.
func TestDeadLetters(t *testing.T) {
	w := faulty(t)
	id := w.Push(t, "q", "q:1", accounts("accounts", 3)...)[0].Run
	for range 2 { // lanes
		in, err := w.Store.Receive(t.Context(), "salesforce", 10, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if len(in) == 0 {
			break
		}
		if stay := w.Work(t, "deadletter", in); stay != nil {
			t.Errorf("%v stay", stay)
		}
		for _, m := range in {
			if err := w.Store.Delete(t.Context(), "salesforce", m.Receipt); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.Pass(t, time.Hour)
	if d := cmp.Diff(map[string]int{"dead_letter": 3}, w.errorTypes(t, id)); d != "" {
		t.Fatal(d)
	}
	if r := w.Run(t, id); r.Status != run.Complete || r.Outcome != run.None || r.Counts.Failed != 3 || r.Due != 0 || len(w.stored(t)) != 0 {
		t.Errorf("the run is %s %s: %+v, %d due", r.Status, r.Outcome, r.Counts, r.Due)
	}
	for range 2 {
		Call[struct{}](t, w.Functions["control"], "retry", fmt.Sprintf("%q", id))
		w.Pass(t, soon)
	}
	if r := w.Run(t, id); r.Retried != 3 || len(w.stored(t)) != 3 {
		t.Errorf("%d delivered by the retry, %d records", r.Retried, len(w.stored(t)))
	}
}
