package pipeline_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// many are n keys.
func many(prefix string, n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint(prefix, i)
	}
	return keys
}

// After a 429 the next calls are halved, down to a floor of 100, and grow back.
func TestCallsAreHalvedAfter429(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most = 400 })
	first := true
	w.crm.fail = func(keys []string) *dest.CallError {
		if first {
			first = false
			return &dest.CallError{Op: "upsert", Class: dest.Throttled, Quota: dest.QuotaSecond, Message: "429"}
		}
		return nil
	}
	w.send("q1", many("a", 400)...)
	w.drain(time.Hour)
	w.crm.sizes = nil
	for n := range 12 {
		w.send(fmt.Sprint("r", n), many(fmt.Sprint("b", n, "-"), 400)...)
		w.drain(time.Hour)
	}
	if !slices.Contains(w.crm.sizes[:3], 200) {
		t.Errorf("after a 429 the calls take %v records, want 200", w.crm.sizes[:3])
	}
	if last := w.crm.sizes[len(w.crm.sizes)-1]; last != 400 {
		t.Errorf("the calls never grow back: %v", w.crm.sizes)
	}
	for range 5 { // 429 after 429 ends at the floor
		first = true
		w.send(fmt.Sprint("s", w.value), many(fmt.Sprint("c", w.value, "-"), 400)...)
		w.drain(time.Hour)
	}
	if least := slices.Min(w.crm.sizes); least != 100 {
		t.Errorf("the smallest call took %d records", least)
	}
}

// slowedTokens notes what is slowed down.
type slowedTokens struct {
	*sqlite.Store
	slowed []string
}

func (s *slowedTokens) Slow(ctx context.Context, bucket string, now time.Time) error {
	s.slowed = append(s.slowed, bucket)
	return s.Store.Slow(ctx, bucket, now)
}

// After a 429 the connection's quota is granted at half the rate, to all workers: it is
// the stored bucket that is slowed, and the rows behind take longer.
func TestRateIsHalvedAfter429(t *testing.T) {
	var took [2]time.Duration
	for n, throttles := range []bool{false, true} {
		w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) {
			c.most, c.quota = 1, []pace.Window{{Calls: 60, Per: time.Minute}} // a burst of 30
		})
		tokens := &slowedTokens{Store: w.store}
		w.deliver.Tokens = tokens
		w.crm.fail = func([]string) *dest.CallError {
			if !throttles {
				return nil
			}
			throttles = false
			return &dest.CallError{Op: "upsert", Class: dest.Throttled, Quota: dest.QuotaSecond, Message: "429"}
		}
		w.send("q1", "a")
		w.once()
		b, err := w.store.Bucket(t.Context(), "prod/")
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 && (len(tokens.slowed) > 0 || !b.Slowed.IsZero()) {
			t.Errorf("nothing was throttled, and %v were slowed down: %+v", tokens.slowed, b)
		}
		if n == 1 && (!slices.Equal(tokens.slowed, []string{"prod/"}) || b.Rate != 0.5 || b.Slowed.IsZero()) {
			t.Errorf("%v were slowed down, to %+v", tokens.slowed, b)
		}
		id := w.send("q2", many("b", 60)...)
		took[n] = w.drain(time.Hour)
		if c := w.counts(id); c.Delivered != 60 || w.crm.value("a") == 0 {
			t.Errorf("%+v", c)
		}
	}
	if took[1] < 3*took[0]/2 {
		t.Errorf("60 calls took %v, and %v after a 429", took[0], took[1])
	}
}

