package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// quietWorld has one lane and a vendor without trouble.
func quietWorld(t *testing.T, change func(*syncdef.Definition)) *world {
	w := newWorld(t, 0, func(int) syncdef.Definition {
		d := definition(1)
		if change != nil {
			change(&d)
		}
		return d
	})
	w.vendor.refuses = map[string]bool{}
	return w
}

// send pushes rows of the given keys as one batch of the query q.
func (w *world) send(q string, keys ...string) []pipeline.Answer {
	w.t.Helper()
	b := row.Batch{ID: q + ":1", Query: q, Function: "penstock_push"}
	for n, k := range keys {
		w.value++
		object := fmt.Sprintf(`{"id":%q,"v":%d,"constant":"c"}`, k, w.value)
		b.Rows = append(b.Rows, row.Row{Number: n, Args: []jsontext.Value{jsontext.Value(`"accounts"`), jsontext.Value(object)}})
	}
	answers, err := w.intake.Push(w.t.Context(), b)
	if err != nil {
		w.t.Fatal(err)
	}
	return answers
}

// once is one worker invocation that acknowledges as Lambda does.
func (w *world) once() (stay []string) {
	w.t.Helper()
	in, err := w.store.Receive(w.t.Context(), "crm", 10, time.Minute)
	if err != nil {
		w.t.Fatal(err)
	}
	if stay, err = w.deliver.Handle(w.t.Context(), in); err != nil {
		w.t.Fatal(err)
	}
	for _, m := range in {
		if strings.Contains(strings.Join(stay, " "), m.ID) {
			continue
		}
		if err := w.store.Delete(w.t.Context(), "crm", m.Receipt); err != nil {
			w.t.Fatal(err)
		}
	}
	return stay
}

