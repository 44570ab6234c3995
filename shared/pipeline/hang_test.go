package pipeline_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// newSlowWorld is a world whose calls take as long as the crm says, and are given up as a
// worker does. Its clock is ahead of the real one, so that no real timer ends a call.
func newSlowWorld(t *testing.T, change func(*crm, *syncdef.Definition)) *world {
	t.Helper()
	w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) {
		c.most, c.repeats = 200, true
		if change != nil {
			change(c, d)
		}
	})
	w.now = time.Date(2100, 1, 4, 12, 0, 0, 0, time.UTC)
	w.crm.pass = func(d time.Duration) { w.now = w.now.Add(d) }
	w.boot()
	w.deliver.Timeout = deliver.Timeout
	return w
}

// keys200 are the keys of a call of full size.
func keys200() (keys []string) {
	for n := range 200 {
		keys = append(keys, fmt.Sprintf("k%03d", n))
	}
	return keys
}

// hangsWith has every call hang that holds a bad key; others take so long.
func hangsWith(bad map[string]bool, other time.Duration) func([]string) time.Duration {
	return func(keys []string) time.Duration {
		if slices.ContainsFunc(keys, func(k string) bool { return bad[k] }) {
			return hangs
		}
		return other
	}
}

// One row that makes every call with it hang keeps no other for a minute, is tried by itself
// at full length, and comes back when it is due.
func TestRowThatHangs(t *testing.T) {
	for _, at := range []string{"push", "lookup"} {
		t.Run(at, func(t *testing.T) {
			w := newSlowWorld(t, func(c *crm, _ *syncdef.Definition) { c.finds = at == "lookup" })
			bad := map[string]bool{"k077": true}
			if at == "lookup" { // they are there, and a lookup comes first
				for _, k := range keys200() {
					w.crm.records[k] = map[string]string{}
				}
			}
			w.crm.takes = hangsWith(bad, 300*time.Millisecond)
			start, last := w.now, time.Duration(0)
			w.crm.stored = func(string) { last = w.now.Sub(start) }
			id := w.send("q", keys200()...)
			w.once()
			if n := len(w.crm.sends); n != 199 || last > time.Minute {
				t.Errorf("%d rows are delivered, the last after %v", n, last)
			}
			if took := w.now.Sub(start); took > 3*time.Minute {
				t.Errorf("the invocation took %v", took)
			}
			w.drain(5 * time.Minute)
			if c := w.counts(id); c.Delivered != 199 || c.Failed != 1 {
				t.Errorf("%+v", c)
			}
			if errs := w.errors(id); len(errs) != 1 || errs[0].Key != "k077" || errs[0].Type != "no_answer" || errs[0].Attempts != 1 || errs[0].Due.IsZero() {
				t.Fatalf("%+v", errs)
			}
			for k, n := range w.crm.sends {
				if n != 1 {
					t.Errorf("%s was stored %d times", k, n)
				}
			}
		})
	}
}

// Several rows that hang cost the others no more than one does.
func TestRowsThatHang(t *testing.T) {
	w := newSlowWorld(t, nil)
	bad := map[string]bool{"k000": true, "k001": true, "k199": true}
	w.crm.takes = hangsWith(bad, 100*time.Millisecond)
	id := w.send("q", keys200()...)
	for range 10 {
		w.drain(10 * time.Minute)
	}
	if c := w.counts(id); c.Delivered != 197 || c.Failed != 3 {
		t.Errorf("%+v", c)
	}
	if _, err := w.store.Halt(t.Context(), "accounts", w.version.ID); err == nil {
		t.Error("the version halts")
	}
}

