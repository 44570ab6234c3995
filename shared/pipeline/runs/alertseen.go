package runs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

// lastBlocked is the last run whose gate is known, where that stopped it; of runs, the
// newest first. One that ended before its gate was asked says nothing of it.
func lastBlocked(all []run.Run, due map[string]int64) *alert.Run {
	for _, r := range all {
		switch {
		case !r.Status.Ended() || run.IsRetry(r.ID) || due[r.ID] > 0:
		case r.Status == run.Blocked:
			return lastRun(r)
		case r.Gate != nil || r.Status == run.Complete:
			return nil
		}
	}
	return nil
}

// counted are the rows of the last complete run and of those before it in its mode.
// Runs that penstock_begin made are compared among themselves, and those of plain
// queries likewise.
func counted(all []run.Run, due map[string]int64) (out alert.Counts) {
	var last run.Run
	for _, r := range all {
		switch {
		case r.Status != run.Complete || run.IsRetry(r.ID) || due[r.ID] > 0:
		case out.Run == "":
			last, out.Run, out.Rows = r, r.ID, r.Counts.Received
		case r.Mode == last.Mode && r.Bracketed == last.Bracketed && len(out.Before) < alert.CountedRuns:
			out.Before = append(out.Before, r.Counts.Received)
		}
	}
	return out
}

// noMatch is the type of the error of a row whose record is not at the destination.
const noMatch = "no_match"

// unmatched counts a run's rows that found no record, as far as it keeps their group
// apart; never more than were looked for.
func unmatched(r run.Run) (n int64) {
	for _, g := range r.Groups {
		if g.Type == noMatch {
			n += g.Rows
		}
	}
	return min(n, r.Counts.LookedUp)
}

// missedOf is the due time at which a run should have begun by now and none has, or the
// one at which the warehouse refused the call. Where no due time has been acted on yet,
// it may be that something else starts the runs, at times of its own: then one counts as
// missed when the next one has passed without a run as well.
func (s *Sweep) missedOf(ctx context.Context, v syncdef.Version, recent []run.Run, now time.Time) (alert.Due, error) {
	if s.Firings == nil {
		return alert.Due{}, nil
	}
	p, err := frequency.Of(&v.Definition)
	if err != nil { // none, or one that this program cannot read: its other alerts are told
		return alert.Due{}, nil
	}
	fired, err := s.Firings.RecentFirings(ctx, v.Definition.Sync, 1)
	if err != nil {
		return alert.Due{}, fmt.Errorf("read its due times: %w", err)
	}
	if len(fired) == 0 {
		due := missed(p, v.AppliedAt, nil, recent, now)
		before := p.Last(due.Add(-time.Nanosecond))
		if due.IsZero() || before.Before(v.AppliedAt) || begunSince(recent, before.Add(-early)) {
			return alert.Due{}, nil
		}
		return alert.Due{At: due}, nil
	}
	last := fired[0]
	if last.Status == run.FiringFailed && !carriedOut(recent, last) {
		return alert.Due{At: last.At, Reason: last.Reason}, nil
	}
	return alert.Due{At: missed(p, v.AppliedAt, &last, recent, now)}, nil
}

// carriedOut reports whether a run has begun since a firing that failed and says how the sync
// stands, by itself or because it goes on.
func carriedOut(recent []run.Run, f run.Firing) bool {
	return begunSince(slices.DeleteFunc(slices.Clone(recent), silent), f.At.Add(-early))
}

// begunSince reports whether one of the runs began then or later, retries aside.
func begunSince(recent []run.Run, from time.Time) bool {
	for _, r := range recent {
		if !run.IsRetry(r.ID) && !r.BegunAt.Before(from) {
			return true
		}
	}
	return false
}
