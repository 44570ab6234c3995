package view

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// overviews are those of all applied syncs, by name, as they are stored. Where none is, no
// sweeper has run yet: they are put together here.
func (r *Reader) overviews(ctx context.Context) ([]run.Overview, error) {
	r.mu.Lock()
	known := r.known
	r.mu.Unlock()
	revisions := make(map[string]int64, len(known))
	for name, o := range known {
		revisions[name] = o.Revision
	}
	all, err := r.stores.Overviews.Overviews(ctx, revisions)
	if err != nil {
		return nil, err
	}
	next := make(map[string]*run.Overview, len(all))
	for i := range all {
		o := &all[i]
		if o.Unreadable != "" {
			continue
		}
		if last := known[o.Sync]; last != nil && last.Revision == o.Revision {
			next[o.Sync], all[i] = last, *last
		} else {
			kept := *o
			next[o.Sync] = &kept
		}
	}
	r.mu.Lock()
	r.known = next
	r.mu.Unlock()
	if len(all) == 0 {
		return r.compute(ctx)
	}
	return all, nil
}

// Names are the applied syncs and their connections: one query.
func (r *Reader) Names(ctx context.Context) (Names, error) {
	all, err := r.overviews(ctx)
	return namesOf(all), err
}

func namesOf(all []run.Overview) Names {
	out := Names{Syncs: []string{}, Connections: []string{}}
	for i := range all {
		out.Syncs = append(out.Syncs, all[i].Sync)
		if c := all[i].Connection; c != "" && !slices.Contains(out.Connections, c) {
			out.Connections = append(out.Connections, c)
		}
	}
	slices.Sort(out.Syncs)
	slices.Sort(out.Connections)
	return out
}

// compute puts the overviews of all applied syncs together.
func (r *Reader) compute(ctx context.Context) ([]run.Overview, error) {
	names, err := r.stores.Syncs.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list syncs: %w", err)
	}
	var all []run.Overview
	for _, name := range names {
		o, err := r.stores.Overview(ctx, name, r.now())
		if errors.Is(err, run.ErrNotFound) {
			continue // removed since
		}
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// overview is one sync's, as it is stored, or put together here; ErrNotFound.
func (r *Reader) overview(ctx context.Context, sync string) (run.Overview, error) {
	o, err := r.stores.Overviews.Overview(ctx, sync)
	if missing(err) {
		return r.stores.Overview(ctx, sync, r.now())
	}
	return o, err
}

// alive brings up to date which runs go on: those that began since the overviews were
// stored are added, and those that ended since are lines. Two queries more at most.
func (r *Reader) alive(ctx context.Context, all []run.Overview) error {
	open, err := r.stores.Some.SomeOpenRuns(ctx, mostOpen)
	if err != nil {
		return err
	}
	shown := map[string]bool{}
	for i := range all {
		for _, p := range all[i].Running {
			shown[p.ID] = true
		}
	}
	var ids []string // that have ended, or began, since
	for _, id := range open {
		if !shown[id] && !run.IsRetry(id) {
			ids = append(ids, id)
		}
		delete(shown, id)
	}
	ids = append(slices.Sorted(maps.Keys(shown)), ids...)
	ids = ids[:min(len(ids), max(mostItems-len(all)-mostOpen, mostOpen), 100)]
	if len(ids) == 0 {
		return nil
	}
	found, err := r.stores.Some.SomeRuns(ctx, ids)
	if err != nil {
		return err
	}
	of := map[string][]run.Run{}
	for _, s := range found {
		of[s.Sync] = append(of[s.Sync], s)
	}
	for i := range all {
		bring(&all[i], of[all[i].Sync], r.now())
	}
	return nil
}

// bring brings one overview up to date with the runs that were found.
func bring(o *run.Overview, mine []run.Run, now time.Time) {
	if len(mine) == 0 || o.Unreadable != "" {
		return
	}
	slices.SortFunc(mine, func(a, b run.Run) int { return b.BegunAt.Compare(a.BegunAt) })
	old := map[string]run.Progress{}
	for _, p := range o.Running {
		old[p.ID] = p
	}
	var going []run.Progress
	lines := slices.Clone(o.Lines)
	ended := false
	for _, s := range mine {
		p, known := old[s.ID]
		delete(old, s.ID)
		switch {
		case s.Status.Ended() && !known && s.EndedAt.Before(o.AsOf): // told already; its last rows are being settled
		case s.Status.Ended():
			if s.Counts.Received == 0 { // as of the last turn
				s.Counts = p.Counts
			}
			lines, ended = append(lines, run.LineOf(s)), true
		case known:
			p.Status, p.Expected = s.Status, s.Expected
			going = append(going, p)
		default:
			going = append(going, run.Progress{ID: s.ID, Mode: s.Mode, Status: s.Status, BegunAt: s.BegunAt, Expected: s.Expected})
		}
	}
	for _, p := range o.Running { // that were not looked at
		if _, left := old[p.ID]; left {
			going = append(going, p)
		}
	}
	slices.SortStableFunc(going, func(a, b run.Progress) int { return b.BegunAt.Compare(a.BegunAt) })
	o.Running = going
	if ended {
		slices.SortStableFunc(lines, func(a, b run.Line) int { return b.BegunAt.Compare(a.BegunAt) })
		o.AsOf = now
		run.Summarize(o, lines)
	}
}

func missing(err error) bool { return errors.Is(err, run.ErrNotFound) }
