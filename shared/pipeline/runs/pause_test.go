package runs_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// pausable is a world whose pauses and audit log are kept.
func pausable(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, nil)
	w.pauses()
	return w
}

func (w *world) pauses() {
	w.stores.Pauses, w.stores.Audit = w.store, w.store
	w.control.Stores, w.sweep.Stores, w.intake.Pauses = w.stores, w.stores, w.store
}

func (w *world) pause(reason string) runs.PauseChange {
	w.t.Helper()
	p, err := w.control.Pause(runs.As(w.t.Context(), "ada"), syncName, reason)
	w.ok(err)
	return p
}

func (w *world) resume() {
	w.t.Helper()
	_, err := w.control.Resume(runs.As(w.t.Context(), "ada"), syncName)
	w.ok(err)
	w.now = w.now.Add(time.Minute) // what intake read of it is forgotten
}

const why = "paused since 2026-01-05T12:00:00Z by ada: the model is wrong"

// A paused sync begins no run and takes no plain push; what was accepted goes on, and an
// apply changes nothing of it.
func TestPause(t *testing.T) {
	w := pausable(t)
	before := w.begin("", "before")
	if p := w.pause("the model\n is wrong"); !slices.Equal(p.Running, []string{before.Run}) || p.Before != nil {
		t.Errorf("Pause: %+v", p)
	}
	w.apply(nil)
	w.push(before.Run, record{"a", 1, 10})
	w.work()
	if w.vendor.values["a"] != "1" {
		t.Error("a run that had begun does not go on")
	}
	_, err := w.control.Finish(t.Context(), before.Run, 1)
	w.ok(err)
	w.sweepOnce()

	b := w.begin("", "after")
	if b.Select != runs.Wait || !strings.Contains(b.Reason, why) || !strings.Contains(b.Reason, "penstock resume accounts") {
		t.Errorf("Begin: %+v", b)
	}
	answers := w.push(syncName, record{"b", 2, 20})
	if a := answers[0]; a.Status != row.Blocked || a.Fault.Rule != run.Paused || !strings.Contains(a.Fault.Message, why) {
		t.Errorf("Push: %+v, %v", a, a.Fault)
	}
	if s := w.status(syncName); s.SyncPaused != why {
		t.Errorf("status says %q", s.SyncPaused)
	}
	if p := w.pause("still"); p.Before == nil || w.status(syncName).SyncPaused != "paused since 2026-01-05T12:00:00Z by ada: still" {
		t.Errorf("a second pause: %+v, %q", p, w.status(syncName).SyncPaused)
	}

	w.resume()
	if b := w.begin("", "after"); b.Select == runs.Wait {
		t.Errorf("Begin after Resume: %+v", b)
	}
	if a := w.push(syncName, record{"b", 2, 20})[0]; a.Status != row.Queued {
		t.Errorf("Push after Resume: %+v", a)
	}
	p, err := w.control.Resume(t.Context(), syncName)
	if err != nil || p.Before != nil {
		t.Errorf("a second Resume: %+v, %v", p, err)
	}
	for _, f := range []func() error{
		func() error { _, err := w.control.Pause(t.Context(), "nosuch", ""); return err },
		func() error { _, err := w.control.Resume(t.Context(), "nosuch"); return err },
	} {
		var refused *row.Refusal
		if err := f(); !errors.As(err, &refused) {
			t.Errorf("of a sync that is not there: %v", err)
		}
	}
}

// Rows that are due stay so while the sync is paused, and retry says why it sends none.
func TestPauseHoldsDue(t *testing.T) {
	w := pausable(t)
	w.vendor.busy["a"] = true
	answers := w.push(syncName, record{"a", 1, 10})
	w.work()
	w.vendor.busy["a"] = false
	w.pause("")
	w.pass(3 * time.Hour)
	if w.vendor.values["a"] != "" {
		t.Fatal("a due row was sent while the sync was paused")
	}
	_, err := w.control.Retry(t.Context(), answers[0].Run, runs.Selector{}, "token")
	var refused *row.Refusal
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "penstock resume accounts") {
		t.Errorf("Retry: %v", err)
	}
	w.resume()
	w.pass(10 * time.Minute)
	if w.vendor.values["a"] != "1" {
		t.Error("the due row was not sent after the pause")
	}
}

