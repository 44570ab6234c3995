package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// One row that makes the vendor answer 500 costs itself only: the others are
// delivered at once, and it becomes a stored error that is due again (I9).
func TestPoisonCall(t *testing.T) {
	for _, lanes := range []int{1, 4} {
		w := newWorld(t, lanes, func(c *crm, _ *syncdef.Definition) { c.most = 200 })
		w.crm.fail = func(keys []string) *dest.CallError {
			if slices.Contains(keys, "bad") {
				return failed(dest.Unavailable, "500")
			}
			return nil
		}
		bad := w.send("q0", "bad")
		var keys []string
		for i := range 40 {
			keys = append(keys, fmt.Sprint("g", i))
		}
		good := w.send("q1", keys...)
		mixed := w.send("q2", append([]string{"bad"}, keys...)...)
		took := w.drain(time.Hour)
		if took > time.Minute {
			t.Errorf("lanes %d: settled after %v", lanes, took)
		}
		for _, k := range keys {
			if w.crm.value(k) == 0 {
				t.Errorf("lanes %d: %s was not delivered", lanes, k)
			}
		}
		if got := w.errorTypes(good); len(got) > 0 {
			t.Errorf("lanes %d: good rows ended as errors %v", lanes, got)
		}
		for _, id := range []string{bad, mixed} {
			errs := w.errors(id)
			if id == bad && len(errs) == 0 { // superseded by the later row of its key, in hand
				continue
			}
			if len(errs) != 1 || errs[0].Type != "500" || errs[0].Due.IsZero() || errs[0].Attempts != 1 {
				t.Errorf("lanes %d: errors of the poison row's run %+v", lanes, errs)
			}
		}
	}
}

// A poison row among 200 in full calls: the call is halved at once.
func TestPoisonAmongMany(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most = 200 })
	var keys []string
	for i := range 200 {
		keys = append(keys, fmt.Sprint("g", i))
	}
	keys[77] = "bad"
	w.crm.fail = func(keys []string) *dest.CallError {
		if slices.Contains(keys, "bad") {
			return &dest.CallError{Op: "upsert", Class: dest.Unavailable, Code: "500", Message: "500", Received: true}
		}
		return nil
	}
	id := w.send("q", keys...)
	w.once()
	if c := w.counts(id); c.Delivered != 199 || c.Failed != 1 {
		t.Errorf("counts %+v, errors %v", c, w.errorTypes(id))
	}
	if w.crm.calls > 25 {
		t.Errorf("%d calls for one poison row of 200", w.crm.calls)
	}
}

// A version that cannot be delivered halts alone: another sync of the same
// connection goes on, and the version's run ends failed after three tries over ten
// minutes.
func TestBrokenVersion(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most = 200 })
	other := accounts(1)
	other.Sync = "others"
	if err := w.store.Apply(t.Context(), syncdef.NewVersion(other, w.crm.rules(), w.now)); err != nil {
		t.Fatal(err)
	}
	broken := map[string]bool{}
	for i := range 20 {
		broken[fmt.Sprint("b", i)] = true
	}
	for name, fail := range map[string]func(keys []string) *dest.CallError{
		"told": func(keys []string) *dest.CallError {
			if broken[keys[0]] {
				return &dest.CallError{Op: "upsert", Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "INVALID_FIELD", Message: "no such field"}
			}
			return nil
		},
		"found out": func(keys []string) *dest.CallError {
			if broken[keys[0]] {
				return failed(dest.Unavailable, "500")
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most = 200 })
			if err := w.store.Apply(t.Context(), syncdef.NewVersion(other, w.crm.rules(), w.now)); err != nil {
				t.Fatal(err)
			}
			w.crm.fail = fail
			var keys []string
			for k := range broken {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			bad := w.send("q0", keys...)
			w.once()
			w.now = w.now.Add(time.Second)
			good := w.push(batch("q1", "q1:1", "others", object("x", 1)))[0].Run
			w.once()
			if c := w.counts(good); c.Delivered != 1 {
				t.Fatalf("the other sync's run %+v", c)
			}
			if h, err := w.store.Halt(t.Context(), "accounts", w.version.ID); err != nil || h.Tries != 1 {
				t.Errorf("halt %+v, %v", h, err)
			}
			calls := w.crm.calls
			if took := w.drain(time.Hour); took > 15*time.Minute {
				t.Errorf("the broken version's rows were settled after %v", took)
			}
			if n := w.crm.calls - calls; n > 30 {
				t.Errorf("%d further calls of a halted version", n)
			}
			errs := w.errors(bad)
			if len(errs) != 20 || errs[0].Due.IsZero() {
				t.Fatalf("%d errors of the plain push's rows, the first %+v", len(errs), errs[0])
			}
			// It is mended: any success ends the halt.
			w.crm.fail = nil
			w.now = w.now.Add(11 * time.Minute)
			w.send("q2", "b1")
			w.drain(time.Hour)
			if w.crm.value("b1") == 0 {
				t.Error("after the version was mended its row was not delivered")
			}
			if _, err := w.store.Halt(t.Context(), "accounts", w.version.ID); !errors.Is(err, run.ErrNotFound) {
				t.Errorf("the halt is still there: %v", err)
			}
		})
	}
}