// A vendor that is merely slow is waited for: its calls are neither cut again and again, nor
// is their slowness anybody's fault.
func TestMerelySlowVendor(t *testing.T) {
	for name, takes := range map[string]func(keys []string) time.Duration{
		"all calls": func([]string) time.Duration { return 30 * time.Second },
		"pushes":    func(keys []string) time.Duration { return time.Duration(min(1, len(keys))) * 30 * time.Second },
		"each row":  func(keys []string) time.Duration { return time.Duration(len(keys)) * 100 * time.Millisecond },
	} {
		t.Run(name, func(t *testing.T) {
			w := newSlowWorld(t, nil)
			w.crm.takes = takes
			for n, most := range []int{map[string]int{"all calls": 2}[name], 1, 1, 1} {
				if most == 0 {
					most = 17 // all of it, 15 parts, and all of it again where these hang too
				}
				before := w.crm.calls
				id := w.send(fmt.Sprint("q", n), keys200()...)
				w.drain(10 * time.Minute)
				if c := w.counts(id); c.Delivered != 200 {
					t.Errorf("batch %d: %+v", n, c)
				}
				if calls := w.crm.calls - before; calls > most {
					t.Errorf("batch %d: %d calls of %v", n, calls, w.crm.sizes)
				}
			}
		})
	}
}

// firstHangs has the first push hang, and others take a second. It answers how long after its
// begin the key a was stored, each time.
func (w *world) firstHangs() *[]time.Duration {
	pushes := 0
	w.crm.takes = func([]string) time.Duration {
		if pushes++; pushes == 1 {
			return hangs
		}
		return time.Second
	}
	began, stored := w.now, new([]time.Duration)
	w.crm.stored = func(k string) {
		if k == "a" {
			*stored = append(*stored, w.now.Sub(began))
		}
	}
	return stored
}

// inOrder checks that the first of two values was stored within a time, and the second once the
// push that was given up could not be carried out any more (I3).
func inOrder(t *testing.T, stored []time.Duration, first time.Duration) {
	t.Helper()
	if len(stored) != 2 || stored[0] > first || stored[1] < time.Minute || stored[1] > 2*time.Minute {
		t.Errorf("stored after %v", stored)
	}
}

// A call that was given up may be carried out later, by the worker or by its client, which
// waits less than a vendor may take: nothing newer of its rows is sent before it cannot any
// more.
func TestCarriedOutLate(t *testing.T) {
	for name, c := range map[string]struct {
		repeats bool
		first   time.Duration
	}{"by the worker": {true, 15 * time.Second}, "by its client": {false, 50 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			w := newSlowWorld(t, func(crm *crm, _ *syncdef.Definition) { crm.repeats, crm.waits = c.repeats, 45*time.Second })
			stored := w.firstHangs()
			w.send("q1", "a", "b")
			w.once()
			w.send("q2", "a", "b")
			w.drain(10 * time.Minute)
			inOrder(t, *stored, c.first)
		})
	}
}

// A message whose rows are settled stays in front of its lane while it is busy, though it comes
// back before, by whatever cause, and though its run was cancelled meanwhile.
func TestBusyMessageComesBackEarly(t *testing.T) {
	for _, cancelled := range []bool{false, true} {
		t.Run(fmt.Sprint("cancelled: ", cancelled), func(t *testing.T) {
			w := newSlowWorld(t, nil)
			stored := w.firstHangs()
			id := w.send("q1", "a", "b")
			in := w.receive()
			w.handle(in)
			if cancelled {
				w.cancel(id)
			}
			w.send("q2", "a", "b")
			for range 3 {
				for _, m := range in {
					if err := w.store.Hide(t.Context(), "crm", m.Receipt, 0); err != nil {
						t.Fatal(err)
					}
				}
				w.now = w.now.Add(time.Second)
				if in = w.receive(); len(in) == 0 {
					t.Fatal("the message does not come back")
				}
				w.handle(in)
			}
			w.drain(10 * time.Minute)
			inOrder(t, *stored, 15*time.Second)
		})
	}
}

