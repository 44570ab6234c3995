package pipeline_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A message whose only row was superseded by one that has to wait returns with it:
// the front of a lane that came back at once would spin while its connection is down.
func TestLoserReturnsWithItsWinner(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.crm.down = &dest.CallError{Op: "log in", Class: dest.Throttled, Scope: dest.ScopeConnection, Code: "quota", Message: "quota", After: 10 * time.Minute}
	w.send("q1", "a")
	w.send("q2", "a")
	w.once()
	w.now = w.now.Add(9 * time.Minute)
	if in := w.receive(); len(in) > 0 {
		t.Errorf("%d messages are back after 9 of 10 minutes", len(in))
	}
	w.crm.down = nil
	w.drain(time.Hour)
	if w.crm.sends["a"] != 1 || w.crm.value("a") != 2 {
		t.Errorf("a is %d, sent %d times", w.crm.value("a"), w.crm.sends["a"])
	}
}

// dyingRuns is a process that dies before it ends a run.
type dyingRuns struct{ *sqlite.Store }

func (dyingRuns) UpdateRun(context.Context, run.Run) error { panic(death{}) }

// refusingRuns refuses to end one.
type refusingRuns struct{ *sqlite.Store }

func (refusingRuns) UpdateRun(context.Context, run.Run) error { return errStorage }

// A run of a stop_on_error sync ends at its first failure, also when that was the
// only row of its message and the worker died, or storage refused, before it could
// end the run.
func TestRunStopsAfterDeath(t *testing.T) {
	for name, breaks := range map[string]func(w *world){
		"death":   func(w *world) { w.deliver.Runs = dyingRuns{w.store} },
		"storage": func(w *world) { w.deliver.Runs = refusingRuns{w.store} },
	} {
		w := newWorld(t, 1, func(_ *crm, d *syncdef.Definition) { d.OnError = syncdef.Stop })
		w.crm.outcome = rejectAll
		id := w.send("q", "a")
		breaks(w)
		w.survives(w.receive())
		w.boot()
		w.crm.outcome = nil
		w.now = w.now.Add(2 * hidden)
		w.drain(time.Hour)
		if s := w.status(id); s.Status != run.Cancelled || s.Counts.Failed != 1 {
			t.Errorf("%s: the run is %s, %+v", name, s.Status, s.Counts)
		}
	}
}

// No row is stored as not sent for a stop before its run is ended: a worker that died in
// between would leave errors that name a stop that never was.
func TestNothingIsStoppedBeforeTheRun(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) { c.most, d.OnError = 1, syncdef.Stop })
	w.crm.outcome = func(key string) *dest.Outcome {
		if key == "bad" {
			return rejectAll(key)
		}
		return nil
	}
	id := w.send("q", "bad", "b", "c")
	w.deliver.Runs = dyingRuns{w.store}
	if w.survives(w.receive()) {
		t.Fatal("the worker did not end the run")
	}
	if got := w.errors(id); len(got) != 1 || got[0].Key != "bad" {
		t.Errorf("%d errors: %+v", len(got), got)
	}
	w.boot()
	w.now = w.now.Add(2 * hidden)
	w.drain(time.Hour)
	if got := w.errorTypes(id); len(got) != 2 || got["cancelled"] != 2 {
		t.Errorf("%v", got)
	}
}

// refusedVersion cannot be carried out by this release for a while.
type refusedVersion struct{ *sqlite.Store }

func (refusedVersion) Version(context.Context, string, string) (syncdef.Version, error) {
	return syncdef.Version{}, run.ErrFormat
}

// Rows whose version cannot be carried out have no cursor that could be held: their
// run fails, and its mark stays (I4).
func TestUnusableVersionKeepsTheMark(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.bracket("t1", "", object("a", 5))
	w.boot()
	w.deliver.Syncs = refusedVersion{w.store}
	s := w.bracket("t2", "", object("b", 7))
	if got := w.watermark(); got != "5" || s.Status != run.Failed {
		t.Errorf("the watermark is %s, the run %s: %s", got, s.Status, s.Reason)
	}
}

