//go:build cgo

package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	duck "github.com/duckdb/duckdb-go/v2"

	statements "github.com/penstock-data/penstock/sql"
)

// runProcedure is penstock_run(sync [, mode]): begin, gate, push, count, finish,
// refresh. Its one row is: sync; run, null where none was begun; status, that of the run
// after finish, blocked by its gate, or skipped; selected, since or all; the counts of
// the pushed rows by answer; decision, the gate's, null without one; reason, why it was
// skipped or blocked, what the gate warns of, or what of the end went wrong.
var runProcedure = procedure{
	name:   "penstock_run",
	params: []param{{name: "sync"}, {name: "mode", optional: true}},
	columns: []output{
		{"sync", duck.TYPE_VARCHAR}, {"run", duck.TYPE_VARCHAR}, {"status", duck.TYPE_VARCHAR}, {"selected", duck.TYPE_VARCHAR},
		{"received", duck.TYPE_BIGINT}, {"queued", duck.TYPE_BIGINT}, {"rejected", duck.TYPE_BIGINT},
		{"superseded", duck.TYPE_BIGINT}, {"blocked", duck.TYPE_BIGINT}, {"decision", duck.TYPE_VARCHAR}, {"reason", duck.TYPE_VARCHAR},
		{"created", duck.TYPE_BIGINT}, {"updated", duck.TYPE_BIGINT}, {"deleted", duck.TYPE_BIGINT}, {"unchanged", duck.TYPE_BIGINT},
		{"calls", duck.TYPE_DOUBLE}, {"seconds", duck.TYPE_DOUBLE}, {"dollars", duck.TYPE_DOUBLE},
	},
	run: func(ctx context.Context, w *Warehouse, args []string) ([][]any, error) {
		r := runner{w: w, values: map[string]any{"sync": args[0], "mode": args[1]}}
		return r.run(ctx)
	},
}

// A runner is one penstock_run.
type runner struct {
	w       *Warehouse
	begun   begun
	step    string         // the one that is running, for people
	open    bool           // the run was begun and not finished
	warning string         // the gate's
	taken   bool           // rows of a stream were consumed: nobody pushes them again
	values  map[string]any // the steps' variables
}

// begun is what penstock_begin answers.
type begun struct {
	Run       string          `json:"run"`
	Sync      string          `json:"sync"`
	Mode      string          `json:"mode"`
	Select    string          `json:"select"` // since, all, changed, stream, wait
	Watermark json.RawMessage `json:"watermark"`
	Type      string          `json:"watermark_type"`
	Zoned     bool            `json:"watermark_zoned"`
	Model     string          `json:"model"`
	Cursor    string          `json:"cursor"`
	Gate      string          `json:"gate"`
	Reason    string          `json:"reason"`
	selected
}

// ended is what penstock_gate and penstock_finish answer.
type ended struct {
	Status   string `json:"status"`
	Reason   string `json:"reason"`
	Decision string `json:"decision"`
}

// closing bounds what is done after a failure or an interrupt.
const closing = 10 * time.Second

func (r *runner) run(ctx context.Context) ([][]any, error) {
	err := r.push(ctx)
	if err != nil {
		err = fmt.Errorf("penstock_run: %s: %w", r.step, err)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer cancel()
		switch {
		case r.open && r.taken:
			err = fmt.Errorf("%w; the run %s stays open, since its rows are consumed: they are delivered, and the next run takes it over", err, r.begun.Run)
		case r.open:
			err = r.close(ctx, err)
		}
		_, _ = refresh(ctx, r.w, nil) // the tables then show the failed run; the failure itself is what counts
		return nil, err
	}
	reason := r.begun.Reason
	if r.dry() {
		return [][]any{r.planned()}, nil
	}
	if err := r.tidy(ctx); err != nil { // the rows are pushed whatever becomes of the tables
		reason = strings.TrimPrefix(reason+"; "+err.Error(), "; ")
	}
	return [][]any{r.answer(reason)}, nil
}

// push does the steps up to finish.
func (r *runner) push(ctx context.Context) error {
	r.step = "prepare"
	if _, err := r.w.Exec(ctx, statements.RunTables()); err != nil {
		return err
	}
	var answer string
	if err := r.do(ctx, statements.StepBegin, &answer); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(answer), &r.begun); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if r.begun.Select == "wait" {
		return nil
	}
	r.open = r.begun.Run != ""
	r.values["run"], r.values["model"], r.values["cursor"], r.values["watermark"] = r.begun.Run, r.begun.Model, r.begun.Cursor, scalar(r.begun.Watermark)
	if r.begun.Gate != "" {
		if blocked, err := r.gate(ctx); err != nil || blocked {
			return err
		}
	}
	if err := r.pushSelected(ctx); err != nil || r.dry() {
		return err
	}
	if err := r.do(ctx, statements.StepCount); err != nil {
		return err
	}
	if err := r.do(ctx, statements.StepFinish, &answer); err != nil {
		return err
	}
	r.open = false
	var finished ended
	if err := json.Unmarshal([]byte(answer), &finished); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	r.values["status"], r.begun.Reason = finished.Status, cmp.Or(finished.Reason, r.warning, r.begun.Reason)
	return nil
}

