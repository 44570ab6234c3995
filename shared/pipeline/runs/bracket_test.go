package runs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

func refusal(t *testing.T, err error, want string) {
	t.Helper()
	var r *row.Refusal
	if !errors.As(err, &r) || !strings.Contains(r.Message, want) {
		t.Errorf("%v, want a refusal with %q", err, want)
	}
}

// A bracketed run from begin to its watermark; the next one selects what is new.
func TestBracket(t *testing.T) {
	w := newWorld(t, nil)
	first := w.begin("", "t1")
	if first.Select != runs.All || first.Watermark != "" {
		t.Errorf("the first begin answers %+v", first)
	}
	if again := w.begin("", "t1"); again != first {
		t.Errorf("a retried begin answers %+v, want %+v", again, first)
	}
	w.push(first.Run, record{"a", 1, 10}, record{"b", 2, 20})
	wait := w.begin("", "t2")
	if wait.Select != runs.Wait || wait.Run != "" || !strings.Contains(wait.Reason, "waits for 2 rows that are queued") {
		t.Errorf("begin while a run is open: %+v", wait)
	}
	w.work()
	r, err := w.control.Finish(t.Context(), first.Run, 2)
	w.ok(err)
	if r.Status != run.Finishing || r.Counts.Delivered != 2 {
		t.Errorf("finish answers %+v", r)
	}
	w.sweepOnce()
	got := w.run(first.Run)
	if got.Status != run.Complete || got.Outcome != run.Succeeded || w.mark() != "20" {
		t.Errorf("%s %s, watermark %s", got.Status, got.Outcome, w.mark())
	}
	next := w.begin("", "t3")
	if next.Select != runs.Since || next.Watermark != "20" {
		t.Errorf("the next begin answers %+v", next)
	}
	w.ok(errorOf(w.control.Cancel(t.Context(), next.Run, "")))
	full := w.begin("full", "t4")
	if full.Select != runs.All || full.Watermark != "" {
		t.Errorf("a full begin answers %+v", full)
	}
}

func errorOf(_ runs.RunStatus, err error) error { return err }

// A run that announced another number is corrected by a second finish, up or down.
func TestSecondFinish(t *testing.T) {
	for name, c := range map[string]struct {
		first  int64
		sweeps time.Duration
	}{
		"too many":           {3, time.Minute},
		"too many, given up": {3, 2 * time.Hour},
		"too few, complete":  {1, time.Minute},
	} {
		w := newWorld(t, nil)
		b := w.begin("", "t1")
		w.push(b.Run, record{"a", 1, 10}, record{"b", 2, 20})
		_, err := w.control.Finish(t.Context(), b.Run, c.first)
		w.ok(err)
		w.pass(c.sweeps)
		if m := w.mark(); m != "" {
			t.Errorf("%s: the watermark is %s before the right number", name, m)
		}
		_, err = w.control.Finish(t.Context(), b.Run, 2)
		w.ok(err)
		w.sweepOnce()
		if r := w.run(b.Run); r.Status != run.Complete || w.mark() != "20" {
			t.Errorf("%s: %s %q, watermark %s", name, r.Status, r.Reason, w.mark())
		}
	}
}

// A complete run takes no further row, though its count would match.
func TestFinishCoincidence(t *testing.T) {
	w := newWorld(t, nil)
	b := w.begin("", "t1")
	w.push(b.Run, record{"a", 5, 5})
	w.work()
	_, err := w.control.Finish(t.Context(), b.Run, 1)
	w.ok(err)
	w.sweepOnce()
	_, err = w.intake.Push(t.Context(), w.batch(b.Run, "late", record{"a", 3, 3}))
	refusal(t, err, "is complete and takes no more rows")
}

// The destination is down for longer than a quiet hour: queued rows keep the run alive.
func TestOutageKeepsRunAlive(t *testing.T) {
	w := newWorld(t, nil)
	w.vendor.down = true
	b := w.begin("", "t1")
	w.push(b.Run, record{"k", 10, 10})
	_, err := w.control.Finish(t.Context(), b.Run, 1)
	w.ok(err)
	w.pass(70 * time.Minute)
	s := w.status(b.Run)
	if got := s.Runs[0]; got.Status != run.Finishing || !strings.Contains(got.Waits, `1 row, which connection "prod" holds up since`) || !strings.Contains(got.Waits, "the vendor is down") {
		t.Errorf("%s %q waits for %q", got.Status, got.Reason, got.Waits)
	}
	if !strings.Contains(s.Paused, "the vendor is down") {
		t.Errorf("paused %q", s.Paused)
	}
	w.vendor.down = false
	w.pass(2 * time.Hour)
	if r := w.run(b.Run); r.Status != run.Complete || w.mark() != "10" || w.vendor.values["k"] != "10" {
		t.Errorf("%s %q, watermark %s, the vendor holds %q", r.Status, r.Reason, w.mark(), w.vendor.values["k"])
	}
}

