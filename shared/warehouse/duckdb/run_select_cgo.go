//go:build cgo

package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/syncdef"
	statements "github.com/penstock-data/penstock/sql"
)

// selected is what penstock_begin answers of what to push, beside the watermark.
type selected struct {
	Version     string `json:"version"`
	Created     string `json:"created"`
	Always      bool   `json:"always"`
	Source      string `json:"source"`
	Definition  string `json:"definition"`
	Stream      string `json:"stream"`
	Match       string `json:"match"`
	ChangedOnly bool   `json:"changed_only"`
	StoreSource string `json:"store_source"`
}

// errStale is of a source view that is not the definition's; what is behind it tells
// what to do.
var errStale = errors.New("the view that the rows are read from is not the definition's")

// pushSelected does the push as begin says.
func (r *runner) pushSelected(ctx context.Context) error {
	b := &r.begun
	r.values["always"], r.values["created"], r.values["version"], r.values["keep_rows"] = b.Always, cmp.Or(b.Created, b.Cursor), b.Version, b.StoreSource != "none"
	r.values["always_column"] = b.Cursor // of a model that has no such column, where $always is false
	if b.Source != "" {
		r.values["always_column"] = syncdef.AlwaysColumn
		r.values["model"], r.values["definition"] = b.Source, b.Definition
		if err := r.check(ctx); err != nil {
			return err
		}
	}
	switch {
	case b.Select == "stream":
		return r.pushStream(ctx)
	case b.Select == "changed" || b.ChangedOnly && !r.dry():
		return r.pushChanged(ctx)
	case b.Select == "since" && b.Cursor != "":
		return r.pushOrPlan(ctx, statements.PushStep(b.Type, b.Zoned))
	}
	return r.pushOrPlan(ctx, statements.StepPush)
}

// dry reports whether nothing is pushed: the run was not begun, and its rows are planned.
func (r *runner) dry() bool { return r.begun.Mode == "dry_run" }

// pushOrPlan does a push step, or in a dry run its plan.
func (r *runner) pushOrPlan(ctx context.Context, push statements.StepName) error {
	if !r.dry() {
		return r.do(ctx, push)
	}
	plan := statements.PlanOf(push)
	into := make([]any, len(statements.FindStep(plan).Into))
	for i := range into {
		into[i] = new(float64)
	}
	if err := r.do(ctx, plan, into...); err != nil {
		return err
	}
	for i, name := range statements.FindStep(plan).Into {
		r.values[name] = *into[i].(*float64)
	}
	return nil
}

// planFigures are how many columns a dry run fills behind those of a run.
const planFigures = 7

// planned is the procedure's row of a dry run: queued are the rows that would be.
func (r *runner) planned() []any {
	count := func(name string) int64 {
		n, _ := r.values[name].(float64)
		return int64(n)
	}
	rows := count("received")
	queued := rows - count("rejected") - count("superseded")
	return []any{
		r.begun.Sync, nil, "planned", r.begun.Select, rows, queued, count("rejected"), count("superseded"), int64(0), r.values["decision"], nil,
		count("created"), count("updated"), count("deleted"), count("unchanged"), r.values["calls"], r.values["seconds"], r.values["dollars"],
	}
}

// check refuses a source view that is not there, or made of another definition.
func (r *runner) check(ctx context.Context) error {
	r.step = stepWord(statements.StepCheck)
	kind, err := r.w.kindOf(ctx, r.begun.Source)
	switch {
	case err != nil:
		return fmt.Errorf("look for the view %s: %w", r.begun.Source, err)
	case kind == "":
		return fmt.Errorf("%w: there is no %s: run penstock sql-setup", errStale, r.begun.Source)
	}
	if err := r.do(ctx, statements.StepCheck); err != nil {
		return err
	}
	if stale, _ := r.values["stale"].(int64); stale > 0 {
		return fmt.Errorf("%w: %s is made of another one: run penstock sql-setup again", errStale, r.begun.Source)
	}
	return nil
}

// pushChanged pushes what differs from what is remembered; where all is selected nothing
// is. What became of the last run's rows is brought up to date first.
func (r *runner) pushChanged(ctx context.Context) error {
	r.step = "refresh"
	if err := r.w.monitoring(ctx); err != nil {
		return fmt.Errorf("make the monitoring tables: %w", err)
	}
	steps := []statements.StepName{statements.StepForget, statements.StepForgetSent}
	if r.begun.Select == "changed" {
		if _, err := refresh(ctx, r.w, nil); err != nil {
			return err
		}
		steps = nil
	}
	if r.dry() {
		return r.pushOrPlan(ctx, statements.StepPushChanged)
	}
	for _, step := range append(steps, statements.StepPushChanged, statements.StepReceive, statements.StepGone, statements.StepDoubled) {
		if err := r.do(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// pushStream pushes the rows of a table of changes and deletes them from it, in one
// transaction: its deletion sees the rows that its push has read, those that it left out
// too, and none that came meanwhile. What fails is rolled back; the rows are then pushed again by the next run,
// and answered unchanged where they have arrived.
func (r *runner) pushStream(ctx context.Context) error {
	r.step = stepWord(statements.StepPushStream)
	table, err := r.w.changesOf(ctx, r.begun.Stream, 0)
	if err != nil {
		return fmt.Errorf("the stream %s: %w", r.begun.Stream, err)
	}
	push := statements.FindStep(statements.StepPushStream).DuckDB
	statement := r.w.exactly(ctx, push.Statement(), "stream", r.begun.Stream)
	tx, err := r.w.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	r.values["stream"], r.values["match_key"] = r.begun.Stream, r.begun.Match
	var args []any
	for _, v := range push.Variables() {
		args = append(args, sql.Named(v, r.values[v]))
	}
	if _, err := tx.ExecContext(begin(ctx), statement, args...); err != nil {
		return r.plain(err)
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM "+quoteRelation(table)); err != nil {
		return fmt.Errorf("take what was pushed off %s: %w", table, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("take what was pushed off %s: %w", table, err)
	}
	r.taken = true
	return nil
}
