package runs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// refusing is a queue that takes nothing.
type refusing struct{ *sqlite.Store }

func (refusing) Send(context.Context, string, []envelope.Message) ([]bool, error) {
	return nil, errors.New("the queue is not there")
}

// full is a queue that is over half its limit.
type full struct{ *sqlite.Store }

func (full) Depth(context.Context, string) (int, error) { return run.MaxDepth/2 + 1, nil }

// A row that is busy comes back by itself, and its run says what became of it.
func TestDueRowIsSentAgain(t *testing.T) {
	w := newWorld(t, nil)
	w.vendor.busy["a"] = true
	r := w.complete("", record{"a", 1, 10}, record{"b", 2, 20})
	s := w.status(r.ID).Runs[0]
	if s.Due != 1 || s.Retried != 0 || s.Outcome != run.Partial {
		t.Errorf("%d due, %d retried, %s", s.Due, s.Retried, s.Outcome)
	}
	w.vendor.busy["a"] = false
	w.pass(5 * time.Minute)
	s = w.status(r.ID).Runs[0]
	if s.Due != 0 || s.Retried != 1 || s.Outcome != run.Partial || w.vendor.values["a"] != "1" {
		t.Errorf("%d due, %d retried, %s, the vendor holds %q", s.Due, s.Retried, s.Outcome, w.vendor.values["a"])
	}
	if list := w.status(syncName).Runs; len(list) != 1 {
		t.Errorf("the sync's status shows %d runs, retries' left out", len(list))
	}
	if retry := w.run(run.RetryID(r.ID, 1)); retry.Outcome != "" || retry.Original != r.ID {
		t.Errorf("the retry's run is %+v", retry)
	}
	if w.mark() != "10" {
		t.Errorf("watermark %s: the hold stands until the next run", w.mark())
	}
}

// What was settled before its time is not counted as due, though its item stays until then.
func TestSettledRowsAreNotDue(t *testing.T) {
	for name, settle := range map[string]func(w *world, id string){
		"by a retry": func(w *world, id string) {
			_, err := w.control.Retry(w.t.Context(), id, runs.Selector{Records: []string{"a"}}, "token")
			w.ok(err)
			w.work()
		},
		"by the next run": func(w *world, _ string) { w.complete("", record{"a", 1, 10}, record{"b", 2, 20}) },
		"by nobody, its run was cancelled": func(w *world, id string) {
			r := w.run(id)
			r.Status = run.Cancelled
			w.ok(w.store.UpdateRun(w.t.Context(), r))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) { d.Retry = &syncdef.Retry{Base: "12h", Max: "12h"} })
			w.vendor.busy["a"], w.vendor.refuses["b"] = true, true
			r := w.complete("", record{"a", 1, 10}, record{"b", 2, 20})
			if s := w.status(r.ID).Runs[0]; s.Due != 1 {
				t.Fatalf("%d due", s.Due)
			}
			w.vendor.busy["a"], w.vendor.refuses["b"] = false, name == "by a retry"
			w.pass(time.Minute)
			settle(w, r.ID)
			w.pass(time.Minute)
			if s := w.status(r.ID).Runs[0]; s.Due != 0 {
				t.Errorf("penstock_status says %d due", s.Due)
			}
			if o, err := w.sweep.Overview(t.Context(), syncName, w.now); err != nil || o.Due != 0 {
				t.Errorf("the overview says %d due, %v", o.Due, err)
			}
		})
	}
}

