package pipeline_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// control and sweeper are the world's, as they stand after the last boot.
func (w *world) stores() runs.Stores {
	s := w.store
	return runs.Stores{Syncs: s, Definitions: s, Connections: s, Runs: s, History: s, Recorded: s, Marks: s, Errors: s, Due: s, Ledger: s, Halts: s, Depths: s, Mirrors: s, Firings: s}
}

func (w *world) control() *runs.Control {
	return &runs.Control{Stores: w.stores(), Replayer: w.intake, Policy: run.DefaultPolicy(), Now: w.clock}
}

// sweep is one minute's tick.
func (w *world) sweep() {
	w.t.Helper()
	s := &runs.Sweep{Stores: w.stores(), Replayer: w.intake, Remover: w.intake, Policy: run.DefaultPolicy(), Now: w.clock}
	if err := s.Run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// live lets the road run by itself: a worker each second, a sweeper each minute.
func (w *world) live(d time.Duration) {
	w.t.Helper()
	for end := w.now.Add(d); w.now.Before(end); {
		for range 60 {
			if in := w.receive(); len(in) > 0 {
				w.handle(in)
			}
			w.now = w.now.Add(time.Second)
		}
		w.sweep()
	}
}

// busy has each record fail for now.
func (w *world) busy() {
	w.crm.outcome = func(string) *dest.Outcome {
		return &dest.Outcome{Status: dest.Retry, Code: "BUSY", Message: "busy"}
	}
}

func (w *world) status(id string) runs.RunStatus {
	w.t.Helper()
	s, err := w.control().Status(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Runs[0]
}

// A row whose call failed comes back by itself, with its own attempts, until they
// are used up; what a retry delivers counts in a run of its own.
func TestDueComesBack(t *testing.T) {
	for _, heals := range []int{1, 2, 99} {
		w := newWorld(t, 4, nil)
		pushes := 0
		w.crm.outcome = func(key string) *dest.Outcome {
			if key != "k1" || pushes >= heals*3 {
				return nil
			}
			pushes++
			return &dest.Outcome{Status: dest.Retry, Code: "UNABLE_TO_LOCK_ROW", Message: "locked"}
		}
		id := w.send("q", "k0", "k1", "k2")
		w.live(2 * time.Hour)
		s := w.status(id)
		errs := w.errors(id)
		if len(errs) != 1 {
			t.Fatalf("heals after %d attempts: errors %+v", heals, errs)
		}
		switch e := errs[0]; {
		case heals < 3:
			if w.crm.value("k1") == 0 || s.Retried != 1 || s.Due != 0 || e.Attempts != heals {
				t.Errorf("heals after %d attempts: holds %d, status %+v, error %+v", heals, w.crm.value("k1"), s, e)
			}
		default:
			if pushes != 9 || e.Attempts != 3 || !e.Due.IsZero() || s.Due != 0 {
				t.Errorf("never heals: %d pushes, error %+v, status %+v", pushes, e, s)
			}
		}
		if s.Status != run.Complete || s.Outcome != run.Partial {
			t.Errorf("heals after %d attempts: the run is %s, %s", heals, s.Status, s.Outcome)
		}
	}
}

// A newer row of the key closes the error: its replay is not sent.
func TestDueIsSuperseded(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.busy()
	w.send("q1", "k")
	w.once()
	w.crm.outcome = nil
	w.send("q2", "k")
	w.once()
	w.live(time.Hour)
	if w.crm.value("k") != 2 || w.crm.sends["k"] != 1 {
		t.Errorf("the vendor holds %d after %d sends", w.crm.value("k"), w.crm.sends["k"])
	}
}

// A newer row of the key that was refused closes the error too: the older value is not
// sent, and the newer row's error is the one that stays open.
func TestDueIsSupersededByAFailure(t *testing.T) {
	w := newWorld(t, 1, nil)
	answer := dest.Outcome{Status: dest.Retry, Code: "BUSY", Message: "busy"}
	tried := 0
	w.crm.outcome = func(string) *dest.Outcome {
		tried++
		return &answer
	}
	w.send("q1", "k")
	w.once()
	answer = dest.Outcome{Status: dest.Rejected, Code: "INVALID", Message: "no"}
	second := w.send("q2", "k")
	w.once()
	before := tried
	w.live(time.Hour)
	if tried != before {
		t.Errorf("the older row was sent %d times after the newer one was refused", tried-before)
	}
	if errs := w.errors(second); len(errs) != 1 || errs[0].Type != "INVALID" {
		t.Errorf("the newer row's errors: %+v", errs)
	}
}

// penstock_retry sends exactly the open errors again.
func TestRetry(t *testing.T) {
	w := newWorld(t, 2, nil)
	refuse := map[string]bool{"k1": true, "k2": true}
	w.crm.outcome = func(key string) *dest.Outcome {
		if refuse[key] {
			return rejectAll(key)
		}
		return nil
	}
	id := w.send("q", "k0", "k1", "k2")
	w.live(10 * time.Minute)
	refuse = nil
	w.send("q2", "k2") // closes k2's error
	w.live(5 * time.Minute)
	got, err := w.control().Retry(t.Context(), id, runs.Selector{}, "token")
	if err != nil || got.Queued != 1 || got.Superseded != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	again, err := w.control().Retry(t.Context(), id, runs.Selector{}, "token") // a repeated call
	if err != nil || again.Run != got.Run {
		t.Errorf("%+v, %v", again, err)
	}
	w.live(5 * time.Minute)
	if w.crm.value("k1") != 2 || w.crm.sends["k1"] != 1 || w.crm.value("k2") != 4 {
		t.Errorf("k1 %d sent %d times, k2 %d", w.crm.value("k1"), w.crm.sends["k1"], w.crm.value("k2"))
	}
	if s := w.status(id); s.Retried != 1 || s.Counts.Failed != 2 {
		t.Errorf("%+v", s)
	}
}

// bracket begins, pushes what begin asked for, finishes, and lets the run end.
func (w *world) bracket(token, mode string, objects ...string) runs.RunStatus {
	w.t.Helper()
	b, err := w.control().Begin(w.t.Context(), "accounts", mode, token)
	if err != nil || b.Run == "" {
		w.t.Fatalf("begin: %+v, %v", b, err)
	}
	w.push(batch(token, token, b.Run, objects...))
	w.live(2 * time.Minute)
	if _, err := w.control().Finish(w.t.Context(), b.Run, int64(len(objects))); err != nil {
		w.t.Fatal(err)
	}
	w.live(2 * time.Minute)
	return w.status(b.Run)
}

func (w *world) watermark() string {
	w.t.Helper()
	s, err := w.control().Status(w.t.Context(), "accounts")
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Watermark
}

// The mark is held at a failed row's cursor, and moves on when it is right.
func TestHold(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.crm.outcome = func(key string) *dest.Outcome {
		if key == "b" {
			return rejectAll(key)
		}
		return nil
	}
	w.bracket("t1", "incremental", object("a", 5), object("b", 7), object("c", 9))
	if got := w.watermark(); got != "7" {
		t.Errorf("the watermark is %s, want the failed row's 7", got)
	}
	w.crm.outcome = nil
	w.bracket("t2", "incremental", object("b", 7), object("c", 9))
	if got := w.watermark(); got != "9" {
		t.Errorf("the watermark is %s", got)
	}
	if w.crm.sends["c"] != 1 {
		t.Errorf("an unchanged row was sent %d times", w.crm.sends["c"])
	}
}

// A halted version's bracketed run ends failed, its mark stays, and the next run of
// the mended version selects its rows.
func TestHaltedRun(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.bracket("t0", "incremental", object("z", 1))
	w.crm.fail = func([]string) *dest.CallError {
		return &dest.CallError{Op: "upsert", Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "INVALID_FIELD", Message: "no such field"}
	}
	b, err := w.control().Begin(t.Context(), "accounts", "", "t1")
	if err != nil {
		t.Fatal(err)
	}
	w.push(batch("t1", "t1", b.Run, object("a", 5), object("b", 7)))
	if _, err := w.control().Finish(t.Context(), b.Run, 2); err != nil {
		t.Fatal(err)
	}
	w.live(2 * time.Minute)
	if s := w.status(b.Run); s.Waits == "" {
		t.Errorf("the waiting run does not say what it waits for: %+v", s)
	}
	w.live(20 * time.Minute)
	s := w.status(b.Run)
	errs := w.errors(b.Run)
	if s.Status != run.Failed || s.Reason == "" || s.Counts.Failed != 2 || len(errs) != 1 || !slices.Equal(errs[0].Summary, []int{0, 1}) {
		t.Errorf("%+v, errors %+v", s, errs)
	}
	if got := w.watermark(); got != "1" {
		t.Errorf("the watermark is %s", got)
	}
	w.crm.fail = nil
	d := accounts(1)
	d.Fields = d.Fields[:1]
	w.apply(d)
	next, err := w.control().Begin(t.Context(), "accounts", "", "t2")
	if err != nil || next.Select != runs.All {
		t.Errorf("after the mapping changed: %+v, %v", next, err)
	}
}

// A row whose key has an open error ends as an error of its own when its version fails
// the run: the mark may be past it, so that no later run selects it.
func TestHaltedRunKeepsErrorsOpen(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) { c.once, d.Operation = true, syncdef.Insert })
	w.crm.outcome = func(string) *dest.Outcome {
		return &dest.Outcome{Status: dest.Rejected, Code: "INVALID", Message: "no"}
	}
	w.send("q1", "k")
	w.once()
	w.crm.outcome = nil
	w.crm.fail = func([]string) *dest.CallError {
		return &dest.CallError{Op: "insert", Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "INVALID_FIELD", Message: "no such field"}
	}
	b, err := w.control().Begin(t.Context(), "accounts", "full", "t1")
	if err != nil {
		t.Fatal(err)
	}
	w.push(batch("t1", "t1", b.Run, object("k", 5), object("l", 7)))
	w.finish(b.Run, 2)
	w.live(20 * time.Minute)
	if s := w.status(b.Run); s.Status != run.Failed || s.Counts.Failed != 2 {
		t.Fatalf("%+v", s)
	}
	w.crm.fail = nil
	if a, err := w.control().Retry(t.Context(), b.Run, runs.Selector{}, "token"); err != nil {
		t.Fatal(a, err)
	}
	w.live(time.Hour)
	if w.crm.value("k") != 5 || w.crm.sends["k"] != 1 || w.crm.sends["l"] != 0 {
		t.Errorf("k is %d after %d sends, l was sent %d times", w.crm.value("k"), w.crm.sends["k"], w.crm.sends["l"])
	}
}

