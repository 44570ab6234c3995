package runs_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// watched is a world like that of told, whose sweeper sees due times and quotas too.
func watched(t *testing.T, conditions []string, change func(*syncdef.Definition)) (*world, *mailbox) {
	w, m := told(t, "", conditions...)
	w.sweep.Firings, w.sweep.Quotas = w.store, w.store
	w.apply(func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Notifications = []syncdef.Notification{{Type: "email", Recipients: []string{"a@b.co"}, Conditions: conditions}}
		if change != nil {
			change(d)
		}
	})
	return w, m
}

// opened is the open alert of a kind.
func (w *world) opened(kind alert.Kind) alert.Open {
	w.t.Helper()
	book, err := w.store.Alerts(w.t.Context(), syncName)
	w.ok(err)
	for _, o := range book.Open {
		if o.Kind == kind {
			return o
		}
	}
	return alert.Open{}
}

// A definition that the destination does not take is told, until it is taken or another
// one is applied.
func TestAHaltIsTold(t *testing.T) {
	w, m := watched(t, []string{"sync_halted"}, nil)
	v, err := w.store.Current(t.Context(), syncName)
	w.ok(err)
	w.ok(w.store.SetHalt(t.Context(), run.Halt{Sync: syncName, Version: v.ID, Since: w.now, Next: w.now.Add(5 * time.Minute), Reason: "no such column 'Nmae'"}))
	w.pass(2 * time.Minute)
	m.is(t, "sync_halted raised")
	w.apply(func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Notifications = []syncdef.Notification{{Type: "email", Recipients: []string{"a@b.co"}, Conditions: []string{"sync_halted"}}}
		d.BatchSize = 7
	})
	w.pass(2 * time.Minute)
	m.is(t, "sync_halted raised", "sync_halted recovered")
}

// A gate that blocks is told instead of a failed run, until a run passes it: one that
// ended before it was asked says nothing.
func TestABlockedGateIsTold(t *testing.T) {
	w, m := watched(t, []string{"sync_failure"}, func(d *syncdef.Definition) {
		d.Quality = &syncdef.Quality{WarnOver: "0.01", BlockOver: "0.05", Rules: []syncdef.QualityRule{{Column: "v", NotNull: true}}}
	})
	ask := func(token string, failed int) string {
		b := w.begin("", token)
		_, err := w.control.Gate(t.Context(), b.Run, fmt.Appendf(nil, `{"total":1000,"definition":%q,"rules":[{"rule":"not_null","failed":%d}]}`, b.GateOf, failed))
		w.ok(err)
		return b.Run
	}
	blocked := ask("one", 51)
	w.pass(2 * time.Minute)
	m.is(t, "gate_blocked raised")
	if o := w.opened(alert.GateBlocked); o.Run != blocked {
		t.Errorf("%+v", o)
	}
	_, err := w.control.Cancel(t.Context(), w.begin("", "two").Run, "the statement failed")
	w.ok(err)
	w.pass(2 * time.Minute)
	m.is(t, "gate_blocked raised")
	passed := ask("three", 50)
	w.push(passed, record{"a", 1, 10})
	w.work()
	_, err = w.control.Finish(t.Context(), passed, 1)
	w.ok(err)
	w.pass(2 * time.Minute)
	m.is(t, "gate_blocked raised", "gate_blocked recovered")
}

// A run far from those before it is told; one that is as usual ends it.
func TestACountAnomalyIsTold(t *testing.T) {
	w, m := watched(t, []string{"count_anomaly"}, nil)
	rows := func(n int) (all []record) {
		for i := range n {
			all = append(all, record{fmt.Sprint("k", i), i, i})
		}
		return all
	}
	w.complete("full", rows(202)...)
	w.complete("", rows(1)...) // of another mode
	w.pass(2 * time.Minute)
	m.is(t)
	few := w.complete("full", rows(100)...)
	w.pass(2 * time.Minute)
	m.is(t, "count_anomaly raised")
	if o := w.opened(alert.CountAnomaly); o.Run != few.ID {
		t.Errorf("%+v", o)
	}
	w.complete("full", rows(150)...)
	w.pass(2 * time.Minute)
	m.is(t, "count_anomaly raised", "count_anomaly recovered")
}