// Rows that fail alone are no broken version's where the quota ends before the others
// were tried: each becomes its own error, and no other row waits for a halt.
func TestQuotaEndsAmidTheEvidence(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most = 20 })
	w.byQuota()
	w.grant(8) // four at once: the call, both halves, one row
	keys := make([]string, 20)
	for n := range keys {
		keys[n] = fmt.Sprint("g", n)
	}
	keys[0], keys[15] = "bad0", "bad1"
	w.crm.fail = func(keys []string) *dest.CallError {
		if slices.Contains(keys, "bad0") || slices.Contains(keys, "bad1") {
			return failed(dest.Unavailable, "500")
		}
		return nil
	}
	id := w.send("q", keys...)
	w.once()
	if h, err := w.store.Halt(t.Context(), "accounts", w.version.ID); !errors.Is(err, run.ErrNotFound) {
		t.Errorf("halted after %d calls: %+v, %v", w.crm.calls, h, err)
	}
	if w.crm.calls != 4 {
		t.Errorf("%d calls", w.crm.calls)
	}
	w.grant(1000)
	if took := w.drain(time.Hour); took > 5*time.Minute {
		t.Errorf("settled after %v", took)
	}
	if c := w.counts(id); c.Delivered != 18 || c.Failed != 2 {
		t.Errorf("counts %+v, errors %v", c, w.errorTypes(id))
	}
}

// A whole connection that is down is waited out: no errors, few calls, and the
// rows go out when it is back.
func TestConnectionDown(t *testing.T) {
	w := newWorld(t, 4, nil)
	w.crm.down = failed(dest.Unavailable, "503")
	var keys []string
	for i := range 40 {
		keys = append(keys, fmt.Sprint("g", i))
	}
	id := w.send("q", keys...)
	w.drain(5 * time.Hour)
	if c := w.counts(id); c.Failed > 0 || c.Settled() > 0 {
		t.Fatalf("rows were settled during an outage: %+v %v", c, w.errorTypes(id))
	}
	if n := w.crm.calls + w.crm.probes; n > 60 {
		t.Errorf("%d calls and probes in 5 hours of outage", n)
	}
	s, err := w.store.Pace(t.Context(), "prod")
	if err != nil || s.Reason == "" {
		t.Errorf("the pause says nothing: %+v, %v", s, err)
	}
	w.crm.down = nil
	if took := w.drain(3 * time.Hour); took > 90*time.Minute {
		t.Errorf("after the outage of 5 hours the rows took %v", took)
	}
	if c := w.counts(id); c.Delivered != 40 {
		t.Errorf("counts %+v", c)
	}
}

