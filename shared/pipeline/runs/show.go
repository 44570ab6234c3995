package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// showEvery is how often a sync's overview is put together anew where nothing of it goes
// on: what time alone changes, such as the quota that comes back, may be so old.
const showEvery = 5 * time.Minute

// A shown is what the sweeper knows of an overview that is stored.
type shown struct {
	at       time.Time
	next     time.Time // when the sync is due
	revision int64
	busy     bool // something of it goes on
}

func shownOf(o *run.Overview) shown {
	return shown{at: o.AsOf, next: o.Next, revision: o.Revision, busy: len(o.Running) > 0 || o.Due > 0 || !o.Account.Since.IsZero()}
}

// show stores how a sync stands, where something of it may have changed. It is a copy, of
// which nothing is kept up: whoever finds another one leaves it to the next turn.
func (s *Sweep) show(ctx context.Context, name string, open bool) error {
	now := s.Now()
	last, known := s.shown[name]
	early := !last.next.IsZero() && now.After(last.next)
	if known && !open && !last.busy && !early && now.Sub(last.at) < showEvery && !now.Before(last.at) {
		return nil
	}
	v, err := s.Syncs.Current(ctx, name)
	if errors.Is(err, run.ErrNotFound) {
		return nil // removed since, and its overview with it
	}
	if err != nil {
		return fmt.Errorf("read the sync: %w", err)
	}
	all, err := s.History.RecentRuns(ctx, name, seenRuns)
	if err != nil {
		return fmt.Errorf("list its runs: %w", err)
	}
	o, err := s.overview(ctx, v, all, now, s.tallied)
	if err != nil {
		return err
	}
	o.Revision = last.revision
	err = s.Overviews.SetOverview(ctx, o)
	if errors.Is(err, run.ErrConflict) {
		delete(s.shown, name)
		stored, err := s.Overviews.Overview(ctx, name)
		if err == nil {
			s.shown[name] = shown{revision: stored.Revision, busy: true}
		}
		return nil
	}
	if err != nil {
		return err
	}
	o.Revision++
	s.shown[name] = shownOf(&o)
	return nil
}

// tallied is what a run's records add up to: as this turn has read them already.
func (s *Sweep) tallied(ctx context.Context, id string) (*run.Tally, error) {
	if t := s.tallies[id]; t != nil {
		return t, nil
	}
	return s.tally(ctx, id)
}

// recall reads which overviews are stored, once, and takes away those of syncs that were
// removed.
func (s *Sweep) recall(ctx context.Context, names []string) error {
	if s.shown != nil {
		return nil
	}
	all, err := s.Overviews.Overviews(ctx, nil)
	if err != nil {
		return err
	}
	s.shown = map[string]shown{}
	var errs []error
	for i := range all {
		o := &all[i]
		if !slices.Contains(names, o.Sync) {
			errs = append(errs, s.Overviews.DeleteOverview(ctx, o.Sync))
			continue
		}
		if o.Unreadable == "" { // else it is another release's, and stays
			s.shown[o.Sync] = shownOf(o)
		}
	}
	return errors.Join(errs...)
}

// showing are the steps that store how the syncs stand.
func (s *Sweep) showing(names []string, live []run.Run) []func(context.Context) error {
	if s.Overviews == nil {
		return nil
	}
	going := map[string]bool{}
	for _, r := range live {
		going[r.Sync] = going[r.Sync] || r.Moves(s.Now())
	}
	steps := []func(context.Context) error{func(ctx context.Context) error {
		if err := s.recall(ctx, names); err != nil {
			return fmt.Errorf("read the overviews: %w", err)
		}
		return nil
	}}
	for _, name := range turn(names, s.Now()) {
		steps = append(steps, func(ctx context.Context) error {
			if s.shown == nil { // they could not be read: the next turn tries again
				return nil
			}
			if err := s.show(ctx, name, going[name]); err != nil {
				return fmt.Errorf("overview of sync %q: %w", name, err)
			}
			return nil
		})
	}
	return steps
}

// reshow stores how syncs stand now that somebody acted on them, so that a page shows it
// at once. What fails here is made good by the sweeper: the action itself is done.
func (c *Control) reshow(ctx context.Context, what, on string) {
	if c.Overviews == nil {
		return
	}
	names := strings.Split(on, ",")
	if what == "accept_account" || what == "connect test" {
		names = c.syncsOf(ctx, on)
	}
	for _, name := range names {
		if name = run.SyncOf(strings.TrimSpace(name)); run.IsName(name) {
			_ = c.showNow(context.WithoutCancel(ctx), name)
		}
	}
}

// syncsOf are the syncs of a connection, as far as overviews tell.
func (c *Control) syncsOf(ctx context.Context, connection string) (names []string) {
	all, err := c.Overviews.Overviews(ctx, nil)
	if err != nil {
		return nil
	}
	for i := range all {
		if all[i].Connection == connection {
			names = append(names, all[i].Sync)
		}
	}
	return names
}

// showNow stores how a sync stands over what is stored by then.
func (c *Control) showNow(ctx context.Context, name string) error {
	for range attempts {
		stored, err := c.Overviews.Overview(ctx, name)
		if err != nil && !errors.Is(err, run.ErrNotFound) {
			return err
		}
		o, err := c.Overview(ctx, name, c.Now())
		if errors.Is(err, run.ErrNotFound) {
			return c.Overviews.DeleteOverview(ctx, name)
		}
		if err != nil {
			return err
		}
		o.Revision = stored.Revision
		if err = c.Overviews.SetOverview(ctx, o); !errors.Is(err, run.ErrConflict) {
			return err
		}
	}
	return run.ErrConflict
}

// overviewsBySync are the overviews that are stored, by sync; none where none are kept.
func (s *Stores) overviewsBySync(ctx context.Context) (map[string]*run.Overview, error) {
	if s.Overviews == nil {
		return nil, nil
	}
	all, err := s.Overviews.Overviews(ctx, nil)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*run.Overview, len(all))
	for i := range all {
		out[all[i].Sync] = &all[i]
	}
	return out, nil
}
