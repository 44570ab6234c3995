package runs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A warehouse runs penstock_run by the control's begin and finish, as slowly as the test
// lets it, and keeps to request ids as vendors do: what succeeded under one is not run
// again, what failed or goes on may be.
type warehouse struct {
	w       *world
	slow    bool   // statements go on until they are let go
	down    error  // of Start
	lost    string // the handle whose statement cannot be looked for
	calls   int
	by      map[string]string // request -> handle, of those that succeeded
	handles map[string]run.Statement
}

func (x *warehouse) Start(ctx context.Context, c run.Call) (run.Statement, error) {
	if x.down != nil {
		return run.Statement{}, x.down
	}
	if handle := x.by[c.Request]; handle != "" {
		return run.Statement{Handle: handle, State: run.StatementRunning}, nil
	}
	x.calls++
	handle := fmt.Sprint("h", x.calls)
	st := run.Statement{Handle: handle, State: run.StatementDone}
	begun, err := x.w.control.Begin(ctx, c.Sync, string(c.Mode), handle)
	switch {
	case err != nil:
		st.State, st.Reason = run.StatementFailed, "SQLSTATE 22000"
	case begun.Select == runs.Wait:
		st.Skipped, st.Reason = true, begun.Reason
	default:
		st.Run = begun.Run
		if !x.slow {
			if _, err := x.w.control.Finish(ctx, begun.Run, 0); err != nil {
				return st, err
			}
		}
	}
	x.handles[handle] = st
	if st.State == run.StatementDone {
		x.by[c.Request] = handle
	}
	return run.Statement{Handle: handle, State: run.StatementRunning}, nil
}

func (x *warehouse) Look(_ context.Context, handle string) (run.Statement, error) {
	st, known := x.handles[handle]
	if handle == x.lost {
		return st, errors.New("no answer")
	}
	if !known {
		return st, run.ErrRefused
	}
	return st, nil
}

// lease is longer than the function's time-out.
const lease = 2 * time.Minute

func scheduled(t *testing.T, change func(*syncdef.Definition)) (*world, *warehouse, *runs.Schedules) {
	t.Helper()
	w := newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Frequency = "hourly"
		if change != nil {
			change(d)
		}
	})
	w.stores.Firings = w.store
	w.control.Stores = w.stores
	x := &warehouse{w: w, by: map[string]string{}, handles: map[string]run.Statement{}}
	return w, x, &runs.Schedules{Stores: w.stores, Warehouse: x, Policy: run.DefaultPolicy(), Now: func() time.Time { return w.now }, Lease: lease}
}

func (w *world) firing(at time.Time) run.Firing {
	w.t.Helper()
	f, err := w.store.Firing(w.t.Context(), syncName, at)
	w.ok(err)
	return f
}

func TestAnEventThatFiresTwiceRunsOnce(t *testing.T) {
	w, x, s := scheduled(t, nil)
	e := runs.Event{Sync: syncName, At: noon}
	for range 3 {
		if _, err := s.Fire(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Second)
	}
	w.ok(s.Sweep(t.Context()))
	f := w.firing(noon)
	if x.calls != 1 || f.Status != run.FiringRan || f.Run == "" || f.Mode != run.Incremental {
		t.Errorf("%d calls, %+v", x.calls, f)
	}
	w.sweepOnce()
	if _, err := s.Fire(t.Context(), runs.Event{Sync: syncName, Mode: run.Full, At: noon.Add(time.Hour)}); err != nil || x.calls != 2 {
		t.Errorf("the next due time: %d calls, %v", x.calls, err)
	}
	if f, err := s.Fire(t.Context(), runs.Event{Sync: "gone", At: noon}); err != nil || f.Status != "" || x.calls != 2 {
		t.Errorf("a sync that is not applied: %+v, %v", f, err)
	}
}

// dying is a store whose nth write of a firing fails, before or after its effect: as if
// the function had died there; errDied is in alerts_test.go.
type dying struct {
	runs.Firings
	left  int
	after bool
}

func (d *dying) SetFiring(ctx context.Context, f run.Firing) error {
	d.left--
	if d.left != 0 {
		return d.Firings.SetFiring(ctx, f)
	}
	if d.after {
		if err := d.Firings.SetFiring(ctx, f); err != nil {
			return err
		}
	}
	return errDied
}