// A run that penstock_run ended because its model failed is told; one that a person ended
// says nothing, and neither does it hide that the warehouse refused the call.
func TestAModelThatFailsIsTold(t *testing.T) {
	w, m := watched(t, []string{"sync_failure", "missed_schedule"}, func(d *syncdef.Definition) { d.Frequency = "hourly" })
	ended := func(token, reason string) string {
		id := w.begin("", token).Run
		_, err := w.control.Cancel(t.Context(), id, reason)
		w.ok(err)
		return id
	}
	w.complete("", record{"a", 1, 1})
	ended("one", "not today")
	w.pass(2 * time.Minute)
	m.is(t)
	failed := ended("two", run.BrokeOff+"push of the model M: SQLSTATE 42703, code 904")
	w.pass(2 * time.Minute)
	m.is(t, "run_failed raised")
	if o := w.opened(alert.RunFailed); o.Run != failed {
		t.Errorf("%+v", o)
	}
	ended("three", "")
	w.pass(2 * time.Minute)
	m.is(t, "run_failed raised")
	w.complete("", record{"a", 2, 2})
	w.pass(time.Minute)
	m.is(t, "run_failed raised", "run_failed recovered")

	w.pass(30 * time.Minute)
	ended("four", "")
	w.ok(w.store.SetFiring(t.Context(), run.Firing{Sync: syncName, At: w.now, Status: run.FiringFailed, Since: w.now, Call: 1, Reason: "SQLSTATE 57014"}))
	w.pass(2 * time.Minute)
	m.is(t, "run_failed raised", "run_failed recovered", "missed_schedule raised")
}

// A due time at which nothing acted is told from its grace on; a run ends it.
func TestAMissedScheduleIsTold(t *testing.T) {
	w, m := watched(t, []string{"missed_schedule"}, func(d *syncdef.Definition) { d.Frequency = "hourly" })
	ran := run.Firing{Sync: syncName, At: noon.Add(time.Hour), Status: run.FiringRan, Since: noon.Add(time.Hour), Call: 1}
	w.pass(time.Hour)
	w.ok(w.store.SetFiring(t.Context(), ran))
	w.complete("", record{"a", 1, 1})
	w.pass(time.Hour + 4*time.Minute)
	m.is(t)
	w.pass(time.Minute)
	m.is(t, "missed_schedule raised")
	w.complete("", record{"a", 2, 2})
	w.pass(time.Minute)
	m.is(t, "missed_schedule raised", "missed_schedule recovered")
	w.pass(50 * time.Minute)

	ran.At, ran.Status, ran.Reason = noon.Add(3*time.Hour), run.FiringFailed, "the login was refused"
	w.ok(w.store.SetFiring(t.Context(), ran))
	w.pass(4 * time.Minute)
	m.is(t, "missed_schedule raised", "missed_schedule recovered", "missed_schedule raised")
	w.complete("", record{"a", 3, 3})
	w.pass(time.Minute)
	m.is(t, "missed_schedule raised", "missed_schedule recovered", "missed_schedule raised", "missed_schedule recovered")
}

// Where nothing of ours acts on due times, a run may begin at any time between them.
func TestRunsOfAnotherScheduler(t *testing.T) {
	w, m := watched(t, []string{"missed_schedule"}, func(d *syncdef.Definition) { d.Frequency = "hourly" })
	for n := range 3 {
		w.pass(40 * time.Minute)
		w.complete("", record{"a", n, n})
		w.pass(20 * time.Minute)
	}
	m.is(t) // it is 15:00, and the last run was at 14:40
	w.pass(time.Hour + 4*time.Minute)
	m.is(t)
	w.pass(time.Minute)
	m.is(t, "missed_schedule raised")
}

// A match rate under 95% of the rows that had to be looked for is told; rows whose record
// is known are not looked for again.
func TestALowMatchRateIsTold(t *testing.T) {
	w, m := watched(t, []string{"match_rate"}, func(d *syncdef.Definition) { d.Operation, d.OnMissing = syncdef.Update, syncdef.Report })
	w.vendor.lacks = map[string]bool{"k0": true, "k1": true, "k2": true, "k3": true, "k4": true}
	var rows []record
	for i := range 100 {
		rows = append(rows, record{fmt.Sprint("k", i), i, i})
	}
	if r := w.complete("full", rows...); r.Counts.LookedUp != 100 || r.Counts.Failed != 5 {
		t.Fatalf("%+v", r.Counts)
	}
	w.sweepOnce()
	m.is(t)
	if r := w.complete("full", rows[4], rows[50]); r.Counts.LookedUp != 1 { // the other's id is known
		t.Fatalf("%+v", r.Counts)
	}
	w.sweepOnce()
	m.is(t, "match_rate raised") // 6 of 101
	w.pass(24*time.Hour + time.Minute)
	if len(m.got) == 0 || m.got[len(m.got)-1] != "match_rate recovered" {
		t.Errorf("%v", m.got)
	}
}