// What calls need and the probe does not is missing: the connection is waited out as one
// that is down, and says since when. What passes in moments is asked for again in moments,
// and a failure long after the last one was mended is a new one.
func TestCallsFailAndProbesDoNot(t *testing.T) {
	for name, c := range map[string]struct {
		failed *dest.CallError
		lasts  bool
	}{
		"a scope is missing":  {&dest.CallError{Op: "post", Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "missing_scope", Message: "chat:write is missing"}, true},
		"a limit without end": {&dest.CallError{Op: "post", Class: dest.Throttled, Scope: dest.ScopeConnection, Code: "message_limit_exceeded", Message: "the team has used up its messages"}, true},
		"a limit of seconds":  {&dest.CallError{Op: "post", Class: dest.Throttled, Scope: dest.ScopeConnection, Quota: dest.QuotaSecond, Code: "429", Message: "slow down"}, false},
	} {
		w := newWorld(t, 4, nil)
		w.crm.fail = func([]string) *dest.CallError { return c.failed }
		began := w.now
		id := w.send("q", many("g", 40)...)
		w.drain(5 * time.Hour)
		if k := w.counts(id); k.Failed > 0 || k.Settled() > 0 {
			t.Fatalf("%s: rows were settled: %+v %v", name, k, w.errorTypes(id))
		}
		s, err := w.store.Pace(t.Context(), "prod")
		if err != nil {
			t.Fatal(err)
		}
		if few := w.crm.probes <= 60 && w.crm.calls <= 120; few != c.lasts {
			t.Errorf("%s: %d calls and %d probes in 5 hours", name, w.crm.calls, w.crm.probes)
		}
		if late := s.Since.Sub(began); c.lasts && late > time.Minute {
			t.Errorf("%s: the pause is told to have begun %v after it did: %+v", name, late, s)
		}
		failing := w.crm.fail
		w.crm.fail = nil
		if took := w.drain(3 * time.Hour); took > 90*time.Minute || w.counts(id).Delivered != 40 {
			t.Errorf("%s: after 5 hours the rows took %v: %+v", name, took, w.counts(id))
		}
		w.now = w.now.Add(2 * time.Minute)
		w.crm.fail = failing
		w.send("q2", "h")
		w.once()
		if s, err := w.store.Pace(t.Context(), "prod"); err != nil || s.Since.Before(w.now.Add(-time.Minute)) || s.Until.After(w.now.Add(time.Minute)) {
			t.Errorf("%s: a failure after one that was mended: %+v, %v", name, s, err)
		}
	}
}

// After a Retry-After one probe goes out, not a call of each lane.
func TestRetryAfter(t *testing.T) {
	for _, after := range []time.Duration{5 * time.Minute, 20 * time.Hour, 30 * 24 * time.Hour} {
		w := newWorld(t, 8, nil)
		var keys []string
		for i := range 80 {
			keys = append(keys, fmt.Sprint("g", i))
		}
		first := true
		w.crm.fail = func([]string) *dest.CallError {
			if !first {
				return nil
			}
			first = false
			return &dest.CallError{Op: "upsert", Class: dest.Throttled, Message: "429", After: after}
		}
		id := w.send("q", keys...)
		took := w.drain(14 * time.Hour)
		if took > 13*time.Hour || took < min(after, 12*time.Hour) {
			t.Errorf("Retry-After %v: settled after %v", after, took)
		}
		if c := w.counts(id); c.Delivered != 80 {
			t.Errorf("counts %+v", c)
		}
		if w.crm.probes != 1 {
			t.Errorf("%d probes", w.crm.probes)
		}
	}
}

// A failure of our own storage is no crash and no attempt: the rows wait and go out.
func TestStorageOutage(t *testing.T) {
	w := newWorld(t, 1, nil)
	id := w.send("q", "k0", "k1")
	w.receive() // a first receive reads no record
	w.now = w.now.Add(2 * hidden)
	broken := &brokenStore{Store: w.store}
	for name, arm := range map[string]func(){
		"ledger read": func() { w.deliver.Ledger = brokenLedger{w.store, true} }, "ledger write": func() { w.deliver.Ledger = brokenLedger{w.store, false} },
		"errors": func() { w.crm.outcome = rejectAll; w.deliver.Errors = broken }, "chunks": func() { w.deliver.Chunks = broken },
		"tokens": func() { w.crm.quota = manyCalls; w.deliver.Tokens = broken }, "run": func() { w.deliver.Runs = broken },
	} {
		w.boot()
		w.crm.outcome, w.crm.quota = nil, nil
		arm()
		for range 8 {
			if r := w.once(); len(r.Storage) == 0 && w.depth() > 0 && len(r.Stay) > 0 {
				t.Errorf("%s: the invocation does not say that storage failed", name)
			}
			w.now = w.now.Add(20 * time.Minute)
		}
		if c := w.counts(id); c.Settled() > 0 {
			t.Fatalf("%s: rows were settled during the outage: %+v, errors %v", name, c, w.errorTypes(id))
		}
	}
	w.boot()
	w.crm.outcome, w.crm.quota = nil, nil
	w.drain(time.Hour)
	if c := w.counts(id); c.Delivered+c.Unchanged != 2 || len(w.errorTypes(id)) > 0 {
		t.Errorf("after the outage: %+v, errors %v", c, w.errorTypes(id))
	}
}