// What a call or a row waits for within an invocation is 2 s in all (I5), however often the
// vendor asks to wait.
func TestWaitsAddUp(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		after []time.Duration // as the vendor asks at each try
		calls int
	}{
		{[]time.Duration{500 * ms, 500 * ms, 0}, 3}, {[]time.Duration{1000 * ms, 1000 * ms, 0}, 3}, {[]time.Duration{100 * ms, 1900 * ms, 0}, 3},
		{[]time.Duration{1100 * ms, 1100 * ms, 0}, 2}, {[]time.Duration{2000 * ms, 1000 * ms, 0}, 2}, {[]time.Duration{2000 * ms, 0, 0}, 2}, {[]time.Duration{2100 * ms, 0, 0}, 1},
	} {
		for what, refuse := range map[string]func(*crm, func() time.Duration){
			"a call": func(v *crm, after func() time.Duration) {
				v.fail = func([]string) *dest.CallError {
					return &dest.CallError{Op: "upsert", Class: dest.Throttled, Quota: dest.QuotaSecond, After: after(), Message: "429"}
				}
			},
			"a row": func(v *crm, after func() time.Duration) {
				v.outcome = func(string) *dest.Outcome {
					return &dest.Outcome{Status: dest.Retry, After: after(), Code: "BUSY", Message: "busy"}
				}
			},
		} {
			asked := 0
			after := func() time.Duration {
				asked++
				return c.after[min(asked, len(c.after))-1]
			}
			w := newWorld(t, 1, nil)
			refuse(w.crm, after)
			w.send("q1", "a")
			began := w.now
			w.once()
			if took := w.now.Sub(began); took > 2*time.Second || len(w.crm.sizes) != c.calls {
				t.Errorf("%s that is to wait for %v: %d calls, %v waited", what, c.after, len(w.crm.sizes), took)
			}
		}
	}
}

// A call that was refused because of those beside it is made again at once, whole and at the
// whole rate; refused again and again, it goes back without a try.
func TestTooManyAtOnce(t *testing.T) {
	for _, refusals := range []int{1, 4, 5} {
		w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most = 400 })
		tokens := &slowedTokens{Store: w.store}
		w.deliver.Tokens = tokens
		left := refusals
		w.crm.fail = func([]string) *dest.CallError {
			if left--; left < 0 {
				return nil
			}
			return &dest.CallError{Op: "upsert", Class: dest.Throttled, Scope: dest.ScopeConnection, Quota: dest.QuotaConcurrent, Message: "ConcurrentRequests Limit exceeded."}
		}
		id := w.send("q1", many("a", 400)...)
		began := w.now
		r := w.once()
		if took := w.now.Sub(began); took > 2*time.Second || len(w.crm.sizes) != min(refusals+1, 5) {
			t.Errorf("%d refusals: %d calls, %v waited", refusals, len(w.crm.sizes), took)
		}
		if back := len(r.Stay) > 0; back != (refusals == 5) {
			t.Errorf("%d refusals: the message goes back: %v", refusals, back)
		}
		w.drain(time.Minute)
		if c := w.counts(id); c.Delivered != 400 || len(w.errors(id)) > 0 || slices.Min(w.crm.sizes) != 400 || len(tokens.slowed) > 0 {
			t.Errorf("%d refusals: %+v, %d errors, calls of %v, %v slowed down", refusals, c, len(w.errors(id)), w.crm.sizes, tokens.slowed)
		}
	}
}

// Of two calls of a job that are refused beside each other the longer word of the vendor
// counts, whichever comes first.
func TestLongerWordOfTwo(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most, c.beside = 1, 2 })
	both, begun, calls := make(chan struct{}), atomic.Int32{}, 0
	w.crm.during = func([]string) {
		switch begun.Add(1) {
		case 1:
			<-both
		case 2:
			close(both)
		}
	}
	w.crm.fail = func([]string) *dest.CallError {
		if calls++; calls > 2 {
			return nil
		}
		after := time.Duration(calls) * time.Hour
		return &dest.CallError{Op: "upsert", Class: dest.Throttled, Scope: dest.ScopeConnection, Quota: dest.QuotaDay, After: after, Message: "429"}
	}
	w.send("q", "a", "b")
	w.once()
	if p, err := w.store.Pace(t.Context(), "prod"); err != nil || p.Until.Sub(w.now) != 2*time.Hour {
		t.Errorf("paused for %v, %v", p.Until.Sub(w.now), err)
	}
}

// A call that fails otherwise within a pause for a spent quota leaves the pause its reason.
func TestReasonOfALongerPause(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.crm.fail = func([]string) *dest.CallError {
		s := pace.State{}.Fail(w.now, 6*time.Hour, "429", "the day's calls are spent") // of another worker
		s.Quota = true
		if err := w.store.SetPace(t.Context(), "prod", s); err != nil {
			t.Error(err)
		}
		return &dest.CallError{Op: "upsert", Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "401", Message: "the secret is refused"}
	}
	w.send("q", "a")
	w.once()
	p, err := w.store.Pace(t.Context(), "prod")
	if err != nil || !p.Quota || p.SetUp || p.Code != "429" || p.Until.Sub(w.now) != 6*time.Hour {
		t.Errorf("%+v, %v", p, err)
	}
}