// The day's quota is told at nine tenths of what may be spent at once, and it comes back.
func TestASpentQuotaIsTold(t *testing.T) {
	w, m := watched(t, []string{"quota"}, nil)
	day := []pace.Window{{Calls: 1000, Per: 24 * time.Hour}}
	lease := func(want int) {
		granted, _, err := w.store.Lease(t.Context(), "prod/", day, want, w.now)
		w.ok(err)
		if granted != want {
			t.Fatalf("%d granted", granted)
		}
	}
	lease(449)
	w.sweepOnce()
	m.is(t)
	lease(1)
	w.sweepOnce()
	m.is(t, "quota raised")
	w.pass(4 * time.Minute)
	m.is(t, "quota raised", "quota recovered")
}

// A share that is raised ends the alert at the next look, and one that is lowered raises it,
// whether or not a row asks meanwhile.
func TestAChangedShareIsTold(t *testing.T) {
	w, m := watched(t, []string{"quota"}, nil)
	w.sweep.Told = w.store
	w.apply(func(d *syncdef.Definition, r *syncdef.Rules) {
		d.Notifications = []syncdef.Notification{{Type: "email", Recipients: []string{"a@b.co"}, Conditions: []string{"quota"}}}
		d.BatchSize = 7
		r.Effort = &syncdef.Effort{Write: 200, Day: 10_000}
	})
	share := func(percent int) {
		w.ok(w.store.PutConnection(t.Context(), syncdef.Connection{Name: "prod", Type: "crm", Quota: syncdef.Quota{Share: percent}}))
	}
	share(10)
	_, _, err := w.store.Lease(t.Context(), "prod/", []pace.Window{{Calls: 1000, Per: 24 * time.Hour}}, 500, w.now)
	w.ok(err)
	w.sweepOnce()
	m.is(t, "quota raised")
	share(50)
	w.sweepOnce()
	m.is(t, "quota raised", "quota recovered")
	share(5)
	w.sweepOnce()
	m.is(t, "quota raised", "quota recovered", "quota raised")
	o, err := w.sweep.Overview(t.Context(), syncName, w.now)
	w.ok(err)
	if a := o.Account; a.Calls != 500 || a.Spent != 250 || a.Share != 1 {
		t.Errorf("the overview: %+v", a)
	}
}

// What a notice says of a refused call is the warehouse's reason.
func TestWhyAScheduleWasMissed(t *testing.T) {
	n, _ := alert.Judge(alert.Seen{Sync: syncName, Missed: alert.Due{At: noon, Reason: "the login was refused"}}, nil, noon, alert.DefaultPolicy)
	if len(n) != 1 || !strings.HasSuffix(n[0].Why, "2026-01-05 12:00:00 UTC, and none began: the login was refused") || n[0].Mend != "penstock run accounts" {
		t.Errorf("%+v", n)
	}
}

// What a run's rows came to after it was ended is counted, told and kept, however its last
// sweep before that found it.
func TestAnEndedRunIsCountedToItsEnd(t *testing.T) {
	rows := func(n int) (all []record) {
		for i := range n {
			all = append(all, record{fmt.Sprint("k", i), i, i})
		}
		return all
	}
	type after struct {
		counts  run.Counts
		outcome run.Outcome
		right   int64
		notices []string
	}
	for name, c := range map[string]struct {
		onError syncdef.OnError
		refused string
		end     func(w *world, id string)
		want    after
	}{
		"cancelled after its rows were delivered": {syncdef.Continue, "", func(w *world, id string) {
			w.sweepOnce()
			w.work()
			_, err := w.control.Cancel(w.t.Context(), id, "enough")
			w.ok(err)
		}, after{run.Counts{Received: 30, Delivered: 30}, run.Partial, 30, nil}},
		"cancelled before": {syncdef.Continue, "", func(w *world, id string) {
			_, err := w.control.Cancel(w.t.Context(), id, "enough")
			w.ok(err)
			w.sweepOnce()
			w.work()
		}, after{run.Counts{Received: 30, Cancelled: 30}, run.None, 0, nil}},
		"stopped by its last row": {syncdef.Stop, "k29", func(w *world, _ string) {
			w.sweepOnce()
			w.work()
		}, after{run.Counts{Received: 30, Delivered: 29, Failed: 1}, run.Partial, 29, []string{"run_partial raised"}}},
	} {
		t.Run(name, func(t *testing.T) {
			w, m := watched(t, []string{"sync_failure", "partial_failure"}, func(d *syncdef.Definition) { d.OnError = c.onError })
			w.vendor.refuses[c.refused] = true
			b := w.begin("", "token")
			w.push(b.Run, rows(30)...)
			_, err := w.control.Finish(t.Context(), b.Run, 30)
			w.ok(err)
			c.end(w, b.Run)
			w.pass(3 * time.Hour)
			r := w.run(b.Run)
			o, err := w.sweep.Overview(t.Context(), syncName, w.now)
			w.ok(err)
			got := after{o.Lines[0].Counts, r.Outcome, o.Lines[0].Right(), m.got}
			got.counts.Calls = 0
			if d := cmp.Diff(c.want, got, cmp.AllowUnexported(after{})); d != "" || !r.Final {
				t.Errorf("final: %v (-want +got):\n%s", r.Final, d)
			}
			if s := w.status(b.Run).Runs[0]; s.Counts != o.Lines[0].Counts || s.Outcome != r.Outcome {
				t.Errorf("penstock_status says %s, %+v", s.Outcome, s.Counts)
			}
		})
	}
}