// A row that workers died on is not even mapped: the mark stays where its run began,
// and the next run selects it (I4).
func TestKillerHoldsTheMark(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.bracket("t1", "", object("a", 5))
	b, err := w.control().Begin(t.Context(), "accounts", "", "t2")
	if err != nil {
		t.Fatal(err)
	}
	w.push(batch("t2", "t2", b.Run, object("bad", 7), object("c", 9)))
	if _, err := w.control().Finish(t.Context(), b.Run, 2); err != nil {
		t.Fatal(err)
	}
	w.deliver.Ledger = deadlyLedger{w.store}
	for range 600 {
		if in := w.receive(); len(in) > 0 && !w.survives(in) {
			w.boot()
			w.deliver.Ledger = deadlyLedger{w.store}
		}
		w.now = w.now.Add(time.Second)
	}
	w.sweep()
	if s := w.status(b.Run); s.Status != run.Complete || w.errorTypes(b.Run)["crashed"] != 1 {
		t.Fatalf("%+v", s)
	}
	if got := w.watermark(); got != "5" {
		t.Errorf("the watermark is %s, want 5, where the run began", got)
	}
}

// grudgingLedger stores the first commit, and says that it did not.
type grudgingLedger struct {
	*sqlite.Store
	commits int
}

func (g *grudgingLedger) Commit(ctx context.Context, target string, entries []ledger.Entry) ([]int, error) {
	lost, err := g.Store.Commit(ctx, target, entries)
	if g.commits++; g.commits == 1 {
		return nil, errStorage
	}
	return lost, err
}

// An insert that was not sent because its intent could not be stored for certain is
// sent later: our storage's failure ends no row as unknown.
func TestIntentRefused(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) { c.once, d.Operation = true, syncdef.Insert })
	id := w.send("q", "a", "b")
	w.deliver.Ledger = &grudgingLedger{Store: w.store}
	w.once()
	w.drain(time.Hour)
	if c := w.counts(id); c.Delivered != 2 || w.crm.sends["a"] != 1 || w.crm.sends["b"] != 1 {
		t.Errorf("%+v, errors %v, sent %v", c, w.errorTypes(id), w.crm.sends)
	}
}

// What a worker sent before it died is not forgotten when its run is cancelled
// before anybody commits it: the ledger does not call the older value unchanged.
func TestCancelledAfterDeath(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.push(batch("q1", "q1", "accounts", object("a", 1)))
	w.drain(time.Minute)
	b, err := w.control().Begin(t.Context(), "accounts", "", "t1")
	if err != nil {
		t.Fatal(err)
	}
	w.push(batch("t1", "t1", b.Run, object("a", 2)))
	w.deliver.Ledger = &dyingLedger{Store: w.store, commits: 1}
	w.survives(w.receive())
	w.boot()
	if w.crm.value("a") != 2 {
		t.Fatal("nothing was sent")
	}
	if _, err := w.control().Cancel(t.Context(), b.Run, "the model was wrong"); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(2 * hidden)
	w.drain(time.Hour)
	w.push(batch("q2", "q2", "accounts", object("a", 1)))
	w.drain(time.Hour)
	if got := w.crm.value("a"); got != 1 {
		t.Errorf("the destination holds %d, the newest row says 1", got)
	}
}

// keepingMarks refuses to delete start marks.
type keepingMarks struct{ *sqlite.Store }

func (keepingMarks) ReturnChunk(context.Context, string, string, int, int, time.Time, time.Time) error {
	return errStorage
}

// A hand-back that could not delete its start mark is no death, however long the
// message has to wait.
func TestHandBackRefusedIsNoDeath(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.crm.down = &dest.CallError{Op: "log in", Class: dest.Throttled, Scope: dest.ScopeConnection, Code: "quota", Message: "quota", After: 2 * hidden}
	w.deliver.Chunks = keepingMarks{w.store}
	id := w.send("q", "a", "b")
	for range 12 { // each as soon as the message can be received again
		for range 10_000 {
			if in := w.receive(); len(in) > 0 {
				w.handle(in)
				break
			}
			w.now = w.now.Add(time.Second)
		}
	}
	w.crm.down = nil
	w.boot()
	w.drain(time.Hour)
	if c := w.counts(id); c.Delivered != 2 {
		t.Errorf("%+v, errors %v", c, w.errorTypes(id))
	}
}