// A retry's run that a person ends before its rows are queued leaves each row its one error,
// which is not due any more, and is counted to its end.
func TestARetryIsEndedBeforeItIsQueued(t *testing.T) {
	w := newWorld(t, nil)
	w.vendor.busy["a"] = true
	r := w.complete("", record{"a", 1, 10})
	w.vendor.busy["a"] = false
	w.intake.Queue = refusing{w.store}
	w.now = w.now.Add(5 * time.Minute)
	if err := w.sweep.Run(t.Context()); err == nil {
		t.Fatal("the queue refused nothing")
	}
	again := run.RetryID(r.ID, 1)
	_, err := w.control.Cancel(t.Context(), again, "not now")
	w.ok(err)
	w.intake.Queue = w.store
	w.pass(5 * time.Minute)
	if e := w.errors(r.ID)["a"]; !e.Due.IsZero() || e.Attempts != 1 || !strings.Contains(e.Message, "its retry was ended: not now") {
		t.Errorf("the error: due %v, %d attempts: %s", e.Due, e.Attempts, e.Message)
	}
	if errs, _, err := w.store.RunErrors(t.Context(), again, 10, ""); err != nil || len(errs) != 0 {
		t.Errorf("the retry has errors of its own: %+v, %v", errs, err)
	}
	if c := w.run(again); !c.Final || c.Counts.Failed != 1 || w.vendor.values["a"] != "" {
		t.Errorf("final %v, %+v, the vendor holds %q", c.Final, c.Counts, w.vendor.values["a"])
	}
	_, err = w.control.Retry(t.Context(), r.ID, runs.Selector{}, "token")
	w.ok(err)
	w.work()
	if w.vendor.values["a"] != "1" {
		t.Error("a retry does not reach the row")
	}
}

// A row is tried as often as the sync's retry allows, and then rests.
func TestAttemptsEnd(t *testing.T) {
	w := newWorld(t, nil)
	w.vendor.busy["a"] = true
	r := w.complete("", record{"a", 1, 10})
	w.pass(2 * time.Hour)
	if e := w.errors(r.ID)["a"]; e.Attempts != 3 || !e.Due.IsZero() {
		t.Errorf("%d attempts, due %v: %s", e.Attempts, e.Due, e.Message)
	}
	if s := w.status(r.ID).Runs[0]; s.Due != 0 {
		t.Errorf("%d due", s.Due)
	}
	for attempt := 1; attempt < 3; attempt++ {
		if retry := w.run(run.RetryID(r.ID, attempt)); retry.Counts.Failed != 1 || retry.Status != run.Complete {
			t.Errorf("attempt %d is run %+v", attempt, retry)
		}
	}
}

// What is due stays due while its connection is paused or its queue is half full.
func TestDueWaits(t *testing.T) {
	for name, hold := range map[string]func(w *world) (mend func()){
		"queue": func(w *world) func() {
			w.sweep.Depths = full{w.store}
			return func() { w.sweep.Depths = w.store }
		},
		"connection": func(w *world) func() {
			p, err := w.store.Pace(w.t.Context(), "prod")
			w.ok(err)
			w.ok(w.store.SetPace(w.t.Context(), "prod", p.Fail(w.now, 20*time.Minute, "login", "login refused")))
			return func() {
				p, err := w.store.Pace(w.t.Context(), "prod")
				w.ok(err)
				w.ok(w.store.SetPace(w.t.Context(), "prod", p.Mend()))
			}
		},
	} {
		w := newWorld(t, nil)
		w.vendor.busy["a"] = true
		r := w.complete("", record{"a", 1, 10})
		w.vendor.busy["a"] = false
		mend := hold(w)
		w.pass(10 * time.Minute)
		if s := w.status(r.ID).Runs[0]; s.Due != 1 {
			t.Errorf("%s: %d due", name, s.Due)
		}
		mend()
		w.pass(2 * time.Minute)
		if e := w.errors(r.ID)["a"]; w.vendor.values["a"] != "1" || e.Attempts != 1 {
			t.Errorf("%s: the vendor holds %q after %d attempts", name, w.vendor.values["a"], e.Attempts)
		}
	}
}

