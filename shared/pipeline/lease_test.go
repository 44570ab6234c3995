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
