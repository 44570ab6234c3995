package apptest

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/sandbox"
	salesforcesim "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// newStrict makes a World whose Salesforce has the limits of the options.
func newStrict(t *testing.T, set yamlfile.Set, o salesforcesim.Options) *World {
	t.Helper()
	clock := NewClock()
	v := NewVendors(t, clock.Now, -1)
	secret := salesforcesim.Sandbox.Secret
	o.Core, o.Credentials = sandbox.Options{Now: clock.Now}, salesforcesim.Credentials{ClientID: secret["client_id"], ClientSecret: secret["client_secret"]}
	strict, err := salesforcesim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	v.Salesforce = strict
	w := NewOf(t, clock, v.Services(), set)
	w.Vendors = v
	return w
}

// A vendor that takes three calls at once gets sixteen lanes' rows with few refusals, at
// the whole rate and in whole calls.
func TestTooManyCallsAtOnce(t *testing.T) {
	const lanes, rounds, rows = 16, 6, 400
	set := Load(t, "testdata/faults")
	for i := range set.Syncs {
		if set.Syncs[i].Definition.Sync == "accounts" {
			set.Syncs[i].Definition.Lanes = lanes
		}
	}
	w := newStrict(t, set, salesforcesim.Options{MaxConcurrent: 3})
	crowded := w.Vendors.Salesforce
	w.Push(t, "q0", "q0:1", account("accounts", "first", 1))
	w.Drain(t, "salesforce") // it is logged in, and the account is pinned
	w.fault(t, sandbox.Fault{Match: "PATCH", DelayMS: 5, Count: -1})
	before := crowded.Core().Calls().Total

	var messages, most, underWay atomic.Int64
	runs := map[string]bool{}
	for n := range rounds {
		query := fmt.Sprint("q", n+1)
		var all [][]string
		for i := range rows {
			all = append(all, account("accounts", fmt.Sprintf("c%03d", i), n*rows+i))
		}
		runs[w.Push(t, query, query+":1", all...)[0].Run] = true
		for turns := 0; w.Depth(t, "salesforce") > 0 && turns < 100; turns++ {
			var in []envelope.Delivery
			for range 2 {
				some, err := w.Store.Receive(t.Context(), "salesforce", 10, Visibility)
				if err != nil {
					t.Fatal(err)
				}
				in = append(in, some...)
			}
			var g errgroup.Group
			for _, m := range in {
				g.Go(func() error {
					most.Store(max(most.Load(), underWay.Add(1)))
					defer underWay.Add(-1)
					messages.Add(1)
					r := w.Deliver("salesforce").Handle(t.Context(), []envelope.Delivery{m})
					if slices.Contains(r.Stay, m.ID) {
						return nil
					}
					return w.Store.Delete(t.Context(), "salesforce", m.Receipt)
				})
			}
			if err := g.Wait(); err != nil {
				t.Fatal(err)
			}
			w.Clock.Advance(time.Second)
		}
	}
	got := w.stored(t)
	for i := range rows {
		if key := fmt.Sprintf("c%03d", i); got[key] != fmt.Sprint((rounds-1)*rows+i) {
			t.Fatalf("%s is %q at the vendor", key, got[key])
		}
	}
	for id := range runs {
		if errs := w.Errors(t, id); len(errs) > 0 {
			t.Errorf("%d errors: %+v", len(errs), errs[0])
		}
	}
	calls := crowded.Core().Calls().Total - before
	const needed = lanes * rounds
	t.Logf("%d calls of %d messages, %d at once", calls, messages.Load(), most.Load())
	if calls <= needed || calls > needed+lanes+needed/4 {
		t.Errorf("%d calls for %d messages: want some refused, and few", calls, needed)
	}
	if messages.Load() > needed+lanes/2 {
		t.Errorf("%d messages were handed out for %d", messages.Load(), needed)
	}
	if b, err := w.Store.Bucket(t.Context(), "crm/"); err != nil || !b.Slowed.IsZero() {
		t.Errorf("the rate was lowered: %+v, %v", b, err)
	}
}
