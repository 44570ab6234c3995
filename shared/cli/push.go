package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

type pushCmd struct {
	Sync   string `arg:"" help:"The sync."`
	From   string `help:"Push the rows of this file (.csv, .parquet, .json, .ndjson) instead of the model's." placeholder:"FILE"`
	Model  bool   `help:"Push the rows of the sync's model, which is the default."`
	Limit  int    `help:"At most so many rows." placeholder:"N"`
	DryRun bool   `help:"Send nothing, store nothing: say what would become of the rows."`
	JSON   bool   `name:"json" help:"Print JSON."`
	modelled
}

// Run pushes the rows and waits until they have settled.
func (c pushCmd) Run(ctx context.Context, s program) (err error) {
	if c.From != "" && c.Model {
		return usage("--from and --model: choose one")
	}
	if c.Limit < 0 {
		return usage("--limit %d: at least 1, or leave it out for all rows", c.Limit)
	}
	if c.DryRun {
		return planCmd{Sync: c.Sync, Mode: plainPush, From: c.From, Limit: c.Limit, JSON: c.JSON, modelled: c.modelled}.Run(ctx, s)
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
	w, rows, err := c.source(ctx, g.url, did)
	if err != nil {
		return err
	}
	defer w.Close()
	p, err := c.push(ctx, s, w, rows, did)
	if err != nil {
		return err
	}
	fates, err := settleWithBar(ctx, s, g, c.Sync, p.runs, c.JSON)
	if err != nil {
		return err
	}
	p.took = s.clock.now().Sub(started)
	if len(fates) > 0 {
		p.fate = &fates[0]
	}
	if err := p.print(s, c.JSON); err != nil {
		return err
	}
	if c.JSON {
		return g.quietly(fates)
	}
	return g.verdictOf(s, fates)
}

// source opens the warehouse, or the file in one of its own, and says which rows.
func (c pushCmd) source(ctx context.Context, gateway string, did *touched) (*duckdb.Warehouse, relation, error) {
	if c.From == "" {
		w, rows, err := c.model(ctx, c.Sync, gateway, did)
		return w, rows.limited(c.Limit), err
	}
	return openFile(ctx, c.From, c.Limit, duckdb.Config{Gateway: gateway, Token: c.token(), Answered: did.answered, Repeats: did.again})
}

// openFile opens a file in a warehouse of its own, in memory.
func openFile(ctx context.Context, file string, limit int, cfg duckdb.Config) (*duckdb.Warehouse, relation, error) {
	if err := readable(file); err != nil {
		return nil, relation{}, err
	}
	w, err := duckdb.Open(ctx, cfg)
	if err != nil {
		return nil, relation{}, err
	}
	rows, err := fileRows(ctx, w, file)
	if err != nil {
		return nil, rows, errors.Join(err, w.Close())
	}
	return w, rows.limited(limit), nil
}

// A pushed is what a push came to.
type pushed struct {
	sync    string
	rows    int64
	answers []answered // by status and reason
	runs    []string
	fate    *fate // nil where nothing was pushed
	took    time.Duration
}

// An answered counts the rows that SQL was answered alike.
type answered struct {
	Status   string `json:"status"`
	Type     string `json:"error_type,omitempty"`
	Field    string `json:"field,omitempty"`
	Rows     int64  `json:"rows"`
	RecordID string `json:"record_id,omitempty"` // of one of them
	Message  string `json:"error_message,omitempty"`
}

// push runs the statement.
func (c pushCmd) push(ctx context.Context, s program, w *duckdb.Warehouse, rows relation, did *touched) (pushed, error) {
	p := pushed{sync: c.Sync}
	b := &bar{}
	if terminal(s.out) && !c.JSON {
		total, err := rows.count(ctx, w)
		if err != nil {
			return p, err
		}
		b = newBar(s.out, "reading "+c.Sync)
		did.watch(func(n int) { b.at(int64(n), total) })
	}
	defer b.done()
	// MATERIALIZED: the answers are read many times, the rows are pushed once.
	q, err := w.Query(ctx, `WITH a AS MATERIALIZED (SELECT penstock_push(?, penstock_row) AS answer FROM `+w.Exact(ctx, rows.sql)+` AS penstock_row)
		SELECT answer->>'status', coalesce(answer->>'error_type', ''), coalesce(answer->>'field', ''), count(*), coalesce(min(answer->>'record_id'), ''), coalesce(arg_min(answer->>'error_message', answer->>'record_id'), min(answer->>'error_message'), '')
		FROM a GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3`, c.Sync)
	if err != nil {
		return p, err
	}
	defer q.Close()
	for q.Next() {
		var a answered
		if err := q.Scan(&a.Status, &a.Type, &a.Field, &a.Rows, &a.RecordID, &a.Message); err != nil {
			return p, err
		}
		if a.Type == "" {
			a.RecordID = ""
		}
		p.answers = append(p.answers, a)
		p.rows += a.Rows
	}
	p.runs = did.take()
	return p, q.Err()
}

// print prints the summary.
func (p pushed) print(s program, asJSON bool) error {
	if asJSON {
		return printJSON(s.out, p.report())
	}
	fmt.Fprintf(s.out, "%s of %s pushed in %s\n", counted(p.rows), p.sync, p.took.Round(time.Millisecond))
	printAnswered(s, p.answers)
	if p.fate != nil {
		s.printRun("  ", p.fate.RunStatus)
	}
	return nil
}

// A pushReport is what push --json prints.
type pushReport struct {
	Sync    string          `json:"sync"`
	Run     string          `json:"run,omitempty"`
	Rows    int64           `json:"rows"`
	Seconds float64         `json:"seconds"`
	Settled bool            `json:"settled"`
	Answers []answered      `json:"answers"`
	Status  *runs.RunStatus `json:"status,omitempty"`
}

func (p pushed) report() pushReport {
	out := pushReport{Sync: p.sync, Rows: p.rows, Seconds: p.took.Seconds(), Answers: p.answers, Settled: p.fate == nil || p.fate.settled}
	if out.Answers == nil {
		out.Answers = []answered{}
	}
	if p.fate != nil {
		out.Run, out.Status = p.fate.ID, &p.fate.RunStatus
	}
	return out
}

// printAnswered prints why rows are rejected, one of each reason.
func printAnswered(s program, all []answered) {
	for _, a := range all {
		if a.Type == "" {
			continue
		}
		head := fmt.Sprintf("%s %s: %s", humanize.Comma(a.Rows), a.Status, a.Type)
		fmt.Fprintln(s.out, "  "+paint(s.out, bad, head))
		text := a.Message
		if a.RecordID != "" {
			text += " (for example record " + a.RecordID + ")"
		}
		fmt.Fprintln(s.out, wrapped("    ", text))
	}
}

// counted is a number of rows.
func counted(n int64) string {
	return humanize.Comma(n) + " " + english.PluralWord(int(n), "row", "")
}