// What may create a record, and an insert, are waited for as long as the destination does:
// made again meanwhile they might be there twice.
func TestHangingInsertIsWaitedFor(t *testing.T) {
	for name, change := range map[string]func(*crm, *syncdef.Definition){
		"insert": func(c *crm, d *syncdef.Definition) { c.once, c.repeats, d.Operation = true, false, syncdef.Insert },
		"create": func(c *crm, _ *syncdef.Definition) { c.finds, c.repeats = true, false },
		"by key": func(c *crm, _ *syncdef.Definition) { c.repeats = false },
		"lookup": func(c *crm, d *syncdef.Definition) {
			c.once, c.lookup, c.repeats, d.Operation = true, true, false, syncdef.Insert
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSlowWorld(t, change)
			pushes := 0
			w.crm.during = func([]string) { pushes++ }
			w.crm.takes = func([]string) time.Duration {
				if pushes > 0 {
					return 50 * time.Second
				}
				return 0
			}
			w.send("q", "a", "b", "c")
			w.drain(10 * time.Minute)
			for _, k := range []string{"a", "b", "c"} {
				if w.crm.sends[k] != 1 {
					t.Errorf("%s was stored %d times", k, w.crm.sends[k])
				}
			}
			if pushes != 1 {
				t.Errorf("%d pushes", pushes)
			}
		})
	}
}

// A row whose creation hangs, which cannot be given up, keeps the others for few waits: they
// are looked for and made in some parts, which wait beside each other.
func TestCreateThatHangs(t *testing.T) {
	for name, limit := range map[string]time.Duration{"a worker": 0, "one machine": 20 * time.Second} {
		t.Run(name, func(t *testing.T) {
			w := newSlowWorld(t, func(c *crm, _ *syncdef.Definition) { c.finds, c.repeats = true, false })
			if limit > 0 {
				w.deliver.Timeout = 4 * time.Second
			}
			const bad = "k077"
			var pushed atomic.Int32
			w.crm.during = func(keys []string) {
				if slices.Contains(keys, bad) {
					pushed.Add(1)
				}
			}
			w.crm.takes = func(keys []string) time.Duration {
				if slices.Contains(keys, bad) && pushed.Swap(0) > 0 {
					return hangs
				}
				return 100 * time.Millisecond
			}
			start, last := w.now, time.Duration(0)
			w.crm.stored = func(string) { last = w.now.Sub(start) }
			id := w.send("q", keys200()...)
			if limit > 0 {
				w.work(limit, time.Hour)
			} else {
				w.drain(10 * time.Minute)
			}
			if c := w.counts(id); c.Delivered != 199 || c.Failed != 1 {
				t.Errorf("%+v", c)
			}
			if last > 5*time.Minute { // here calls wait one after the other, and a minute at most
				t.Errorf("the last of the others was stored after %v", last)
			}
			for k, n := range w.crm.sends {
				if n != 1 {
					t.Errorf("%s was stored %d times", k, n)
				}
			}
		})
	}
}

// What was in a call with one row that the vendor cannot take, in whichever way it fails, is
// there within a minute, in the time of calls that are made at once; so it is on one machine,
// whose invocations are short.
func TestOthersWithinAMinute(t *testing.T) {
	const bad = "k077"
	broken := &dest.CallError{Op: "upsert Account", Class: dest.Unavailable, Code: "503", Received: true, Message: "no"}
	for name, fault := range map[string]struct {
		takes time.Duration
		fail  *dest.CallError
	}{
		"hangs":             {takes: hangs},
		"fails at once":     {fail: broken},
		"fails after 4.9 s": {4900 * time.Millisecond, broken},
		"fails after 8 s":   {8 * time.Second, broken},
		"fails after 19 s":  {19 * time.Second, broken},
		"fails after 30 s":  {30 * time.Second, broken},
		"is refused by 413": {fail: &dest.CallError{Op: "upsert Account", Class: dest.Refused, Code: "413", Message: "too large"}},
	} {
		for place, limit := range map[string]time.Duration{"a worker": 15 * time.Minute, "one machine": 20 * time.Second} {
			for how, change := range map[string]func(c *crm){
				"creates": func(c *crm) { c.finds = true },
				"by key":  func(*crm) {},
				"repeats": func(c *crm) { c.repeats = true },
			} {
				t.Run(name+", "+place+", "+how, func(t *testing.T) {
					w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) {
						c.most, c.beside, c.waits, c.quick = 200, 4, 45*time.Second, true // as Salesforce
						change(c)
					})
					w.deliver.Timeout = min(deliver.Timeout, limit/5)
					w.crm.takes = func(keys []string) time.Duration {
						if fault.takes > 0 && slices.Contains(keys, bad) {
							return fault.takes
						}
						return 150 * time.Millisecond
					}
					w.crm.fail = func(keys []string) *dest.CallError {
						if slices.Contains(keys, bad) {
							return fault.fail
						}
						return nil
					}
					var last time.Duration
					id := w.inBubble(t, limit, 5*time.Minute, func() string { return w.send("q", keys200()...) }, func(_ string, after time.Duration) { last = after })
					if c := w.counts(id); c.Delivered != 199 || c.Failed != 1 {
						t.Errorf("within five minutes: %+v", c)
					}
					if n := len(w.crm.sends); n != 199 || last > time.Minute {
						t.Errorf("%d rows are delivered, the last after %v", n, last)
					}
					for k, n := range w.crm.sends {
						if n != 1 {
							t.Errorf("%s was stored %d times", k, n)
						}
					}
				})
			}
		}
	}
}

