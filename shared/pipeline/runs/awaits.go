package runs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

// early is how long before its due time a run may begin and still count as that time's:
// the clocks of a scheduler and of a function differ.
const early = time.Minute

// awaits says which of the syncs that a definition waits for have not succeeded since;
// "" when all have. One with a frequency must have succeeded since it was due last, by a run
// that began then or later, or that went on at that time: one that always outlasts its
// interval would else never count. Any other one must have succeeded since this sync's last
// success began.
func (s *Stores) awaits(ctx context.Context, d *syncdef.Definition, now time.Time) (string, error) {
	var waits []string
	for _, name := range d.After {
		up, err := s.Syncs.Current(ctx, name)
		if errors.Is(err, run.ErrNotFound) {
			waits = append(waits, fmt.Sprintf("sync %q, which is not applied", name))
			continue
		}
		if err != nil {
			return "", fmt.Errorf("read sync %q: %w", name, err)
		}
		last, err := s.lastSuccess(ctx, name)
		if err != nil {
			return "", err
		}
		if last.ID == "" {
			waits = append(waits, fmt.Sprintf("sync %q, which has not succeeded yet", name))
			continue
		}
		since, fresh, err := s.fresh(ctx, d.Sync, &up.Definition, last, now)
		if err != nil {
			return "", err
		}
		if !fresh {
			waits = append(waits, fmt.Sprintf("sync %q, which has not succeeded since %s", name, stamp(since)))
		}
	}
	if waits == nil {
		return "", nil
	}
	return "it comes after " + strings.Join(waits, ", and "), nil
}

// fresh reports whether the last success of up is recent enough for the sync to begin,
// and what it is compared with.
func (s *Stores) fresh(ctx context.Context, sync string, up *syncdef.Definition, last run.Run, now time.Time) (since time.Time, fresh bool, err error) {
	if p, err := frequency.Of(up); err == nil {
		if due := p.Last(now); !due.IsZero() {
			return due, !last.BegunAt.Before(due.Add(-early)) || !last.EndedAt.Before(due), nil
		}
	}
	own, err := s.lastSuccess(ctx, sync)
	return own.BegunAt, own.ID == "" || last.EndedAt.After(own.BegunAt), err
}

// lastSuccess is the sync's run that began last of those that succeeded, in part at
// least; the zero Run when none did.
func (s *Stores) lastSuccess(ctx context.Context, sync string) (run.Run, error) {
	all, err := s.History.RecentRuns(ctx, sync, seenRuns)
	if err != nil {
		return run.Run{}, fmt.Errorf("list the runs of sync %q: %w", sync, err)
	}
	retried := map[string]int64{}
	for _, r := range all { // a retry begins after its run
		if run.IsRetry(r.ID) {
			retried[run.OriginalOf(r.ID)] += r.Counts.Delivered + r.Counts.Unchanged
		} else if succeeded(r, retried[r.ID]) {
			return r, nil
		}
	}
	o, err := s.remembered(ctx, sync, len(all))
	if err != nil || o.SuccessRun == "" {
		return run.Run{}, err
	}
	r, err := s.Runs.Run(ctx, o.SuccessRun)
	if errors.Is(err, run.ErrNotFound) { // it has expired
		return run.Run{ID: o.SuccessRun, BegunAt: o.Success, EndedAt: o.Success}, nil
	}
	if err != nil {
		return run.Run{}, fmt.Errorf("read run %q: %w", o.SuccessRun, err)
	}
	return r, nil
}

// remembered is the stored overview of a sync, for its last success: of a sync of which so
// many runs were listed that others may lie behind them, and none of them succeeded. It is the
// zero Overview where there is no more to know.
func (s *Stores) remembered(ctx context.Context, sync string, listed int) (run.Overview, error) {
	if s.Overviews == nil || listed < seenRuns {
		return run.Overview{}, nil
	}
	o, err := s.Overviews.Overview(ctx, sync)
	if errors.Is(err, run.ErrNotFound) || errors.Is(err, run.ErrFormat) {
		return run.Overview{}, nil
	}
	return o, err
}

// succeeded reports whether a run of which retries have delivered so many rows since is a
// success, as overviews count them.
func succeeded(r run.Run, retried int64) bool {
	l := run.LineOf(r)
	l.Retried = retried
	return !run.IsRetry(r.ID) && l.Succeeded()
}
