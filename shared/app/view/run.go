package view

import (
	"context"
	"fmt"

	"github.com/penstock-data/penstock/shared/run"
)

// Run is one run; ErrNotFound.
func (r *Reader) Run(ctx context.Context, id string) (Run, error) {
	stored, err := r.stores.Runs.Run(ctx, id)
	if err != nil {
		return Run{}, err
	}
	status, err := r.stores.RunStatus(ctx, stored)
	if err != nil {
		return Run{}, err
	}
	out := runOf(status.Run)
	out.AsOf = r.now()
	out.Due, out.Retrying, out.Retried, out.WaitsFor = status.Due, status.Again, status.Retried, status.Waits
	r.finish(&out)
	if len(status.Groups) == 0 {
		return out, nil
	}
	return out, r.groups(ctx, &out, status.Groups)
}

func runOf(s run.Run) Run {
	return Run{
		Run: s.ID, Sync: s.Sync, Version: s.Version, Mode: s.Mode, Bracketed: s.Bracketed, Status: s.Status, Outcome: s.Outcome, Reason: s.Reason,
		BegunAt: s.BegunAt, FinishedAt: s.FinishedAt, EndedAt: s.EndedAt, Expected: s.Expected, Counts: s.Counts, Gate: s.Gate,
		From: s.From, SelectAll: s.SelectAll, Hold: s.Hold, LeftBehind: s.LeftBehind, Groups: []Group{},
	}
}

// finish computes what follows from the counts.
func (r *Reader) finish(out *Run) {
	end := out.EndedAt
	if end.IsZero() {
		end = out.AsOf
	}
	out.Took = end.Sub(out.BegunAt)
	c := out.Counts
	settled := c.Settled()
	if !out.EndedAt.IsZero() {
		line := run.RunLine{Outcome: out.Outcome, Counts: c, Retried: out.Retried}
		out.SuccessRate, out.RowsPerSecond = rates(c.Received, line.Right(), passed(out.BegunAt, end, 1e9))
	} else {
		out.SuccessRate, out.RowsPerSecond = rates(settled, c.Delivered+c.Unchanged+c.Superseded, passed(out.BegunAt, end, 1e9))
	}
	refused := c.Rejected + c.Blocked
	sent := c.Received - refused
	out.Stages = []Stage{
		{Name: "intake", Done: c.Received, Total: max(out.Expected, -1), Lost: refused},
		{Name: "queue", Done: sent - c.Queued, Total: sent, Lost: c.Cancelled},
		{Name: "destination", Done: c.Delivered + c.Unchanged + c.Superseded + c.Failed, Total: sent - c.Cancelled, Lost: c.Failed},
	}
	if out.Expected < 0 && !out.EndedAt.IsZero() {
		out.Stages[0].Total = c.Received
	}
}

// samplesOf is how many errors of a group are shown.
const samplesOf = 3

// groups fills in the errors by kind, with a few of each.
func (r *Reader) groups(ctx context.Context, out *Run, all []run.Group) error {
	for _, g := range all {
		out.Groups = append(out.Groups, Group{Stage: g.Stage, Type: g.Type, Field: g.Field, Rows: g.Rows, Samples: []Error{}})
	}
	errs, _, err := r.stores.Errors.RunErrors(ctx, run.OriginalOf(out.Run), 100, "")
	if err != nil {
		return fmt.Errorf("read errors of run %q: %w", out.Run, err)
	}
	for i := range errs {
		for j := range out.Groups {
			g := &out.Groups[j]
			if g.Stage == errs[i].Stage && g.Type == errs[i].Type && g.Field == errs[i].Field && len(g.Samples) < samplesOf {
				g.Samples = append(g.Samples, errorOf(&errs[i], false))
			}
		}
	}
	return nil
}
