package runs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A mailbox keeps what people are told; it fails while down, and dies once.
type mailbox struct {
	got  []string
	last alert.Notice
	down bool
	dies bool // after the sending, before anybody hears of it
}

var errDied = errors.New("the sweeper died")

func (m *mailbox) Tell(_ context.Context, to alert.Recipient, n alert.Notice) error {
	if m.down {
		return errors.New("451 try later")
	}
	m.got, m.last = append(m.got, string(n.Kind)+" "+string(n.Step)), n
	if m.dies {
		m.dies = false
		panic(errDied)
	}
	return nil
}

// told is a world whose sync tells one address of everything.
func told(t *testing.T, frequency string, conditions ...string) (*world, *mailbox) {
	w := newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Frequency = frequency
		d.Retry = &syncdef.Retry{Attempts: 2, Base: "60s", Max: "60s"}
		d.Notifications = []syncdef.Notification{{Type: "email", Recipients: []string{"a@b.co"}, Conditions: conditions}}
	})
	m := &mailbox{}
	w.sweep.Alerts, w.sweep.Teller = w.store, m
	return w, m
}

func (m *mailbox) is(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, m.got); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestARunThatFailsIsTold(t *testing.T) {
	w, m := told(t, "")
	w.vendor.refuses["a"] = true
	w.complete("full", record{"a", 1, 1})
	w.sweepOnce()
	w.pass(30 * time.Minute)
	m.is(t, "run_failed raised", "error_rate raised")
	w.pass(4 * time.Hour)
	m.is(t, "run_failed raised", "error_rate raised", "error_rate recovered", "run_failed repeated")
	delete(w.vendor.refuses, "a")
	w.complete("full", record{"a", 2, 2})
	w.pass(time.Minute)
	m.is(t, "run_failed raised", "error_rate raised", "error_rate recovered", "run_failed repeated", "run_failed recovered")
}

// A run whose rows are still sent again is not judged yet; rows that use up their
// attempts are told.
func TestRetriesThatAreExhausted(t *testing.T) {
	w, m := told(t, "", "retries_exhausted", "sync_failure")
	w.vendor.busy["a"] = true
	w.complete("full", record{"a", 1, 1})
	w.sweepOnce()
	m.is(t)
	w.pass(15 * time.Minute)
	m.is(t, "run_failed raised", "retries_exhausted raised")
	w.pass(2 * time.Hour)
	m.is(t, "run_failed raised", "retries_exhausted raised", "retries_exhausted recovered")
}

// Nothing is open, and nothing waits to be sent, of a sync that tells nobody any more. Who
// is told again is told of what lasts as of something new.
func TestNotificationsTakenOut(t *testing.T) {
	w, m := told(t, "", "sync_failure")
	w.stores.Told, w.sweep.Told, w.sweep.Overviews = w.store, w.store, w.store
	m.down = true
	w.vendor.refuses["a"] = true
	w.complete("full", record{"a", 1, 1})
	w.sweepOnce()
	if o, err := w.store.Overview(t.Context(), syncName); err != nil || len(o.Alerts) != 2 {
		t.Fatalf("%v %+v", err, o.Alerts)
	}
	v, err := w.store.Current(t.Context(), syncName)
	w.ok(err)
	w.apply(nil)
	m.down = false
	w.pass(5 * time.Minute)
	m.is(t)
	book, err := w.store.Alerts(t.Context(), syncName)
	w.ok(err)
	if o, err := w.store.Overview(t.Context(), syncName); err != nil || len(book.Open)+len(book.Outbox)+len(o.Alerts) != 0 {
		t.Errorf("%v %+v %+v", err, book, o.Alerts)
	}
	w.apply(func(d *syncdef.Definition, _ *syncdef.Rules) { d.Notifications = v.Definition.Notifications })
	w.pass(time.Minute)
	m.is(t, "run_failed raised")
	w.apply(nil)
	w.pass(time.Minute)
	if o := w.opened(alert.RunFailed); o != (alert.Open{}) {
		t.Errorf("%+v", o)
	}
}

