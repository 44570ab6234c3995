package pipeline_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// roads are how rows are sent, which differ in what follows a call that may have arrived.
var roads = map[string]func(c *crm, d *syncdef.Definition){
	"insert":            func(c *crm, d *syncdef.Definition) { c.once, d.Operation = true, syncdef.Insert },
	"insert, looked up": func(c *crm, d *syncdef.Definition) { c.once, c.lookup, d.Operation = true, true, syncdef.Insert },
	"upsert":            func(*crm, *syncdef.Definition) {},
	"single calls":      func(c *crm, _ *syncdef.Definition) { c.most = 1 },
}

// newUnsentWorld has 200 rows in hand whose vendor takes so long until anything is sent.
func newUnsentWorld(t *testing.T, change func(*crm, *syncdef.Definition), logsIn time.Duration) (w *world, id string) {
	t.Helper()
	w = newWorld(t, 1, func(c *crm, d *syncdef.Definition) {
		c.most, c.logsIn = 200, logsIn
		change(c, d)
	})
	w.crm.pass = func(d time.Duration) { w.now = w.now.Add(d) }
	w.deliver.Timeout = 4 * time.Second
	return w, w.send("q", many("a", 200)...)
}

// Rows of which nothing was sent before the invocation's end come back as they were: none is
// in doubt, none has had a try, and their calls are no smaller.
func TestNothingSentBeforeTheEnd(t *testing.T) {
	for name, change := range roads {
		w, id := newUnsentWorld(t, change, 6*time.Second)
		w.handleWithin(cutOff{t.Context(), w.now.Add(6 * time.Second)}, w.receive())
		if n := len(w.errors(id)); n > 0 || w.crm.calls > 0 {
			t.Errorf("%s: %d errors %v after %d calls", name, n, w.errorTypes(id), w.crm.calls)
		}
		if p, err := w.store.Pace(t.Context(), "prod"); err == nil && p.Failing() {
			t.Errorf("%s: the connection pauses: %+v", name, p)
		}
		w.crm.logsIn = 0
		if took := w.drain(time.Minute); took > 5*time.Second {
			t.Errorf("%s: they come back after %v", name, took)
		}
		if c := w.counts(id); c.Delivered != 200 || w.crm.sizes[0] != w.crm.most {
			t.Errorf("%s: %+v, errors %v, calls of %v", name, c, w.errorTypes(id), w.crm.sizes)
		}
		for k, n := range w.crm.sends {
			if n != 1 {
				t.Errorf("%s: %s was stored %d times", name, k, n)
			}
		}
	}
}

// Where connecting takes longer than an invocation has, the connection pauses: no row is tried
// in ever smaller calls, or becomes an error, and all go out when it is mended.
func TestNothingIsEverSent(t *testing.T) {
	for name, change := range roads {
		w, id := newUnsentWorld(t, change, hangs)
		for range 20 {
			w.handleWithin(cutOff{t.Context(), w.now.Add(20 * time.Second)}, w.receive())
			w.now = w.now.Add(10 * time.Second)
		}
		if p, err := w.store.Pace(t.Context(), "prod"); err != nil || !p.Failing() {
			t.Errorf("%s: the connection does not pause: %+v, %v", name, p, err)
		}
		if _, err := w.store.Halt(t.Context(), "accounts", w.version.ID); !errors.Is(err, run.ErrNotFound) || len(w.errors(id)) > 0 {
			t.Errorf("%s: halt: %v, errors %v", name, err, w.errorTypes(id))
		}
		w.crm.logsIn = 0
		w.drain(3 * time.Hour)
		if c := w.counts(id); c.Delivered != 200 {
			t.Errorf("%s: %+v, errors %v", name, c, w.errorTypes(id))
		}
	}
}

// An error that only wraps the context's may have come after something was sent: an insert
// is in doubt then, and is not sent again.
func TestWrappedContextErrorIsDoubt(t *testing.T) {
	w := newWorld(t, 1, roads["insert"])
	w.deliver.Open = func(syncdef.Connection) (dest.Account, error) { return &vague{w.crm}, nil }
	id := w.send("q", "a", "b")
	w.drain(time.Hour)
	if c := w.errorTypes(id); c["unknown"] != 2 || w.crm.sends["a"] != 1 {
		t.Errorf("errors %v, sent %v", c, w.crm.sends)
	}
}

// vague is a crm that carries pushes out, and says no more than that the time was over.
type vague struct{ *crm }

func (v *vague) Open(syncdef.Version) (dest.Destination, error) { return v, nil }

func (v *vague) Push(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	if _, err := v.crm.Push(ctx, b, c); err != nil {
		return nil, err
	}
	return nil, errors.Join(errors.New("post"), context.DeadlineExceeded)
}