// gate asks the gate's view, and reports whether its verdict ended the run: then nothing
// is pushed.
func (r *runner) gate(ctx context.Context) (blocked bool, err error) {
	r.values["gate"] = r.begun.Gate
	var verdict, answer string
	if err := r.do(ctx, statements.StepGate, &verdict); err != nil {
		return false, fmt.Errorf("read the view %s, which penstock run and penstock sql-setup make: %w", r.begun.Gate, err)
	}
	r.values["verdict"] = verdict
	if r.dry() { // it has no run that the verdict could be noted with
		var said ended
		err := json.Unmarshal([]byte(verdict), &said)
		r.values["decision"] = said.Decision
		return false, err
	}
	if err := r.do(ctx, statements.StepVerdict, &answer); err != nil {
		return false, err
	}
	var said ended
	if err := json.Unmarshal([]byte(answer), &said); err != nil {
		return false, fmt.Errorf("read the answer: %w", err)
	}
	if said.Decision != "" {
		r.values["decision"] = said.Decision
	}
	if said.Status == "open" {
		r.warning = said.Reason
		return false, nil
	}
	r.open = false
	for _, name := range statements.FindStep(statements.StepCount).Into {
		r.values[name] = int64(0)
	}
	r.values["status"], r.begun.Reason = said.Status, said.Reason
	return true, nil
}

// do runs one step. Its answer goes to into, or else into the variables of the step.
func (r *runner) do(ctx context.Context, name statements.StepName, into ...any) error {
	r.step = stepWord(name)
	s := statements.FindStep(name)
	var args []any
	for _, v := range s.DuckDB.Variables() {
		args = append(args, sql.Named(v, r.values[v]))
	}
	statement := r.w.exactly(ctx, s.DuckDB.Statement(), "model", r.values["model"])
	if s.Into == nil {
		_, err := r.w.Exec(ctx, statement, args...)
		return r.plain(err)
	}
	counts := make([]int64, len(s.Into))
	if into == nil {
		for i := range counts {
			into = append(into, &counts[i])
		}
		defer func() {
			for i, name := range s.Into {
				r.values[name] = counts[i]
			}
		}()
	}
	rows, err := r.w.Query(ctx, statement, args...)
	if err != nil {
		return r.plain(err)
	}
	defer rows.Close()
	if !rows.Next() {
		return r.plain(cmp.Or(rows.Err(), errors.New("no answer")))
	}
	return errors.Join(rows.Scan(into...), r.plain(rows.Err()))
}

// close ends the run at Penstock, with a reason that tells no row's value.
func (r *runner) close(ctx context.Context, err error) error {
	r.values["reason"] = r.reason(err)
	var answer string
	if closed := r.do(ctx, statements.StepCancel, &answer); closed != nil {
		return fmt.Errorf("%w; the run %s is still open, because closing it failed too: %w", err, r.begun.Run, closed)
	}
	return fmt.Errorf("%w; the run %s is cancelled", err, r.begun.Run)
}

// tidy brings the monitoring tables up to date, and removes old receipts with that.
func (r *runner) tidy(ctx context.Context) error {
	if _, err := refresh(ctx, r.w, nil); err != nil {
		return fmt.Errorf("the monitoring tables were not refreshed: %w", err)
	}
	return nil
}

// answer is the procedure's row.
func (r *runner) answer(reason string) []any {
	row := []any{r.begun.Sync, nil, "skipped", nil, nil, nil, nil, nil, nil, nil, nil}
	if r.begun.Run != "" {
		row = []any{r.begun.Sync, r.begun.Run, r.values["status"], r.begun.Select}
		for _, name := range statements.FindStep(statements.StepCount).Into {
			row = append(row, r.values[name])
		}
		row = append(row, r.values["decision"], nil)
	}
	if reason != "" {
		row[len(row)-1] = reason
	}
	return append(row, make([]any, planFigures)...)
}

// scalar is what a JSON scalar says, nil for null.
func scalar(raw json.RawMessage) any {
	var s string
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil
	case json.Unmarshal(raw, &s) == nil:
		return s
	}
	return string(raw)
}