// Wherever the function dies, the due time is run once: by the scheduler's repeat, or by
// the sweep.
func TestDeathAnywhereRunsOnce(t *testing.T) {
	for n := 1; n <= 4; n++ {
		for _, after := range []bool{false, true} {
			for _, repeat := range []bool{false, true} {
				w, x, s := scheduled(t, nil)
				s.Firings = &dying{Firings: w.store, left: n, after: after}
				e := runs.Event{Sync: syncName, At: noon}
				_, err := s.Fire(t.Context(), e)
				if err != nil && n == 1 && !after || repeat { // Lambda and Scheduler repeat what failed
					_, _ = s.Fire(t.Context(), e)
				}
				for range 4 {
					w.now = w.now.Add(lease)
					_ = s.Sweep(t.Context())
					w.sweepOnce()
				}
				all, err := w.store.RecentRuns(t.Context(), syncName, 9)
				if f := w.firing(noon); err != nil || len(all) != 1 || f.Status != run.FiringRan || x.calls != 1 {
					t.Errorf("death at write %d, after its effect: %v, repeated: %v: %d runs, %d calls, %+v", n, after, repeat, len(all), x.calls, f)
				}
			}
		}
	}
}

// While the last run goes on, a due time is left out, or run once as soon as it ends.
func TestWhenRunning(t *testing.T) {
	for _, c := range []struct {
		when   syncdef.WhenRunning
		status run.FiringStatus
		calls  int // after the other has ended
	}{{syncdef.SkipRunning, run.FiringSkipped, 1}, {syncdef.QueueRunning, run.FiringRan, 2}} {
		w, x, s := scheduled(t, func(d *syncdef.Definition) {
			d.Schedule = &syncdef.Schedule{TimeZone: "UTC", WhenRunning: c.when, Mode: syncdef.ScheduleIncremental}
		})
		first, err := w.control.Begin(t.Context(), syncName, "", "by hand")
		w.ok(err)
		x.calls = 1
		for i := range 3 { // of three due times one remains
			w.now = noon.Add(time.Duration(i) * 15 * time.Minute)
			if _, err := s.Fire(t.Context(), runs.Event{Sync: syncName, At: w.now}); err != nil {
				t.Fatal(err)
			}
			w.ok(s.Sweep(t.Context()))
		}
		last := w.now
		if f := w.firing(last); x.calls != 1 || !strings.Contains(f.Reason, first.Run) {
			t.Errorf("%s: the warehouse was woken for nothing: %d calls; %+v", c.when, x.calls, f)
		}
		_, err = w.control.Finish(t.Context(), first.Run, 0)
		w.ok(err)
		w.sweepOnce()
		for range 2 {
			w.ok(s.Sweep(t.Context()))
			w.sweepOnce()
		}
		if f := w.firing(last); f.Status != c.status || x.calls != c.calls {
			t.Errorf("%s: %d calls, %+v", c.when, x.calls, f)
		}
		if f := w.firing(noon); f.Status != run.FiringSkipped {
			t.Errorf("%s: the older due time: %+v", c.when, f)
		}
	}
}

// Begin may find a run that the schedule did not see: the statement then says that it
// was skipped.
func TestSkippedByBegin(t *testing.T) {
	for when, want := range map[syncdef.WhenRunning]run.FiringStatus{syncdef.SkipRunning: run.FiringSkipped, syncdef.QueueRunning: run.FiringWaiting} {
		w, x, s := scheduled(t, func(d *syncdef.Definition) {
			d.Schedule = &syncdef.Schedule{TimeZone: "UTC", WhenRunning: when, Mode: syncdef.ScheduleIncremental}
		})
		x.slow = true
		if _, err := s.Fire(t.Context(), runs.Event{Sync: syncName, At: noon}); err != nil {
			t.Fatal(err)
		}
		x.handles["h1"] = run.Statement{State: run.StatementDone, Skipped: true, Reason: "another run"}
		w.ok(s.Sweep(t.Context()))
		if f := w.firing(noon); f.Status != want || f.Reason != "another run" {
			t.Errorf("%s: %+v", when, f)
		}
	}
}

