package cli

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

type runCmd struct {
	Sync   string `arg:"" help:"The sync."`
	Mode   string `default:"incremental" enum:"incremental,full,cdc,dry_run" help:"incremental: what changed since the last run; full: all rows, and they are sent again; cdc: the definition's stream of changes, which is consumed; dry_run: as --dry-run."`
	DryRun bool   `help:"Send nothing, store nothing: say what would become of the rows."`
	JSON   bool   `name:"json" help:"Print JSON."`
	modelled
}

// Run executes CALL penstock_run on the embedded warehouse and waits for the run.
func (c runCmd) Run(ctx context.Context, s program) (err error) {
	if c.Mode == string(run.DryRun) {
		c.Mode, c.DryRun = string(run.Incremental), true
	}
	if c.DryRun && c.Mode == string(run.CDC) {
		return usage("a dry run does not read a stream: what it would take of it is gone when it is read; use --dry-run with incremental or full")
	}
	if c.DryRun {
		return planCmd{Sync: c.Sync, Mode: c.Mode, JSON: c.JSON, modelled: c.modelled}.Run(ctx, s)
	}
	started := s.clock.now()
	collectSooner()
	c.accept = true
	g, err := c.control(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.leave()) }()
	did := &touched{again: s.again(c.Data)}
	w, _, err := c.model(ctx, c.Sync, g.url, did)
	if err != nil {
		return err
	}
	defer w.Close()
	b := &bar{}
	if terminal(s.out) && !c.JSON {
		b = newBar(s.out, "reading "+c.Sync)
		did.watch(func(n int) { b.at(int64(n), int64(n)+1) })
	}
	r := runReport{Sync: c.Sync}
	var id, selected, reason, decision sql.NullString
	var rows sql.NullInt64
	err = scanOne(ctx, w, "SELECT run, status, selected, received, decision, reason FROM penstock_run(?, ?)", []any{c.Sync, c.Mode}, &id, &r.Status, &selected, &rows, &decision, &reason)
	if err == nil {
		b.whole()
	}
	b.done()
	if err != nil {
		return err
	}
	r.Rows = rows.Int64
	r.Run, r.Selected, r.Decision, r.Reason = id.String, selected.String, decision.String, reason.String
	var fates []fate
	if r.Run != "" {
		if fates, err = settleWithBar(ctx, s, g, c.Sync, []string{r.Run}, c.JSON); err != nil {
			return err
		}
	}
	r.took = s.clock.now().Sub(started)
	return r.print(s, g, fates, c.JSON)
}

// heapGrowth is how much the heap grows between two collections, in percent of what lives,
// in a process that has the model's query beside the road: at Go's 100 a run of a million
// rows took 505 MB, with this 474, in the same time (make bench-parquet).
const heapGrowth = 70

// collectSooner sets the collector so, unless somebody has set it otherwise.
func collectSooner() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}

// A runReport is what run --json prints.
type runReport struct {
	Sync     string          `json:"sync"`
	Run      string          `json:"run,omitempty"`
	Status   string          `json:"status"`             // of the run after finish; skipped
	Selected string          `json:"selected,omitempty"` // since, all, changed, stream
	Rows     int64           `json:"rows"`
	Decision string          `json:"decision,omitempty"` // the quality gate's
	Reason   string          `json:"reason,omitempty"`
	Seconds  float64         `json:"seconds"`
	Settled  bool            `json:"settled"`
	Details  *runs.RunStatus `json:"details,omitempty"`

	took time.Duration
}

// print prints the summary, and returns what the exit code says.
func (r runReport) print(s program, g *gate, fates []fate, asJSON bool) error {
	r.Seconds, r.Settled = r.took.Seconds(), true
	for i := range fates {
		r.Settled, r.Details, r.Status = fates[i].settled, &fates[i].RunStatus, string(fates[i].Status)
	}
	if asJSON {
		if err := printJSON(s.out, r); err != nil {
			return err
		}
		return errors.Join(g.quietly(fates), r.skipped())
	}
	if r.Run == "" {
		fmt.Fprintln(s.out, wrapped("", r.Sync+" was skipped: "+s.clock.local(r.Reason)))
		return r.skipped()
	}
	fmt.Fprintf(s.out, "%s run in %s\n", r.Sync, r.took.Round(time.Millisecond))
	for _, f := range fates {
		s.printRun("  ", f.RunStatus)
		s.printGroups("    ", f.RunStatus)
	}
	return g.verdictOf(s, fates)
}

// skipped says that nothing was run, as the exit code does: rows wait that the next run
// will select. A person's pause is no such thing: it is meant.
func (r runReport) skipped() error {
	if r.Run != "" || strings.Contains(r.Reason, "is paused since") {
		return nil
	}
	return rowsError{fmt.Errorf("nothing was run of %s: it is tried again by its schedule, or by you", r.Sync)}
}

// scanOne runs a statement under one query id and reads its only row.
func scanOne(ctx context.Context, w *duckdb.Warehouse, statement string, args []any, into ...any) error {
	rows, err := w.Query(ctx, statement, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
	}
	return rows.Err()
}