// inBubble sends, and works in invocations of at most so long until the queue is empty or so
// much time has passed, in a synctest bubble, where calls at once take their time at once.
func (w *world) inBubble(t *testing.T, limit, within time.Duration, send func() string, stored func(key string, after time.Duration)) (runID string) {
	t.Helper()
	w.now = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when a bubble begins
	w.crm.pass = time.Sleep
	w.deliver.Sleep = func(_ context.Context, d time.Duration) error { time.Sleep(d); return nil }
	runID = send()
	synctest.Test(t, func(t *testing.T) {
		w.bubble = true
		start := time.Now()
		w.crm.stored = func(key string) { stored(key, time.Since(start)) }
		for w.depth() > 0 && time.Since(start) < within {
			in := w.receive()
			if len(in) == 0 {
				time.Sleep(100 * time.Millisecond)
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			w.handleWithin(ctx, in)
			cancel()
		}
		w.bubble = false
	})
	return runID
}

// Rows whose calls fail so late that a short invocation has no time for another try are stored
// errors all the same, whether they are pushed or looked for.
func TestRowsThatFailLateAreSettled(t *testing.T) {
	bad := func(keys []string) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return k[3:] == "7" && k < "k120" })
	}
	for _, at := range []string{"push", "push singly", "lookup"} {
		for _, takes := range []time.Duration{3900 * time.Millisecond, 8 * time.Second, 12 * time.Second} {
			t.Run(fmt.Sprint(at, " ", takes), func(t *testing.T) {
				w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) {
					c.most, c.beside, c.finds, c.quick = 200, 4, at != "push singly", at == "push"
					if at == "push singly" {
						c.most = 1
					}
				})
				w.deliver.Timeout = 4 * time.Second
				w.crm.takes = func(keys []string) time.Duration {
					if bad(keys) {
						return takes
					}
					return 150 * time.Millisecond
				}
				fails := func(keys []string) *dest.CallError {
					if bad(keys) {
						return &dest.CallError{Op: at, Class: dest.Unavailable, Code: "503", Received: true, Message: "no"}
					}
					return nil
				}
				if at != "lookup" {
					w.crm.fail = fails
				} else {
					w.crm.looked = fails
				}
				id := w.inBubble(t, 20*time.Second, 20*time.Minute, func() string { return w.send("q", keys200()...) }, func(string, time.Duration) {})
				if c := w.counts(id); c.Delivered != 188 || c.Failed != 12 {
					t.Errorf("%+v", c)
				}
			})
		}
	}
}

// What was cut off by the end of a short invocation may be carried out later: its own rows come
// back at once, and nothing newer of them is sent before it cannot be any more (I3).
func TestCutOffCallIsBusy(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most, c.waits = 200, 45*time.Second })
	w.deliver.Timeout = 4 * time.Second
	pushes := 0
	w.crm.takes = func([]string) time.Duration {
		if pushes++; pushes == 1 {
			return hangs
		}
		return time.Second
	}
	at := map[string][]time.Duration{}
	w.inBubble(t, 20*time.Second, 5*time.Minute, func() string {
		w.send("q1", "a", "b", "c", "d")
		return w.send("q2", "b", "e")
	}, func(key string, after time.Duration) { at[key] = append(at[key], after.Round(time.Second)) })
	for _, k := range []string{"a", "c", "d"} {
		if len(at[k]) != 1 || at[k][0] > 30*time.Second {
			t.Errorf("%s was stored after %v", k, at[k])
		}
	}
	if n := len(at["b"]); n == 0 || n > 2 || n == 2 && at["b"][1] < time.Minute || at["b"][n-1] > 2*time.Minute {
		t.Errorf("b was stored after %v", at["b"])
	}
}