func rejectAll(string) *dest.Outcome {
	return &dest.Outcome{Status: dest.Rejected, Code: "refused", Message: "never"}
}

// Workers that die on one row cost the other messages and rows nothing.
func TestDeaths(t *testing.T) {
	w := newWorld(t, 4, nil)
	var keys []string
	for i := range 30 {
		keys = append(keys, fmt.Sprint("g", i))
	}
	bad := w.send("q0", "bad", "good1", "good2")
	good := w.send("q1", keys...)
	deaths := 0
	w.deliver.Ledger = deadlyLedger{w.store}
	start := w.now
	for w.now.Sub(start) < 30*time.Minute && w.depth() > 0 {
		in := w.receive()
		if len(in) == 0 {
			w.now = w.now.Add(5 * time.Second)
			continue
		}
		if !w.survives(in) {
			deaths++
			w.boot()
			w.deliver.Ledger = deadlyLedger{w.store}
		}
	}
	if deaths == 0 {
		t.Fatal("nothing died")
	}
	if c := w.counts(good); c.Delivered != 30 {
		t.Errorf("the good run %+v, errors %v", c, w.errorTypes(good))
	}
	if c := w.counts(bad); c.Delivered != 2 || w.errorTypes(bad)["crashed"] != 1 {
		t.Errorf("the bad run %+v, errors %v after %d deaths", c, w.errorTypes(bad), deaths)
	}
	hold := ""
	if err := w.store.Chunks(t.Context(), bad, func(_ string, _ int, c run.Chunk) error { hold = run.Least(hold, c.Hold); return nil }); err != nil {
		t.Fatal(err)
	}
	if hold != "1" { // the row's cursor (I4)
		t.Errorf("the row that killed its workers holds the mark at %q", hold)
	}
}

// Order is by acceptance, never by arrival or clock (I3).
func TestOrder(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.push(batch("q1", "b1", "accounts", object("k", 1)))
	first := w.receive()
	w.now = w.now.Add(-time.Hour) // the machine's clock is set back
	w.boot()
	w.push(batch("q2", "b2", "accounts", object("k", 2)))
	w.now = w.now.Add(2 * time.Hour)
	w.handle(first)
	w.drain(time.Hour)
	if got := w.crm.value("k"); got != 2 {
		t.Errorf("the vendor holds %d", got)
	}
}

// An insert that cannot be looked up and whose answer was lost is not sent again.
func TestUnknownInsert(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) { c.once, d.Operation = true, syncdef.Insert })
	w.crm.late = func(keys []string) *dest.CallError {
		return &dest.CallError{Op: "create", Class: dest.Unavailable, Code: "timeout", Message: "no answer", Received: true}
	}
	id := w.send("q", "a", "b")
	w.drain(time.Hour)
	w.crm.late = nil
	for _, k := range []string{"a", "b"} {
		if w.crm.sends[k] != 1 {
			t.Errorf("%s was sent %d times", k, w.crm.sends[k])
		}
	}
	if got := w.errorTypes(id); got["unknown"] != 2 {
		t.Errorf("errors %v", got)
	}
	w.send("q2", "a") // a later row of the key cannot know either
	w.drain(time.Hour)
	if w.crm.sends["a"] != 1 {
		t.Errorf("a later row sent it again")
	}
}

// A worker that dies after it sent an insert leaves an intent: the row is unknown.
func TestInsertDeath(t *testing.T) {
	for _, lookup := range []bool{false, true} {
		w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) { c.once, c.lookup, d.Operation = true, lookup, syncdef.Insert })
		id := w.send("q", "a", "b")
		w.deliver.Ledger = brokenLedger{w.store, false}
		w.crm.during = func([]string) { w.deliver.Ledger = brokenLedger{w.store, false} }
		dies := dyingLedger{Store: w.store}
		w.deliver.Ledger = &dies
		w.survives(w.receive())
		w.boot()
		w.now = w.now.Add(2 * hidden)
		w.drain(time.Hour)
		for _, k := range []string{"a", "b"} {
			if w.crm.sends[k] != 1 {
				t.Errorf("lookup %v: %s was sent %d times", lookup, k, w.crm.sends[k])
			}
		}
		c := w.counts(id)
		if lookup && c.Delivered != 2 || !lookup && w.errorTypes(id)["unknown"] != 2 {
			t.Errorf("lookup %v: %+v, errors %v", lookup, c, w.errorTypes(id))
		}
	}
}