// The account behind a connection is pinned at its first delivery; another one is a
// failure of the connection until it is accepted, and then starts an empty ledger.
func TestAnotherAccount(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.send("q1", "k")
	w.drain(time.Minute)
	if s, err := w.store.Connection(t.Context(), "prod"); err != nil || s.Account != "org-1" {
		t.Fatalf("%+v, %v", s, err)
	}
	w.crm.id = "org-2"
	w.boot()
	id := w.push(batch("q2", "b2", "accounts", object("k", 5)))[0].Run
	w.drain(10 * time.Minute)
	if w.crm.sends["k"] != 1 || w.depth() == 0 {
		t.Fatalf("the row went to another account: sent %d times", w.crm.sends["k"])
	}
	s, err := w.store.Pace(t.Context(), "prod")
	if err != nil || !strings.Contains(s.Reason, "--accept-account") {
		t.Errorf("the pause does not say how to go on: %q, %v", s.Reason, err)
	}
	if _, err := w.store.AcceptAccount(t.Context(), "prod", "org-2"); err != nil {
		t.Fatal(err)
	}
	w.drain(time.Hour)
	if w.crm.sends["k"] != 2 {
		t.Errorf("the accepted account has the row %d times; counts %+v", w.crm.sends["k"]-1, w.counts(id))
	}
}

// A mended connection holds within a minute and a probe, also for queued rows.
func TestMendedConnection(t *testing.T) {
	w := newWorld(t, 1, nil)
	open := w.deliver.Open
	w.deliver.Open = func(c syncdef.Connection) (dest.Account, error) {
		if c.URL == "" {
			return nil, &dest.CallError{Op: "open", Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "url", Message: "the url is missing"}
		}
		return open(c)
	}
	id := w.send("q", "k")
	w.drain(10 * time.Minute)
	if w.depth() == 0 {
		t.Fatalf("the row did not wait: %+v", w.errorTypes(id))
	}
	if err := w.store.PutConnection(t.Context(), syncdef.Connection{Name: "prod", Type: "crm", URL: "https://crm.example"}); err != nil {
		t.Fatal(err)
	}
	if took := w.drain(time.Hour); took > 5*time.Minute || w.crm.value("k") == 0 {
		t.Errorf("delivered %d after %v", w.crm.value("k"), took)
	}
}

// A message that waits for its connection for 13 days ends as stored errors, and
// after 7 days when its own last try failed (I1).
func TestExpires(t *testing.T) {
	for _, tried := range []bool{false, true} {
		w := newWorld(t, 1, nil)
		w.crm.down = failed(dest.Unavailable, "503")
		if !tried {
			w.crm.down = nil
		}
		id := w.send("q", "k")
		start := w.now
		for w.depth() > 0 && w.now.Sub(start) < 15*24*time.Hour {
			if !tried { // the vendor asks again and again to be left alone
				s, err := w.store.Pace(t.Context(), "prod")
				if err == nil && s.Until.Sub(w.now) < time.Hour {
					err = w.store.SetPace(t.Context(), "prod", pace.State{Since: start, Until: w.now.Add(11 * time.Hour), Reason: "asked to wait", Revision: s.Revision})
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if in := w.receive(); len(in) > 0 {
				w.handle(in)
			}
			w.now = w.now.Add(time.Minute)
		}
		took, want := w.now.Sub(start), 13*24*time.Hour
		if tried {
			want = 7 * 24 * time.Hour
		}
		errs := w.errors(id)
		if len(errs) != 1 || errs[0].Type != "expired" || !errs[0].Due.IsZero() || errs[0].Source == nil {
			t.Fatalf("tried %v: %+v", tried, errs)
		}
		if took < want || took > want+13*time.Hour {
			t.Errorf("tried %v: ended after %v, want %v", tried, took, want)
		}
	}
}

// A call that the end of the invocation cuts off comes back at half its size; a row
// that was alone in it becomes a stored error.
func TestSlowVendor(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most = 8 })
	w.crm.fail = func(keys []string) *dest.CallError {
		if slices.Contains(keys, "slow") {
			return &dest.CallError{Op: "upsert", Class: dest.Unavailable, Code: "timeout", Message: "no answer", Received: true}
		}
		return nil
	}
	keys := many("g", 8)
	keys[3] = "slow"
	id := w.send("q", keys...)
	for n := 0; w.depth() > 0 && n < 20; n++ {
		// A call that fails has used up the invocation's time.
		w.handleWithin(cutOff{t.Context(), w.now.Add(time.Minute)}, w.receive())
		w.now = w.now.Add(time.Minute) // what was cut off may go on for so long
	}
	if got := w.crm.sizes; !slices.Equal(got, []int{8, 4, 4, 2, 2, 1, 1}) {
		t.Errorf("sizes %v", got)
	}
	if c := w.counts(id); c.Delivered != 7 || c.Failed != 1 {
		t.Errorf("%+v, errors %v, sizes %v", c, w.errorTypes(id), w.crm.sizes)
	}
}