// Nothing of a cancelled run, of a removed sync, of another target or that today's
// mapping refuses is sent again.
func TestDueEnds(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world, id string)
		why    string // in the error
	}{
		"cancelled": {func(w *world, id string) {
			r := w.run(id)
			r.Status, r.Reason = run.Cancelled, "stopped by a person"
			w.ok(w.store.UpdateRun(w.t.Context(), r))
		}, "its run was ended: stopped by a person"},
		"removed": {func(w *world, _ string) { w.ok(w.control.Remove(w.t.Context(), syncName)) },
			"its sync was removed: apply it again, then run penstock retry " + syncName},
		"target": {func(w *world, _ string) {
			w.apply(func(d *syncdef.Definition, _ *syncdef.Rules) { d.Object = "Contact" })
		}, "has to be pushed again"},
		"mapping": {func(w *world, _ string) {
			w.apply(func(d *syncdef.Definition, _ *syncdef.Rules) { d.Fields[0].Max = "0" })
		}, "today's mapping refuses it: column v"},
	} {
		w := newWorld(t, nil)
		w.vendor.busy["a"] = true
		r := w.complete("", record{"a", 1, 10})
		w.vendor.busy["a"] = false
		c.change(w, r.ID)
		w.pass(10 * time.Minute)
		if _, sent := w.vendor.values["a"]; sent {
			t.Errorf("%s: the row was sent again", name)
		}
		e, err := w.store.ErrorsByRef(t.Context(), syncName, []string{onlyRef(w, r.ID)})
		w.ok(err)
		for _, one := range e {
			if !one.Due.IsZero() || !strings.Contains(one.Message, c.why) || one.Attempts != 1 {
				t.Errorf("%s: due %v after %d attempts: %s", name, one.Due, one.Attempts, one.Message)
			}
		}
		items, err := w.store.DueItems(t.Context(), syncName, time.Time{}, 100)
		w.ok(err)
		if len(items) > 0 {
			t.Errorf("%s: %d due items", name, len(items))
		}
	}
}

// Of a removed sync what is due ends when it is due, however often our storage fails in
// between; nothing of it is lost.
func TestDueOfARemovedSync(t *testing.T) {
	for name, fail := range map[string]func(w *world){
		"deleting": func(w *world) { w.sweep.Due = undeleting{w.store} },
		"noting":   func(w *world) { w.sweep.Errors = unending{w.store} },
	} {
		w := newWorld(t, nil)
		w.vendor.busy["a"] = true
		r := w.complete("", record{"a", 1, 10})
		w.vendor.busy["a"] = false
		w.ok(w.control.Remove(t.Context(), syncName))
		fail(w)
		w.now = w.now.Add(5 * time.Minute)
		for range 2 {
			if err := w.sweep.Run(t.Context()); err == nil {
				t.Fatalf("%s did not fail", name)
			}
		}
		w.sweep.Due, w.sweep.Errors = w.store, w.store
		w.pass(2 * time.Minute)
		items, err := w.store.DueItems(t.Context(), syncName, time.Time{}, 100)
		w.ok(err)
		w.apply(nil)
		if e := w.errors(r.ID)["a"]; len(items) > 0 || !e.Due.IsZero() || strings.Count(e.Message, "was removed") != 1 {
			t.Errorf("%s: %d due items, due %v: %s", name, len(items), e.Due, e.Message)
		}
		got, err := w.control.Retry(t.Context(), r.ID, runs.Selector{}, "again")
		w.ok(err)
		w.work()
		if got.Queued != 1 || w.vendor.values["a"] != "1" {
			t.Errorf("%s: a retry queued %d, the vendor holds %q", name, got.Queued, w.vendor.values["a"])
		}
	}
}

// A sync that is applied again before its rows are due sends them by its new version.
func TestDueOfASyncAppliedAgain(t *testing.T) {
	w := newWorld(t, nil)
	w.vendor.busy["a"] = true
	r := w.complete("", record{"a", 1, 10})
	w.vendor.busy["a"] = false
	w.ok(w.control.Remove(t.Context(), syncName))
	w.sweepOnce()
	w.apply(nil)
	w.pass(5 * time.Minute)
	if s := w.status(r.ID).Runs[0]; s.Due != 0 || s.Retried != 1 || w.vendor.values["a"] != "1" {
		t.Errorf("%d due, %d retried, the vendor holds %q", s.Due, s.Retried, w.vendor.values["a"])
	}
}

// unending is an error store that notes nothing in errors.
type unending struct{ *sqlite.Store }

func (unending) EndDue(context.Context, string, []string, string) error {
	return errors.New("the errors are not there")
}

func onlyRef(w *world, id string) string {
	w.t.Helper()
	all, _, err := w.store.RunErrors(w.t.Context(), id, 10, "")
	w.ok(err)
	if len(all) != 1 {
		w.t.Fatalf("%d errors", len(all))
	}
	return all[0].Ref()
}