// A statement that outlasts many due times is looked at to its end.
func TestALongStatementIsLookedAt(t *testing.T) {
	for _, when := range []syncdef.WhenRunning{syncdef.SkipRunning, syncdef.QueueRunning} {
		w, x, s := scheduled(t, func(d *syncdef.Definition) {
			d.Frequency, d.Schedule = "every 1m", &syncdef.Schedule{WhenRunning: when}
		})
		x.slow = true
		for range 60 {
			_, err := s.Fire(t.Context(), runs.Event{Sync: syncName, At: w.now})
			w.ok(err)
			began := x.handles["h1"].Run
			x.handles["h1"] = run.Statement{State: run.StatementRunning, Run: began}
			w.ok(s.Sweep(t.Context()))
			w.now = w.now.Add(time.Minute)
		}
		if f := w.firing(noon); f.Status != run.FiringCalled {
			t.Fatalf("%v, while it goes on: %+v", when, f)
		}
		x.handles["h1"] = run.Statement{State: run.StatementFailed, Reason: "SQLSTATE 22012"}
		for range 10 {
			w.ok(s.Sweep(t.Context()))
			w.now = w.now.Add(time.Minute)
		}
		if f := w.firing(noon); f.Status != run.FiringFailed || f.Reason != "SQLSTATE 22012" {
			t.Errorf("%v, when it has failed: %+v", when, f)
		}
	}
}

