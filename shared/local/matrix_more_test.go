package local_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// insert kills the worker after a message was posted, which cannot be upserted: its
// intent was stored first, the outcome is looked up, and it is there once.
func (d *deployment) insert(t *testing.T) {
	s := &scene{deployment: d, t: t, run: run.ImplicitID("alerts", "q")}
	s.killAt("slack", posted, func(s *scene) {
		if n := len(d.vendors.Slack.Messages()); n != 1 {
			t.Errorf("%d messages are posted", n)
		}
		s.done(0)
	})
	answers := apptest.Answers(t, d.call(t, "push", apptest.Request("push", "q", "q:1", []string{`"alerts"`, `{"ID":"1","TEXT":"once"}`})))
	if answers[0].Status != "queued" || answers[0].Run != s.run {
		t.Fatalf("answered %+v", answers)
	}
	d.settled(t, s.run, time.Minute)
	if s.deaths.Load() != 1 {
		t.Fatalf("%d processes died: the cell was not reached", s.deaths.Load())
	}
	s.counted(delivered(1))
	var texts []string
	for _, m := range d.vendors.Slack.Messages() {
		texts = append(texts, m.Text)
	}
	if d := cmp.Diff([]string{"once"}, texts); d != "" {
		t.Error(d)
	}
}

// race lets a sweeper look while the worker is about to count, and two sweepers
// complete the same run: it ends once, and its mark makes one step.
func (d *deployment) race(t *testing.T, n int) {
	s := begin(t, d, "health", n, 3)
	d.vendors.SeedAccounts(t, s.sites...)
	sweep := func() {
		if _, err := d.fleets["sweep"].Invoke(t.Context(), apptest.Tick()); err != nil {
			t.Error(err)
		}
	}
	var early, raced atomic.Bool
	var mu sync.Mutex
	var statuses []int
	var first run.Run
	var mark run.Mark
	completes := moment{op: "TransactWriteItems", holds: "MARK#"}
	d.taps["dynamodb"].before(func(p *passing) *reply {
		switch {
		case records.is(p) && early.CompareAndSwap(false, true):
			sweep()
			if r, err := d.store.Run(t.Context(), s.run); err != nil || r.Status.Ended() {
				t.Errorf("run is %s before its rows are counted, %v", r.Status, err)
			}
		case completes.is(p) && raced.CompareAndSwap(false, true):
			sweep()
			var err error
			if first, err = d.store.Run(t.Context(), s.run); err != nil || first.Status != run.Complete {
				t.Errorf("run is %s after the other sweeper, %v", first.Status, err)
			}
			if mark, err = d.store.Mark(t.Context(), "health", first.Target, "u"); err != nil {
				t.Error(err)
			}
		}
		return nil
	})
	d.taps["dynamodb"].behind(func(p *passing) *reply {
		if completes.is(p) {
			mu.Lock()
			statuses = append(statuses, p.status)
			mu.Unlock()
		}
		return nil
	})
	t.Cleanup(d.taps["dynamodb"].clear)
	s.push()
	s.settled(t, s.run, time.Minute)
	d.until(t, "both sweepers", time.Minute, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(statuses) == 2
	})
	if d := cmp.Diff([]int{200, 400}, statuses); d != "" || !early.Load() || !raced.Load() {
		t.Errorf("the cell was not reached: %s", d)
	}
	sweep()
	s.counted(delivered(3))
	r, err := d.store.Run(t.Context(), s.run)
	if err != nil || r.Revision != first.Revision {
		t.Errorf("the run was stored again: revision %d, then %d, %v", first.Revision, r.Revision, err)
	}
	after, err := d.store.Mark(t.Context(), "health", r.Target, "u")
	if err != nil || after.Revision != mark.Revision || after.Value != fmt.Sprintf("%q", s.cursorOf(2)) {
		t.Errorf("the mark: %+v, then %+v, %v", mark, after, err)
	}
}

// Every worker dies with the message until the queue gives it up, and then the
// dead-letter function once: every row is a stored error, the mark is held at the
// first of them, and a retry delivers what is mended (I1, I4).
func TestBootstrapsStoreDeadLetters(t *testing.T) {
	d := deploy(t, plan{
		Set: apptest.Load(t, "testdata/syncs"), Visibility: time.Second, Timeout: 20 * time.Second, MaxReceives: map[string]int{"salesforce": 3},
	})
	s := begin(t, d, "health", 0, 3)
	d.vendors.SeedAccounts(t, s.sites...)
	var workers atomic.Int64
	d.taps["salesforce"].before(func(p *passing) *reply {
		if !pushes.is(p) {
			return nil
		}
		workers.Add(int64(d.fleets["salesforce"].kill()))
		return &reply{}
	})
	s.killAt("deadletter", records, func(s *scene) { s.errors(3) })
	s.push()
	s.settled(t, s.run, time.Minute)
	if workers.Load() != 3 || s.deaths.Load() != 1 {
		t.Fatalf("%d workers and %d dead-letter functions died: the cell was not reached", workers.Load(), s.deaths.Load())
	}
	s.counted(run.Counts{Received: 3, Failed: 3})
	errs := apptest.Errors(t, d.fleets["control"], s.run)
	for _, e := range errs {
		if e.Type != "dead_letter" || e.Attempts != 1 {
			t.Errorf("error %+v", e)
		}
	}
	if len(errs) != 3 {
		t.Errorf("%d errors, want 3", len(errs))
	}
	if got := control[apptest.SyncStatus](t, d, "status", `"health"`).Watermark; got != fmt.Sprintf("%q", s.cursorOf(0)) {
		t.Errorf("the watermark is %s, want %s", got, s.cursorOf(0))
	}
	d.taps["salesforce"].clear()
	if r := control[runs.Retried](t, d, "retry", fmt.Sprintf("%q", s.run)); r.Queued != 3 {
		t.Errorf("retried %+v", r)
	}
	d.until(t, "the retry to deliver", time.Minute, func() bool { return d.run(t, s.run).Retried == 3 })
	s.scores("1", "2", "3")
}
