package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// say prints a line for people; with --json nobody reads it.
func (d *demo) say(format string, args ...any) {
	if !d.cmd.JSON {
		fmt.Fprintf(d.s.out, format+"\n", args...)
	}
}

// introduce says what was made.
func (d *demo) introduce() {
	d.say("Penstock on one machine:\n  DuckDB -> gateway -> queue -> workers -> simulated vendors")
	d.say("  (%s)", d.titles())
	d.say("%s customers in the warehouse, %s accounts in %s.", humanize.Comma(int64(d.plan.Rows)), humanize.Comma(int64(d.plan.Accounts)), sampleSyncs[0].title)
	d.say("Everything below is real: HTTP, batches, retries, ledger; only the vendors are")
	d.say("simulated. Each allows as many calls in a window as the real one does, but here")
	d.say("windows go by %d times faster, those under %s in %s.", faster, faster*sandbox.LeastWindow, sandbox.LeastWindow)
	if !d.fresh {
		d.say("%s", wrapped("", d.dir+" is not new: this goes on with its customers; --rows and --seed are for a new folder."))
	}
}

// titles are the destinations of the syncs.
func (d *demo) titles() string {
	var all []string
	for _, p := range d.syncs {
		all = append(all, p.title)
	}
	return english.WordSeries(all, "and")
}

// heading says what is special about a pass.
func (d *demo) heading(pass int) {
	last := d.plan.Passes[len(d.plan.Passes)-1]
	switch {
	case !d.fresh && len(d.report.Syncs) == 0:
		d.say("\nPass %d once more, as it was left: what arrived before is unchanged", pass)
		return
	case pass == 1:
		d.say("\nPass 1: everything is new")
		return
	}
	d.say("\nPass %d: %s customers scored again, %s new, %s gone; all else as it was", pass,
		humanize.Comma(int64(last.Rescored)), humanize.Comma(int64(last.Added)), humanize.Comma(int64(last.Gone)))
}

// seen shows what the SQL statement got back: the rows per outcome. That of the first
// sync stands for all of them.
func (d *demo) seen(ctx context.Context, p pushedSync, took time.Duration) error {
	if d.cmd.JSON || p != d.syncs[0] {
		return nil
	}
	d.say("\n  %s", p.statement())
	rows, err := d.warehouse.DB().QueryContext(ctx, `SELECT answer->>'status' AS status, coalesce(answer->>'error_type', '') AS reason, coalesce(answer->>'field', '') AS field,
		count(*) AS n, min(answer->>'record_id') AS example FROM sample.pushed GROUP BY ALL ORDER BY n DESC, reason`)
	if err != nil {
		return err
	}
	defer rows.Close()
	t := newTable(d.s.out, table.Row{"SQL saw", "reason", "column", "rows", "for example"}, 4)
	total := int64(0)
	for rows.Next() {
		var status, reason, field string
		var n int64
		var example *string
		if err := rows.Scan(&status, &reason, &field, &n, &example); err != nil {
			return err
		}
		if example == nil {
			example = new(string)
		}
		total += n
		t.AppendRow(table.Row{status, reason, cut(field, 18), humanize.Comma(n), cut(*example, 40)})
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if total > 0 {
		t.Render()
	}
	others := "; the other syncs are pushed in the same way"
	if len(d.syncs) == 1 {
		others = ""
	}
	d.say("  %s rows answered in %s%s", humanize.Comma(total), took.Round(time.Millisecond), others)
	return nil
}

// settled is a sync's line of progress; on a terminal its bar has said the same.
func (d *demo) settled(p pushedSync, r syncRun) {
	if !screenOn(d.s.out).terminal {
		d.say("  %-29s %8s rows settled in %.2f s", p.heading(), humanize.Comma(r.Pushed), r.Seconds)
	}
}

// summary is the pass's table, and the first errors.
func (d *demo) summary(ctx context.Context, pass int) error {
	if d.cmd.JSON {
		return nil
	}
	d.say("")
	t := newTable(d.s.out, table.Row{"to", "delivered", "unchanged", "rejected", "failed", "calls", "time"}, 2, 3, 4, 5, 6, 7)
	for _, r := range d.report.Syncs {
		if r.Pass == pass {
			t.AppendRow(table.Row{r.title, humanize.Comma(r.Delivered), humanize.Comma(r.Unchanged), humanize.Comma(r.Rejected),
				humanize.Comma(r.Failed), humanize.Comma(r.APICalls), fmt.Sprintf("%.2f s", r.Seconds)})
		}
	}
	t.Render()
	for _, r := range d.report.Syncs {
		if r.Pass == pass && r.Filtered > 0 {
			d.say("  %s: %s more rows were filtered by the view, and are no errors", r.Sync, humanize.Comma(r.Filtered))
		}
	}
	seen := map[string]bool{}
	for _, r := range d.report.Syncs {
		if r.Pass == pass && r.Rejected+r.Failed > 0 {
			if err := d.firstErrors(ctx, r, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// closing says how the comparison ended and what to try next.
func (d *demo) closing(differences []string) {
	if len(differences) == 0 {
		hold := fmt.Sprintf("all %d hold the models", len(d.syncs))
		if len(d.syncs) == 1 {
			hold = d.titles() + " holds the model"
		}
		d.say("\nCompared field by field: %s (%.1f s in all)", hold, d.report.Seconds)
	}
	command, dir := self(), d.cmd.Data
	if dir == "" {
		dir = "penstock-data"
		d.say("\nNext (each works as printed):")
		d.say("  # the same, and keep the files\n  %s demo --data %s", command, dir)
	} else {
		d.say("\nThe files are in %s. Next (each works as printed):", dir)
		d.say("  # ask about the runs; push five rows again\n  %s sql --data %s \"SELECT penstock_status('sf_health')\"", command, dir)
		d.say("  %s sql --data %s \"SELECT penstock_push('sf_health', to_json(m)) FROM salesforce_customer_health_sync m LIMIT 5\"", command, dir)
	}
	d.say("  # gateway, workers and simulators until Ctrl-C\n  %s local --data %s", command, dir)
	d.say("  # kill the process in the middle; nothing is lost (some minutes)\n  %s demo --rows 100000 --kill", command)
	d.say("  # a sync of your own; set up Snowflake\n  %s init\n  %[1]s sql-setup snowflake", command)
}