// A version whose creates all fail after a long wait is judged within an invocation, also
// while it is halted and makes one call at a time.
func TestCreatesThatAllFailLate(t *testing.T) {
	for _, rows := range []int{12, 200} {
		t.Run(fmt.Sprint(rows, " rows"), func(t *testing.T) {
			w := newSlowWorld(t, func(c *crm, _ *syncdef.Definition) { c.finds, c.repeats = true, false })
			var pushing atomic.Bool
			w.crm.during = func([]string) { pushing.Store(true) }
			w.crm.takes = func(keys []string) time.Duration {
				if pushing.Swap(false) {
					return 14 * time.Second
				}
				return 0
			}
			w.crm.fail = func([]string) *dest.CallError {
				return &dest.CallError{Op: "push", Class: dest.Unavailable, Code: "504", Message: "no answer in time", Received: true}
			}
			id := w.send("q", keys200()[:rows]...)
			w.work(3*time.Minute, 25*time.Minute)
			h, err := w.store.Halt(t.Context(), "accounts", w.version.ID)
			if err != nil || h.Tries < 3 {
				t.Errorf("%+v, %v", h, err)
			}
			if c := w.counts(id); int(c.Failed) != rows {
				t.Errorf("%+v", c)
			}
		})
	}
}

// A connection that answers nothing at all pauses as soon as its probe says so.
func TestHangingConnection(t *testing.T) {
	w := newSlowWorld(t, nil)
	w.crm.takes = func(keys []string) time.Duration {
		if len(keys) > 0 {
			return hangs
		}
		return 0 // probes
	}
	w.crm.down = failed(dest.Unavailable, "503")
	w.send("q", "a")
	w.crm.down = nil
	w.crm.during = func([]string) { w.crm.down = failed(dest.Unavailable, "503") }
	start := w.now
	w.once()
	if took := w.now.Sub(start); took > 11*time.Second {
		t.Errorf("it took %v", took)
	}
	if p, err := w.store.Pace(t.Context(), "prod"); err != nil || !p.Failing() {
		t.Errorf("%+v, %v", p, err)
	}
}

// Calls of one record each that all hang are waited for after some, so that the version
// halts for them: that a call was given up is no evidence.
func TestSingleCallsThatAllHang(t *testing.T) {
	w := newSlowWorld(t, func(c *crm, _ *syncdef.Definition) { c.most = 1 })
	w.crm.takes = func(keys []string) time.Duration { return time.Duration(min(1, len(keys))) * hangs }
	w.send("q", keys200()[:40]...)
	w.once()
	if h, err := w.store.Halt(t.Context(), "accounts", w.version.ID); err != nil || h.Tries != 1 {
		t.Errorf("%+v, %v", h, err)
	}
	if w.crm.calls > 24 { // given up, failed in succession, sampled: eight each
		t.Errorf("%d calls", w.crm.calls)
	}
}

// One record of many that makes its call hang, where each has a call of its own, is tried
// after all others.
func TestSingleCallThatHangs(t *testing.T) {
	w := newSlowWorld(t, func(c *crm, _ *syncdef.Definition) { c.most = 1 })
	w.crm.takes = hangsWith(map[string]bool{"k007": true}, 100*time.Millisecond)
	start, last := w.now, time.Duration(0)
	w.crm.stored = func(string) { last = w.now.Sub(start) }
	w.send("q", keys200()...)
	w.once()
	if n := len(w.crm.sends); n != 199 || last > time.Minute {
		t.Errorf("%d rows are delivered, the last after %v", n, last)
	}
}