// Rows that have tries left are not exhausted, whoever sent them again: what is refused is told
// as such.
func TestRowsWithTriesLeftAreNotExhausted(t *testing.T) {
	w, m := told(t, "")
	w.apply(func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Retry = &syncdef.Retry{Attempts: 3, Base: "60s", Max: "60s"}
		d.Notifications = []syncdef.Notification{{Type: "email", Recipients: []string{"a@b.co"}, Conditions: []string{"retries_exhausted"}}}
	})
	w.vendor.refuses["a"] = true
	w.vendor.busy["b"] = true
	r := w.complete("full", record{"a", 1, 1}, record{"b", 1, 1}, record{"c", 1, 1})
	delete(w.vendor.busy, "b")
	w.vendor.refuses["b"] = true
	w.pass(10 * time.Minute)
	retry := func(token string) {
		t.Helper()
		_, err := w.control.Retry(t.Context(), r.ID, runs.Selector{Records: []string{"a"}}, token)
		w.ok(err)
		w.work()
		w.pass(5 * time.Minute)
	}
	retry("one")
	for key, e := range w.errors(r.ID) {
		if e.Attempts != 2 || !e.Due.IsZero() {
			t.Errorf("%s: %+v", key, e)
		}
	}
	m.is(t)
	retry("two") // the third and last try
	m.is(t, "retries_exhausted raised")
	if m.last.Rows != 1 {
		t.Errorf("%+v", m.last)
	}
}

// A row whose last attempt died before it was counted is exhausted, too.
func TestALastTryThatDiedIsExhausted(t *testing.T) {
	w, m := told(t, "", "retries_exhausted")
	w.vendor.busy["a"] = true
	w.complete("full", record{"a", 1, 1})
	w.now = w.now.Add(5 * time.Minute)
	w.sweepOnce() // it is handed in
	chunks := w.worker.Chunks
	w.worker.Chunks = uncounted{chunks}
	in, err := w.store.Receive(t.Context(), queue, 10, time.Minute)
	w.ok(err)
	if r := w.worker.Handle(t.Context(), in); len(r.Storage) != 1 {
		t.Fatalf("%+v", r)
	}
	w.worker.Chunks = chunks
	w.vendor.busy = nil // what its error says counts, and it is not sent again
	w.pass(15 * time.Minute)
	m.is(t, "retries_exhausted raised")
}

// uncounted are records that cannot be stored.
type uncounted struct{ deliver.Chunks }

func (uncounted) RecordChunk(context.Context, string, string, int, run.Chunk) (bool, error) {
	return false, errors.New("throttled")
}

func TestOverdue(t *testing.T) {
	w, m := told(t, "hourly", "overdue")
	w.complete("full", record{"a", 1, 1})
	w.pass(4 * time.Hour)
	m.is(t)
	w.pass(2 * time.Minute)
	m.is(t, "overdue raised")
	w.complete("full", record{"a", 2, 2})
	w.pass(time.Minute)
	m.is(t, "overdue raised", "overdue recovered")
}

// A run of which a row is sent again for long has succeeded all the same, by the rule of its
// overview; so has one of which a retry delivered the only row.
func TestARunWithARowThatIsDueIsASuccess(t *testing.T) {
	w, m := told(t, "")
	w.stores.Told = w.store
	w.apply(func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Frequency = "hourly"
		d.Retry = &syncdef.Retry{Attempts: 6, Base: "4h", Max: "12h"}
		d.Notifications = []syncdef.Notification{{Type: "email", Recipients: []string{"a@b.co"}, Conditions: []string{"overdue"}}}
	})
	success := func() time.Time {
		o, err := w.stores.Overview(t.Context(), syncName, w.now)
		w.ok(err)
		return o.Success
	}
	for n := range 8 {
		late := fmt.Sprint("late", n)
		w.vendor.busy[late] = true
		w.complete("full", record{"a", n, n}, record{late, n, n})
		w.pass(time.Hour)
	}
	m.is(t)
	if want := noon.Add(7 * time.Hour); !success().Equal(want) {
		t.Errorf("the overview's success is at %s, want %s", success(), want)
	}

	w.vendor.busy = map[string]bool{"only": true}
	w.complete("full", record{"only", 1, 1})
	delete(w.vendor.busy, "only")
	w.pass(3*time.Hour + 30*time.Minute) // the retry comes after two hours
	m.is(t)
	if want := noon.Add(8 * time.Hour); !success().Equal(want) {
		t.Errorf("the overview's success is at %s, want %s", success(), want)
	}
}