// A lookup that the end of the invocation cuts off comes back at half its size too, until
// the row that makes it slow is a stored error. However small and many they became, the
// invocation goes forward: some rows are delivered before its time is over.
func TestSlowLookup(t *testing.T) {
	const limit, cut = 20 * time.Second, 17500 * time.Millisecond // of one machine
	for _, slow := range []int{0, 33, 63} {
		w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.finds, c.most = true, 8 })
		var sizes []int
		began := w.now
		w.crm.looked = func(keys []string) *dest.CallError {
			sizes = append(sizes, len(keys))
			if w.now = w.now.Add(time.Second); slices.Contains(keys, "slow") {
				w.now = began.Add(cut)
				return &dest.CallError{Op: "look up", Class: dest.Unavailable, Code: "timeout", Message: "no answer"}
			}
			return nil
		}
		keys := many("g", 64)
		keys[slow] = "slow"
		id := w.send("q", keys...)
		n := 0
		for ; w.depth() > 0 && n < 40; n++ {
			began = w.now
			w.handleWithin(cutOff{t.Context(), w.now.Add(limit)}, w.receive())
			w.now = w.now.Add(10 * time.Second)
		}
		if sizes[0] != 64 || slices.Max(sizes[1:]) != 32 {
			t.Errorf("%d: sizes %v", slow, sizes)
		}
		if c := w.counts(id); c.Delivered != 63 || c.Failed != 1 || w.crm.value("slow") != 0 {
			t.Errorf("%d: after %d invocations %+v, errors %v, sizes %v", slow, n, c, w.errorTypes(id), sizes)
		}
	}
}

// The answer to a create is lost, and the look for what it made fails too: nothing is sent
// until it was looked for, and each record is sent once without its id.
func TestLookAfterALostCreate(t *testing.T) {
	for name, failed := range map[string]*dest.CallError{
		"connection": {Op: "look up", Class: dest.Unavailable, Scope: dest.ScopeConnection, Code: "down", Message: "no answer"},
		"quota":      {Op: "look up", Class: dest.Throttled, Scope: dest.ScopeConnection, Code: "slow", Message: "slow down", After: time.Minute},
		"version":    {Op: "look up", Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "field", Message: "no such field"},
	} {
		w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.finds, c.most = true, 20 })
		lost, looks := 0, 0
		w.crm.late = func(keys []string) *dest.CallError {
			if lost++; lost > 1 {
				return nil
			}
			return &dest.CallError{Op: "create", Class: dest.Unavailable, Code: "reset", Message: "no answer", Received: true}
		}
		w.crm.looked = func([]string) *dest.CallError {
			if looks++; looks == 2 {
				return failed
			}
			return nil
		}
		w.crm.during = func(keys []string) {
			if lost > 0 && looks < 3 {
				t.Errorf("%s: %d records are sent after %d looks", name, len(keys), looks)
			}
		}
		id := w.send("q", many("k", 20)...)
		for range 200 {
			w.handle(w.receive())
			w.now = w.now.Add(time.Minute)
		}
		if c := w.counts(id); c.Delivered != 20 {
			t.Errorf("%s: %+v, errors %v, %d looks", name, c, w.errorTypes(id), looks)
		}
	}
}