// An older due item of a row that was tried again since, and is due anew, neither
// sends it nor ends its being due.
func TestOlderDueItem(t *testing.T) {
	w := newWorld(t, nil)
	w.vendor.busy["a"] = true
	r := w.complete("", record{"a", 1, 10})
	e := w.errors(r.ID)["a"]
	e.Attempts, e.Due = 2, w.now.Add(time.Hour)
	w.ok(w.store.StoreErrors(t.Context(), []run.RowError{e}))
	w.apply(func(d *syncdef.Definition, _ *syncdef.Rules) { d.Fields[0].Max = "0" }) // that would refuse it
	calls := w.vendor.calls
	w.pass(5 * time.Minute)
	if now := w.errors(r.ID)["a"]; now.Due.IsZero() || now.Attempts != 2 || w.vendor.calls != calls {
		t.Errorf("due %v, %d attempts, %d calls", now.Due, now.Attempts, w.vendor.calls-calls)
	}
}

// A newer row that was settled since closes the error: the due one is not sent over it.
func TestDueIsSuperseded(t *testing.T) {
	w := newWorld(t, nil)
	w.vendor.busy["a"] = true
	w.complete("", record{"a", 1, 10})
	w.vendor.busy["a"] = false
	w.push(syncName, record{"a", 2, 11})
	w.work()
	w.pass(10 * time.Minute)
	if w.vendor.values["a"] != "2" || w.vendor.sends != 1 {
		t.Errorf("the vendor holds %q after %d sends", w.vendor.values["a"], w.vendor.sends)
	}
}

// Two sweepers that hand in the same item, and one that dies before it deletes it,
// send the row once.
func TestDueHandedInTwice(t *testing.T) {
	w := newWorld(t, nil)
	w.vendor.busy["a"] = true
	w.complete("", record{"a", 1, 10})
	w.vendor.busy["a"] = false
	w.now = w.now.Add(5 * time.Minute)
	w.sweep.Due = undeleting{w.store}
	for range 2 {
		if err := w.sweep.Run(t.Context()); err == nil {
			t.Fatal("the item could not be deleted")
		}
		w.work()
		w.now = w.now.Add(10 * time.Minute)
	}
	w.sweep.Due = w.store
	w.pass(2 * time.Minute)
	if w.vendor.sends != 1 {
		t.Errorf("sent %d times", w.vendor.sends)
	}
	items, err := w.store.DueItems(t.Context(), syncName, time.Time{}, 100)
	w.ok(err)
	if len(items) != 0 {
		t.Errorf("%d items are left", len(items))
	}
}

type undeleting struct{ *sqlite.Store }

func (undeleting) DeleteDue(context.Context, run.Due) error { return errors.New("died") }

// At most 10,000 rows a sync and minute are handed in, oldest first.
func TestDueBound(t *testing.T) {
	w := newWorld(t, nil)
	replays := &counting{}
	w.sweep.Replayer = replays
	var due []run.Due
	for n := range 6 {
		d := run.Due{Sync: syncName, At: noon.Add(time.Duration(-n) * time.Minute), Run: "accounts.q1", Batch: "b", By: string(rune('a' + n)), Attempts: 1}
		var errs []run.RowError
		for i := range 2500 {
			d.Rows = append(d.Rows, n*2500+i)
			errs = append(errs, run.RowError{Sync: syncName, Run: d.Run, Batch: "b", Row: n*2500 + i, Attempts: 1, At: noon, Due: d.At, Source: []byte(`{}`)})
		}
		w.ok(w.store.StoreErrors(t.Context(), errs))
		due = append(due, d)
	}
	w.ok(w.store.StoreDue(t.Context(), due))
	for range 60 { // as a machine sweeps
		w.sweepOnce()
		if replays.rows != 10_000 {
			t.Fatalf("%d rows in the first minute", replays.rows)
		}
		w.now = w.now.Add(time.Second)
	}
	if replays.first != due[5].ID() {
		t.Error("the oldest is not the first")
	}
	w.sweepOnce()
	if replays.rows != 15_000 {
		t.Errorf("%d rows in two minutes", replays.rows)
	}
}

