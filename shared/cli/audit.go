package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// auditDays is how far back the audit log is shown where nothing is said.
const auditDays = 30

type auditCmd struct {
	Since string `help:"Only what was done since: a time such as 2026-01-31 or 2026-01-31T06:00:00Z; 30 days by default, of 400 that are kept." placeholder:"TIME"`
	Limit int    `default:"200" help:"At most so many, the newest." placeholder:"N"`
	JSON  bool   `name:"json" help:"Print JSON."`
	somewhere
}

// Run lists what people did.
func (c auditCmd) Run(ctx context.Context, s program) (err error) {
	if c.Limit < 1 {
		return usage("--limit %d: at least 1", c.Limit)
	}
	since, err := runs.ParseSince(c.Since)
	if err != nil {
		return usage("--since %s: write a time such as 2026-01-31 or 2026-01-31T06:00:00Z", c.Since)
	}
	if since.IsZero() {
		since = s.clock.now().Add(-auditDays * 24 * time.Hour)
	}
	control, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	all, err := control.Actions(ctx, since, c.Limit)
	if err != nil {
		return err
	}
	if c.JSON {
		if all == nil {
			all = []run.Action{}
		}
		return printJSON(s.out, map[string]any{"actions": all})
	}
	if len(all) == 0 {
		fmt.Fprintln(s.out, "nothing was done since "+s.clock.when(since))
	}
	for _, a := range all {
		s.printAction(a)
	}
	return nil
}

// printAction prints an action on one line, or on several where names are long.
func (s program) printAction(a run.Action) {
	when, what := s.clock.when(a.At), a.What+" "+a.On+s.ended(a.Result)
	if line := when + "  " + a.Who + "  " + what; text.StringWidthWithoutEscSequences(line) <= widest {
		fmt.Fprintln(s.out, line)
	} else {
		fmt.Fprintf(s.out, "%s\n%s\n", when, wrapped("    ", a.Who+" "+what))
	}
	if a.Note != "" {
		fmt.Fprintln(s.out, wrapped("    ", a.Note))
	}
}

// ended says how an action went, unless it is done.
func (s program) ended(r run.ActionResult) string {
	switch r {
	case run.ActionDone:
		return ""
	case run.ActionBegun:
		return paint(s.out, warning, ": begun, and its end was not written")
	}
	return paint(s.out, bad, ": "+string(r))
}
