package viewtest

import (
	"context"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Count is a Counted over the stores that pages are read from.
func Count(s runs.Stores) *Counted { return &Counted{s: s} }

// Stores are what a Reader needs.
func (c *Counted) Stores() runs.Stores {
	return runs.Stores{Syncs: c, Runs: c, History: c, Overviews: c, Some: c, Lists: c, Places: c, Entries: c}
}

// A Counted counts the calls of a store and what they answer. What is not counted is not
// there, and panics.
type Counted struct {
	runs.Syncs
	runs.Runs
	runs.History
	s              runs.Stores
	queries, items int
}

func (c *Counted) add(items int) {
	c.queries++
	c.items += items
}

// Count says how much was asked and read since it was called last.
func (c *Counted) Count() (queries, items int) {
	q, i := c.queries, c.items
	c.queries, c.items = 0, 0
	return q, i
}

// Version implements runs.Syncs.
func (c *Counted) Version(ctx context.Context, sync, id string) (syncdef.Version, error) {
	c.add(1)
	return c.s.Syncs.Version(ctx, sync, id)
}

// Run implements runs.Runs.
func (c *Counted) Run(ctx context.Context, id string) (run.Run, error) {
	c.add(1)
	return c.s.Runs.Run(ctx, id)
}

// RecentRuns implements runs.History.
func (c *Counted) RecentRuns(ctx context.Context, sync string, limit int) ([]run.Run, error) {
	all, err := c.s.History.RecentRuns(ctx, sync, limit)
	c.add(len(all))
	return all, err
}

// SetOverview implements runs.Overviews.
func (c *Counted) SetOverview(context.Context, run.Overview) error { panic("a page writes nothing") }

// DeleteOverview implements runs.Overviews.
func (c *Counted) DeleteOverview(context.Context, string) error { panic("a page writes nothing") }

// Overview implements runs.Overviews.
func (c *Counted) Overview(ctx context.Context, sync string) (run.Overview, error) {
	c.add(1)
	return c.s.Overviews.Overview(ctx, sync)
}

// Overviews implements runs.Overviews.
func (c *Counted) Overviews(ctx context.Context, known map[string]int64) ([]run.Overview, error) {
	all, err := c.s.Overviews.Overviews(ctx, known)
	c.add(len(all))
	return all, err
}

// SomeRuns implements runs.Some.
func (c *Counted) SomeRuns(ctx context.Context, ids []string) (map[string]run.Run, error) {
	c.add(len(ids))
	return c.s.Some.SomeRuns(ctx, ids)
}

// SomeOpenRuns implements runs.Some.
func (c *Counted) SomeOpenRuns(ctx context.Context, limit int) ([]string, error) {
	ids, err := c.s.Some.SomeOpenRuns(ctx, limit)
	c.add(len(ids))
	return ids, err
}

// ListErrors implements runs.Lists.
func (c *Counted) ListErrors(ctx context.Context, list, from string, limit int, each func(run.Listed) bool) (bool, error) {
	c.add(0)
	return c.s.Lists.ListErrors(ctx, list, from, limit, func(l run.Listed) bool { c.items++; return each(l) })
}

// SomeErrors implements runs.Lists.
func (c *Counted) SomeErrors(ctx context.Context, refs []string) (map[string]run.RowError, error) {
	c.add(len(refs))
	return c.s.Lists.SomeErrors(ctx, refs)
}

// Places implements runs.Places.
func (c *Counted) Places(ctx context.Context, places []ledger.Place) (map[ledger.Place]ledger.Entry, error) {
	c.add(len(places))
	return c.s.Places.Places(ctx, places)
}

// KeysOf implements runs.Entries.
func (c *Counted) KeysOf(ctx context.Context, target string, records []string) (map[string][]string, error) {
	c.add(len(records))
	return c.s.Entries.KeysOf(ctx, target, records)
}

// ForgetEntries implements runs.Entries.
func (c *Counted) ForgetEntries(context.Context, string, []string) error {
	panic("a page writes nothing")
}