// A message that cannot be read, and a version that does not compile, are stored
// as errors by themselves; what is behind them goes on.
func TestUnreadable(t *testing.T) {
	w := newWorld(t, 1, nil)
	if _, err := w.store.Send(t.Context(), "crm", []envelope.Message{{Group: "accounts.0", Dedup: "x", Body: []byte("format 9 of a later release")}}); err != nil {
		t.Fatal(err)
	}
	bad := w.send("q0", "bad")
	old := w.version.ID
	d := accounts(1)
	d.BatchSize = 999
	w.apply(d)
	w.boot()
	w.deliver.Syncs = oldBroken{w.store, old}
	good := w.send("q1", "k0")
	if took := w.drain(time.Hour); took > time.Minute {
		t.Errorf("settled after %v", took)
	}
	if c := w.counts(good); c.Delivered != 1 {
		t.Errorf("the good run %+v", c)
	}
	if got := w.errorTypes(bad); got["unusable_version"] != 1 {
		t.Errorf("errors of the version that cannot be carried out: %v", got)
	}
	if got := w.errorTypes("unreadable.messages"); got["unreadable_message"] != 1 {
		t.Errorf("errors of unreadable messages: %v", got)
	}
}

// Rows whose key has an open error travel apart from the others, behind them: a fault
// that is known fails no call of good rows.
func TestKnownFaultsTravelApart(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most = 400 })
	w.crm.outcome = func(key string) *dest.Outcome {
		if key == "bad" {
			return rejectAll(key)
		}
		return nil
	}
	var calls [][]string
	w.crm.during = func(keys []string) { calls = append(calls, keys) }
	good := many("g", 200)
	rows := slices.Concat(good[:100], []string{"bad"}, good[100:])
	for n, want := range [][][]string{{rows}, {good, {"bad"}}} {
		calls, w.crm.sizes = nil, nil
		id := w.send(fmt.Sprint("q", n), rows...)
		w.once()
		if !slices.EqualFunc(calls, want, slices.Equal) {
			t.Errorf("push %d: calls of %v rows, want the good ones together in %d", n+1, w.crm.sizes, len(want))
		}
		if c := w.counts(id); c.Delivered != 200 || c.Failed != 1 {
			t.Errorf("push %d: %+v", n+1, c)
		}
	}
}

// A row that is busy is tried three times at once, then stored and due; its
// neighbours do not wait, and its attempts are its own.
func TestBusyRow(t *testing.T) {
	w := newWorld(t, 1, nil)
	tried := 0
	w.crm.outcome = func(key string) *dest.Outcome {
		if key != "k1" {
			return nil
		}
		tried++
		return &dest.Outcome{Status: dest.Retry, Code: "UNABLE_TO_LOCK_ROW", Message: "locked"}
	}
	id := w.send("q", "k0", "k1", "k2", "k3")
	w.once()
	if c := w.counts(id); c.Delivered != 3 || c.Failed != 1 {
		t.Fatalf("%+v", c)
	}
	errs := w.errors(id)
	if tried != 3 || len(errs) != 1 || errs[0].Attempts != 1 || errs[0].Due.IsZero() || errs[0].Type != "UNABLE_TO_LOCK_ROW" {
		t.Errorf("tried %d times, errors %+v", tried, errs)
	}
	due, err := w.store.DueItems(t.Context(), "accounts", w.now.Add(time.Hour), 10)
	if err != nil || len(due) != 1 || !slices.Equal(due[0].Rows, []int{1}) || due[0].Attempts != 1 {
		t.Errorf("due %+v, %v", due, err)
	}
}

// A refused row keeps the destination's id; a record that the vendor made anew
// gets the whole row at once.
func TestHeldIsKept(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.send("q1", "k1")
	w.once()
	w.crm.outcome = rejectAll
	w.send("q2", "k1")
	w.once()
	e, err := w.store.Entries(t.Context(), w.target(), []string{"k1"})
	if err != nil || e["k1"].Held.ID != "id-k1" || e["k1"].Held.Fingerprint.Void() || e["k1"].Last.Error == "" {
		t.Errorf("%+v, %v", e["k1"], err)
	}
	w.crm.outcome = nil
	delete(w.crm.records, "k1")
	w.send("q3", "k1")
	w.once()
	if got := w.crm.records["k1"]["Constant__c"]; got != `"c"` {
		t.Errorf("the record made anew lacks the unchanged field: %v", w.crm.records["k1"])
	}
}