// A chunk that the queue holds twice is settled once (I2).
func TestQueuedTwice(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.crm.outcome = func(key string) *dest.Outcome {
		switch key {
		case "refused":
			return rejectAll(key)
		case "busy":
			return &dest.Outcome{Status: dest.Retry, Code: "LOCKED", Message: "locked", After: time.Minute}
		}
		return nil
	}
	id := w.send("q", "a", "refused", "busy")
	in := w.receive()
	w.handle(in)
	before, errs := w.counts(id), w.errors(id)
	w.crm.outcome = nil
	again := in[0]
	again.ID += "-2"
	w.deliver.Handle(t.Context(), []envelope.Delivery{again})
	if after := w.counts(id); after != before || after.Delivered != 1 || after.Failed != 2 {
		t.Errorf("counted %+v, then %+v", before, after)
	}
	if got := w.errors(id); len(got) != len(errs) || w.crm.sends["a"] != 1 || w.crm.sends["refused"] != 0 || w.crm.sends["busy"] != 0 {
		t.Errorf("errors %d then %d, sent %v", len(errs), len(got), w.crm.sends)
	}
	w.now = w.now.Add(2 * time.Minute)
	w.sweep()
	w.drain(time.Hour)
	if w.crm.sends["busy"] != 1 {
		t.Errorf("the due row was sent %d times", w.crm.sends["busy"])
	}
}

// A row whose source is too large for an error's item is stored without it, and is
// then not due; the other rows of its message are.
func TestLargeSourceIsNotStored(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.crm.outcome = func(string) *dest.Outcome {
		return &dest.Outcome{Status: dest.Retry, Code: "LOCKED", Message: "locked", After: time.Minute}
	}
	rng, noise := rand.New(rand.NewPCG(1, 2)), make([]byte, 100<<10)
	for n := range noise {
		noise[n] = byte(rng.UintN(256))
	}
	large := fmt.Sprintf(`{"id":"large","v":1,"constant":"%x"}`, noise)
	id := w.push(batch("q", "q1", "accounts", large, object("small", 2)))[0].Run
	w.once()
	errs := w.errors(id)
	if len(errs) != 2 {
		t.Fatalf("%d errors: %v", len(errs), w.errorTypes(id))
	}
	for _, e := range errs {
		if small := e.Key == "small"; (e.Source != nil) != small || e.Due.IsZero() == small {
			t.Errorf("%s: %d bytes of source, due %v", e.Key, len(e.Source), e.Due)
		}
	}
}

// Rows of a cancelled run that lie in hand beside rows of their keys, and beside each
// other, void nothing that the destination holds: an insert is sent once (I9).
func TestCancelledBesideInserts(t *testing.T) {
	for _, first := range []bool{true, false} { // the cancelled rows are the older ones
		w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) { c.once, d.Operation = true, syncdef.Insert })
		push := func(query string) string {
			return w.push(batch(query, query, "accounts", object("a", 1), object("b", 2)))[0].Run
		}
		w.send("q0", "b")
		w.drain(time.Minute)
		var dead []string
		if first {
			dead = []string{push("d1"), push("d2")}
		}
		push("live")
		if !first {
			dead = []string{push("d1"), push("d2")}
		}
		for _, id := range dead {
			if _, err := w.control().Cancel(t.Context(), id, "the model was wrong"); err != nil {
				t.Fatal(err)
			}
		}
		w.drain(time.Hour)
		push("again")
		w.drain(time.Hour)
		if w.crm.sends["a"] != 1 || w.crm.sends["b"] != 1 {
			t.Errorf("cancelled first %v: sent %v", first, w.crm.sends)
		}
	}
}

// A cancelled full run makes the ledger forget nothing that it would have sent again
// as it is: no later run selects those rows.
func TestCancelledFullRunForgetsNothing(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.bracket("t1", "", object("a", 5))
	b, err := w.control().Begin(t.Context(), "accounts", "full", "t2")
	if err != nil {
		t.Fatal(err)
	}
	w.push(batch("t2", "t2", b.Run, object("a", 5)))
	w.receive() // its worker dies
	if _, err := w.control().Cancel(t.Context(), b.Run, "too much"); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(2 * hidden)
	w.drain(time.Hour)
	e, err := w.store.Entries(t.Context(), w.target(), []string{"a"})
	if err != nil || e["a"].Held.Fingerprint.Void() {
		t.Errorf("%+v, %v", e["a"], err)
	}
}
