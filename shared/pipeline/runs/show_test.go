package runs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var errRefused = errors.New("storage refuses")

// pages stores overviews; storage may refuse, or die after it stored one.
type pages struct {
	*sqlite.Store
	refuses, dies bool
	writes        int
}

func (p *pages) SetOverview(ctx context.Context, o run.Overview) error {
	if p.refuses {
		return errRefused
	}
	p.writes++
	err := p.Store.SetOverview(ctx, o)
	if p.dies {
		return errors.Join(err, errRefused)
	}
	return err
}

// seen is a world whose sweeper and control store overviews.
func seen(t *testing.T) (*world, *pages) {
	w := newWorld(t, nil)
	p := &pages{Store: w.store}
	for _, s := range []*runs.Stores{&w.sweep.Stores, &w.control.Stores} {
		s.Overviews, s.Told, s.Pauses, s.Audit, s.Freshness, s.Firings = p, w.store, w.store, w.store, w.store, w.store
	}
	return w, p
}

func (w *world) overview() run.Overview {
	w.t.Helper()
	o, err := w.store.Overview(w.t.Context(), syncName)
	w.ok(err)
	return o
}

// What goes on, what ended, and what failed is in the overview as of the turn.
func TestTheSweeperStoresOverviews(t *testing.T) {
	w, _ := seen(t)
	id := w.push(syncName, record{"a", 1, 1}, record{"b", 2, 2})[0].Run
	w.sweepOnce()
	o := w.overview()
	if len(o.Running) != 1 || o.Running[0].ID != id || o.Running[0].Counts.Received != 2 || o.Running[0].Counts.Queued != 2 || !o.AsOf.Equal(w.now) || !o.Success.IsZero() {
		t.Errorf("while it goes on: %+v", o)
	}
	w.vendor.refuses["b"] = true
	w.pass(5 * time.Minute)
	o = w.overview()
	if len(o.Running) != 0 || len(o.Lines) != 1 || o.Lines[0].ID != id || o.SuccessRun != id || o.SuccessRows != 1 || o.PreviousRows != -1 || o.NotRight != 1 {
		t.Errorf("after: %+v", o)
	}
	w.vendor.refuses["b"] = false
	w.push(syncName, record{"b", 3, 3})
	w.pass(5 * time.Minute)
	if o = w.overview(); o.PreviousRows != 1 || o.SuccessRows != 1 || len(o.Lines) != 2 || o.Lines[1].ID != id {
		t.Errorf("after the second: %+v", o)
	}
}

// Where nothing goes on nothing is written, but for what time alone changes.
func TestAQuietSyncIsLeftAlone(t *testing.T) {
	w, p := seen(t)
	w.push(syncName, record{"a", 1, 1})
	w.pass(5 * time.Minute)
	before := p.writes
	w.pass(4 * time.Minute)
	if p.writes > before+1 {
		t.Errorf("%d writes in four quiet minutes", p.writes-before)
	}
	before = p.writes
	w.pass(10 * time.Minute)
	if n := p.writes - before; n < 1 || n > 3 {
		t.Errorf("%d writes in ten quiet minutes", n)
	}
}

// A storage that refuses overviews stops nothing else, and a sweeper that died after one was
// stored, or finds another one's, goes on from what is stored.
func TestOverviewsAreCopies(t *testing.T) {
	w, p := seen(t)
	p.refuses = true
	id := w.push(syncName, record{"a", 1, 1})[0].Run
	w.work()
	w.now = w.now.Add(3 * time.Minute)
	if err := w.sweep.Run(t.Context()); !errors.Is(err, errRefused) {
		t.Errorf("the refusal is not told: %v", err)
	}
	if r, err := w.store.Run(t.Context(), id); err != nil || r.Status != run.Complete {
		t.Errorf("the run is %s, %v", r.Status, err)
	}
	p.refuses, p.dies = false, true
	if err := w.sweep.Run(t.Context()); !errors.Is(err, errRefused) {
		t.Errorf("the death is not told: %v", err)
	}
	p.dies = false
	other := &runs.Sweep{Stores: w.sweep.Stores, Replayer: w.intake, Remover: w.intake, Policy: run.DefaultPolicy(), Now: func() time.Time { return w.now }}
	w.push(syncName, record{"c", 1, 7})
	for range 3 { // two sweepers in turn
		w.now = w.now.Add(time.Minute)
		w.ok(other.Run(t.Context()))
		w.sweepOnce()
	}
	if o := w.overview(); len(o.Running) != 1 || w.now.Sub(o.AsOf) > time.Minute {
		t.Errorf("%+v at %v", o, w.now)
	}
}

