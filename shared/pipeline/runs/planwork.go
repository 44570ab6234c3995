package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/penstock-data/penstock/shared/estimate"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// weigh notes what a planned row costs, in the words of package estimate.
func (l *look) weigh(p *Planned, key string) {
	p.work = estimate.Work{}
	w := &p.work
	unknown := 0.0
	if l.entries[key].Held.ID == "" {
		unknown = 1
	}
	switch p.Action {
	case Create:
		w.Created, w.Lookups = 1, unknown
	case Update:
		w.Updated, w.Lookups = 1, unknown
	case Delete:
		w.Removed, w.Finds = 1, unknown
	}
	if l.v.Rules.Effort == nil {
		return
	}
	for _, x := range l.v.Rules.Effort.Extra {
		if !slices.Contains(l.names, x.Field) {
			continue
		}
		switch {
		case p.Action == Create:
			w.Extra += x.Create
		case p.Action == Update && (len(p.Fields) == 0 || slices.Contains(p.Fields, x.Field)):
			w.Extra += x.Update
		}
	}
}

// A Bill adds up what planned rows cost, over all batches of a plan.
type Bill struct {
	work   estimate.Work
	groups map[string]int // messages by group
}

// Add takes rows' parts.
func (b *Bill) Add(rows []Planned) {
	if b.groups == nil {
		b.groups = map[string]int{}
	}
	for i := range rows {
		p := &rows[i]
		b.work.Add(p.work)
		switch p.Action {
		case NotSelected:
		case Refused:
			b.work.Rejected++
			b.work.Rows++
		case Removed:
			b.work.Removed++
			b.work.Rows++
		default:
			b.work.Rows++
		}
		if p.Action == Create {
			b.groups[p.group]++
		}
	}
}

// messages are the calls of n messages of one group.
func messages(e *syncdef.Effort, n int) float64 {
	switch {
	case e == nil || e.Digest == 0:
		return 0
	case n > e.Digest:
		return 2
	}
	return float64(n)
}

// Estimate says what all that was added costs. A *row.Refusal when the sync is not
// applied any more.
func (c *Control) Estimate(ctx context.Context, sync string, b *Bill) (estimate.Estimate, syncdef.Connection, error) {
	v, err := c.current(ctx, wirePlan, sync)
	if err != nil {
		return estimate.Estimate{}, syncdef.Connection{}, err
	}
	conn, err := c.settings(ctx, v)
	if err != nil {
		return estimate.Estimate{}, conn, err
	}
	w := b.work
	for _, n := range b.groups {
		w.Messages += messages(v.Rules.Effort, n)
	}
	return estimate.Of(&v, &conn, w), conn, nil
}

// PlanParts is Plan with each row's part of what the push would cost.
func (c *Control) PlanParts(ctx context.Context, p PlanRequest) ([]Planned, error) {
	out, v, err := c.plan(ctx, p)
	if err != nil {
		return nil, err
	}
	conn, err := c.settings(ctx, v)
	if err != nil {
		return nil, err
	}
	groups := map[string]int{}
	for i := range out {
		if out[i].Action == Create {
			groups[out[i].group]++
		}
	}
	for i := range out {
		one := &out[i]
		if one.Action == NotSelected {
			continue
		}
		w := one.work
		w.Rows = 1
		if one.Action == Refused {
			w.Rejected = 1
		}
		if n := groups[one.group]; one.Action == Create && n > 0 {
			w.Messages = messages(v.Rules.Effort, n) / float64(n)
		}
		e := estimate.Part(&v, &conn, w)
		one.Estimate = &e
	}
	return out, nil
}

// settings are those of a version's connection; the zero value where none are stored.
func (c *Control) settings(ctx context.Context, v syncdef.Version) (syncdef.Connection, error) {
	stored, err := c.Connections.Connection(ctx, v.Definition.Connection)
	if err != nil && !errors.Is(err, run.ErrNotFound) {
		return syncdef.Connection{}, fmt.Errorf("read connection %q: %w", v.Definition.Connection, err)
	}
	return stored.Connection, nil
}