// A lookup that has a bucket of its own stays whole, whatever size the pushes reached: it
// is one search of a place.
func TestLookupOfAPlace(t *testing.T) {
	for place, want := range map[string][]int{"": {8, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1}, "place": {8, 8, 8, 8}} {
		w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.finds, c.most, c.place = true, 8, place })
		var sizes []int
		w.crm.looked = func(keys []string) *dest.CallError {
			sizes = append(sizes, len(keys))
			return nil
		}
		w.crm.fail = func(keys []string) *dest.CallError {
			if len(w.crm.sizes) > 3 {
				return nil
			}
			w.now = w.now.Add(time.Minute)
			return &dest.CallError{Op: "upsert", Class: dest.Unavailable, Code: "timeout", Message: "no answer"}
		}
		id := w.send("q", many("g", 8)...)
		for n := 0; w.depth() > 0 && n < 10; n++ {
			w.handleWithin(cutOff{t.Context(), w.now.Add(time.Minute)}, w.receive())
			w.now = w.now.Add(10 * time.Second)
		}
		if c := w.counts(id); !slices.Equal(sizes, want) || c.Delivered+c.Failed != 8 {
			t.Errorf("%q: lookups of %v, want %v; %+v %v", place, sizes, want, c, w.crm.sizes)
		}
	}
}

// cutOff is the context of an invocation whose time is over as soon as a call has
// failed: calls made with what is left of it find it ended.
type cutOff struct {
	context.Context
	end time.Time
}

func (c cutOff) Deadline() (time.Time, bool) { return c.end, true }

// A worker whose settings are older than an acceptance pins nothing and delivers
// nothing: its ledger is the one of before, and what it sent would be sent again (I4).
func TestAcceptedMeanwhile(t *testing.T) {
	for name, accept := range map[string]func(w *world) func(){
		"before it pins": func(w *world) func() {
			return func() { // the settings were read, the account is asked who it is
				if _, err := w.store.AcceptAccount(t.Context(), "prod", ""); err != nil {
					t.Error(err)
				}
			}
		},
		"with other settings": func(w *world) func() {
			return func() {
				if err := w.store.PutConnection(t.Context(), syncdef.Connection{Name: "prod", Type: "crm", URL: "https://other.example"}); err != nil {
					t.Error(err)
				}
				if _, err := w.store.AcceptAccount(t.Context(), "prod", ""); err != nil {
					t.Error(err)
				}
			}
		},
	} {
		w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) { c.once, d.Operation = true, syncdef.Insert })
		asked := false
		meanwhile := accept(w)
		w.crm.asked = func() {
			if !asked {
				asked = true
				meanwhile()
			}
		}
		w.send("q1", "k")
		w.drain(10 * time.Minute)
		w.now = w.now.Add(2 * time.Minute) // settings are read anew
		w.push(batch("q2", "b2", "accounts", object("k", 5)))
		w.drain(10 * time.Minute)
		if s, err := w.store.Connection(t.Context(), "prod"); err != nil || s.Epoch != 1 || s.Account != "org-1" {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		if w.crm.sends["k"] != 1 {
			t.Errorf("%s: the insert was sent %d times", name, w.crm.sends["k"])
		}
	}
}

// An acceptance between the last look at the settings and the pin: what is pinned is
// another ledger's account, so nothing is delivered by the settings of before.
func TestAcceptedAtThePin(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) { c.once, d.Operation = true, syncdef.Insert })
	w.deliver.Connections = &acceptedAtPin{Connections: w.deliver.Connections, accept: func() {
		if _, err := w.store.AcceptAccount(t.Context(), "prod", ""); err != nil {
			t.Error(err)
		}
	}}
	w.send("q1", "k")
	w.drain(10 * time.Minute)
	w.now = w.now.Add(2 * time.Minute) // settings are read anew
	w.push(batch("q2", "b2", "accounts", object("k", 5)))
	w.drain(10 * time.Minute)
	if s, err := w.store.Connection(t.Context(), "prod"); err != nil || s.Epoch != 1 || s.Account != "org-1" {
		t.Errorf("%+v, %v", s, err)
	}
	if w.crm.sends["k"] != 1 {
		t.Errorf("the insert was sent %d times", w.crm.sends["k"])
	}
}

// acceptedAtPin accepts another account right before the first pin.
type acceptedAtPin struct {
	deliver.Connections
	accept func()
}

func (a *acceptedAtPin) PinAccount(ctx context.Context, name, account string) (syncdef.Stored, error) {
	if a.accept != nil {
		a.accept()
		a.accept = nil
	}
	return a.Connections.PinAccount(ctx, name, account)
}

