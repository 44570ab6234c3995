package machine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/app/schedule"
	"github.com/penstock-data/penstock/shared/local"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

// lookEvery is how often the scheduler looks at the clock, and at what waits.
const lookEvery = time.Second

// schedule runs the syncs that have a frequency, in the warehouse of the configuration,
// until ctx ends; nothing without one.
func (m *Machine) schedule(ctx context.Context) error {
	if m.cfg.Warehouse == nil {
		return nil
	}
	h := &schedule.Handler{Log: m.cfg.Log, Schedules: &runs.Schedules{Stores: stores(m.Store), Warehouse: until{m.cfg.Warehouse, ctx}, Policy: m.policy(), Now: time.Now}}
	due := &local.Scheduler{Entries: m.entries, Target: h, Now: time.Now}
	return local.Tick(ctx, both{due, h}, lookEvery, m.cfg.Log)
}

// until interrupts what a warehouse does when the machine stops.
type until struct {
	runs.Warehouse
	stop context.Context //nolint:containedctx // the machine's, beside that of each call
}

// Start starts a statement, and ends it with the machine.
func (u until) Start(ctx context.Context, c run.Call) (run.Statement, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(u.stop, cancel)()
	return u.Warehouse.Start(ctx, c)
}

// both calls one function after the other.
type both struct{ first, second local.Invoker }

// Invoke calls them; all failures are returned, joined.
func (b both) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	_, one := b.first.Invoke(ctx, payload)
	answer, other := b.second.Invoke(ctx, payload)
	return answer, errors.Join(one, other)
}

// entries are the schedules of the applied syncs.
func (m *Machine) entries(ctx context.Context) ([]local.Entry, error) {
	names, err := m.Store.List(ctx)
	if err != nil {
		return nil, err
	}
	var out []local.Entry
	var errs []error
	for _, name := range names {
		e, err := m.entry(ctx, name)
		switch {
		case errors.Is(err, run.ErrNotFound), errors.Is(err, frequency.ErrNone): // removed since, or without a schedule
		case err != nil: // the others are due all the same
			errs = append(errs, fmt.Errorf("the sync %q: %w", name, err))
		default:
			out = append(out, e)
		}
	}
	return out, errors.Join(errs...)
}

// entry is a sync's schedule; run.ErrNotFound, frequency.ErrNone.
func (m *Machine) entry(ctx context.Context, name string) (local.Entry, error) {
	v, err := m.Store.Current(ctx, name)
	if err != nil {
		return local.Entry{}, err
	}
	p, err := frequency.Of(&v.Definition)
	if err != nil {
		return local.Entry{}, err
	}
	last, err := m.Store.RecentFirings(ctx, name, 1)
	if err != nil {
		return local.Entry{}, err
	}
	e := local.Entry{Sync: name, Mode: string(v.Definition.Scheduled().Mode), Plan: p, After: v.AppliedAt}
	if len(last) > 0 && last[0].At.After(e.After) {
		e.After = last[0].At
	}
	return e, nil
}
