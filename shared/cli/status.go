package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

type statusCmd struct {
	Name string `arg:"" optional:"" help:"A sync or a run; all syncs when none is given."`
	JSON bool   `name:"json" help:"Print JSON."`
	somewhere
}

// Run shows one sync or run, or all syncs.
func (c statusCmd) Run(ctx context.Context, s program) (err error) {
	control, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if c.Name != "" {
		one, err := control.Status(ctx, c.Name)
		if err != nil {
			return err
		}
		if run.IsID(c.Name) { // its sync may have been removed since
			if c.JSON {
				return printJSON(s.out, one)
			}
			s.printStatus(one, nil, len(one.Runs))
			s.printGroups("      ", one.Runs[0])
			return nil
		}
		x, err := s.stand(ctx, control, one)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, x)
		}
		s.printStatus(one, &x.Overview, len(one.Runs))
		return nil
	}
	all, err := s.standings(ctx, control)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, map[string]any{"syncs": all})
	}
	if len(all) == 0 {
		fmt.Fprintf(s.out, "no sync is applied yet: run  %s apply\n", self())
	}
	for i, one := range all {
		if i > 0 {
			fmt.Fprintln(s.out)
		}
		s.printStatus(one.SyncStatus, &one.Overview, 1)
	}
	return nil
}

// statuses are those of all applied syncs, by name.
func statuses(ctx context.Context, control *runs.Control) ([]runs.SyncStatus, error) {
	list, err := control.ListSyncs(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]runs.SyncStatus, 0, len(list))
	for _, x := range list {
		one, err := control.Status(ctx, x.Sync)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// standings are those of all applied syncs, by name.
func (s program) standings(ctx context.Context, control *runs.Control) ([]standing, error) {
	all, err := statuses(ctx, control)
	if err != nil {
		return nil, err
	}
	out := make([]standing, 0, len(all))
	for _, one := range all {
		x, err := s.stand(ctx, control, one)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// printStatus prints a sync and its last runs; of nil figures none.
func (s program) printStatus(x runs.SyncStatus, figures *view.Row, most int) {
	fmt.Fprintln(s.out, x.Sync)
	s.line("version", x.Version+", applied "+s.clock.when(x.AppliedAt))
	s.line("connection", x.Connection)
	if x.Watermark != "" {
		s.line("watermark", x.Watermark+" ("+x.WatermarkType+")")
	}
	if x.SyncPaused != "" {
		s.line("sync", paint(s.out, warning, s.clock.local(x.SyncPaused)))
	}
	if x.Paused != "" {
		s.line("paused", paint(s.out, warning, s.clock.local(x.Paused)))
	}
	if x.Halted != "" {
		s.line("halted", paint(s.out, bad, s.clock.local(x.Halted)))
	}
	s.printSchedule(x.Schedule)
	if figures != nil {
		s.printStanding(*figures)
	}
	if len(x.Runs) == 0 {
		s.line("runs", "none yet")
		return
	}
	fmt.Fprintln(s.out, "  last "+english.PluralWord(min(most, len(x.Runs)), "run", "runs"))
	for _, r := range x.Runs[:min(most, len(x.Runs))] {
		s.printRun("    ", r)
	}
}

// printSchedule says when a sync is due next, and what is wrong with its schedule.
func (s program) printSchedule(x *runs.ScheduleStatus) {
	if x == nil {
		return
	}
	if x.Frequency != "" {
		s.line("schedule", fmt.Sprintf("%s (%s), next %s", x.Frequency, x.TimeZone, s.clock.when(x.Next)))
	}
	if !x.Missed.IsZero() {
		s.line("missed", paint(s.out, warning, "due "+s.clock.when(x.Missed)+", and no run began"))
	}
	if f := x.Last; f != nil && f.Status != run.FiringRan {
		text := "due " + s.clock.when(f.At) + ": " + string(f.Status)
		if f.Reason != "" {
			text += ", " + s.clock.local(f.Reason)
		}
		s.line("last due", paint(s.out, warning, text))
	}
	if x.After != "" {
		s.line("waits for", s.clock.local(x.After))
	}
}

// line prints a named value below its heading.
func (s program) line(name, value string) {
	const column = 14
	text := wrapped("                "[:column+2], value)
	fmt.Fprintf(s.out, "  %-*s%s\n", column, name, text[column+2:])
}

// printRun prints a run in a few lines that fit a terminal of 80 columns.
func (s program) printRun(indent string, r runs.RunStatus) {
	fmt.Fprintln(s.out, indent+r.ID+"  "+s.outcome(r))
	fmt.Fprintln(s.out, wrapped(indent+"  ", s.clock.when(r.BegunAt)+"; "+rowsOf(r)))
	if r.Reason != "" {
		fmt.Fprintln(s.out, wrapped(indent+"  ", s.clock.local(r.Reason)))
	}
	if g := r.Gate; g != nil {
		fmt.Fprintln(s.out, paint(s.out, weight[g.Decision], wrapped(indent+"  ", gateLine(g, r.Status == run.Blocked))))
	}
	if r.Waits != "" {
		fmt.Fprintln(s.out, wrapped(indent+"  ", "waits for "+s.clock.local(r.Waits)))
	}
	due, retried := sinceThen(r)
	if due > 0 {
		fmt.Fprintln(s.out, wrapped(indent+"  ", english.Plural(due, "failed row is", "failed rows are")+" sent again when due"))
	}
	if retried > 0 {
		fmt.Fprintln(s.out, wrapped(indent+"  ", english.Plural(retried, "failed row was", "failed rows were")+" delivered since by retries"))
	}
}

// sinceThen is how many of a run's failed rows are due, and how many a retry has
// delivered: a row that was sent again twice is counted by both retries, and is one row.
func sinceThen(r runs.RunStatus) (due, retried int) {
	missed := r.Counts.Received - r.Counts.Delivered - r.Counts.Unchanged - r.Counts.Superseded
	delivered := min(r.Retried, missed)
	return int(min(r.Due, missed-delivered)), int(delivered)
}

// printGroups prints why rows of a run were not delivered, the kinds with most rows first.
func (s program) printGroups(indent string, r runs.RunStatus) {
	for _, g := range r.Groups {
		text := english.Plural(int(g.Rows), "row", "") + ", " + g.Stage + ": " + g.Type
		if g.Field != "" {
			text += " (" + g.Field + ")"
		}
		fmt.Fprintln(s.out, indent+paint(s.out, bad, text))
	}
}

// outcome is how a run went, or where it stands.
func (s program) outcome(r runs.RunStatus) string {
	switch {
	case r.Status == run.Blocked:
		return paint(s.out, bad, string(r.Status))
	case r.Outcome == run.Succeeded:
		return paint(s.out, good, string(r.Outcome))
	case r.Outcome == run.Partial:
		return paint(s.out, warning, string(r.Outcome))
	case r.Outcome != "":
		return paint(s.out, bad, string(r.Outcome))
	}
	return string(r.Status)
}

// rowsOf says what became of a run's rows.
func rowsOf(r runs.RunStatus) string {
	text := english.Plural(int(r.Counts.Received), "row", "")
	if parts := outcomes(r.Counts); parts != "" {
		text += ": " + parts
	}
	return text
}
