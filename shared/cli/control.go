package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

type retryCmd struct {
	Run_   string   `arg:"" name:"run" help:"The run whose errors are sent again; penstock_status lists a sync's runs."`
	Record []string `sep:"none" help:"Only the errors of this record; may be repeated, as may those below." placeholder:"ID"`
	Type   []string `sep:"none" help:"Only errors of this type; unknown, which is of rows that may have arrived, is sent again only when it is named." placeholder:"TYPE"`
	Stage  []string `sep:"none" help:"Only errors of this stage: match, deliver, connection or deadletter." placeholder:"STAGE"`
	Field  []string `sep:"none" help:"Only errors that name this field." placeholder:"FIELD"`
	Error  []string `sep:"none" help:"Only this error, by the name that penstock errors --json gives it, RUN#BATCH#ROW." placeholder:"NAME"`
	JSON   bool     `name:"json" help:"Print JSON."`
	governing
}

// Run sends the errors again, page by page, and waits until their rows have settled.
func (c retryCmd) Run(ctx context.Context, s program) (err error) {
	g, err := c.control(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.leave()) }()
	selector := runs.Selector{Records: c.Record, Types: c.Type, Stages: c.Stage, Fields: c.Field, Refs: c.Error}
	pages := []runs.Retried{}
	var sent []string
	for more := true; more; more = selector.After != "" {
		r, err := g.retry(ctx, c.Run_, selector)
		if err != nil {
			return err
		}
		if !c.JSON {
			fmt.Fprintf(s.out, "%s: %s\n", r.Run, r.Message)
		}
		if selector.After = r.Next; r.Queued > 0 {
			sent = append(sent, r.Run)
		}
		pages = append(pages, r)
	}
	fates, err := g.settle(ctx, s, sent, nil)
	if c.JSON {
		err = errors.Join(err, printJSON(s.out, map[string]any{"retried": pages, "runs": statusesOf(fates)}))
	}
	if err != nil {
		return err
	}
	if err := g.tell(s, fates); err != nil {
		return err
	}
	return unsent(c.Run_, pages)
}

// unsent says that not every row that a retry named is on its way: none, or not those that
// need a person first.
func unsent(id string, pages []runs.Retried) error {
	sent, left := 0, 0
	for _, p := range pages {
		sent += p.Queued
		left += p.PushAgain + p.Unknown + p.Rejected + p.Retargeted
	}
	switch {
	case sent == 0:
		return rowsError{fmt.Errorf("no row of %s was sent again", id)}
	case left > 0:
		return rowsError{fmt.Errorf("of %s, %s not sent again", id, english.Plural(left, "row was", "rows were"))}
	}
	return nil
}

// statusesOf are the runs of the fates.
func statusesOf(fates []fate) []runs.RunStatus {
	out := make([]runs.RunStatus, len(fates))
	for i, f := range fates {
		out[i] = f.RunStatus
	}
	return out
}

type cancelCmd struct {
	Run_   string `arg:"" name:"run" help:"The run."`
	Reason string `help:"Why, for whoever reads the run's status." placeholder:"TEXT"`
	JSON   bool   `name:"json" help:"Print JSON."`
	governing
}

// Run ends the run.
func (c cancelCmd) Run(ctx context.Context, s program) (err error) {
	g, err := c.control(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.leave()) }()
	r, err := g.cancel(ctx, c.Run_, c.Reason)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, r)
	}
	fmt.Fprintf(s.out, "%s %s: %s\n", r.ID, r.Status, r.Reason)
	return nil
}

type resetCmd struct {
	Sync string `arg:"" help:"The sync."`
	JSON bool   `name:"json" help:"Print JSON."`
	governing
}

// Run clears the watermark.
func (c resetCmd) Run(ctx context.Context, s program) (err error) {
	g, err := c.control(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.leave()) }()
	r, err := g.reset(ctx, c.Sync)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, r)
	}
	fmt.Fprintf(s.out, "%s: %s\n", r.Sync, r.Message)
	return nil
}