// end sweeps until the run has ended.
func (w *world) end(id string) run.Run {
	w.t.Helper()
	for range 3 {
		w.now = w.now.Add(time.Minute)
		w.sweep()
	}
	r, err := w.store.Run(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) errorTypes(id string) map[string]int {
	w.t.Helper()
	errs, _, err := w.store.RunErrors(w.t.Context(), id, 100, "")
	if err != nil {
		w.t.Fatal(err)
	}
	types := map[string]int{}
	for _, e := range errs {
		types[e.Type]++
	}
	return types
}

func TestStopOnError(t *testing.T) {
	w := quietWorld(t, func(d *syncdef.Definition) { d.OnError = syncdef.Stop })
	w.vendor.refuses["k1"] = true
	id := w.send("q", "k0", "k1", "k2", "k3", "k4")[0].Run // three records a call
	w.once()
	if got := w.errorTypes(id); got["refused"] != 1 || got["cancelled"] != 2 {
		t.Errorf("errors %v, want one refused and two cancelled", got)
	}
	if r := w.end(id); r.Status != run.Cancelled || !strings.Contains(r.Reason, "k1") {
		t.Errorf("run is %s: %s", r.Status, r.Reason)
	}
	if w.vendor.sends["k3"] != 0 {
		t.Error("a row was sent after the run was stopped")
	}
	later := w.sendAgain("q", "k9")
	if later[0].Status != pipeline.Blocked || later[0].Fault == nil {
		t.Errorf("a row of a stopped run was answered %+v", later[0])
	}
}

// A worker that dies between the stored error and the stop of the run leaves a
// run that the next attempt stops.
func TestStopOnErrorAfterDeath(t *testing.T) {
	w := quietWorld(t, func(d *syncdef.Definition) { d.OnError = syncdef.Stop })
	w.vendor.refuses["k1"] = true
	id := w.send("q", "k0", "k1", "k2", "k3", "k4")[0].Run
	in, err := w.store.Receive(t.Context(), "crm", 10, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	w.mortal.fuse = 3 // errors, ledger, run
	if _, err := w.deliver.Handle(t.Context(), in); err == nil {
		t.Fatal("the process did not die")
	}
	w.boot()
	w.now = w.now.Add(2 * time.Minute)
	w.once()
	r := w.end(id)
	if r.Status != run.Cancelled {
		t.Errorf("run is %s after a row failed, want cancelled", r.Status)
	}
	if w.vendor.sends["k3"] != 0 {
		t.Error("a row was sent after the run's first failure")
	}
}

// sendAgain pushes another batch of the same query.
func (w *world) sendAgain(q string, key string) []pipeline.Answer {
	answers, err := w.intake.Push(w.t.Context(), batchOf(q, key))
	if err != nil {
		w.t.Fatal(err)
	}
	return answers
}

// batchOf is another batch of the query, of one row.
func batchOf(q, key string) row.Batch {
	return row.Batch{ID: q + ":2", Query: q, Function: "penstock_push", Rows: []row.Row{{Args: []jsontext.Value{
		jsontext.Value(`"accounts"`), jsontext.Value(fmt.Sprintf(`{"id":%q,"v":1,"constant":"c"}`, key)),
	}}}}
}

// A message that no worker survives ends as stored errors of its rows.
func TestCrashes(t *testing.T) {
	w := quietWorld(t, nil)
	id := w.send("q", "k0", "k1")[0].Run
	for range 5 { // received, and the worker was never heard of again
		if in, err := w.store.Receive(t.Context(), "crm", 10, time.Minute); err != nil || len(in) != 1 {
			t.Fatalf("%d messages, %v", len(in), err)
		}
		w.now = w.now.Add(2 * time.Minute)
	}
	w.once()
	if got := w.errorTypes(id); got["crashed"] != 2 {
		t.Errorf("errors %v, want two crashed", got)
	}
	if r := w.end(id); r.Status != run.Complete || r.Counts.Failed != 2 {
		t.Errorf("run is %s, %+v", r.Status, r.Counts)
	}
}

// Deferrals are no crashes: a vendor that is down for hours costs nothing.
func TestOutageIsWaitedOut(t *testing.T) {
	w := quietWorld(t, nil)
	down := &outage{vendor: w.vendor, down: true}
	w.useDestination(down)
	id := w.send("q", "k0", "k1")[0].Run
	for range 40 {
		w.once()
		w.now = w.now.Add(20 * time.Minute)
	}
	down.down = false
	w.once()
	if r := w.end(id); r.Status != run.Complete || r.Counts.Delivered != 2 {
		t.Errorf("run is %s (%s), %+v, errors %v", r.Status, r.Reason, r.Counts, w.errorTypes(id))
	}
}

// I1: a row settles before its message can expire.
func TestExpired(t *testing.T) {
	w := quietWorld(t, nil)
	id := w.send("q", "k0")[0].Run
	w.now = w.now.Add(8 * 24 * time.Hour)
	w.once()
	if got := w.errorTypes(id); got["expired"] != 1 {
		t.Errorf("errors %v, want one expired", got)
	}
}

// What the dead-letter queue holds becomes errors, but a row that had arrived
// counts as delivered.
func TestDeadLetter(t *testing.T) {
	w := quietWorld(t, nil)
	w.vendor.refuses["k1"] = false
	id := w.send("q", "k0")[0].Run
	w.once()
	w.sendAgain("q", "k1")
	w.deliver.Dead = true
	w.once()
	if got := w.errorTypes(id); got["dead_letter"] != 1 || len(got) != 1 {
		t.Errorf("errors %v, want one dead_letter", got)
	}
	if r := w.end(id); r.Counts.Delivered != 1 || r.Counts.Failed != 1 {
		t.Errorf("counts %+v", r.Counts)
	}
}

// A full run sends again what other runs delivered, and once only.
func TestFullRun(t *testing.T) {
	w := quietWorld(t, nil)
	w.send("q", "k0", "k1")
	w.once()
	begun, err := w.control.Begin(t.Context(), "accounts", "full", "token")
	if err != nil {
		t.Fatal(err)
	}
	b := row.Batch{ID: "full:1", Query: "full", Function: "penstock_push"}
	for n, k := range []string{"k0", "k1"} {
		b.Rows = append(b.Rows, row.Row{Number: n, Args: []jsontext.Value{
			jsontext.Value(fmt.Sprintf("%q", begun.Run)), jsontext.Value(fmt.Sprintf(`{"id":%q,"v":%d,"constant":"c"}`, k, n+1)),
		}})
	}
	if _, err := w.intake.Push(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	w.once()
	if w.vendor.sends["k0"] != 2 || w.vendor.sends["k1"] != 2 {
		t.Errorf("sent %v, want each key twice", w.vendor.sends)
	}
	for _, rows := range []int64{3, 2} { // a wrong count is corrected by the next
		r, err := w.control.Finish(t.Context(), begun.Run, rows)
		if err != nil || r.Expected != rows {
			t.Fatalf("finish: %d rows expected, %v, want %d", r.Expected, err, rows)
		}
	}
	if r := w.end(begun.Run); r.Status != run.Complete || r.Counts.Delivered != 2 {
		t.Errorf("run is %s, %+v", r.Status, r.Counts)
	}
	if mark, err := w.store.Watermark(t.Context(), "accounts"); err != nil || mark != "2" {
		t.Errorf("watermark %q, %v; want the greatest cursor, 2", mark, err)
	}
}

// useDestination puts another destination behind the worker.
func (w *world) useDestination(d pipeline.Destination) {
	w.deliver.Open = func(context.Context, syncdef.Version) (pipeline.Destination, error) { return d, nil }
}

// outage is a vendor whose every call fails while it is down.
type outage struct {
	*vendor
	down bool
}

// Push implements pipeline.Destination.
func (o *outage) Push(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	if o.down {
		return nil, &dest.CallError{Op: "upsert", Class: dest.Unavailable, Message: "503"}
	}
	return o.vendor.Push(ctx, b, c)
}

// A batch whose record expired, or was lost with its table, is delivered all the
// same; there is nothing left to count it in.
func TestBatchRecordGone(t *testing.T) {
	w := quietWorld(t, nil)
	w.send("q", "k0")
	w.deliver.Runs = &forgetful{Runs: w.store}
	if stay := w.once(); len(stay) > 0 || w.vendor.sends["k0"] != 1 {
		t.Errorf("%d messages stay, sent %v", len(stay), w.vendor.sends)
	}
}

// forgetful holds no batch.
type forgetful struct{ pipeline.Runs }

// Batch implements pipeline.Runs.
func (forgetful) Batch(context.Context, string, string) (run.Batch, error) {
	return run.Batch{}, pipeline.ErrNotFound
}

// RecordChunk implements pipeline.Runs.
func (forgetful) RecordChunk(context.Context, string, string, int, run.Chunk) (bool, error) {
	return false, fmt.Errorf("record: %w", pipeline.ErrNotFound)
}

// A mistyped run is no run without errors.
func TestErrorsOfNoRun(t *testing.T) {
	w := quietWorld(t, nil)
	var refused *pipeline.RequestError
	if _, _, err := w.control.RunErrors(t.Context(), "accounts.q1", 10, ""); !errors.As(err, &refused) {
		t.Errorf("errors of an unknown run: %v, want a refusal", err)
	}
	id := w.send("q", "k0")[0].Run
	if errs, _, err := w.control.RunErrors(t.Context(), id, 10, ""); err != nil || len(errs) > 0 {
		t.Errorf("errors of a run without any: %v, %v", errs, err)
	}
}
