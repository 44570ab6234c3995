package pipeline_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/metadata"
	"github.com/penstock-data/penstock/shared/verify"
)

// A defective account has a defect where records are counted.
type defective struct{ *crm }

func (defective) Freshness(context.Context, *syncdef.Definition, time.Time, dest.Spend) (freshness.Figures, error) {
	panic("the value of a row")
}

// A defect met while records are counted costs the sync its figures, and not the process,
// which delivers.
func TestFreshenPanics(t *testing.T) {
	w := newWorld(t, 1, func(_ *crm, d *syncdef.Definition) {
		d.Freshness = &syncdef.Freshness{DestinationField: "v"}
	})
	w.deliver.Freshness = w.store
	w.deliver.Open = func(syncdef.Connection) (dest.Account, error) { return defective{w.crm}, nil }
	if n, err := w.deliver.Freshen(t.Context()); n != 0 || err != nil {
		t.Errorf("%d counted, %v", n, err)
	}
	r, err := w.store.Freshness(t.Context(), "accounts")
	if err != nil || r.Known() || !strings.Contains(r.Failure, "a defect in Penstock") || strings.Contains(r.Failure, "value of a row") {
		t.Errorf("%+v, %v", r, err)
	}
}

// An idle account has no record.
type idle struct{ *crm }

func (idle) Freshness(context.Context, *syncdef.Definition, time.Time, dest.Spend) (freshness.Figures, error) {
	return freshness.Figures{Total: freshness.N(0)}, nil
}

// Counting pins no account: a secret of another one may be corrected until rows go there.
func TestFreshenPinsNothing(t *testing.T) {
	w := newWorld(t, 1, func(_ *crm, d *syncdef.Definition) {
		d.Freshness = &syncdef.Freshness{DestinationField: "v"}
	})
	w.deliver.Freshness = w.store
	w.deliver.Open = func(syncdef.Connection) (dest.Account, error) { return idle{w.crm}, nil }
	pinned := func() string {
		stored, err := w.store.Connection(t.Context(), "prod")
		if err != nil {
			t.Fatal(err)
		}
		return stored.Account
	}
	if n, err := w.deliver.Freshen(t.Context()); n != 1 || err != nil || pinned() != "" {
		t.Errorf("%d counted, %v, pinned %q", n, err, pinned())
	}
	w.send("q", "a")
	w.once()
	if pinned() == "" {
		t.Error("the first delivery pinned nothing")
	}
}

// A busy account refuses whatever is asked beside the deliveries, after its cost.
type busy struct {
	*crm
	refusal *dest.CallError
	cost    dest.Cost
}

func (b busy) refuse(ctx context.Context, spend dest.Spend) error {
	if err := spend(ctx, b.cost); err != nil {
		return err
	}
	return b.refusal
}

func (b busy) Limits() dest.Limits {
	l := b.crm.Limits()
	l.Probe = []dest.Cost{b.cost}
	return l
}

func (b busy) Freshness(ctx context.Context, _ *syncdef.Definition, _ time.Time, spend dest.Spend) (freshness.Figures, error) {
	return freshness.Figures{}, b.refuse(ctx, spend)
}

func (b busy) Readable(ctx context.Context, _ *syncdef.Definition, _ []string, spend dest.Spend) ([]dest.Readable, error) {
	return nil, b.refuse(ctx, spend)
}

func (b busy) Read(ctx context.Context, _ *syncdef.Definition, _, _ []string, spend dest.Spend) ([]dest.Kept, error) {
	return nil, b.refuse(ctx, spend)
}
func (b busy) ReadSize() int                          { return 10 }
func (b busy) ReadCalls(*syncdef.Definition, int) int { return 1 }

func (b busy) Describe(context.Context, *syncdef.Definition) (*metadata.Object, error) {
	return nil, b.refusal
}
func (b busy) Objects(context.Context) ([]string, error) { return nil, b.refusal }
func (b busy) Rights(context.Context, []syncdef.Definition) ([]dest.Right, error) {
	return nil, b.refusal
}

func (b busy) Open(syncdef.Version) (dest.Destination, error) { return b, nil }