// A batch that is pinned while a run that was ended is counted is in it all the same.
func TestABatchComesWhileAnEndedRunIsCounted(t *testing.T) {
	w := newWorld(t, nil)
	b := w.begin("", "token")
	w.push(b.Run, record{"a", 1, 1})
	w.work()
	_, err := w.control.Cancel(t.Context(), b.Run, "enough")
	w.ok(err)
	w.sweep.Recorded = &late{w.store, func() { w.push(b.Run, record{"b", 2, 2}) }} // is answered blocked
	w.pass(2 * time.Hour)
	if r := w.run(b.Run); !r.Final || r.Counts.Received != 2 || r.Counts.Blocked != 1 {
		t.Errorf("final %v, %+v", r.Final, r.Counts)
	}
}

// A run that is ended between its sweep and the judging is not judged yet, and one that was
// cancelled before any row was sent is no sign that all is well.
func TestNothingIsSaidOfARunThatIsNotCounted(t *testing.T) {
	w, m := watched(t, []string{"sync_failure"}, nil)
	w.vendor.refuses["a"] = true
	w.complete("full", record{"a", 1, 1})
	w.sweepOnce()
	m.is(t, "run_failed raised")
	w.now = w.now.Add(time.Minute)
	b := w.begin("", "next")
	w.sweep.Recorded = &late{w.store, func() {
		r := w.run(b.Run)
		r.Status, r.EndedAt, r.Reason = run.Failed, w.now, "its version cannot be delivered"
		w.ok(w.store.UpdateRun(t.Context(), r))
	}}
	w.sweepOnce()
	w.sweep.Recorded = w.store
	w.pass(2 * time.Minute)
	m.is(t, "run_failed raised")
	_, err := w.control.Cancel(t.Context(), w.begin("", "one more").Run, "not now")
	w.ok(err)
	w.pass(2 * time.Minute)
	m.is(t, "run_failed raised")
}

// tallied counts how often a run's batches are read.
type tallied struct {
	*sqlite.Store
	reads int
}

func (c *tallied) Batches(ctx context.Context, id string) ([]run.Batch, error) {
	c.reads++
	return c.Store.Batches(ctx, id)
}

// A run that ended long ago, and of which a batch was never sent, is added up once an hour.
func TestARunOfLongAgoCostsLittle(t *testing.T) {
	w := newWorld(t, nil)
	w.sweep.Overviews = w.store
	b := w.begin("", "token")
	w.intake.Queue = refusing{w.store}
	if _, err := w.intake.Push(t.Context(), w.batch(b.Run, "b", record{"a", 1, 1})); err == nil {
		t.Fatal("the queue refused nothing")
	}
	_, err := w.control.Cancel(t.Context(), b.Run, "enough")
	w.ok(err)
	w.pass(2 * time.Hour)
	c := &tallied{Store: w.store}
	w.sweep.Recorded = c
	w.pass(10 * time.Hour)
	if c.reads < 9 || c.reads > 11 {
		t.Errorf("%d times in ten hours", c.reads)
	}
	if r := w.run(b.Run); r.Final {
		t.Error("its batch may still be sent")
	}
	w.pass(14 * 24 * time.Hour)
	if r := w.run(b.Run); !r.Final || r.Counts.Received != 1 {
		t.Errorf("final %v, %+v", r.Final, r.Counts)
	}
}