// A row of a cancelled run is not sent, and supersedes nobody.
func TestCancel(t *testing.T) {
	w := newWorld(t, 1, nil)
	b, err := w.control().Begin(t.Context(), "accounts", "", "t1")
	if err != nil {
		t.Fatal(err)
	}
	other := w.push(batch("q", "q1", "accounts", object("k", 10)))[0].Run
	w.push(batch("t1", "t1", b.Run, object("k", 11), object("l", 1)))
	if _, err := w.control().Cancel(t.Context(), b.Run, "the model was wrong"); err != nil {
		t.Fatal(err)
	}
	w.live(5 * time.Minute)
	if w.crm.value("k") != 10 || w.crm.value("l") != 0 {
		t.Errorf("k %d, l %d", w.crm.value("k"), w.crm.value("l"))
	}
	if s := w.status(b.Run); s.Status != run.Cancelled || s.Counts.Cancelled != 2 {
		t.Errorf("%+v", s)
	}
	if c := w.counts(other); c.Delivered != 1 {
		t.Errorf("%+v", c)
	}
}

// Two syncs of one connection, one of them wrong, beside a poison row: every other
// row is delivered within a minute.
func TestHostileNeighbours(t *testing.T) {
	w := newWorld(t, 4, func(c *crm, _ *syncdef.Definition) { c.most = 200 })
	wrong := accounts(4)
	wrong.Sync = "wrong"
	if err := w.store.Apply(t.Context(), syncdef.NewVersion(wrong, w.crm.rules(), w.now)); err != nil {
		t.Fatal(err)
	}
	w.crm.fail = func(keys []string) *dest.CallError {
		if keys[0][0] == 'w' {
			return &dest.CallError{Op: "upsert", Class: dest.Refused, Scope: dest.ScopeVersion, Code: "INVALID_FIELD", Message: "no such field"}
		}
		if slices.Contains(keys, "g100") {
			return failed(dest.Unavailable, "500")
		}
		return nil
	}
	var rows, bad []string
	for i := range 400 {
		rows = append(rows, object(fmt.Sprint("g", i), i+1))
		bad = append(bad, object(fmt.Sprint("w", i), i+1))
	}
	w.push(batch("q1", "b1", "wrong", bad...))
	good := w.push(batch("q2", "b2", "accounts", rows...))[0].Run
	w.live(time.Minute)
	if c := w.counts(good); c.Delivered != 399 || c.Failed != 1 {
		t.Errorf("after a minute: %+v", c)
	}
}