// A schedule skips while its sync is paused, nothing counts as missed, and the next due
// time after it runs.
func TestPauseSkipsSchedule(t *testing.T) {
	w, x, s := scheduled(t, nil)
	w.pauses()
	s.Stores = w.stores
	w.pause("")
	f, err := s.Fire(t.Context(), runs.Event{Sync: syncName, At: w.now})
	w.ok(err)
	if f.Status != run.FiringSkipped || !strings.Contains(f.Reason, "paused since") || x.calls != 0 {
		t.Errorf("Fire: %+v after %d calls", f, x.calls)
	}
	w.now = w.now.Add(5 * time.Hour)
	if got := w.status(syncName).Schedule; !got.Missed.IsZero() {
		t.Errorf("missed at %v", got.Missed)
	}
	w.resume()
	if f, err = s.Fire(t.Context(), runs.Event{Sync: syncName, At: w.now}); err != nil || x.calls != 1 {
		t.Errorf("Fire after Resume: %+v, %v, %d calls", f, err, x.calls)
	}
}

// Each action stands in the audit log with who did it and what came of it; one that was
// refused, too.
func TestAudit(t *testing.T) {
	w := pausable(t)
	w.apply(nil)
	w.now = w.now.Add(time.Second)
	w.pause("the model is wrong")
	w.now = w.now.Add(time.Second)
	w.resume()
	ctx := runs.As(t.Context(), "LOADER")
	b := w.begin("", "t")
	_, err := w.control.Cancel(ctx, b.Run, "enough")
	w.ok(err)
	w.now = w.now.Add(time.Second)
	w.ok(w.control.Reset(ctx, syncName))
	w.now = w.now.Add(time.Second)
	if _, err := w.control.Retry(ctx, syncName+".qnone", runs.Selector{}, "t"); err == nil {
		t.Error("a retry of no run")
	}
	w.now = w.now.Add(time.Second)
	_, err = w.control.AcceptAccount(ctx, "prod", "")
	w.ok(err)
	w.now = w.now.Add(time.Second)
	w.ok(w.control.Remove(ctx, syncName))

	all, err := w.control.Actions(t.Context(), noon, 100)
	w.ok(err)
	var got []string
	for _, a := range slices.Backward(all) {
		got = append(got, strings.Join([]string{a.Who, a.What, a.On, string(a.Result)}, " "))
	}
	want := []string{
		"unknown apply accounts done", "ada pause accounts done", "ada resume accounts done",
		"LOADER cancel " + b.Run + " done", "LOADER reset accounts done", "LOADER retry accounts.qnone refused",
		"LOADER accept_account prod done", "LOADER remove accounts done",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Nobody is told that a paused sync is overdue, nor of rows that its pause blocked; both
// are told again of one that was resumed.
func TestPauseIsNoAlert(t *testing.T) {
	w, m := told(t, "hourly")
	w.pauses()
	w.complete("full", record{"a", 1, 1})
	w.pause("")
	w.pass(3 * time.Minute)
	for n := range 20 {
		w.push(syncName, record{"b", n, 2})
	}
	w.pass(12 * time.Hour)
	m.is(t)
	w.resume()
	w.pass(time.Minute)
	if len(m.got) == 0 || m.got[0] != "overdue raised" {
		t.Errorf("after the pause: %q", m.got)
	}
}

// An alert of a sync that is late ends with the pause, and does not say that a run
// succeeded.
func TestPauseEndsAlert(t *testing.T) {
	w, m := told(t, "hourly", "overdue")
	w.pauses()
	w.complete("full", record{"a", 1, 1})
	w.pass(12 * time.Hour)
	w.pause("the model is wrong")
	w.pass(time.Minute)
	if n := m.last; n.Kind != alert.Overdue || n.Step != alert.Recovered || !strings.Contains(n.Why, "paused since") || !strings.HasSuffix(n.Why, "by ada: the model is wrong") {
		t.Errorf("told last: %s %s, %q", n.Kind, n.Step, n.Why)
	}
}
