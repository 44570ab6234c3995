package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/estimate"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// planned is how many rows are planned at once: of two rows with one key in different
// batches both are planned as if the other were not there.
const plannedRows = 10_000

// shownPlanned is how many rows of each action are shown to people.
const shownPlanned = 5

type planCmd struct {
	Sync  string `arg:"" help:"The sync."`
	Mode  string `default:"incremental" enum:"incremental,full,push" help:"Of what: an incremental run, a full one, or a plain push of all rows."`
	From  string `help:"Plan a push of the rows of this file (.csv, .parquet, .json, .ndjson) instead of the model's." placeholder:"FILE"`
	Limit int    `help:"At most so many rows." placeholder:"N"`
	Old   string `help:"Read what the destination holds of so many updates, and look so many creates up, or all; 5 when not given, 0 makes no call." placeholder:"N"`
	JSON  bool   `name:"json" help:"Print JSON."`

	Endpoint endpoints `help:"Look at this address instead, or simulator, or connection for the connection's own." placeholder:"TYPE=URL"`
	modelled
}

// plainPush is the mode of what is no run.
const plainPush = "push"

// Run reads the rows and says what would become of them. Nothing is written: neither is
// a gateway started, nor does anybody need to be at work in the folder.
func (c planCmd) Run(ctx context.Context, s program) error {
	switch {
	case c.Gateway != "":
		return usage("a plan reads this machine's state: leave --gateway out; in SQL it is penstock_plan(sync, row)")
	case c.Limit < 0:
		return usage("--limit %d: at least 1, or leave it out for all rows", c.Limit)
	}
	if err := haveState(c.Data); err != nil { // before the warehouse, which apply makes too
		return err
	}
	w, rows, err := c.rows(ctx)
	if err != nil {
		return err
	}
	defer w.Close()
	p := runs.PlanRequest{Sync: c.Sync}
	if c.Mode != plainPush && c.From == "" {
		p.Mode = run.Mode(c.Mode)
	}
	return c.plan(ctx, s, w, p, rows)
}

func (c planCmd) rows(ctx context.Context) (*duckdb.Warehouse, relation, error) {
	if c.From != "" {
		return openFile(ctx, c.From, c.Limit, duckdb.Config{})
	}
	w, rows, err := c.look(ctx, c.Sync)
	return w, rows.limited(c.Limit), err
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

	Gate       *quality.Verdict  `json:"gate,omitempty"`   // what the quality gate says of the rows
	Old        *runs.Looking     `json:"looked,omitempty"` // what was looked at in the destination
	Estimate   estimate.Estimate `json:"estimate"`         // what it would cost
	Connection string            `json:"connection"`
	// Calls that the account has in 24 hours, and what the connection grants of them;
	// absent where the vendor counts no days.
	PerDay  int64 `json:"calls_per_day,omitempty"`
	Granted int64 `json:"granted_per_day,omitempty"`

	shown map[runs.Action]int
	asked int64 // rows that the destination could be asked about
	all   bool
	bill  runs.Bill
	blind bool // the version says nothing of its calls
}

func newPlan(sync string, all bool) *plan {
	return &plan{Sync: sync, DryRun: true, Counts: map[runs.Action]int64{}, Errors: []answered{}, Fields: map[string]int64{}, Plan: []runs.Planned{}, shown: map[runs.Action]int{}, all: all}
}

// plan plans the rows, batch by batch.
func (c planCmd) plan(ctx context.Context, s program, w *duckdb.Warehouse, p runs.PlanRequest, rows relation) (err error) {
	store, err := openState(c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	control := machine.Control(store)
	sum := newPlan(p.Sync, c.JSON)
	old, leave, err := c.looking(ctx, s, store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, leave()) }()
	p.Looking = old
	b, total := &bar{}, int64(0)
	if terminal(s.out) && !c.JSON {
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
		sum.bill.Add(got)
		for _, one := range got {
			one.Message = row.InDuckDB(one.Message)
			sum.add(one)
		}
		p.Rows = p.Rows[:0]
		b.at(sum.Rows, total)
		return err
	}
	gate, err := gateOf(ctx, store, p.Sync)
	if err != nil {
		return err
	}
	err = eachObject(ctx, w, rows, func(object jsontext.Value) error {
		gate.add(object)
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
	sum.Gate = gate.verdict(c.Limit == 0)
	if sum.Old = old; sum.asked == 0 {
		sum.Old = nil
	}
	if err := sum.price(ctx, control); err != nil {
		return err
	}
	if c.JSON {
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
	if g := p.Gate; g != nil && g.Decision == quality.Block {
		return fmt.Errorf("the quality gate of %s would block a run: %s", p.Sync, g.Why())
	}
	if len(why) == 0 {
		return nil
	}
	return rowsError{errors.New(strings.Join(why, "; "))}
}

// eachObject reads the rows as the objects that a push would send.
func eachObject(ctx context.Context, w *duckdb.Warehouse, rows relation, each func(jsontext.Value) error) error {
	q, err := w.Query(ctx, "SELECT CAST(CAST(penstock_row AS JSON) AS VARCHAR) FROM "+w.Exact(ctx, rows.sql)+" AS penstock_row")
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
	first := one.ByLedger()
	if first == runs.Create || first == runs.Update {
		p.asked++
	}
	// Those that are shown are those that were looked at.
	if p.all || first != runs.NotSelected && first != runs.Unchanged && first != runs.Refused && p.shown[first] < shownPlanned {
		p.Plan = append(p.Plan, one)
		p.shown[first]++
	}
}

// remove counts a record that a mirror would remove: it is no row.
func (p *plan) remove(one runs.Planned) {
	p.Counts[one.Action]++
	p.bill.Add([]runs.Planned{one})
	if p.all || p.shown[one.Action] < shownRemoved {
		p.Plan = append(p.Plan, one)
		p.shown[one.Action]++
	}
}