// The last success is known however many runs that fail come behind it, also once its run
// has expired.
func TestTheLastSuccessIsRemembered(t *testing.T) {
	w, m := told(t, "daily", "overdue")
	w.sweep.Overviews, w.control.Overviews = w.store, w.store
	w.now = noon.AddDate(0, 0, 3)
	good := w.complete("full", record{"a", 1, 1}, record{"b", 1, 1})
	v, err := w.store.Current(t.Context(), syncName)
	w.ok(err)
	next := w.version(func(d *syncdef.Definition, _ *syncdef.Rules) { d.Sync, d.After = "next", []string{syncName} })
	_, err = w.control.Apply(t.Context(), next, syncdef.Connection{Name: "prod", Type: queue})
	w.ok(err)
	for n := range 210 {
		at := w.now.Add(time.Duration(n+1) * time.Second)
		_, err := w.store.EnsureRun(t.Context(), run.Run{ID: run.ImplicitID(syncName, fmt.Sprint(n)), Sync: syncName, Version: v.ID, Mode: run.Incremental,
			Status: run.Complete, Outcome: run.None, BegunAt: at, EndedAt: at, Counts: run.Counts{Received: 1, Rejected: 1}})
		w.ok(err)
	}
	w.now = noon.AddDate(0, 0, 5)
	w.sweepOnce()
	w.sweepOnce()
	m.is(t)
	o, err := w.store.Overview(t.Context(), syncName)
	w.ok(err)
	if !o.AsOf.Equal(w.now) || !o.Success.Equal(good.EndedAt) || o.SuccessRun != good.ID || o.SuccessRows != 2 || o.PreviousRows != -1 {
		t.Errorf("%+v", o)
	}
	for range 2 {
		b, err := w.control.Begin(t.Context(), "next", "", "asked")
		w.ok(err)
		if want := "which has not succeeded since 2026-01-10T00:00:00Z"; !strings.Contains(b.Reason, want) {
			t.Errorf("it waits: %q, want %q", b.Reason, want)
		}
		w.control.Runs = expired{w.control.Runs}
	}
}

// expired are runs of which none is kept any more.
type expired struct{ runs.Runs }

func (expired) Run(context.Context, string) (run.Run, error) { return run.Run{}, run.ErrNotFound }

// A run that was cancelled has not succeeded, whatever it delivered before.
func TestACancelledRunIsNoSuccess(t *testing.T) {
	w, m := told(t, "hourly", "overdue")
	w.complete("full", record{"a", 1, 1})
	w.pass(3 * time.Hour)
	b := w.begin("full", "late")
	w.push(b.Run, record{"b", 1, 2})
	w.work()
	_, err := w.control.Cancel(t.Context(), b.Run, "the statement failed")
	w.ok(err)
	w.pass(time.Hour + 2*time.Minute)
	m.is(t, "overdue raised")
}

func TestPausedConnections(t *testing.T) {
	w, m := told(t, "", "connection_paused")
	w.vendor.down = true
	w.push(syncName, record{"a", 1, 1})
	w.work()
	w.pass(20 * time.Minute)
	m.is(t)
	w.pass(20 * time.Minute)
	m.is(t, "connection_paused raised")
	w.vendor.down = false
	w.pass(45 * time.Minute)
	m.is(t, "connection_paused raised", "connection_paused recovered")
}

