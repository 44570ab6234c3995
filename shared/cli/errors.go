package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

type errorsCmd struct {
	Name   string   `arg:"" help:"A run, or a sync: then of its last runs, the newest first."`
	Type   []string `sep:"none" help:"Only errors of this type." placeholder:"TYPE"`
	Record []string `sep:"none" help:"Only the errors of this record." placeholder:"ID"`
	Limit  int      `default:"50" help:"How many errors at most; 0 is all." placeholder:"N"`
	JSON   bool     `name:"json" help:"Print JSON."`
	somewhere
}

// Run lists the errors.
func (c errorsCmd) Run(ctx context.Context, s program) (err error) {
	if c.Limit < 0 {
		return usage("--limit %d: 0 is all, any other number at least 1", c.Limit)
	}
	from, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	ids := []string{c.Name}
	if !run.IsID(c.Name) {
		some, err := from.List(ctx, c.Name, runs.MaxListed)
		if err != nil {
			return err
		}
		ids = ids[:0]
		for _, r := range some {
			ids = append(ids, r.ID)
		}
	}
	var found []run.RowError
	more := false
	for _, id := range ids {
		if more, err = c.read(ctx, from, id, &found); err != nil {
			return err
		}
		if more {
			break
		}
	}
	if c.JSON {
		return printJSON(s.out, control.ErrorPage(found, ""))
	}
	c.print(s, found, more)
	return nil
}

// read adds a run's errors, and says whether there are more than the limit.
func (c errorsCmd) read(ctx context.Context, from *runs.Control, id string, found *[]run.RowError) (more bool, err error) {
	for after := ""; ; {
		page, next, err := from.RunErrors(ctx, id, control.MaxErrors, after)
		if err != nil {
			return false, err
		}
		for _, e := range page {
			if !c.takes(e) {
				continue
			}
			if c.Limit > 0 && len(*found) == c.Limit {
				return true, nil
			}
			if c.Stack == "" { // the warehouse here is DuckDB
				e.Message = row.InDuckDB(e.Message)
			}
			*found = append(*found, e)
		}
		if after = next; next == "" {
			return false, nil
		}
	}
}

func (c errorsCmd) takes(e run.RowError) bool {
	return (len(c.Type) == 0 || slices.Contains(c.Type, e.Type)) && (len(c.Record) == 0 || slices.Contains(c.Record, e.RecordID))
}

// print prints the errors, a heading for each run.
func (c errorsCmd) print(s program, found []run.RowError, more bool) {
	if len(found) == 0 {
		fmt.Fprintln(s.out, "no errors")
		return
	}
	last := ""
	for _, e := range found {
		if e.Run != last {
			fmt.Fprintf(s.out, "%s  %s\n", e.Run, s.clock.when(e.At))
			last = e.Run
		}
		head := "record " + e.RecordID
		if e.RecordID == "" {
			head = fmt.Sprintf("row %d of its batch", e.Row+1)
		}
		if n := len(e.Summary); n > 0 {
			head = english.Plural(n, "row", "")
		}
		head += ", " + e.Stage + ": " + e.Type
		fmt.Fprintln(s.out, "  "+paint(s.out, bad, head))
		fmt.Fprintln(s.out, wrapped("    ", e.Message))
		if !e.Due.IsZero() {
			again := "sent again "
			if e.Due.Before(s.clock.now()) { // which a retry may have made needless
				again = "was due to be sent again "
			}
			fmt.Fprintln(s.out, "    "+again+s.clock.when(e.Due))
		}
	}
	if more {
		fmt.Fprintf(s.out, "and more: --limit 0 shows all\n")
	}
}
