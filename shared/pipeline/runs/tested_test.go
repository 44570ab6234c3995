package runs_test

import (
	"context"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
)

// outpaced has somebody else store a state before SetPace does.
type outpaced struct {
	*sqlite.Store
	first func()
}

func (r *outpaced) SetPace(ctx context.Context, connection string, s pace.State) error {
	if r.first != nil {
		r.first()
		r.first = nil
	}
	return r.Store.SetPace(ctx, connection, s)
}

// A test that found the connection well ends its pause, also where a worker stored one at
// the same time, and stands in the audit log; where there is nothing to end, nothing does.
func TestTested(t *testing.T) {
	for name, c := range map[string]struct {
		race  func(w *world)
		quota bool
		ended bool
	}{
		"alone":                              {nil, false, true},
		"a worker fails meanwhile":           {func(w *world) { w.fails(false) }, false, true},
		"a worker's probe is faster":         {func(w *world) { w.mends() }, false, true},
		"a worker meets a quota meanwhile":   {func(w *world) { w.fails(true) }, false, false},
		"of a spent quota it proves nothing": {nil, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.control.Audit = w.store
			if _, ended, err := w.control.Tested(t.Context(), "prod"); ended || err != nil {
				t.Fatalf("of nothing: %t, %v", ended, err)
			}
			w.fails(c.quota)
			r := &outpaced{Store: w.store}
			if c.race != nil {
				r.first = func() { c.race(w) }
			}
			w.control.Connections = r
			before, ended, err := w.control.Tested(runs.As(t.Context(), "ada"), "prod")
			w.ok(err)
			if ended != c.ended || before.Code != "login" {
				t.Errorf("ended: %t, before: %+v", ended, before)
			}
			if s, err := w.store.Pace(t.Context(), "prod"); err != nil || s.Failing() == c.ended {
				t.Errorf("%+v, %v", s, err)
			}
			actions, err := w.control.Actions(t.Context(), noon, 10)
			w.ok(err)
			if c.quota {
				if len(actions) != 0 {
					t.Errorf("%+v", actions)
				}
			} else if len(actions) != 1 || actions[0].Who != "ada" || actions[0].What != "connect test" || actions[0].On != "prod" || actions[0].Result != run.ActionDone {
				t.Errorf("%+v", actions)
			}
		})
	}
}

// fails stores that the connection failed.
func (w *world) fails(quota bool) {
	s, err := w.store.Pace(w.t.Context(), "prod")
	w.ok(err)
	s = s.Fail(w.now, time.Hour, "login", "why")
	s.Quota = quota
	w.ok(w.store.SetPace(w.t.Context(), "prod", s))
}

// mends stores that it is in order.
func (w *world) mends() {
	s, err := w.store.Pace(w.t.Context(), "prod")
	w.ok(err)
	w.ok(w.store.SetPace(w.t.Context(), "prod", s.Mend()))
}

// A stack's sweeper tells commands that act on the stack.
func TestAlertsOfAStackNameIt(t *testing.T) {
	w, m := told(t, "")
	w.sweep.Stack = "prod"
	w.vendor.refuses["a"] = true
	r := w.complete("full", record{"a", 1, 1})
	w.sweepOnce()
	w.pass(30 * time.Minute)
	if m.last.Look != "penstock errors "+r.ID+" --stack prod" || m.last.Mend != "penstock retry "+r.ID+" --stack prod" {
		t.Errorf("%+v", m.last)
	}
}