func TestTheWarehouseFails(t *testing.T) {
	w, x, s := scheduled(t, nil)
	e := runs.Event{Sync: syncName, At: noon}
	x.down = errors.New("no answer")
	if _, err := s.Fire(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(lease)
	w.ok(s.Sweep(t.Context()))
	if f := w.firing(noon); f.Status != run.FiringBegun || f.Reason != "no answer" {
		t.Errorf("while it is away: %+v", f)
	}
	x.down = nil
	w.now = w.now.Add(lease)
	w.ok(s.Sweep(t.Context()))
	x.handles["h1"] = run.Statement{State: run.StatementFailed, Reason: "SQLSTATE 42S02"}
	w.ok(s.Sweep(t.Context()))
	if f := w.firing(noon); f.Status != run.FiringFailed || f.Reason != "SQLSTATE 42S02" || x.calls != 1 {
		t.Errorf("it failed: %+v", f)
	}

	w.sweepOnce()
	x.down = fmt.Errorf("%w: the role is unknown", run.ErrRefused)
	f, err := s.Fire(t.Context(), runs.Event{Sync: syncName, At: noon.Add(time.Hour)})
	if err != nil || f.Status != run.FiringFailed || !strings.Contains(f.Reason, "role") {
		t.Errorf("refused: %+v, %v", f, err)
	}
	x.down = errors.New(strings.Repeat("ä", 1000))
	if _, err := s.Fire(t.Context(), runs.Event{Sync: syncName, At: noon.Add(2 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	w.ok(s.Sweep(t.Context()))
	if f := w.firing(noon.Add(2 * time.Hour)); f.Status != run.FiringFailed || len(f.Reason) > 500 {
		t.Errorf("given up: %+v", f)
	}
}

// A statement that cannot be looked for keeps its sync's later due times from nothing.
func TestAStatementIsLost(t *testing.T) {
	w, x, s := scheduled(t, nil)
	for _, at := range []time.Time{noon, noon.Add(time.Hour)} {
		if _, err := s.Fire(t.Context(), runs.Event{Sync: syncName, At: at}); err != nil {
			t.Fatal(err)
		}
		w.sweepOnce()
	}
	x.lost = "h1"
	if err := s.Sweep(t.Context()); err == nil {
		t.Error("that a statement cannot be looked for is not told")
	}
	if first, second := w.firing(noon), w.firing(noon.Add(time.Hour)); first.Status != run.FiringCalled || second.Status != run.FiringRan {
		t.Errorf("%+v\n%+v", first, second)
	}
}

// succeed runs a sync without rows.
func (w *world) succeed(sync string) {
	w.t.Helper()
	w.pushes++
	b, err := w.control.Begin(w.t.Context(), sync, "", fmt.Sprint("hand", w.pushes))
	w.ok(err)
	if b.Run == "" {
		w.t.Fatalf("%s waits: %s", sync, b.Reason)
	}
	_, err = w.control.Finish(w.t.Context(), b.Run, 0)
	w.ok(err)
	w.sweepOnce()
}

// A sync waits for those that it comes after: since they were due last, or since its own
// last success.
func TestAfter(t *testing.T) {
	w, x, s := scheduled(t, func(d *syncdef.Definition) { d.After = []string{"companies", "regions"} })
	other := func(name, often string) {
		v := w.version(func(d *syncdef.Definition, _ *syncdef.Rules) { d.Sync, d.Frequency = name, often })
		_, err := w.control.Apply(t.Context(), v)
		w.ok(err)
	}
	waits := func(want ...string) {
		t.Helper()
		b, err := w.control.Begin(t.Context(), syncName, "", "asked")
		w.ok(err)
		if b.Select != runs.Wait || b.Run != "" {
			t.Fatalf("begun: %+v", b)
		}
		for _, part := range want {
			if !strings.Contains(b.Reason, part) {
				t.Errorf("it waits for %q, want %q in it", b.Reason, part)
			}
		}
	}
	waits(`sync "companies", which is not applied`)
	other("companies", "hourly")
	other("regions", "")
	waits(`sync "companies", which has not succeeded yet`, `and sync "regions", which has not succeeded yet`)
	w.now = noon.Add(5 * time.Minute)
	if _, err := s.Fire(t.Context(), runs.Event{Sync: syncName, At: noon}); err != nil {
		t.Fatal(err)
	}
	if f := w.firing(noon); f.Status != run.FiringWaiting || x.calls != 0 {
		t.Errorf("the due time: %+v", f)
	}
	w.succeed("companies")
	waits(`"regions"`)
	w.succeed("regions")
	w.now = w.now.Add(time.Second)
	w.ok(s.Sweep(t.Context())) // released
	w.ok(s.Sweep(t.Context()))
	if f := w.firing(noon); f.Status != run.FiringRan || x.calls != 1 {
		t.Errorf("released: %+v", f)
	}
	w.sweepOnce()

	w.now = noon.Add(30 * time.Minute) // companies ran in this hour; regions has no frequency, and is used up
	waits(`sync "regions", which has not succeeded since 2026-01-05T12:05`)
	w.succeed("regions")
	w.now = noon.Add(31 * time.Minute)
	w.succeed(syncName)
	w.succeed("regions")
	w.now = noon.Add(61 * time.Minute)
	waits(`sync "companies", which has not succeeded since 2026-01-05T13:00:00Z`)
}

// A sync begins once after each success of one that is still running whenever it is due: an
// hourly one that takes 70 minutes, whether it leaves out the due times meanwhile or runs
// again at once.
func TestAfterOneThatOutlastsItsInterval(t *testing.T) {
	for name, begins := range map[string][]int{"skip": {0, 120, 240, 360}, "queue": {0, 70, 140, 210, 280}} {
		w, x, s := scheduled(t, func(d *syncdef.Definition) { d.After = []string{"companies"} })
		v := w.version(func(d *syncdef.Definition, _ *syncdef.Rules) { d.Sync, d.Frequency = "companies", "hourly" })
		_, err := w.control.Apply(t.Context(), v)
		w.ok(err)
		var began []int
		for minute := range 440 {
			w.now = noon.Add(time.Duration(minute) * time.Minute)
			for _, b := range begins {
				if minute == b+70 {
					at := noon.Add(time.Duration(b) * time.Minute)
					_, err := w.store.EnsureRun(t.Context(), run.Run{ID: run.BegunID("companies", fmt.Sprint(b)), Sync: "companies", Version: v.ID, Mode: run.Incremental,
						Bracketed: true, Status: run.Complete, Outcome: run.Succeeded, BegunAt: at, EndedAt: w.now})
					w.ok(err)
				}
			}
			if minute%60 == 0 {
				_, err := s.Fire(t.Context(), runs.Event{Sync: syncName, At: w.now})
				w.ok(err)
			}
			was := x.calls
			w.ok(s.Sweep(t.Context()))
			w.sweepOnce()
			if x.calls > was {
				began = append(began, minute)
			}
		}
		want := make([]int, len(begins))
		for i, b := range begins {
			want[i] = b + 70
		}
		if diff := cmp.Diff(want, began); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A run of which nothing was delivered is a success once a retry has delivered a row of it.
func TestAfterARetry(t *testing.T) {
	w, _, _ := scheduled(t, func(d *syncdef.Definition) { d.After = []string{"companies"} })
	v := w.version(func(d *syncdef.Definition, _ *syncdef.Rules) { d.Sync = "companies" })
	_, err := w.control.Apply(t.Context(), v)
	w.ok(err)
	r := run.Run{ID: run.BegunID("companies", "a"), Sync: "companies", Version: v.ID, Mode: run.Full, Bracketed: true, Status: run.Complete,
		Outcome: run.None, BegunAt: noon, EndedAt: noon, Counts: run.Counts{Received: 1, Failed: 1}}
	_, err = w.store.EnsureRun(t.Context(), r)
	w.ok(err)
	if b, err := w.control.Begin(t.Context(), syncName, "", "asked"); err != nil || b.Run != "" {
		t.Fatalf("%v %+v", err, b)
	}
	r.ID, r.Original, r.Outcome, r.Bracketed, r.BegunAt, r.Counts = run.RetryID(r.ID, 1), r.ID, "", false, noon.Add(time.Minute), run.Counts{Received: 1, Delivered: 1}
	_, err = w.store.EnsureRun(t.Context(), r)
	w.ok(err)
	if b, err := w.control.Begin(t.Context(), syncName, "", "asked"); err != nil || b.Run == "" {
		t.Errorf("%v %+v", err, b)
	}
}

// A due time at which nothing began is told, and one that was acted on is not.
func TestMissed(t *testing.T) {
	w, _, s := scheduled(t, nil)
	missed := func() time.Time {
		t.Helper()
		st, err := w.control.Status(t.Context(), syncName)
		w.ok(err)
		if next := w.now.Truncate(time.Hour).Add(time.Hour); !st.Schedule.Next.Equal(next) {
			t.Errorf("next %s, want %s", st.Schedule.Next, next)
		}
		return st.Schedule.Missed
	}
	w.now = noon.Add(time.Hour + 4*time.Minute)
	if m := missed(); !m.Equal(noon) { // applied at noon, when it was due
		t.Errorf("%s", m)
	}
	w.now = noon.Add(time.Hour + 5*time.Minute)
	if m := missed(); !m.Equal(noon.Add(time.Hour)) {
		t.Errorf("five minutes after: %s", m)
	}
	w.succeed(syncName) // by hand, late
	if m := missed(); !m.IsZero() {
		t.Errorf("after a run: %s", m)
	}
	w.now = noon.Add(2*time.Hour + 10*time.Minute)
	if m := missed(); m.IsZero() {
		t.Error("the next hour's is not told")
	}
	if _, err := s.Fire(t.Context(), runs.Event{Sync: syncName, At: noon.Add(2 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if m := missed(); !m.IsZero() {
		t.Errorf("after a firing: %s", m)
	}
}

func TestParseEvent(t *testing.T) {
	for _, c := range []struct{ sync, mode, at, want string }{
		{"accounts", "full", "2026-01-05T12:00:00Z", ""},
		{"accounts", "", "2026-01-05T12:00:00Z", ""},
		{"", "", "2026-01-05T12:00:00Z", "names no sync"},
		{"a'); DROP TABLE x", "", "2026-01-05T12:00:00Z", "names no sync"},
		{"accounts.r0123", "", "2026-01-05T12:00:00Z", "names no sync"},
		{"accounts", "dry_run", "2026-01-05T12:00:00Z", "mode"},
		{"accounts", "full", "<aws.scheduler.scheduled-time>", "scheduled_time"},
	} {
		_, err := runs.ParseEvent(c.sync, run.Mode(c.mode), c.at)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A request id is a UUID, and another one for each call.
func TestRequest(t *testing.T) {
	f := run.Firing{Sync: syncName, At: noon, Call: 1}
	seen := []string{f.Request()}
	for _, other := range []run.Firing{{Sync: syncName, At: noon, Call: 2}, {Sync: "accounts2", At: noon, Call: 1}, {Sync: syncName, At: noon.Add(1), Call: 1}} {
		seen = append(seen, other.Request())
	}
	slices.Sort(seen)
	const want = "930c910c-c216-8f1f-9fa7-a7cc4099ad31" // the same in every release: a repeat may be another one's
	if len(slices.Compact(seen)) != 4 || f.Request() != want {
		t.Errorf("%v", seen)
	}
}