// appliedAtHalt lets something happen as the first halt is read: a job's account is compared
// by then, and not yet opened.
type appliedAtHalt struct {
	deliver.Halts
	do func()
}

func (h *appliedAtHalt) Halt(ctx context.Context, sync, version string) (run.Halt, error) {
	if do := h.do; do != nil {
		h.do = nil
		do()
	}
	return h.Halts.Halt(ctx, sync, version)
}

// Settings that another invocation of the process reads between a job's comparison of the
// account and its first call lead to an account that nobody compared: it gets no row.
func TestOtherSettingsMeanwhile(t *testing.T) {
	w := newWorld(t, 8, nil)
	other := newCRM(w.clock)
	other.id = "org-2"
	w.deliver.Open = func(c syncdef.Connection) (dest.Account, error) {
		if c.URL != "" {
			return other, nil
		}
		return w.crm, nil
	}
	w.send("q0", "x")
	w.drain(time.Hour) // pins org-1
	w.send("q1", "a")
	w.send("q2", "bbb")
	in := w.receive()
	if len(in) != 2 {
		t.Fatalf("%d messages", len(in))
	}
	apply := func(url string) {
		if err := w.store.PutConnection(t.Context(), syncdef.Connection{Name: "prod", Type: "crm", URL: url}); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(2 * time.Minute) // its settings are read anew
	}
	w.deliver.Halts = &appliedAtHalt{Halts: w.store, do: func() {
		apply("https://other.example")
		w.handle(in[1:])
	}}
	w.handle(in[:1])
	apply("")
	w.drain(time.Hour)
	if len(other.records) != 0 || len(w.crm.records) != 3 {
		t.Errorf("the pinned account holds %v, the other one %v", w.crm.records, other.records)
	}
}

// A run that is begun right after an acceptance is delivered to the accepted account
// also by a worker that read the settings before it: else the new target's mark would
// pass rows that only the account of before has (I4).
func TestRunBegunAfterAcceptance(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.push(batch("q1", "b1", "accounts", object("same", 1)))
	w.once() // the settings are read, and are believed for a minute
	w.crm.id = "org-2"
	if _, err := w.store.AcceptAccount(t.Context(), "prod", "org-2"); err != nil {
		t.Fatal(err)
	}
	b, err := w.control().Begin(t.Context(), "accounts", "", "t")
	if err != nil || b.Select != runs.All {
		t.Fatalf("%+v, %v", b, err)
	}
	w.push(batch("t", "t1", b.Run, object("same", 1), object("new", 2)))
	if _, err := w.control().Finish(t.Context(), b.Run, 2); err != nil {
		t.Fatal(err)
	}
	w.once()
	if c := w.counts(b.Run); c.Delivered != 2 || w.crm.sends["same"] != 2 || w.crm.sends["new"] != 1 {
		t.Errorf("the accepted account lacks rows of the run: %+v, sent %v", c, w.crm.sends)
	}
	entries, err := w.store.Entries(t.Context(), ledger.Target(&w.version.Definition, &w.version.Rules, 1), []string{"same", "new"})
	if err != nil || entries["same"].Held.Fingerprint.Void() || entries["new"].Held.Fingerprint.Void() {
		t.Errorf("the accepted account's ledger lacks rows of the run: %+v, %v", entries, err)
	}
}

// An expired row of a stop_on_error sync ends its run, as any failure does: rows that
// are not sent because of it must not lie below the mark of a complete run (I4).
func TestExpiredRowStops(t *testing.T) {
	w := newWorld(t, 1, func(_ *crm, d *syncdef.Definition) { d.OnError = syncdef.Stop })
	b, err := w.control().Begin(t.Context(), "accounts", "", "t")
	if err != nil {
		t.Fatal(err)
	}
	w.push(batch("t", "t1", b.Run, object("a", 1)))
	w.crm.down = failed(dest.Unavailable, "503")
	w.once()
	w.now = w.now.Add(time.Minute)
	w.push(batch("t", "t2", b.Run, object("z", 9)))
	if _, err := w.control().Finish(t.Context(), b.Run, 2); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(7*24*time.Hour + time.Second)
	w.crm.down = nil
	w.live(time.Hour)
	if s := w.status(b.Run); s.Status != run.Cancelled || w.watermark() != "" {
		t.Errorf("the run is %s, the watermark %q, %+v", s.Status, w.watermark(), s.Counts)
	}
}
