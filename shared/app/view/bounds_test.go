package view_test

import (
	"context"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/app/view/viewtest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// counted counts the calls of a store and what they answer. What is not counted is not
// there, and panics.
type counted struct {
	runs.Syncs
	runs.Runs
	runs.History
	s              *sqlite.Store
	queries, items int
}

func (c *counted) count(items int) {
	c.queries++
	c.items += items
}

func (c *counted) reset() (int, int) {
	q, i := c.queries, c.items
	c.queries, c.items = 0, 0
	return q, i
}

func (c *counted) Version(ctx context.Context, sync, id string) (syncdef.Version, error) {
	c.count(1)
	return c.s.Version(ctx, sync, id)
}

func (c *counted) Run(ctx context.Context, id string) (run.Run, error) {
	c.count(1)
	return c.s.Run(ctx, id)
}

func (c *counted) RecentRuns(ctx context.Context, sync string, limit int) ([]run.Run, error) {
	all, err := c.s.RecentRuns(ctx, sync, limit)
	c.count(len(all))
	return all, err
}

func (c *counted) SetOverview(context.Context, run.Overview) error { panic("a page writes nothing") }
func (c *counted) DeleteOverview(context.Context, string) error    { panic("a page writes nothing") }
func (c *counted) Overview(ctx context.Context, sync string) (run.Overview, error) {
	c.count(1)
	return c.s.Overview(ctx, sync)
}

func (c *counted) Overviews(ctx context.Context, known map[string]int64) ([]run.Overview, error) {
	all, err := c.s.Overviews(ctx, known)
	c.count(len(all))
	return all, err
}

func (c *counted) SomeRuns(ctx context.Context, ids []string) (map[string]run.Run, error) {
	c.count(len(ids))
	return c.s.SomeRuns(ctx, ids)
}

func (c *counted) SomeOpenRuns(ctx context.Context, limit int) ([]string, error) {
	ids, err := c.s.SomeOpenRuns(ctx, limit)
	c.count(len(ids))
	return ids, err
}

func (c *counted) ListErrors(ctx context.Context, list, from string, limit int, each func(run.Listed) bool) (bool, error) {
	c.count(0)
	return c.s.ListErrors(ctx, list, from, limit, func(l run.Listed) bool { c.items++; return each(l) })
}

func (c *counted) SomeErrors(ctx context.Context, refs []string) (map[string]run.RowError, error) {
	c.count(len(refs))
	return c.s.SomeErrors(ctx, refs)
}

func (c *counted) Places(ctx context.Context, places []ledger.Place) (map[ledger.Place]ledger.Entry, error) {
	c.count(len(places))
	return c.s.Places(ctx, places)
}

func filled(t testing.TB, syncs, errs int) (*counted, *view.Reader) {
	t.Helper()
	now := func() time.Time { return viewtest.Start.Add(time.Minute) }
	s, err := sqlite.Open("", now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	viewtest.Fill(t, s, syncs, errs)
	c := &counted{s: s}
	return c, view.New(view.Config{Stores: runs.Stores{Syncs: c, Runs: c, History: c, Overviews: c, Some: c, Lists: c, Places: c}, Now: now})
}

// With 50 syncs and 100,000 errors a page asks at most five times and reads at most 200
// items.
func TestBounds(t *testing.T) {
	c, r := filled(t, 50, 100_000)
	viewtest.Bounds(t, r, 50, 100_000, c.reset)
}

// BenchmarkPage reads each page with one sync and ten errors, and with 50 and 100,000: at
// most three times as long (infra/ratios).
func BenchmarkPage(b *testing.B) {
	for _, size := range []struct {
		name        string
		syncs, errs int
	}{{"few", 1, 10}, {"many", 50, 100_000}} {
		_, r := filled(b, size.syncs, size.errs)
		for name, page := range viewtest.Pages {
			b.Run(name+"/"+size.name, func(b *testing.B) {
				for b.Loop() {
					if err := page(b.Context(), r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
