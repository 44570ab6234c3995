package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// countedTokens counts what is leased.
type countedTokens struct {
	*sqlite.Store
	granted int
}

func (c *countedTokens) Lease(ctx context.Context, bucket string, limits []pace.Window, want int, now time.Time) (int, time.Duration, error) {
	n, wait, err := c.Store.Lease(ctx, bucket, limits, want, now)
	c.granted += n
	return n, wait, err
}

// A token that was leased and not used is lost when its lease is over: in another
// window it would be one too many (I7).
func TestLeaseExpires(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.quota = manyCalls })
	tokens := &countedTokens{Store: w.store}
	w.deliver.Tokens = tokens
	throttled := false
	w.crm.fail = func([]string) *dest.CallError {
		if throttled {
			return nil
		}
		throttled = true
		return &dest.CallError{Op: "upsert", Class: dest.Throttled, Message: "429", After: 20 * time.Second}
	}
	id := w.send("q", "a", "b", "c", "d", "e", "f") // two calls
	w.once()
	if tokens.granted != 2 || w.crm.calls != 1 {
		t.Fatalf("%d tokens for %d calls", tokens.granted, w.crm.calls)
	}
	w.drain(time.Hour)
	if c := w.counts(id); c.Delivered != 6 || tokens.granted != 4 {
		t.Errorf("%+v, %d tokens leased for two calls more, want 4 in all", c, tokens.granted)
	}
}

// A push that makes more calls than it was paid for, such as one for each of a record's
// tags, is paid before the next one, also where that is more than the quota's bucket ever
// holds: all rows arrive, and no window has more calls than it may (I7), but for what one
// push makes.
func TestCallsBeyondThosePaidFor(t *testing.T) {
	const extra, most = 15, 20
	quota := pace.Window{Calls: most, Per: 10 * time.Second} // a burst of 10
	w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.quota, c.most = []pace.Window{quota}, 1 })
	var made []time.Time
	w.crm.during = func([]string) {
		w.crm.calls += extra
		for range 1 + extra {
			made = append(made, w.now)
		}
	}
	id := w.send("q", "a", "b", "c", "d", "e", "f", "g", "h")
	w.drain(time.Hour)
	if c := w.counts(id); c.Delivered != 8 || len(made) != 8*(1+extra) {
		t.Fatalf("%+v, %d calls", c, len(made))
	}
	for i, from := range made {
		n := 0
		for _, at := range made[i:] {
			if at.Sub(from) < quota.Per {
				n++
			}
		}
		if n > most+extra {
			t.Fatalf("%d calls within %s of %s, %d allowed", n, quota.Per, from, most)
		}
	}
}

// byQuota lets the crm grant what its connection's quota.calls_per_day says.
func (w *world) byQuota() {
	w.deliver.Open = func(c syncdef.Connection) (dest.Account, error) {
		w.crm.quota = []pace.Window{{Calls: c.Quota.CallsPerDay, Per: 24 * time.Hour}}
		return w.crm, nil
	}
}

// grant applies a connection with another quota.
func (w *world) grant(perDay int64) {
	w.t.Helper()
	if err := w.store.PutConnection(w.t.Context(), syncdef.Connection{Name: "prod", Type: "crm", Quota: syncdef.Quota{CallsPerDay: perDay}}); err != nil {
		w.t.Fatal(err)
	}
}

// Rows wait for a share that is spent. Once it is raised, they go on within a minute, and
// those that have waited for long within half an hour, also where another message has made
// the worker read its settings just before.
func TestRaisedShareReachesRowsThatWait(t *testing.T) {
	for _, c := range []struct{ waited, within time.Duration }{
		{0, time.Minute}, {10 * time.Minute, time.Minute}, {2 * time.Hour, 10 * time.Minute}, {4 * time.Hour, 18 * time.Minute}, {20 * time.Hour, 30 * time.Minute},
	} {
		w := newWorld(t, 8, func(c *crm, _ *syncdef.Definition) { c.most = 1 })
		w.byQuota()
		w.grant(2) // one at once, and one a day
		w.send("first", "x")
		w.once()
		w.send("then", "a", "b", "c", "d")
		w.drain(c.waited)
		waiting := w.depth()
		if len(w.crm.records) != 1 || waiting == 0 {
			t.Fatalf("after %v: %d sent, %d messages wait", c.waited, len(w.crm.records), waiting)
		}
		w.now = w.now.Add(settingsLife)
		w.push(batch("again", "again:1", "accounts", object("x", 1)))
		if w.once(); w.depth() != waiting {
			t.Fatalf("%d messages, want %d: x is unchanged", w.depth(), waiting)
		}
		w.grant(100)
		if took := w.drain(time.Hour); took > c.within || len(w.crm.records) != 5 {
			t.Errorf("after %v: %d of 5 rows are there, %v after the share was raised", c.waited, len(w.crm.records), took)
		}
	}
}

// Rows that waited for the connection's tokens, round after round, had no attempt in
// them: what is refused then, or is busy, has had its first.
func TestWaitingForTokensIsNoAttempt(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most = 1 })
	w.byQuota()
	w.grant(2) // one at once, and one a day
	w.send("first", "x")
	w.once()
	tried := map[string]int{}
	w.crm.outcome = func(key string) *dest.Outcome {
		tried[key]++
		if key == "busy" {
			return &dest.Outcome{Status: dest.Retry, Code: "UNABLE_TO_LOCK_ROW", Message: "locked"}
		}
		return rejectAll(key)
	}
	id := w.send("then", "refused", "busy")
	rounds := 0
	for range 5 * 60 {
		if in := w.receive(); len(in) > 0 {
			w.handle(in)
			rounds++
		}
		w.now = w.now.Add(time.Minute)
	}
	if rounds < 5 || len(tried) > 0 || w.depth() == 0 {
		t.Fatalf("%d rounds, tried %v, %d messages wait", rounds, tried, w.depth())
	}
	w.grant(1000)
	w.drain(time.Hour)
	if errs := w.errors(id); len(errs) != 2 || tried["refused"] != 1 || tried["busy"] != tries {
		t.Fatalf("tried %v, errors %+v", tried, errs)
	}
	for _, e := range w.errors(id) {
		if e.Attempts != 1 || e.Due.IsZero() == (e.Key == "busy") {
			t.Errorf("%s has %d attempts, due %v", e.Key, e.Attempts, e.Due)
		}
	}
}

// settingsLife is how long a worker believes a connection's settings.
const settingsLife = time.Minute
