package view

import (
	"context"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// Run is one run; ErrNotFound. What it has added up to while it goes on is as of the
// sweeper's last turn: AsOf. That of a retry is in the run whose rows it sends again.
func (r *Reader) Run(ctx context.Context, id string) (Run, error) {
	stored, err := r.stores.Runs.Run(ctx, id)
	if err != nil {
		return Run{}, err
	}
	out := runOf(stored)
	out.AsOf = r.now()
	o, err := r.overview(ctx, stored.Sync)
	if err != nil && !missing(err) { // of a removed sync runs remain
		return Run{}, err
	}
	groups := stored.Groups
	for _, p := range o.Running {
		if p.ID == id && !stored.Status.Ended() {
			out.AsOf, out.Counts, out.WaitsFor, groups = p.AsOf, p.Counts, p.WaitsFor, p.Groups
		}
	}
	for _, l := range o.Lines {
		if l.ID == id {
			out.Due, out.Retrying, out.Retried = l.Due, l.Again, l.Retried
			if stored.Status != run.Complete && l.Counts.Received > out.Counts.Received {
				out.Counts, out.Outcome = l.Counts, l.Outcome
			}
		}
	}
	if out.Outcome == "" {
		out.Outcome = run.OutcomeOf(stored, out.Counts)
	}
	if stored.Status.Ended() { // the stored one is how many were queued in all
		out.Counts.Queued = max(0, out.Counts.Received-out.Counts.Settled())
	}
	out.finish()
	if len(groups) == 0 {
		return out, nil
	}
	return out, r.groups(ctx, &out, groups, o.Target)
}

func runOf(s run.Run) Run {
	return Run{
		Run: s.ID, Sync: s.Sync, Version: s.Version, Mode: s.Mode, Bracketed: s.Bracketed, Status: s.Status, Outcome: s.Outcome, Reason: s.Reason,
		BegunAt: s.BegunAt, FinishedAt: s.FinishedAt, EndedAt: s.EndedAt, Expected: s.Expected, Counts: s.Counts, Gate: s.Gate,
		From: s.From, SelectAll: s.SelectAll, Hold: s.Hold, LeftBehind: s.LeftBehind, Groups: []Group{},
	}
}

// finish computes what follows from the counts.
func (out *Run) finish() {
	end := out.EndedAt
	if end.IsZero() {
		end = out.AsOf
	}
	out.Took = end.Sub(out.BegunAt)
	c := out.Counts
	settled := c.Settled()
	if !out.EndedAt.IsZero() {
		line := run.Line{Outcome: out.Outcome, Counts: c, Retried: out.Retried}
		out.SuccessRate, out.RowsPerSecond = rates(c.Received, line.Right(), passed(out.BegunAt, end, time.Second))
	} else {
		out.SuccessRate, out.RowsPerSecond = rates(settled, c.Delivered+c.Unchanged+c.Superseded, passed(out.BegunAt, end, time.Second))
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

// How many errors of a group are shown at most, and of all groups.
const (
	mostSamples = 3
	allSamples  = 30
	sampleLooks = 3 // a retry reads the groups of many runs
)

// groups fills in the errors by kind, with a few of each, of the sync that delivers to a
// target. Of a run that has ended it looks further until it has one of each.
func (r *Reader) groups(ctx context.Context, out *Run, all []run.Group, target string) error {
	for _, g := range all {
		out.Groups = append(out.Groups, Group{Stage: g.Stage, Type: g.Type, Field: g.Field, Rows: g.Rows, Samples: []Error{}})
	}
	each := max(1, min(mostSamples, allSamples/len(all)))
	of := finding{filter: Filter{Sync: out.Sync, Run: run.OriginalOf(out.Run)}, errors: mostErrors, each: each, looks: sampleLooks, since: begun(out.BegunAt)}
	of.enough = func([]run.RowError) bool { return true }
	if run.IsRetry(out.Run) { // its errors are those of the run before
		of.since = time.Time{}
	}
	if !out.EndedAt.IsZero() {
		of.until = out.EndedAt.Add(time.Minute)
		of.enough = func(errs []run.RowError) bool {
			_, full := sampled(out.Groups, errs, each)
			return full
		}
	}
	page, err := r.find(ctx, of)
	if err != nil {
		return err
	}
	out.Further = page.further
	samples, _ := sampled(out.Groups, page.errors, each)
	told, err := r.told(ctx, samples, map[string]string{out.Sync: target}, nil)
	for _, e := range told {
		g := groupOf(out.Groups, e.Stage, e.Type, e.Field)
		g.Samples = append(g.Samples, e)
	}
	return err
}

// sampled are so many errors of each group; full says that there are some of each.
func sampled(groups []Group, errs []run.RowError, each int) (out []run.RowError, full bool) {
	took := map[*Group]int{}
	for i := range errs {
		e := &errs[i]
		if g := groupOf(groups, e.Stage, e.Type, e.Field); g != nil && took[g] < each {
			took[g]++
			out = append(out, *e)
		}
	}
	full = true
	for i := range groups {
		full = full && (groups[i].Stage == "" || took[&groups[i]] > 0) // the rest has no stage
	}
	return out, full
}

// groupOf is the group of a kind; nil for none.
func groupOf(groups []Group, stage, kind, field string) *Group {
	for i := range groups {
		if g := &groups[i]; g.Stage == stage && g.Type == kind && g.Field == field {
			return g
		}
	}
	return nil
}