// What somebody does is seen at once; where that cannot be stored, it is done all the same.
func TestActionsAreSeenAtOnce(t *testing.T) {
	w, p := seen(t)
	w.sweepOnce()
	_, err := w.control.Pause(t.Context(), syncName, "the model is wrong")
	w.ok(err)
	if o := w.overview(); o.Pause == nil || o.Pause.Reason != "the model is wrong" {
		t.Errorf("paused: %+v", o.Pause)
	}
	p.refuses = true
	_, err = w.control.Resume(t.Context(), syncName)
	w.ok(err)
	if _, paused, err := w.control.Paused(t.Context(), syncName); err != nil || paused {
		t.Errorf("paused: %v, %v", paused, err)
	}
	p.refuses = false
	w.pass(6 * time.Minute)
	if o := w.overview(); o.Pause != nil {
		t.Errorf("the sweeper does not make it good: %+v", o.Pause)
	}
	b := w.begin("", "one")
	_, err = w.control.Cancel(t.Context(), b.Run, "not now")
	w.ok(err)
	if o := w.overview(); len(o.Running) != 0 || len(o.Lines) != 1 || o.Lines[0].Status != run.Cancelled {
		t.Errorf("cancelled: %+v", o)
	}
	w.ok(w.control.Remove(t.Context(), syncName))
	if _, err := w.store.Overview(t.Context(), syncName); !errors.Is(err, run.ErrNotFound) {
		t.Errorf("removed: %v", err)
	}
}

// The overview of a sync that was removed while nobody could store that goes with the next
// sweeper.
func TestOverviewsOfNothingGo(t *testing.T) {
	w, _ := seen(t)
	w.ok(w.store.SetOverview(t.Context(), run.Overview{Sync: "gone"}))
	w.sweepOnce()
	if _, err := w.store.Overview(t.Context(), "gone"); !errors.Is(err, run.ErrNotFound) {
		t.Error(err)
	}
}

// What holds a sync up is in its overview: a spent quota, a paused connection, a due time
// without a run, a version that cannot be delivered, an alert.
func TestWhatHoldsUpIsInTheOverview(t *testing.T) {
	w, _ := seen(t)
	w.apply(func(d *syncdef.Definition, _ *syncdef.Rules) { d.Frequency = "0 * * * *" })
	v, err := w.store.Current(t.Context(), syncName)
	w.ok(err)
	_, _, err = w.store.Lease(t.Context(), "prod/", []pace.Window{{Calls: 1000, Per: 24 * time.Hour}}, 450, w.now)
	w.ok(err)
	w.ok(w.store.SetPace(t.Context(), "prod", pace.State{}.Fail(w.now, time.Hour, "401", "log in: the secret is absent")))
	w.ok(w.store.SetHalt(t.Context(), run.Halt{Sync: syncName, Version: v.ID, Tries: 3, Since: w.now, Code: "INVALID_FIELD", Reason: "no such field", Runs: []string{"x"}}))
	w.ok(w.store.SetAlerts(t.Context(), alert.Book{Sync: syncName, Open: []alert.Open{{Kind: alert.Quota, Since: w.now}, {Kind: alert.RunFailed, Since: w.now}}}))
	w.now = w.now.Add(70 * time.Minute) // due at one o'clock
	w.sweepOnce()
	o := w.overview()
	if a := o.Account; a.Calls != 1000 || a.Per != 24*3600 || a.Spent < 400 || a.Share < 0.8 || a.Rate != 1 || a.Reason == "" || a.Since.IsZero() {
		t.Errorf("the connection: %+v", a)
	}
	if !o.Missed.Equal(noon.Add(time.Hour)) || !o.Next.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("missed %v, next %v", o.Missed, o.Next)
	}
	if o.Halt == nil || o.Halt.Reason != "no such field" || o.Halt.Runs != nil {
		t.Errorf("the halt: %+v", o.Halt)
	}
	if len(o.Alerts) != 2 || o.Alerts[0].Kind != string(alert.RunFailed) {
		t.Errorf("the alerts: %+v", o.Alerts)
	}
	list, err := w.control.ListSyncs(t.Context())
	if w.ok(err); len(list) != 1 || !list[0].Missed.Equal(o.Missed) || list[0].Paused != "" {
		t.Errorf("penstock_syncs: %+v", list)
	}
}
