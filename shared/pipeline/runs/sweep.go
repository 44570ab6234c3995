package runs

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Sweep settles runs, moves watermarks, and hands in what is due. It runs every
// minute; two at once do no harm, since a run and a mark are stored only as they
// were read, and a due item is one batch however often it is handed in.
type Sweep struct {
	Stores
	Replayer Replayer
	Remover  Remover // takes what left a mirror's model
	Alerts   Alerts  // nil where nobody is told of anything
	Teller   Teller
	Quotas   Quotas // nil where nobody is told of quotas
	Stack    string // in AWS, for the commands that alerts quote; "" on one machine
	Policy   run.Policy
	Now      func() time.Time

	mu    sync.Mutex
	tried map[string]time.Time // when a halted version's due item was handed in last

	turns   sync.Mutex            // one Run at a time
	shown   map[string]shown      // the overviews that are stored; nil: not read yet
	tallies map[string]*run.Tally // that this turn has added up
	counted map[string]time.Time  // when a run that has ended was counted last
	back    map[string]handedIn   // what came back by itself, by sync
	untold  map[string]bool       // the syncs that tell nobody, and of which nothing is open
}

// slice is the longest that one run or sync may take where the caller sets no
// deadline.
const slice = 20 * time.Second

// Run looks at every live run, at every sync's due items and at its alerts, once. Each gets its
// share of the time that is left, and another one is the first every minute, so
// that a slow one starves nobody. All failures are returned, joined.
func (s *Sweep) Run(ctx context.Context) error {
	s.turns.Lock()
	defer s.turns.Unlock()
	s.tallies = map[string]*run.Tally{}
	if s.untold == nil {
		s.untold = map[string]bool{}
	}
	live, err := s.History.LiveRuns(ctx)
	if err != nil {
		return fmt.Errorf("list live runs: %w", err)
	}
	s.keepCounted(live)
	names, err := s.Syncs.List(ctx)
	if err != nil {
		return fmt.Errorf("list syncs: %w", err)
	}
	gone, err := s.Due.Removed(ctx)
	if err != nil {
		return fmt.Errorf("list removed syncs: %w", err)
	}
	slices.SortFunc(live, func(a, b run.Run) int { return strings.Compare(a.ID, b.ID) })
	var steps []func(context.Context) error
	for _, r := range turn(live, s.Now()) {
		again := false
		steps = append(steps, func(ctx context.Context) (err error) {
			if again {
				if r, err = s.Runs.Run(ctx, r.ID); err != nil {
					return fmt.Errorf("read run %q again: %w", r.ID, err)
				}
			}
			again = true
			if err := s.settle(ctx, r); err != nil {
				return fmt.Errorf("settle run %q: %w", r.ID, err)
			}
			return nil
		})
	}
	for _, name := range slices.Concat(turn(names, s.Now()), turn(gone, s.Now())) {
		steps = append(steps, func(ctx context.Context) error {
			if err := s.due(ctx, name); err != nil {
				return fmt.Errorf("send what is due of sync %q: %w", name, err)
			}
			return nil
		})
	}
	if s.Alerts != nil {
		for _, name := range turn(names, s.Now()) {
			steps = append(steps, func(ctx context.Context) error {
				if err := s.judge(ctx, name); err != nil {
					return fmt.Errorf("alerts of sync %q: %w", name, err)
				}
				return nil
			})
		}
	}
	return s.share(ctx, append(steps, s.showing(names, live)...))
}

// keepCounted forgets when runs were counted that are not live any more.
func (s *Sweep) keepCounted(live []run.Run) {
	counted := make(map[string]time.Time, len(live))
	for _, r := range live {
		if at, ok := s.counted[r.ID]; ok {
			counted[r.ID] = at
		}
	}
	s.counted = counted
}

// turn begins with another one every minute.
func turn[T any](all []T, now time.Time) []T {
	if len(all) == 0 {
		return nil
	}
	first := int(now.Unix()/60) % len(all)
	return slices.Concat(all[first:], all[:first])
}

// errMore says that a step stored how far it came, and that more time is of use to it: by
// eachPage and what calls it.
var errMore = errors.New("there is more to do")

// share takes the steps one after the other, each within a fair share of the time
// that is left, doubled for those that are many. What needs more than the share of one
// among many gets it of what the others left: those whose time ran out are taken once more,
// within half of the rest, as the caller has something to say of them all.
func (s *Sweep) share(ctx context.Context, steps []func(context.Context) error) error {
	again, put, errs := s.take(ctx, steps, true)
	if deadline, ok := ctx.Deadline(); ok && len(again) > 0 && ctx.Err() == nil {
		rest, cancel := context.WithTimeout(ctx, deadline.Sub(s.Now())/2)
		defer cancel()
		_, _, put = s.take(rest, again, false)
	}
	return errors.Join(append(errs, put...)...)
}

// take is one round of share. Where it is the first, again are the steps whose share was
// too little and less than a slice, and put are their errors, which a second round makes
// void.
func (s *Sweep) take(ctx context.Context, steps []func(context.Context) error, first bool) (again []func(context.Context) error, put, errs []error) {
	for n, step := range steps {
		limit := slice
		if deadline, ok := ctx.Deadline(); ok {
			limit = min(limit, deadline.Sub(s.Now())*2/time.Duration(len(steps)-n+1))
		}
		if ctx.Err() != nil {
			return again, put, append(errs, fmt.Errorf("%d of %d steps were not taken: %w", len(steps)-n, len(steps), ctx.Err()))
		}
		one, cancel := context.WithTimeout(ctx, limit)
		err := step(one)
		switch more := errors.Is(err, errMore); {
		case err == nil:
		case first && limit < slice && ctx.Err() == nil && (more || one.Err() != nil):
			if again = append(again, step); !more {
				put = append(put, err)
			}
		case !more:
			errs = append(errs, err)
		}
		cancel()
	}
	return again, put, errs
}