// The same where the version was answered before: no row comes back for ever.
func TestSingleCallsThatBeginToHang(t *testing.T) {
	w := newSlowWorld(t, func(c *crm, _ *syncdef.Definition) { c.most = 1 })
	w.send("q1", keys200()...)
	w.once()
	w.crm.takes = func(keys []string) time.Duration { return time.Duration(min(1, len(keys))) * hangs }
	w.send("q2", keys200()...)
	w.once()
	if h, err := w.store.Halt(t.Context(), "accounts", w.version.ID); err != nil || h.Tries != 1 {
		t.Errorf("%+v, %v", h, err)
	}
}

// recordsNot is a store that refuses to record messages of a run.
type recordsNot struct {
	*sqlite.Store
	run string
}

func (s recordsNot) RecordChunk(ctx context.Context, runID, batch string, index int, c run.Chunk) (bool, error) {
	if runID == s.run {
		return false, errStorage
	}
	return s.Store.RecordChunk(ctx, runID, batch, index, c)
}

// A message that goes back for a moment does not bring one behind it back while a push of
// that one may still be carried out.
func TestHeldBehindAnother(t *testing.T) {
	w := newSlowWorld(t, nil)
	hung := false
	w.crm.takes = func(keys []string) time.Duration {
		if slices.Contains(keys, "b") && !hung {
			hung = true
			return hangs
		}
		return time.Second
	}
	began := w.now
	var at []time.Duration
	w.crm.stored = func(k string) {
		if k == "b" {
			at = append(at, w.now.Sub(began))
		}
	}
	first := w.send("q1", "a")
	w.send("q2", "b", "c")
	w.deliver.Chunks = recordsNot{w.store, first}
	w.once()
	w.deliver.Chunks = w.store
	w.send("q3", "b")
	w.drain(10 * time.Minute)
	if len(at) != 2 || at[0] > 15*time.Second || at[1] < time.Minute {
		t.Errorf("stored after %v", at)
	}
}

// work has invocations as one machine makes them until the queue is empty or so much time
// has passed.
func (w *world) work(limit, most time.Duration) {
	w.t.Helper()
	for start := w.now; w.depth() > 0 && w.now.Sub(start) < most; {
		if in := w.receive(); len(in) > 0 {
			w.handleWithin(cutOff{w.t.Context(), w.now.Add(limit)}, in)
		} else {
			w.now = w.now.Add(time.Second)
		}
	}
}

// Where an invocation's time is short, rows that hang are settled all the same, however many
// they are, and the others are brought.
func TestRowsThatHangInAShortTime(t *testing.T) {
	for _, look := range []bool{false, true} {
		for _, rows := range []int{1, 3, 8, 20} {
			t.Run(fmt.Sprintf("%d rows, lookups: %v", rows, look), func(t *testing.T) {
				w := newSlowWorld(t, func(c *crm, _ *syncdef.Definition) { c.finds = look })
				w.deliver.Timeout = 4 * time.Second
				bad := map[string]bool{}
				for n := range rows {
					bad[fmt.Sprintf("k%03d", n*9)] = true
				}
				for _, k := range keys200() {
					w.crm.records[k] = map[string]string{}
				}
				w.crm.takes = hangsWith(bad, 50*time.Millisecond)
				id := w.send("q", keys200()...)
				w.work(20*time.Second, 2*time.Hour)
				if c := w.counts(id); int(c.Delivered) != 200-rows || int(c.Failed) != rows {
					t.Errorf("%+v after %v", c, w.now)
				}
				if p, err := w.store.Pace(t.Context(), "prod"); err == nil && p.Failing() {
					t.Errorf("the connection pauses: %+v", p)
				}
			})
		}
	}
}

// Calls that are all slow alike, several at a time, are not made in parts again and again.
func TestManySlowCalls(t *testing.T) {
	w := newSlowWorld(t, func(c *crm, _ *syncdef.Definition) { c.most = 50 })
	w.crm.takes = func(keys []string) time.Duration { return time.Duration(min(1, len(keys))) * 30 * time.Second }
	id := w.send("q", keys200()...)
	w.drain(20 * time.Minute)
	if c := w.counts(id); c.Delivered != 200 || w.crm.calls > 4+3 {
		t.Errorf("%+v in %d calls: %v", c, w.crm.calls, w.crm.sizes)
	}
}

