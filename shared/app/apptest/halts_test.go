package apptest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
)

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
	if mark := w.Status(t, "accounts").Watermark; mark != "19" {
		t.Errorf("the mark is %q", mark)
	}
	// The warehouse repeats its batch after all that.
	if d := cmp.Diff(string(answered), string(w.Invoke(t, "push", first))); d != "" || w.Depth(t, "salesforce") != 0 {
		t.Errorf("a retry is answered otherwise, or sent again: %s", d)
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

// A sync of which every call is answered 500, while the connection answers, halts
// alone: the vendor says nothing of whose it is, and the probe tells.
func TestTwoSyncsOneAlwaysFails(t *testing.T) {
	w := faulty(t)
	w.fault(t, sandbox.Fault{Match: "PATCH", Holding: "No_Such_Field__c", Count: -1, Status: 500, Body: "oops"})
	w.Push(t, "q1", "q1:1", accounts("wrong", 50)...)
	good := w.Push(t, "q2", "q2:1", accounts("accounts", 200)...)[0].Run
	w.Pass(t, soon)
	if got := w.Run(t, good).Counts.Delivered; got != 200 {
		t.Errorf("%d of 200 rows are delivered", got)
	}
	says(t, w.Status(t, "wrong").Halted, "500")
	if s := w.Status(t, "accounts"); s.Paused != "" || s.Halted != "" {
		t.Errorf("the good one: paused %q, halted %q", s.Paused, s.Halted)
	}
	if calls := w.Vendors.Salesforce.Core().Calls().Total; calls > 60 {
		t.Errorf("%d calls", calls)
	}
}

// begin begins a run of accounts.
func (w *World) begin(t *testing.T) runs.Begun {
	t.Helper()
	w.Clock.Advance(time.Minute)
	token := fmt.Sprint("b", w.Clock.Now().UnixNano())
	_, rows, message := Status(t, w.Invoke(t, "control", Request("begin", token, token, []string{`"accounts"`})))
	var b runs.Begun
	if len(rows) != 1 || json.Unmarshal(rows[0], &b) != nil || b.Run == "" {
		t.Fatalf("%s %s", message, rows)
	}
	return b
}

const noSuchColumn = `[{"errorCode":"INVALID_FIELD","message":"No such column 'Daily_Active_Users__c' on sobject of type Account"}]`

// A begun run of a version that cannot be delivered fails with the reason; once the
// version is mended, the next run selects its rows and delivers them.
func TestHaltedRunFails(t *testing.T) {
	w := faulty(t)
	w.fault(t, sandbox.Fault{Match: "PATCH", Count: -1, Status: 400, Body: noSuchColumn})
	first := w.begin(t)
	w.Push(t, "q1", "q1:1", accounts(first.Run, 20)...)
	Call[struct{}](t, w.Functions["control"], "finish", fmt.Sprintf("%q", first.Run), "20")
	w.Pass(t, 25*time.Minute)
	r := w.Run(t, first.Run)
	if r.Status != run.Failed || r.Outcome != run.None || r.Counts.Failed != 20 {
		t.Fatalf("the run is %s %s: %+v", r.Status, r.Outcome, r.Counts)
	}
	says(t, r.Reason, "Daily_Active_Users__c")
	w.Vendors.Salesforce.Core().ClearFaults()
	second := w.begin(t)
	if second.Select != runs.All {
		t.Errorf("the next run selects %q", second.Select)
	}
	w.Push(t, "q2", "q2:1", accounts(second.Run, 20)...)
	Call[struct{}](t, w.Functions["control"], "finish", fmt.Sprintf("%q", second.Run), "20")
	w.Pass(t, 15*time.Minute)
	if r := w.Run(t, second.Run); r.Status != run.Complete || r.Outcome != run.Succeeded || len(w.stored(t)) != 20 {
		t.Errorf("mended: %s %s, %+v", r.Status, r.Outcome, r.Counts)
	}
	if s := w.Status(t, "accounts"); s.Halted != "" || s.Watermark != "19" {
		t.Errorf("halted %q, mark %s", s.Halted, s.Watermark)
	}
}

// stuckHalts refuses to end a halt so many times.
type stuckHalts struct {
	deliver.Halts
	refusals *int
}

func (h stuckHalts) DeleteHalt(ctx context.Context, sync, version string) error {
	if *h.refusals--; *h.refusals >= 0 {
		return errThrottled
	}
	return h.Halts.DeleteHalt(ctx, sync, version)
}

// A halt that cannot be ended at once fails no row of the version that works again, and rings
// the alarm of our storage.
func TestHaltThatCannotBeEnded(t *testing.T) {
	w := faulty(t)
	w.fault(t, sandbox.Fault{Match: "PATCH", Count: -1, Status: 400, Body: noSuchColumn})
	first := w.begin(t)
	w.Push(t, "q1", "q1:1", accounts(first.Run, 20)...)
	Call[struct{}](t, w.Functions["control"], "finish", fmt.Sprintf("%q", first.Run), "20")
	w.Pass(t, 25*time.Minute)
	w.Vendors.Salesforce.Core().ClearFaults()
	d, refusals := w.Deliver("salesforce"), 2
	d.Halts = stuckHalts{d.Halts, &refusals}
	second := w.begin(t)
	w.Push(t, "q2", "q2:1", accounts(second.Run, 20)[:1]...)
	w.Drain(t, "salesforce")
	if len(w.stored(t)) != 1 || !strings.Contains(w.Log(), `"StorageFailures":1`) {
		t.Errorf("%d records, the log says\n%s", len(w.stored(t)), w.Log())
	}
	w.Pass(t, 20*time.Second)
	w.Push(t, "q2", "q2:2", accounts(second.Run, 20)[1:]...)
	Call[struct{}](t, w.Functions["control"], "finish", fmt.Sprintf("%q", second.Run), "20")
	w.Pass(t, 15*time.Minute)
	if r := w.Run(t, second.Run); r.Status != run.Complete || r.Outcome != run.Succeeded || r.Counts.Delivered != 20 {
		t.Errorf("%s %s %q: %+v", r.Status, r.Outcome, r.Reason, r.Counts)
	}
	if s := w.Status(t, "accounts"); s.Halted != "" || len(w.stored(t)) != 20 {
		t.Errorf("halted %q, %d records", s.Halted, len(w.stored(t)))
	}
}
