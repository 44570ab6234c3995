package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/penstock-data/penstock/shared/cost"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

type costCmd struct {
	Name string `arg:"" help:"A run, or a sync: then its last runs, and a month of them."`
	JSON bool   `name:"json" help:"Print JSON."`
	somewhere
}

// A runCost is what AWS charges for a run, by its counts and docs/cost.md.
type runCost struct {
	Run     string  `json:"run"`
	Rows    int64   `json:"rows"`
	Calls   int64   `json:"calls"`
	Dollars float64 `json:"aws_dollars"`
}

// A syncCost is what cost prints. A month has cost.MonthHours.
type syncCost struct {
	Sync  string    `json:"sync"`
	Runs  []runCost `json:"runs"`                        // newest first
	Month float64   `json:"runs_a_month,omitempty"`      // by the frequency; absent without one, and of a run
	Total float64   `json:"month_aws_dollars,omitempty"` // Month times the mean of Runs
}

// Run prints what a run cost, or a sync's last runs and a month of them.
func (c costCmd) Run(ctx context.Context, s program) (err error) {
	control, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	status, err := control.Status(ctx, c.Name)
	if err != nil {
		return err
	}
	v, err := control.Syncs.Version(ctx, status.Sync, status.Version)
	if err != nil {
		return fmt.Errorf("read sync %q: %w", status.Sync, err)
	}
	out := syncCost{Sync: status.Sync, Runs: []runCost{}}
	sum := 0.0
	for _, r := range status.Runs {
		one := costOf(r, v.Definition.Lanes)
		out.Runs = append(out.Runs, one)
		sum += one.Dollars
	}
	if plan, err := frequency.Of(&v.Definition); err == nil && !run.IsID(c.Name) && len(out.Runs) > 0 {
		out.Month = monthly(plan, s.clock.now())
		out.Total = out.Month * sum / float64(len(out.Runs))
	}
	if c.JSON {
		return printJSON(s.out, out)
	}
	for _, r := range out.Runs {
		fmt.Fprintf(s.out, "%s\n  %s rows, %s calls: %s\n", r.Run, humanize.Comma(r.Rows), humanize.Comma(r.Calls), dollars(r.Dollars))
	}
	switch {
	case len(out.Runs) == 0:
		fmt.Fprintln(s.out, "no runs yet")
	case out.Month > 0:
		fmt.Fprintln(s.out, wrapped("", fmt.Sprintf("a month: %s runs at the mean of these: %s", humanize.Comma(int64(out.Month)), dollars(out.Total))))
	}
	fmt.Fprintln(s.out, wrapped("", "estimated by AWS's list prices and docs/cost.md, where it runs there; without the fixed part of a month"))
	return nil
}

// costOf is what a run's rows cost.
func costOf(r runs.RunStatus, lanes int) runCost {
	n := r.Counts
	w := cost.Work{
		Rows: float64(n.Received), Changed: float64(n.Delivered + n.Failed), Calls: float64(n.Calls), Lanes: float64(max(1, lanes)),
		Errors: float64(n.Rejected + n.Blocked + n.Failed), ErrorKB: 1,
	}
	return runCost{Run: r.ID, Rows: n.Received, Calls: n.Calls, Dollars: w.Dollars()}
}

// monthly is how many due times a month from now on has.
func monthly(p frequency.Plan, now time.Time) (n float64) {
	end := now.Add(cost.MonthHours * time.Hour)
	for at := p.Next(now); !at.IsZero() && !at.After(end); at = p.Next(at) {
		n++
	}
	return n
}