// What cannot be sent is tried again, and recorded when it is given up; a sweeper that
// died after the sending sends once more, and not sooner than the letter was put off.
func TestSendingIsTriedAgain(t *testing.T) {
	w, m := told(t, "", "sync_failure")
	m.down = true
	w.vendor.refuses["a"] = true
	w.complete("full", record{"a", 1, 1})
	w.sweepOnce()
	w.pass(10 * time.Minute)
	m.is(t)
	book, err := w.store.Alerts(t.Context(), syncName)
	w.ok(err)
	if len(book.Outbox) != 1 || book.Outbox[0].Failure != "451 try later" || book.Outbox[0].Attempts < 2 {
		t.Fatalf("%+v", book)
	}
	m.down, m.dies = false, true
	for n := 0; len(m.got) == 0 && n < 120; n++ {
		w.now = w.now.Add(time.Minute)
		dies(t, func() { w.sweepOnce() })
	}
	m.is(t, "run_failed raised")
	w.sweepOnce()
	m.is(t, "run_failed raised")
	w.pass(2 * time.Hour)
	m.is(t, "run_failed raised", "run_failed raised")
	if book, err = w.store.Alerts(t.Context(), syncName); err != nil || len(book.Outbox) != 0 || len(book.Sent) != 1 || book.Sent[0].Failure != "" {
		t.Errorf("%v %+v", err, book)
	}
}

// dies runs a step that may be a process's last.
func dies(t *testing.T, step func()) {
	defer func() {
		if r := recover(); r != nil && r != any(errDied) {
			panic(r)
		}
	}()
	step()
}

// A sweeper that finds another one's book leaves the sending to it.
func TestTwoSweepersTellOnce(t *testing.T) {
	w, m := told(t, "", "sync_failure")
	w.vendor.refuses["a"] = true
	other := &overtaken{books: w.store, other: func() { w.sweepOnce() }}
	second := &runs.Sweep{Stores: w.stores, Replayer: w.intake, Policy: w.sweep.Policy, Now: w.sweep.Now, Alerts: other, Teller: m}
	sweep := w.sweep
	w.sweep.Alerts = nil
	w.complete("full", record{"a", 1, 1})
	w.sweep = sweep
	w.sweep.Alerts = w.store
	w.ok(second.Run(t.Context()))
	m.is(t, "run_failed raised")
}

// overtaken lets another sweeper through between the reading and the storing.
type overtaken struct {
	books
	other func()
}

// books is runs.Alerts under a name that its method does not have.
type books = interface {
	Alerts(ctx context.Context, sync string) (alert.Book, error)
	SetAlerts(ctx context.Context, b alert.Book) error
}

func (r *overtaken) SetAlerts(ctx context.Context, b alert.Book) error {
	if other := r.other; other != nil {
		r.other = nil
		other()
	}
	return r.books.SetAlerts(ctx, b)
}

// Storage that refuses is the sweeper's failure and sends nothing.
func TestAlertsOfStorageThatRefuses(t *testing.T) {
	w, m := told(t, "", "sync_failure")
	w.vendor.refuses["a"] = true
	w.sweep.Alerts = noBook{w.store}
	w.pushes++
	b := w.begin("full", "t")
	w.push(b.Run, record{"a", 1, 1})
	w.work()
	_, err := w.control.Finish(t.Context(), b.Run, 1)
	w.ok(err)
	w.ok(ignoring(w.sweep.Run(t.Context())))
	if err := w.sweep.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "alerts of sync") {
		t.Errorf("%v", err)
	}
	m.is(t)
	w.sweep.Alerts = w.store
	w.sweepOnce()
	m.is(t, "run_failed raised")
}

func ignoring(error) error { return nil }

type noBook struct{ books }

func (noBook) SetAlerts(context.Context, alert.Book) error { return errors.New("throttled") }