func (b busy) Calls(batch dest.Batch, most int) []dest.Call {
	calls := b.crm.Calls(batch, most)
	for i := range calls {
		calls[i].Costs = []dest.Cost{b.cost}
	}
	return calls
}

func (b busy) Push(context.Context, dest.Batch, dest.Call) ([]dest.Outcome, error) {
	return nil, b.refusal
}

// A vendor that asks to be left alone is left alone by the connection's rows as well,
// whoever asked it; but not where the rows go by another bucket, nor for too many calls at
// once, nor by what another place is asked or what only looks.
func TestRetryAfterBesideDeliveries(t *testing.T) {
	refused := func(change func(*dest.CallError)) *dest.CallError {
		e := &dest.CallError{Op: "count Account", Class: dest.Throttled, Scope: dest.ScopeConnection, Code: "429", Message: "slow down", After: 10 * time.Minute}
		change(e)
		return e
	}
	for name, c := range map[string]struct {
		refusal *dest.CallError
		bucket  string
		guest   bool
		pauses  bool
	}{
		"the connection's":     {refused(func(*dest.CallError) {}), "", false, true},
		"a window of seconds":  {refused(func(e *dest.CallError) { e.Quota = dest.QuotaSecond }), "", false, true},
		"another bucket's":     {refused(func(*dest.CallError) {}), "search", false, false},
		"too many at once":     {refused(func(e *dest.CallError) { e.Quota = dest.QuotaConcurrent }), "", false, false},
		"it is not told whose": {refused(func(e *dest.CallError) { e.Scope = dest.ScopeUntold }), "", false, false},
		"another failure":      {refused(func(e *dest.CallError) { e.Class = dest.Unavailable }), "", false, false},
		"another place":        {refused(func(*dest.CallError) {}), "", true, false},
	} {
		for ask, do := range map[string]func(*world) error{
			"freshness": func(w *world) error { _, err := w.deliver.Freshen(w.t.Context()); return err },
			"check": func(w *world) error {
				w.deliver.Verifications = w.store
				w.now = w.now.Add(48 * time.Hour)
				_, err := w.deliver.Freshen(w.t.Context())
				return err
			},
			"verify": func(w *world) error {
				_, err := w.deliver.Verify(w.t.Context(), verify.Request{Sync: "accounts"})
				return err
			},
			"removal": func(w *world) error {
				target := ledger.Target(&w.version.Definition, &w.version.Rules, 0)
				all, _, err := w.store.EntriesAfter(w.t.Context(), target, "", 1)
				if err != nil || len(all) != 1 {
					t.Fatalf("%d entries, %v", len(all), err)
				}
				if _, err := w.deliver.Remove(w.t.Context(), w.version, target, all[0]); !errors.Is(err, deliver.ErrUnreached) {
					return err
				}
				return nil
			},
			"look": func(w *world) error {
				out, err := w.deliver.Look(w.t.Context(), verify.Look{Version: w.version, Rows: []verify.Wanted{{Key: "a", ID: "id-a"}}})
				if out.Stopped == "" {
					t.Errorf("%s: the look was not refused", name)
				}
				return err
			},
		} {
			w := newWorld(t, 1, func(_ *crm, d *syncdef.Definition) {
				d.Verify = &syncdef.Verify{Sample: new(int)} // the schema alone
				if ask == "freshness" {
					d.Freshness = &syncdef.Freshness{DestinationField: "v"}
				}
			})
			w.deliver.Freshness, w.deliver.Listing = w.store, w.store
			w.send("q", "a")
			w.drain(time.Minute)
			w.boot()
			w.deliver.Freshness, w.deliver.Listing, w.deliver.Guest = w.store, w.store, c.guest
			w.deliver.Open = func(syncdef.Connection) (dest.Account, error) {
				return busy{w.crm, c.refusal, dest.Cost{Bucket: c.bucket, Tokens: 1}}, nil
			}
			if err := do(w); err != nil {
				t.Errorf("%s, %s: %v", name, ask, err)
			}
			s, err := w.store.Pace(t.Context(), "prod")
			if err != nil || s.Failing() != (c.pauses && ask != "look") || s.Failing() && s.Until.Sub(w.now) < 10*time.Minute-time.Second {
				t.Errorf("%s, %s: %+v, %v", name, ask, s, err)
			}
		}
	}
}