// A begun run that no request names for an hour is taken over by the next begin:
// three hours while it has named no row.
func TestTakeOver(t *testing.T) {
	for _, c := range []struct {
		rows    int
		after   time.Duration
		select_ runs.Selection
	}{
		{1, 59 * time.Minute, runs.Wait},
		{1, 61 * time.Minute, runs.All},
		{0, 179 * time.Minute, runs.Wait},
		{0, 181 * time.Minute, runs.All},
	} {
		w := newWorld(t, nil)
		old := w.begin("", "t1")
		if c.rows > 0 {
			w.push(old.Run, record{"a", 1, 10})
		}
		w.now = w.now.Add(c.after) // no sweeper runs
		next := w.begin("", "t2")
		if next.Select != c.select_ {
			t.Errorf("%d rows, after %v: %+v", c.rows, c.after, next)
		}
		if next.Select == runs.Wait {
			continue
		}
		if r := w.run(old.Run); r.Status != run.Cancelled || r.TakenBy != next.Run {
			t.Errorf("the old run is %+v", r)
		}
		_, err := w.intake.Push(t.Context(), w.batch(old.Run, "late", record{"a", 3, 30}))
		refusal(t, err, "was taken over by run")
		r, err := w.control.Finish(t.Context(), old.Run, 1)
		w.ok(err)
		if r.Status != run.Cancelled {
			t.Errorf("finish of the old run answers %s", r.Status)
		}
		w.pass(time.Minute)
		if w.vendor.sends != 0 || w.mark() != "" {
			t.Errorf("%d of its rows were delivered, watermark %q", w.vendor.sends, w.mark())
		}
	}
}

// A run that is finished while the next begin takes it over goes on.
func TestTakeOverLosesToFinish(t *testing.T) {
	w := newWorld(t, nil)
	old := w.begin("", "t1")
	w.push(old.Run, record{"a", 1, 10})
	w.now = w.now.Add(2 * time.Hour)
	w.control.Runs = &racing{w.store, func() {
		_, err := w.second().Finish(t.Context(), old.Run, 1)
		w.ok(err)
	}}
	if next := w.begin("", "t2"); next.Select != runs.Wait {
		t.Errorf("begin answers %+v", next)
	}
	w.pass(2 * time.Minute)
	if r := w.run(old.Run); r.Status != run.Complete || w.mark() != "10" {
		t.Errorf("the old run is %s, watermark %q", r.Status, w.mark())
	}
}

// racing is a store in which something happens once, before a run is updated.
type racing struct {
	*sqlite.Store
	before func()
}

func (r *racing) UpdateRun(ctx context.Context, next run.Run) error {
	if before := r.before; before != nil {
		r.before = nil
		before()
	}
	return r.Store.UpdateRun(ctx, next)
}

// second is another control over the same store.
func (w *world) second() *runs.Control {
	return &runs.Control{Stores: w.stores, Replayer: w.intake, Policy: run.DefaultPolicy(), Now: func() time.Time { return w.now }}
}

// A cancelled run's rows are not sent, and its watermark does not move.
func TestCancel(t *testing.T) {
	w := newWorld(t, nil)
	b := w.begin("", "t1")
	w.push(b.Run, record{"a", 1, 10})
	r, err := w.control.Cancel(t.Context(), b.Run, "the model is wrong")
	w.ok(err)
	if r.Status != run.Cancelled || r.Reason != "the model is wrong" {
		t.Errorf("%+v", r)
	}
	w.ok(errorOf(w.control.Cancel(t.Context(), b.Run, "")))
	if a := w.push(b.Run, record{"b", 1, 20}); a[0].Status != row.Blocked || !strings.Contains(a[0].Fault.Message, "the model is wrong") {
		t.Errorf("a push is answered %+v", a[0])
	}
	w.pass(3 * time.Minute)
	s := w.status(b.Run).Runs[0]
	if s.Counts.Cancelled != 1 || s.Counts.Blocked != 1 || s.Outcome != run.None || w.vendor.sends != 0 || w.mark() != "" {
		t.Errorf("%+v %s, %d sent, watermark %q", s.Counts, s.Outcome, w.vendor.sends, w.mark())
	}
	_, err = w.control.Cancel(t.Context(), "accounts.r9", "")
	refusal(t, err, "there is no run")
	done := w.complete("", record{"a", 1, 10})
	_, err = w.control.Cancel(t.Context(), done.ID, "")
	refusal(t, err, "is complete already")
}