// A row that was delivered and held is not sent again for the older one beside it.
func TestHeldWithAnOlderOne(t *testing.T) {
	w := newSlowWorld(t, nil)
	hung := 0
	w.crm.takes = func([]string) time.Duration {
		if hung++; hung == 1 {
			return hangs
		}
		return time.Second
	}
	first := w.send("q1", "a", "b")
	second := w.send("q2", "a", "b")
	w.drain(10 * time.Minute)
	if w.crm.sends["a"] != 1 || w.crm.sends["b"] != 1 {
		t.Errorf("stored %v times", w.crm.sends)
	}
	if a, b := w.counts(first), w.counts(second); a.Superseded != 2 || b.Delivered != 2 {
		t.Errorf("%+v, %+v", a, b)
	}
}

// A probe that has no time left proves nothing about the connection.
func TestProbeOutOfTime(t *testing.T) {
	w := newSlowWorld(t, nil)
	w.deliver.Timeout = 4 * time.Second
	w.crm.takes = func(keys []string) time.Duration {
		if len(keys) == 0 {
			return 5 * time.Second
		}
		return hangs
	}
	w.send("q", "a", "b", "c")
	w.handleWithin(cutOff{t.Context(), w.now.Add(9900 * time.Millisecond)}, w.receive())
	if p, err := w.store.Pace(t.Context(), "prod"); err == nil && p.Failing() {
		t.Errorf("the connection pauses: %+v", p)
	}
}

// A connection that answers nothing at all, probes included, pauses within an invocation of
// one machine.
func TestDeadConnectionInAShortTime(t *testing.T) {
	w := newSlowWorld(t, nil)
	w.deliver.Timeout = 4 * time.Second
	w.crm.takes = func([]string) time.Duration { return hangs }
	w.send("q", "a", "b", "c")
	w.handleWithin(cutOff{t.Context(), w.now.Add(20 * time.Second)}, w.receive())
	if p, err := w.store.Pace(t.Context(), "prod"); err != nil || !p.Failing() {
		t.Errorf("%+v, %v", p, err)
	}
}

// slowIdentity is a crm that takes its time to say which account it is.
type slowIdentity struct{ *crm }

func (s slowIdentity) Identity(ctx context.Context) (string, error) {
	if err := s.underWay(ctx, nil); err != nil {
		return "", err
	}
	return s.crm.Identity(ctx)
}

// A probe of a connection that failed, and asking which account it is, for which the end of
// an invocation leaves no time, lengthen no pause and keep nobody else from probing.
func TestReadyOutOfTime(t *testing.T) {
	for name, c := range map[string]struct {
		failing bool
		left    time.Duration
		takes   time.Duration
		pauses  bool
	}{
		"no time to begin":              {true, 4 * time.Second, time.Second, false},
		"cut off":                       {true, 7 * time.Second, 5 * time.Second, false},
		"cut off at the account's name": {true, 7 * time.Second, 3 * time.Second, false},
		"never failed, cut off":         {false, 4 * time.Second, 5 * time.Second, false},
		"no answer for long enough":     {true, 20 * time.Second, hangs, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSlowWorld(t, nil)
			w.deliver.Timeout = 4 * time.Second
			w.deliver.Open = func(syncdef.Connection) (dest.Account, error) { return slowIdentity{w.crm}, nil }
			w.crm.takes = func([]string) time.Duration { return c.takes }
			before := pace.State{}
			if c.failing {
				before = before.Fail(w.now.Add(-2*time.Hour), 0, "503", "down")
				if err := w.store.SetPace(t.Context(), "prod", before); err != nil {
					t.Fatal(err)
				}
			}
			w.send("q", "a")
			w.handleWithin(cutOff{t.Context(), w.now.Add(c.left)}, w.receive())
			after, err := w.store.Pace(t.Context(), "prod")
			if after.Revision = before.Revision; err != nil || (after != before) != c.pauses {
				t.Errorf("%+v, %v; it was %+v", after, err, before)
			}
			if took := w.drain(time.Minute); (took < time.Minute) == c.pauses {
				t.Errorf("nothing is queued after %v", took)
			}
		})
	}
}
