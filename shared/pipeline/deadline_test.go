package pipeline_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline"
)

// A worker that a slow vendor keeps busy until its deadline has committed by then
// what was delivered: else it would be killed amid the commit, every time anew.
func TestCommitsBeforeTheDeadline(t *testing.T) {
	w := quietWorld(t, nil)
	const rows = 9000
	keys := make([]string, rows)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
	}
	w.send("q", keys...)
	end := w.now.Add(time.Minute)
	w.useDestination(&slow{vendor: w.vendor, call: 2 * time.Second})
	w.deliver.Ledger = &slowLedger{Ledger: w.store, w: w, entry: time.Millisecond}
	in, err := w.store.Receive(t.Context(), "crm", 10, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	stay, err := w.deliver.Handle(until{t.Context(), end}, in)
	if err != nil {
		t.Fatal(err)
	}
	if len(stay) == 0 || w.now.After(end) {
		t.Errorf("%d of %d messages stay, %v after the deadline", len(stay), len(in), w.now.Sub(end))
	}
	if n := len(w.vendor.sends); n < 4000 {
		t.Errorf("only %d rows were sent in the time", n)
	}
}

// A message that waits for tokens a few seconds at a time is not received so often
// that its queue calls it dead before its own time is over.
func TestWaitsForTokensWithinItsReceives(t *testing.T) {
	w := quietWorld(t, nil)
	id := w.send("q", "k0")[0].Run
	w.deliver.Pace = starved{}
	hidden := &lastHide{Visibility: w.store}
	w.deliver.Visibility = hidden
	receives := 0
	for w.errorTypes(id)["expired"] == 0 {
		if receives++; receives == 1000 {
			t.Fatalf("received %d times, as often as the queue allows, within %v", receives, w.now.Sub(time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)))
		}
		w.once()
		w.now = w.now.Add(hidden.d)
	}
}

// A lease is no larger than what is used of it before it expires: tokens that are
// taken and not used are lost to the connection's share.
func TestLeasesAreUsed(t *testing.T) {
	w := quietWorld(t, nil)
	keys := make([]string, 8000)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
	}
	w.send("q", keys...)
	w.useDestination(&slow{vendor: w.vendor, call: 1500 * time.Millisecond})
	leases := &granted{}
	w.deliver.Pace = leases
	w.once()
	if calls := 8000 / 200; len(w.vendor.sends) != 8000 || leases.tokens > calls*3/2 {
		t.Errorf("%d rows sent, %d tokens taken for %d calls", len(w.vendor.sends), leases.tokens, calls)
	}
}

// I7: calls that a destination makes beyond the one that a token was taken for,
// like further pages of a lookup, are taken from the bucket afterwards.
func TestFurtherCallsArePaid(t *testing.T) {
	w := quietWorld(t, nil)
	keys := make([]string, 1000)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
	}
	w.send("q", keys...)
	d := &pages{slow: &slow{vendor: w.vendor}}
	w.useDestination(d)
	leases := &granted{}
	w.deliver.Pace = leases
	w.once()
	if d.calls != 15 || leases.tokens != 15 {
		t.Errorf("%d tokens taken for %d calls, want 15 for 15", leases.tokens, d.calls)
	}
}

// pages is a vendor each of whose calls takes three requests.
type pages struct {
	*slow
	calls int64
}

// APICalls is how many requests were made.
func (p *pages) APICalls() int64 { return p.calls }

// Push implements pipeline.Destination.
func (p *pages) Push(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	p.calls += 3
	return p.slow.Push(ctx, b, c)
}

// granted grants everything and counts it.
type granted struct {
	pipeline.Pace
	tokens int
}

// Lease implements pipeline.Pace.
func (g *granted) Lease(_ context.Context, _ string, _ []pace.Window, want int, _ time.Time) (int, time.Duration, error) {
	g.tokens += want
	return want, 0, nil
}

// starved never has a token, and promises the next one for soon.
type starved struct{ pipeline.Pace }

// Lease implements pipeline.Pace.
func (starved) Lease(context.Context, string, []pace.Window, int, time.Time) (int, time.Duration, error) {
	return 0, 4 * time.Second, nil
}

// lastHide remembers for how long a message was hidden.
type lastHide struct {
	pipeline.Visibility
	d time.Duration
}

// Hide implements pipeline.Visibility.
func (l *lastHide) Hide(ctx context.Context, queue, receipt string, d time.Duration) error {
	l.d = d
	return l.Visibility.Hide(ctx, queue, receipt, d)
}

// until is a context with a deadline on the world's clock, which never fires.
type until struct {
	context.Context
	at time.Time
}

// Deadline implements context.Context.
func (u until) Deadline() (time.Time, bool) { return u.at, true }

// slow is a vendor whose every call takes that long.
type slow struct {
	*vendor
	call time.Duration
}

// Limits implements pipeline.Destination: no quota.
func (s *slow) Limits() dest.Limits {
	return dest.Limits{Concurrency: 1, Windows: func(string) []pace.Window { return nil }}
}

// Calls implements pipeline.Destination.
func (s *slow) Calls(b dest.Batch) []dest.Call {
	var calls []dest.Call
	for i := range b.Records {
		if i%200 == 0 {
			calls = append(calls, dest.Call{})
		}
		last := &calls[len(calls)-1]
		last.Records = append(last.Records, i)
	}
	return calls
}

// Push implements pipeline.Destination.
func (s *slow) Push(_ context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	s.w.now = s.w.now.Add(s.call)
	outcomes := make([]dest.Outcome, len(c.Records))
	for n, i := range c.Records {
		s.sends[b.Records[i].Key]++
		outcomes[n] = dest.Outcome{Status: dest.Delivered}
	}
	return outcomes, nil
}

// slowLedger takes that long to write an entry.
type slowLedger struct {
	pipeline.Ledger
	w     *world
	entry time.Duration
}

// Commit implements pipeline.Ledger.
func (l *slowLedger) Commit(ctx context.Context, target string, entries []ledger.Entry) error {
	l.w.now = l.w.now.Add(time.Duration(len(entries)) * l.entry)
	return l.Ledger.Commit(ctx, target, entries)
}