// A halted version's due rows are handed in one item in ten minutes.
func TestDueOfHaltedVersion(t *testing.T) {
	w := newWorld(t, nil)
	replays := &counting{}
	w.sweep.Replayer = replays
	v, err := w.store.Current(t.Context(), syncName)
	w.ok(err)
	w.ok(w.store.SetHalt(t.Context(), run.Halt{Sync: syncName, Version: v.ID, Tries: 3, Since: noon, Next: noon, Reason: "no such field"}))
	for n := range 5 {
		d := run.Due{Sync: syncName, At: noon.Add(time.Duration(n-9) * time.Minute), Run: "accounts.q1", Batch: "b", By: string(rune('a' + n)), Attempts: 1, Rows: []int{n}}
		w.ok(w.store.StoreErrors(t.Context(), []run.RowError{{Sync: syncName, Run: d.Run, Batch: "b", Row: n, Attempts: 1, At: noon, Due: d.At, Source: []byte(`{}`)}}))
		w.ok(w.store.StoreDue(t.Context(), []run.Due{d}))
	}
	for range 30 {
		w.sweepOnce()
		w.now = w.now.Add(time.Minute)
	}
	if replays.rows != 3 {
		t.Errorf("%d items in 30 minutes, want 3", replays.rows)
	}
	if s := w.status(syncName); !strings.Contains(s.Halted, ", tried again with the next rows: no such field") {
		t.Errorf("the status says %q", s.Halted)
	}
	w.ok(w.store.SetHalt(t.Context(), run.Halt{Sync: syncName, Version: v.ID, Tries: 3, Since: noon, Next: w.now.Add(time.Minute), Reason: "no such field", Revision: 1}))
	if s := w.status(syncName); !strings.Contains(s.Halted, ", tried again at 20") || !strings.Contains(s.Halted, "no such field") {
		t.Errorf("the status says %q", s.Halted)
	}
}

// A batch that is pinned while the sweeper counts an implicit run is not lost to it.
func TestBatchPinnedWhileRunCloses(t *testing.T) {
	w := newWorld(t, nil)
	first, second := w.batch(syncName, "first", record{"a", 1, 10}), w.batch(syncName, "second", record{"b", 1, 10})
	second.Query = first.Query
	answers, err := w.intake.Push(t.Context(), first)
	w.ok(err)
	w.work()
	w.now = w.now.Add(5 * time.Minute)
	w.sweep.Recorded = &late{w.store, func() {
		_, err := w.intake.Push(t.Context(), second)
		w.ok(err)
	}}
	w.sweepOnce()
	w.pass(5 * time.Minute)
	if r := w.run(answers[0].Run); r.Status != run.Complete || r.Counts.Delivered != 2 {
		t.Errorf("%s %+v", r.Status, r.Counts)
	}
}

// late is a store in which something happens once, after batches were read.
type late struct {
	*sqlite.Store
	then func()
}

func (l *late) Batches(ctx context.Context, id string) ([]run.Batch, error) {
	all, err := l.Store.Batches(ctx, id)
	if then := l.then; then != nil {
		l.then = nil
		then()
	}
	return all, err
}

// A run that cannot be read in its share of the time keeps nobody else waiting.
func TestSweepStarvation(t *testing.T) {
	for _, slow := range []int{0, 1} {
		w := newWorld(t, nil)
		ids := []string{w.push(syncName, record{"a", 1, 10})[0].Run, w.push(syncName, record{"b", 1, 10})[0].Run}
		w.work()
		w.now = w.now.Add(time.Hour)
		w.sweep.Recorded = stuck{w.store, ids[slow]}
		if err := w.sweep.Run(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the slow run's error is %v", err)
		}
		if r := w.run(ids[1-slow]); r.Status != run.Complete {
			t.Errorf("run %s is %s: the sweep stuck at %s", r.ID, r.Status, ids[slow])
		}
	}
}

// stuck is a store that is too slow for one run: share_test.go tells how long that is.
type stuck struct {
	*sqlite.Store
	run string
}

func (s stuck) Batches(ctx context.Context, id string) ([]run.Batch, error) {
	if id == s.run {
		return nil, context.DeadlineExceeded
	}
	return s.Store.Batches(ctx, id)
}

var _ runs.Replayer = (*counting)(nil)