// Rows of a plain push whose version cannot be delivered come back for as long as it
// takes, one message in ten minutes, and use up no attempt of their own: once the
// version is mended a row that is locked for a moment still has its three (I9).
func TestHaltedPlainPush(t *testing.T) {
	w := newWorld(t, 1, nil)
	broken := &dest.CallError{Op: "upsert", Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "INVALID_FIELD", Message: "no such field"}
	w.crm.fail = func([]string) *dest.CallError { return broken }
	id := w.send("q", "a", "b")
	w.live(26 * time.Hour)
	calls := w.crm.calls
	w.live(2 * time.Hour)
	if n := w.crm.calls - calls; n < 6 || n > 14 {
		t.Errorf("%d calls in two hours of a halted version", n)
	}
	s := w.status(id)
	errs := w.errors(id)
	if len(errs) != 2 || errs[0].Attempts < 20 || errs[0].Halted != errs[0].Attempts || s.Due+s.Again != 2 {
		t.Fatalf("%+v, errors %+v", s, errs)
	}
	w.crm.fail = nil
	locked := 2 * tries
	w.crm.outcome = func(key string) *dest.Outcome {
		if key == "a" && locked > 0 {
			locked--
			return &dest.Outcome{Status: dest.Retry, Code: "UNABLE_TO_LOCK_ROW", Message: "locked"}
		}
		return nil
	}
	w.live(3 * time.Hour)
	s = w.status(id)
	if w.crm.value("a") == 0 || w.crm.value("b") == 0 || s.Retried != 2 || s.Due+s.Again != 0 {
		t.Errorf("a %d, b %d, %+v, errors %+v", w.crm.value("a"), w.crm.value("b"), s, w.errors(id))
	}
}