// settle brings a run to where its records say that it stands, and its mark along.
func (s *Sweep) settle(ctx context.Context, r run.Run) error {
	if r.Status.Ended() {
		return s.settleEnded(ctx, r)
	}
	t, err := s.tally(ctx, r.ID)
	if err != nil {
		return err
	}
	s.tallies[r.ID] = t
	next := run.Settle(r, t, s.Now(), s.Policy)
	if r.Status == run.Open && !r.Bracketed && next.Status.Ended() {
		// A batch may be pinned between the reading of the batches and the end of the
		// run. So the run is closed first and judged by what is there then: a push that
		// pins its batch later sees a run that is not open, and reopens it.
		r.Status, r.FinishedAt, r.Expected = run.Finishing, s.Now(), next.Counts.Received
		if err := s.Runs.UpdateRun(ctx, r); err != nil {
			return conflict(err)
		}
		r.Revision++
		if t, err = s.tally(ctx, r.ID); err != nil {
			return err
		}
		next = run.Settle(r, t, s.Now(), s.Policy)
	}
	if r.Status == run.Finishing && r.Bracketed && r.Mode == run.Full && (next.Status == run.Complete || r.Mirror.Removing()) {
		wait := false
		if next, wait, err = s.mirror(ctx, r, next); err != nil || wait {
			return conflict(err)
		}
	}
	held := next.Holds != r.Holds
	if next.Status == run.Open && !held || reflect.DeepEqual(next, r) {
		return nil
	}
	return conflict(s.store(ctx, next, t, held))
}

// settleEnded counts the rows of a run that was ended without completing: every minute, and
// once an hour where they wait for long. Its counts are final before they are counted for the
// last time: a batch that is pinned meanwhile is in them, or sees that they are, and takes
// that back.
func (s *Sweep) settleEnded(ctx context.Context, r run.Run) error {
	now := s.Now()
	if !r.Moves(now) && now.Sub(s.counted[r.ID]) < time.Hour {
		return nil
	}
	for range 2 {
		t, err := s.tally(ctx, r.ID)
		if err != nil {
			return err
		}
		s.tallies[r.ID], s.counted[r.ID] = t, now
		next := run.Settle(r, t, now, s.Policy)
		if reflect.DeepEqual(next, r) {
			return nil
		}
		if err := s.Runs.UpdateRun(ctx, next); err != nil {
			return conflict(err)
		}
		if !next.Final {
			return nil
		}
		next.Revision++
		r = next
	}
	return nil
}

// conflict passes over what somebody else changed: finish, a late batch or another
// sweeper was faster, and the next round sees it.
func conflict(err error) error {
	if errors.Is(err, run.ErrConflict) {
		return nil
	}
	return err
}

// store stores a run with what it does to its mark (I4). A mark that is only held
// back is stored first: the run that says so would hide it otherwise.
func (s *Sweep) store(ctx context.Context, next run.Run, t *run.Tally, held bool) error {
	ended := next.Status == run.Complete && next.Bracketed
	if run.IsRetry(next.ID) || !ended && !held {
		return s.Runs.UpdateRun(ctx, next)
	}
	v, err := s.Syncs.Version(ctx, next.Sync, next.Version)
	if err != nil {
		return fmt.Errorf("read version %s: %w", next.Version, err)
	}
	column := v.Definition.Cursor()
	if !marks(&v.Definition) {
		return s.Runs.UpdateRun(ctx, next)
	}
	window := includeFailed(&v.Definition)
	if ended {
		if err := s.holdForDead(ctx, next.Sync, next.Target, column, window, s.Now()); err != nil {
			return err
		}
	}
	m, err := s.mark(ctx, next.Sync, next.Target, column)
	if err != nil {
		return err
	}
	if !ended {
		lower, changed := m.Lower(t.Hold, window, s.Now())
		if t.Doubt > 0 {
			lower, changed = m.Doubted(s.Now())
		}
		if changed {
			if err := s.Marks.SetMark(ctx, lower); err != nil {
				return fmt.Errorf("hold the watermark: %w", err)
			}
		}
		return s.Runs.UpdateRun(ctx, next)
	}
	latest, err := s.Runs.Latest(ctx, next.Sync)
	if err != nil {
		return fmt.Errorf("read the latest run: %w", err)
	}
	mark, changed, left, note := m.Complete(run.Completion{
		Run: next, Tally: t, Latest: latest == next.ID, Window: window, Remembers: v.Definition.ChangedOnly(), Now: s.Now(),
	})
	next.LeftBehind = left
	if note != "" && next.Reason == "" {
		next.Reason = note
	}
	if !changed {
		return s.Runs.UpdateRun(ctx, next)
	}
	return s.Runs.CompleteRun(ctx, next, mark)
}

// defaultInclude is include_failed where the definition names none: the sample's.
const defaultInclude = 24 * time.Hour

// marks reports whether something is kept of a sync's complete runs: a watermark, when
// rows were sent again that are once a period, or merely that all rows were selected.
func marks(d *syncdef.Definition) bool {
	i := d.Incremental
	return i != nil && (i.Cursor != "" || i.Always != "" || i.ChangedOnly || i.Stream != "")
}

func includeFailed(d *syncdef.Definition) time.Duration {
	if w, err := time.ParseDuration(d.Incremental.IncludeFailed); err == nil && w > 0 {
		return w
	}
	return defaultInclude
}
