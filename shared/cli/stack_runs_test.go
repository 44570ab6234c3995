package cli

import (
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// thingsFiles are a sync whose records are found by an external id.
var thingsFiles = map[string]string{
	"connections.yaml": "connections:\n  crm: {type: salesforce, url: \"https://acme.my.salesforce.com\"}\n",
	"things.yaml": `sync: things
connection: crm
destination_object: Account
matching_strategy: external_id
match: {source: sku, destination: Customer_ID__c}
record_id: sku
incremental: {cursor: n}
field_mappings:
  - {source: title, destination: Name}
`,
}

// A retry of a stack's run is queued from here, delivered by the stack's workers, and stands
// in the audit log with who asked. One whose process dies once it has queued may be given
// again: no row is sent twice.
func TestServersStackRetry(t *testing.T) {
	w := newStackWorld(t, thingsFiles)
	w.fail("a2")
	id := w.push("things", "q1", `{"sku":"a1","title":"Lamp","n":1}`, `{"sku":"a2","title":"Chair","n":2}`)
	w.drain()
	if c := w.status(id); c.Delivered != 1 || c.Failed != 1 {
		t.Fatalf("%+v", c)
	}
	again := func() (string, error) {
		return w.says(retryCmd{Run_: id, governing: governing{Stack: "prod"}})
	}
	out, err := again() // and its process dies: nobody has delivered
	if codeOf(err) != exitRows || !strings.Contains(out, "1 row is sent again") || !strings.Contains(err.Error(), "the stack's workers deliver them: look with") || !strings.Contains(err.Error(), " status "+id+"~a") || !strings.Contains(err.Error(), " --stack prod") {
		t.Fatalf("%v: %s", err, out)
	}
	first := run.AskedID(id, "")[:len(id)+2]
	if out, err = again(); codeOf(err) != exitRows || !strings.Contains(out, first) {
		t.Fatalf("%v: %s", err, out)
	}
	sent := func() int64 {
		before := w.vendors.Salesforce.Core().Calls().Total
		w.drainBy(1)
		return w.vendors.Salesforce.Core().Calls().Total - before
	}
	if n := sent(); n != 1 {
		t.Errorf("the record, refused once more, was sent by %d calls, want 1", n)
	}
	w.fail()
	for range 2 {
		if out, err = again(); codeOf(err) != exitRows {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if n := sent(); n != 1 {
		t.Errorf("the record was sent by %d calls, want 1", n)
	}
	if n := w.vendors.Salesforce.Count("Account"); n != 2 {
		t.Errorf("%d records are there, want 2", n)
	}
	if out, err = again(); codeOf(err) != exitRows || !strings.Contains(out, "0 rows are sent again; 1 is not open any more") {
		t.Errorf("of an error that is not open: %v: %s", err, out)
	}
	if all := w.audited(); len(all) != 5 || all[0] != "ann retry "+id+" done" {
		t.Errorf("the audit log: %q", all)
	}
	if out, err = w.says(retryCmd{Run_: "things.nosuch", governing: governing{Stack: "prod"}}); err == nil || !strings.Contains(err.Error(), "there is no run") {
		t.Errorf("%v: %s", err, out)
	}
}

// What was retried and settled by the time of the look is told with its counts.
func TestServersStackRetrySettled(t *testing.T) {
	w := newStackWorld(t, thingsFiles)
	w.fail("a2")
	id := w.push("things", "q1", `{"sku":"a2","title":"Chair","n":2}`)
	w.drain()
	w.fail()
	g, err := governing{Stack: "prod"}.control(w.Context(), program{clock: clock{}})
	w.ok(err)
	r, err := g.retry(w.Context(), id, runs.Selector{Records: []string{"a2"}})
	w.ok(err)
	w.drain()
	status, err := g.status(w.Context(), r.Run)
	w.ok(err)
	if f := g.fateOf(status); !f.settled || f.Counts.Delivered != 1 || !f.right() {
		t.Errorf("the run is not known as settled: %+v", f)
	}
}

// A run of a stack is cancelled, and a watermark cleared, from here.
func TestServersStackCancelAndReset(t *testing.T) {
	w := newStackWorld(t, thingsFiles)
	begun, err := w.control.Begin(w.Context(), "things", "incremental", "t1")
	w.ok(err)
	out, err := w.says(cancelCmd{Run_: begun.Run, Reason: "wrong model", governing: governing{Stack: "prod"}})
	if err != nil || !strings.Contains(out, begun.Run+" cancelled: ") || !strings.Contains(out, "wrong model") {
		t.Fatalf("%v: %s", err, out)
	}
	out, err = w.says(resetCmd{Sync: "things", governing: governing{Stack: "prod"}})
	if err != nil || !strings.Contains(out, "things: the watermark is cleared") {
		t.Fatalf("%v: %s", err, out)
	}
	out, err = w.says(resetCmd{Sync: "nothings", governing: governing{Stack: "prod"}})
	if err == nil || !strings.Contains(err.Error(), "nothings") {
		t.Errorf("%v: %s", err, out)
	}
	if all := w.audited(); len(all) != 3 || all[0] != "ann reset nothings refused" || all[1] != "ann reset things done" || all[2] != "ann cancel "+begun.Run+" done" {
		t.Errorf("the audit log: %q", all)
	}
}

// A sync of a stack is ended from here; a run that goes on meanwhile can be ended after it.
func TestServersStackRemove(t *testing.T) {
	w := newStackWorld(t, thingsFiles)
	begun, err := w.control.Begin(w.Context(), "things", "incremental", "t1")
	w.ok(err)
	here := somewhere{Stack: "prod"}
	out, err := w.says(removeCmd{Sync: "things", Yes: true, somewhere: here})
	cancel := " cancel " + begun.Run + " --stack prod removed things"
	if err != nil || !strings.Contains(out, "still delivering: "+begun.Run+" to end it: ") || !strings.HasSuffix(out, cancel) {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := w.says(removeCmd{Sync: "things", Yes: true, somewhere: here}); err == nil || !strings.Contains(err.Error(), `there is no sync "things"`) {
		t.Errorf("once more: %v", err)
	}
	if out, err = w.says(cancelCmd{Run_: begun.Run, governing: governing{Stack: "prod"}}); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if all := w.audited(); len(all) != 2 || all[0] != "ann cancel "+begun.Run+" done" || all[1] != "ann remove things done" {
		t.Errorf("the audit log: %q", all)
	}
}

// What a person's credentials lack is said in one line with its remedy, whichever service
// refused; nothing was sent, and the same command later does it.
func TestServersStackDenied(t *testing.T) {
	w := newStackWorld(t, thingsFiles)
	w.fail("a2")
	id := w.push("things", "q1", `{"sku":"a2","title":"Chair","n":2}`)
	w.drain()
	w.fail()
	retry := retryCmd{Run_: id, governing: governing{Stack: "prod"}}
	for _, action := range []string{"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query", "sqs:SendMessage"} {
		w.deny(action)
		out, err := w.says(retry)
		if codeOf(err) != exitFailed {
			t.Errorf("%s: %v: %s", action, err, out)
			continue
		}
		if said := plain(err); !strings.Contains(said, "your AWS credentials lack "+action+" on arn:aws:x: set AWS_PROFILE") || strings.Contains(said, "\n") || strings.Contains(said, "https response") {
			t.Errorf("%s: %s", action, said)
		}
	}
	w.deny("")
	if out, err := w.says(retry); codeOf(err) != exitRows || !strings.Contains(out, "1 row is sent again") {
		t.Fatalf("%v: %s", err, out)
	}
	w.drain()
	if n := w.vendors.Salesforce.Count("Account"); n != 1 {
		t.Errorf("%d records are there", n)
	}
}