// tries are a row's in one invocation.
const tries = 3

// A row that was due and is on its way again is told: neither due nor delivered.
func TestHandedInIsTold(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.busy()
	id := w.send("q", "a", "b")
	w.once()
	if s := w.status(id); s.Due != 2 || s.Again != 0 || s.Retried != 0 {
		t.Errorf("stored: %+v", s)
	}
	w.now = w.now.Add(time.Hour)
	w.sweep()
	if s := w.status(id); s.Due != 0 || s.Again != 2 || s.Retried != 0 {
		t.Errorf("handed in: %+v", s)
	}
	w.crm.outcome = nil
	w.drain(time.Hour)
	if s := w.status(id); s.Due != 0 || s.Again != 0 || s.Retried != 2 {
		t.Errorf("delivered: %+v", s)
	}
}

// unrecorded is a process that dies before it counts a message.
type unrecorded struct{ *sqlite.Store }

func (unrecorded) RecordChunk(context.Context, string, string, int, run.Chunk) (bool, error) {
	panic(death{})
}

// Errors that an attempt stored and did not count are among the groups of their run.
func TestGroupsAfterDeath(t *testing.T) {
	for name, once := range map[string]bool{"upsert": false, "insert": true} {
		w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) {
			if c.once = once; once {
				d.Operation = syncdef.Insert
			}
		})
		w.crm.outcome = func(key string) *dest.Outcome {
			if key == "lost" {
				return &dest.Outcome{Status: dest.Unknown, Message: "no answer"}
			}
			return rejectAll(key)
		}
		keys := []string{"a", "b"}
		if once {
			keys = append(keys, "lost")
		}
		id := w.send("q", keys...)
		w.deliver.Chunks = unrecorded{w.store}
		w.survives(w.receive())
		w.boot()
		w.now = w.now.Add(2 * hidden)
		w.drain(time.Hour)
		rows := int64(0)
		s := w.status(id)
		for _, g := range s.Groups {
			rows += g.Rows
		}
		if rows != int64(len(keys)) || s.Counts.Failed != rows {
			t.Errorf("%s: groups %+v, counts %+v", name, s.Groups, s.Counts)
		}
	}
}

// What comes back by itself of a run that is cancelled meanwhile is not sent, also when
// it is queued already; a retry that a person asked for is.
func TestCancelDuringRetry(t *testing.T) {
	for _, asked := range []bool{false, true} {
		w := newWorld(t, 1, nil)
		w.busy()
		id := w.send("q", "a")
		w.once()
		if asked {
			if _, err := w.control().Retry(t.Context(), id, runs.Selector{}, "token"); err != nil {
				t.Fatal(err)
			}
		} else {
			w.now = w.now.Add(time.Minute)
			s := &runs.Sweep{Stores: w.stores(), Replayer: w.intake, Remover: w.intake, Policy: run.Policy{Quiet: time.Hour, Keep: time.Hour}, Now: w.clock}
			if err := s.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if w.depth() != 1 {
			t.Fatalf("asked %v: %d messages", asked, w.depth())
		}
		if _, err := w.control().Cancel(t.Context(), id, ""); err != nil {
			t.Fatal(err)
		}
		w.crm.outcome = nil
		w.drain(time.Hour)
		if sent := w.crm.sends["a"] > 0; sent != asked {
			t.Errorf("asked %v: sent %v", asked, sent)
		}
		if s := w.status(id); !asked && s.Due+s.Again != 0 {
			t.Errorf("asked %v: %+v", asked, s)
		}
	}
}
