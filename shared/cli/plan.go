package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// planned is how many rows are planned at once: of two rows with one key in different
// batches both are planned as if the other were not there.
const plannedRows = 10_000

// shownPlanned is how many rows of each action are shown to people.
const shownPlanned = 5

// plan says what a push of the rows would do.
func (c pushCmd) plan(ctx context.Context, s program) error {
	if err := haveState(c.Data); err != nil { // before the warehouse, which apply makes too
		return err
	}
	w, rows, err := c.source(ctx, "", &touched{})
	if err != nil {
		return err
	}
	defer w.Close()
	return c.dryRun(ctx, s, w, runs.PlanRequest{Sync: c.Sync}, rows, c.JSON)
}

// plan says what a run would do.
func (c runCmd) plan(ctx context.Context, s program) error {
	if err := haveState(c.Data); err != nil {
		return err
	}
	w, rows, err := c.model(ctx, c.Sync, "", &touched{})
	if err != nil {
		return err
	}
	defer w.Close()
	return c.dryRun(ctx, s, w, runs.PlanRequest{Sync: c.Sync, Mode: run.Mode(c.Mode)}, rows, c.JSON)
}

// shownRemoved is how many records that a mirror would remove are shown to people.
const shownRemoved = 100

// A plan sums up what would become of rows.
type plan struct {
	Sync   string                `json:"sync"`
	DryRun bool                  `json:"dry_run"`
	Rows   int64                 `json:"rows"`
	Counts map[runs.Action]int64 `json:"counts"`
	Errors []answered            `json:"errors"`           // the rejected rows by reason
	Fields map[string]int64      `json:"fields"`           // of updates: how many change each of the destination's fields
	Plan   []runs.Planned        `json:"plan"`             // of each row, in order; of people's plan some of each action
	Mirror *runs.MirrorPlan      `json:"mirror,omitempty"` // of a mirror's full run; what it would remove follows the rows in Plan

	shown map[runs.Action]int
	all   bool
}

// dryRun reads the rows and plans them, batch by batch. Nothing is written: neither is
// a gateway started, nor does anybody need to be at work in the folder.
func (c gated) dryRun(ctx context.Context, s program, w *duckdb.Warehouse, p runs.PlanRequest, rows relation, asJSON bool) (err error) {
	if c.Gateway != "" {
		return usage("--dry-run reads this machine's state: leave --gateway out")
	}
	store, err := openState(c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	control := machine.Control(store)
	sum := plan{Sync: p.Sync, DryRun: true, Counts: map[runs.Action]int64{}, Errors: []answered{}, Fields: map[string]int64{}, Plan: []runs.Planned{}, shown: map[runs.Action]int{}, all: asJSON}
	b, total := &bar{}, int64(0)
	if terminal(s.out) && !asJSON {
		if total, err = rows.count(ctx, w); err != nil {
			return err
		}
		b = newBar(s.out, "planning "+p.Sync)
	}
	if p.Mode == run.Full {
		p.Sight = &runs.Sight{}
	}
	batch := func() error {
		got, err := control.Plan(ctx, p)
		for _, one := range got {
			one.Message = row.InDuckDB(one.Message)
			sum.add(one)
		}
		p.Rows = p.Rows[:0]
		b.at(sum.Rows, total)
		return err
	}
	err = eachObject(ctx, w, rows, func(object jsontext.Value) error {
		p.Rows = append(p.Rows, row.Row{Number: len(p.Rows), Target: p.Sync, Object: object})
		if len(p.Rows) < plannedRows {
			return nil
		}
		return batch()
	})
	if err == nil {
		err = batch()
	}
	if err == nil && p.Sight != nil {
		sum.Mirror, err = control.PlanMirror(ctx, p.Sync, p.Sight, sum.remove)
	}
	b.done()
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(s.out, sum)
	} else {
		sum.print(s)
	}
	if err != nil {
		return err
	}
	return sum.verdict()
}

// verdict is why not all of the plan would be carried out; nil when all would.
func (p *plan) verdict() error {
	var why []string
	if n := p.Counts[runs.Refused]; n > 0 {
		why = append(why, counted(n)+" would be rejected")
	}
	if p.Mirror != nil && p.Mirror.Refused != "" {
		why = append(why, p.Mirror.Refused)
	}
	if len(why) == 0 {
		return nil
	}
	return rowsError{errors.New(strings.Join(why, "; "))}
}

// eachObject reads the rows as the objects that a push would send.
func eachObject(ctx context.Context, w *duckdb.Warehouse, rows relation, each func(jsontext.Value) error) error {
	q, err := w.Query(ctx, "SELECT CAST(to_json(penstock_row) AS VARCHAR) FROM "+rows.sql+" AS penstock_row")
	if err != nil {
		return err
	}
	defer q.Close()
	for q.Next() {
		var object string
		if err := q.Scan(&object); err != nil {
			return err
		}
		if err := each(jsontext.Value(object)); err != nil {
			return err
		}
	}
	return q.Err()
}

// add counts a row.
func (p *plan) add(one runs.Planned) {
	p.Rows++
	p.Counts[one.Action]++
	for _, f := range one.Fields {
		p.Fields[f]++
	}
	if one.Action == runs.Refused {
		n := slices.IndexFunc(p.Errors, func(a answered) bool { return a.Type == one.Type && a.Field == one.Field })
		if n < 0 {
			n = len(p.Errors)
			p.Errors = append(p.Errors, answered{Status: string(one.Action), Type: one.Type, Field: one.Field, RecordID: one.RecordID, Message: one.Message})
		}
		p.Errors[n].Rows++
	}
	if p.all || one.Action != runs.NotSelected && one.Action != runs.Unchanged && one.Action != runs.Refused && p.shown[one.Action] < shownPlanned {
		p.Plan = append(p.Plan, one)
		p.shown[one.Action]++
	}
}

// remove counts a record that a mirror would remove: it is no row.
func (p *plan) remove(one runs.Planned) {
	p.Counts[one.Action]++
	if p.all || p.shown[one.Action] < shownRemoved {
		p.Plan = append(p.Plan, one)
		p.shown[one.Action]++
	}
}

// print prints the plan for people.
func (p *plan) print(s program) {
	sent := p.Counts[runs.Create] + p.Counts[runs.Update] + p.Counts[runs.Delete]
	fmt.Fprintf(s.out, "%s of %s of %s would be sent (a dry run: nothing was sent or stored):\n", humanize.Comma(sent), counted(p.Rows), p.Sync)
	for _, a := range []runs.Action{runs.Create, runs.Update, runs.Delete, runs.Unchanged, runs.Replaced, runs.Refused, runs.NotSelected, runs.Removed} {
		if n := p.Counts[a]; n > 0 {
			fmt.Fprintf(s.out, "  %-13s %s\n", strings.ReplaceAll(string(a), "_", " "), humanize.Comma(n))
		}
	}
	for _, one := range p.Plan {
		text := string(one.Action) + " " + one.RecordID
		if len(one.Fields) > 0 {
			text += ": " + strings.Join(one.Fields, ", ")
		}
		fmt.Fprintln(s.out, wrapped("    ", text))
	}
	if more := p.Counts[runs.Removed] - int64(p.shown[runs.Removed]); more > 0 && !p.all {
		fmt.Fprintf(s.out, "    and %s more to remove: --json lists them all\n", humanize.Comma(more))
	}
	printAnswered(s, p.Errors)
}
