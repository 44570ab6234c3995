package runs

import (
	"context"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/run"
)

// unpaused are the runs without the rows that a person's pause stopped, which is no
// fault; those of which nothing is left are left out.
func unpaused(all []run.Run) []run.Run {
	out := make([]run.Run, 0, len(all))
	for _, r := range all {
		stopped := pausedRows(r)
		if stopped > 0 && stopped == r.Counts.Received {
			continue
		}
		r.Counts.Received -= stopped
		r.Counts.Blocked -= stopped
		out = append(out, r)
	}
	return out
}

// pausedRows counts a run's rows that a person's pause stopped.
func pausedRows(r run.Run) (n int64) {
	for _, g := range r.Groups {
		if g.Type == run.Paused {
			n += g.Rows
		}
	}
	return n
}

// excuse tells that what looks late is a person's pause of the sync. The pause is read
// only where something does: each tick of the sweeper would pay for it.
func (s *Sweep) excuse(ctx context.Context, sync string, seen *alert.Seen) error {
	last := seen.Success
	if last.IsZero() {
		last = seen.Applied
	}
	overdue := seen.OverdueAfter > 0 && s.Now().Sub(last) > seen.OverdueAfter
	if !overdue && seen.Missed == (alert.Due{}) {
		return nil
	}
	p, paused, err := s.pause(ctx, sync)
	if paused {
		seen.Excused = "the sync is " + p.Why()
	}
	return err
}