// What the control functions refuse.
func TestRefusals(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	_, err := w.control.Begin(ctx, "orders", "", "t")
	refusal(t, err, `there is no sync "orders"`)
	_, err = w.control.Begin(ctx, syncName, "partial", "t")
	refusal(t, err, "use incremental, full, cdc or dry_run")
	_, err = w.control.Finish(ctx, "accounts.r9", 1)
	refusal(t, err, "there is no run")
	_, err = w.control.Finish(ctx, "accounts", 1)
	refusal(t, err, "takes a run")
	_, err = w.control.Finish(ctx, "accounts.r9", -1)
	refusal(t, err, "-1 rows cannot be")
	a := w.push(syncName, record{"a", 1, 1})
	_, err = w.control.Finish(ctx, a[0].Run, 1)
	refusal(t, err, "was not begun by penstock_begin")
	_, _, err = w.control.RunErrors(ctx, "accounts", 10, "")
	refusal(t, err, "takes a run")
	_, _, err = w.control.RunErrors(ctx, "accounts.r9", 10, "")
	refusal(t, err, "there is no run")
	_, err = w.control.Status(ctx, "orders")
	refusal(t, err, "there is no sync")
	refusal(t, w.control.Reset(ctx, "orders"), "there is no sync")
	refusal(t, w.control.Remove(ctx, "orders"), "there is no sync")
	_, err = w.control.AcceptAccount(ctx, "dev", "")
	refusal(t, err, "there is no connection")
	_, err = w.control.Retry(ctx, "accounts.r9", runs.Selector{}, "t")
	refusal(t, err, "there is no run")
}

// The number of lanes stays while rows are on their way.
func TestLanesChange(t *testing.T) {
	w := newWorld(t, nil)
	w.push(syncName, record{"a", 1, 1})
	more := w.version(func(d *syncdef.Definition, _ *syncdef.Rules) { d.Lanes = 4 })
	_, err := w.control.Apply(t.Context(), more, syncdef.Connection{Name: "prod", Type: queue})
	refusal(t, err, "cannot go from 1 to 4 lanes")
	w.pass(5 * time.Minute)
	_, err = w.control.Apply(t.Context(), more, syncdef.Connection{Name: "prod", Type: queue})
	w.ok(err)
}

// Apply says what changes for the rows.
func TestApplyNotes(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*syncdef.Definition, *syncdef.Rules)
		want   string
	}{
		"nothing": {nil, ""},
		"lanes":   {func(d *syncdef.Definition, _ *syncdef.Rules) { d.Lanes = 3 }, ""},
		"object":  {func(d *syncdef.Definition, _ *syncdef.Rules) { d.Object = "Contact" }, "another target"},
		"rule":    {func(_ *syncdef.Definition, r *syncdef.Rules) { r.Identity.Steps = []row.Step{row.StepLower} }, "another target"},
		"cursor":  {func(d *syncdef.Definition, _ *syncdef.Rules) { d.Incremental.Cursor = "seq" }, "another cursor column"},
		"mapping": {func(d *syncdef.Definition, _ *syncdef.Rules) { d.Fields[0].Destination = "Other__c" }, "another mapping"},
		"inserts": {func(d *syncdef.Definition, r *syncdef.Rules) {
			d.Fields[0].Destination, d.Operation, r.Once = "Other__c", syncdef.Insert, true
		}, "another target"},
	} {
		w := newWorld(t, nil)
		notes := strings.Join(w.apply(c.change), "; ")
		if c.want == "" && notes != "" || !strings.Contains(notes, c.want) {
			t.Errorf("%s: %q, want %q", name, notes, c.want)
		}
	}
}