// A record that was made anew from the changed fields gets the others too, where the
// invocation's time is over by then, and where the answer that would have told is lost.
func TestMadeAnewGetsTheWholeRow(t *testing.T) {
	for name, prevent := range map[string]func(*world){
		"no time": func(w *world) {
			w.crm.stored = func(string) { w.crm.stored, w.now = nil, w.now.Add(57*time.Second) }
		},
		"no answer": func(w *world) {
			w.crm.late = func([]string) *dest.CallError {
				w.crm.late = nil
				return &dest.CallError{Op: "push", Class: dest.Unavailable, Received: true, Code: "500"}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.idless = true })
			w.now = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC) // contexts end by the real clock
			w.send("q1", "k1")
			w.once()
			delete(w.crm.records, "k1")
			prevent(w)
			run := w.send("q2", "k1")
			w.handleWithin(cutOff{t.Context(), w.now.Add(time.Minute)}, w.receive())
			w.drain(time.Minute)
			if got := w.crm.records["k1"]; got["Constant__c"] != `"c"` || got["Value__c"] != "2" {
				t.Errorf("the record made anew: %v", got)
			}
			if r := w.status(run); r.Counts.Delivered != 1 || r.Counts.Failed != 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// An outage that begins amid the work, without a word whose failure it is, is told
// by the probe: no row becomes an error.
func TestConnectionGoesDown(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most = 20 })
	w.send("q0", "known") // the account is known from here on
	w.once()
	w.crm.down = failed(dest.Unavailable, "503")
	var keys []string
	for i := range 20 {
		keys = append(keys, fmt.Sprint("g", i))
	}
	id := w.send("q", keys...)
	w.drain(time.Hour)
	if c := w.counts(id); c.Settled() > 0 {
		t.Fatalf("rows were settled during an outage: %+v %v", c, w.errorTypes(id))
	}
	if _, err := w.store.Halt(t.Context(), "accounts", w.version.ID); !errors.Is(err, run.ErrNotFound) {
		t.Errorf("the version is halted for an outage: %v", err)
	}
}

// brokenVisibility cannot hide messages.
type brokenVisibility struct{ *sqlite.Store }

func (brokenVisibility) Hide(context.Context, string, string, time.Duration) error { return errStorage }

// brokenReturn cannot note that a message goes back.
type brokenReturn struct{ *sqlite.Store }

func (brokenReturn) ReturnChunk(context.Context, string, string, int, int, time.Time, time.Time) error {
	return errStorage
}

// A hand-back that fails is told, and the message stays in the queue all the same.
func TestHandBackFails(t *testing.T) {
	for name, arm := range map[string]func(w *world){
		"hide": func(w *world) { w.deliver.Visibility = brokenVisibility{w.store} },
		"note": func(w *world) { w.deliver.Chunks = brokenReturn{w.store} },
	} {
		w := newWorld(t, 1, nil)
		w.send("q", "a")
		w.receive()
		w.now = w.now.Add(2 * hidden) // received before, so that there is a mark to take back
		w.crm.down = failed(dest.Unavailable, "503")
		arm(w)
		r := w.once()
		if len(r.Storage) != 1 || len(r.Stay) != 1 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// The call size that halving reached is kept with a message that goes back: the next
// invocation begins with it.
func TestCallSizeIsKept(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most = 16 })
	var keys []string
	for i := range 16 {
		keys = append(keys, fmt.Sprint("g", i))
	}
	id := w.send("q", keys...)
	batches, err := w.store.Batches(t.Context(), id)
	if err != nil || len(batches) != 1 {
		t.Fatal(batches, err)
	}
	if err := w.store.ReturnChunk(t.Context(), id, batches[0].ID, 0, 4, time.Time{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	w.receive() // a first receive has nothing behind it
	w.now = w.now.Add(2 * hidden)
	w.once()
	if slices.Max(w.crm.sizes) != 4 {
		t.Errorf("calls of %v rows, want none over 4", w.crm.sizes)
	}
}
