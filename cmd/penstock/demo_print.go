package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/mattn/go-isatty"

	"github.com/penstock-data/penstock/shared/run"
)

// say prints a line for people; with --json nobody reads it.
func (d *demo) say(format string, args ...any) {
	if !d.cmd.JSON {
		fmt.Fprintf(d.s.out, format+"\n", args...)
	}
}

// opening says what was made.
func (d *demo) opening() {
	d.say("Penstock on one machine: DuckDB -> gateway -> queue -> workers -> simulated Salesforce and Slack")
	d.say("%s customers in the warehouse, %s accounts in Salesforce. Everything below is real: HTTP, batches,", humanize.Comma(int64(d.plan.Rows)), humanize.Comma(int64(d.plan.Accounts)))
	d.say("retries, ledger; only the vendors are simulated (Slack takes one message a second, here too).")
}

func (d *demo) heading(pass int) {
	last := d.plan.Passes[len(d.plan.Passes)-1]
	if pass == 1 {
		d.say("\nPass 1: everything is new")
		return
	}
	d.say("\nPass %d: %s customers were scored again, %s are new; all others are as they were", pass, humanize.Comma(int64(last.Rescored)), humanize.Comma(int64(last.Added)))
}

// seen shows what the SQL statement got back: the rows per outcome.
func (d *demo) seen(ctx context.Context, p pushedSync, took time.Duration) error {
	if d.cmd.JSON {
		return nil
	}
	d.say("\n  %s", p.statement())
	rows, err := d.warehouse.DB().QueryContext(ctx, `SELECT answer->>'status' AS status, coalesce(answer->>'reason', '') AS reason, coalesce(answer->>'field', '') AS field,
		count(*) AS n, min(answer->>'record_id') AS example FROM lesson.pushed GROUP BY ALL ORDER BY n DESC, reason`)
	if err != nil {
		return err
	}
	defer rows.Close()
	t := d.table(table.Row{"SQL saw", "reason", "column", "rows", "for example"}, 4)
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
		t.AppendRow(table.Row{status, reason, field, humanize.Comma(n), cut(*example, 48)})
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if total > 0 {
		t.Render()
	}
	d.say("  %s rows answered in %s", humanize.Comma(total), took.Round(time.Millisecond))
	return nil
}

// summary is the pass's table, and the first errors.
func (d *demo) summary(ctx context.Context, pass int) error {
	if d.cmd.JSON {
		return nil
	}
	d.say("")
	t := d.table(table.Row{"sync", "destination", "rows", "delivered", "unchanged", "rejected", "failed", "filtered", "records now", "API calls", "rows/s", "duration"}, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
	for _, r := range d.report.Syncs {
		if r.Pass == pass {
			t.AppendRow(table.Row{r.Sync, r.Destination, humanize.Comma(r.Pushed), humanize.Comma(r.Delivered), humanize.Comma(r.Unchanged),
				humanize.Comma(r.Rejected), humanize.Comma(r.Failed), humanize.Comma(r.Filtered), humanize.Comma(int64(r.DestinationRecords)),
				humanize.Comma(r.APICalls), rate(r), time.Duration(r.Seconds * float64(time.Second)).Round(time.Millisecond)})
		}
	}
	t.Render()
	for _, r := range d.report.Syncs {
		if r.Pass == pass && r.Rejected+r.Failed > 0 {
			if err := d.firstErrors(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func rate(r syncRun) string {
	if r.Seconds <= 0 {
		return ""
	}
	return humanize.Comma(int64(float64(r.Pushed) / r.Seconds))
}

// storedError is one entry of penstock_errors.
type storedError struct {
	RecordID string `json:"record_id"`
	Field    string `json:"field"`
	Type     string `json:"error_type"`
	Stage    string `json:"stage"`
	Message  string `json:"error_message"`
}

// errors reads a run's errors as a user would: in SQL, page by page.
func (d *demo) errors(ctx context.Context, id string, visit func(storedError) bool) error {
	next := ""
	for {
		var text string
		if err := d.warehouse.DB().QueryRowContext(ctx, "SELECT penstock_errors(?, ?)", id, next).Scan(&text); err != nil {
			return fmt.Errorf("read the errors of run %s: %w", id, err)
		}
		var page struct {
			Errors []storedError `json:"errors"`
			Next   string        `json:"next"`
		}
		if err := json.Unmarshal([]byte(text), &page); err != nil {
			return fmt.Errorf("read the errors of run %s: %w", id, err)
		}
		for _, e := range page.Errors {
			if !visit(e) {
				return nil
			}
		}
		if next = page.Next; next == "" {
			return nil
		}
	}
}

// firstErrors shows one error per reason, the first of each.
func (d *demo) firstErrors(ctx context.Context, r syncRun) error {
	const most = 8
	seen := map[string]bool{}
	t := d.table(table.Row{"record", "field", "reason", "message"})
	err := d.errors(ctx, r.Run, func(e storedError) bool {
		if !seen[e.Type] {
			seen[e.Type] = true
			t.AppendRow(table.Row{e.RecordID, e.Field, e.Type, cut(e.Message, 90)})
		}
		return len(seen) < most
	})
	if err != nil || len(seen) == 0 {
		return err
	}
	d.say("\n  The first error of each reason:  SELECT penstock_errors('%s')", r.Run)
	t.Render()
	return nil
}

// closing says how the comparison ended and what to try next.
func (d *demo) closing(differences []string) {
	if len(differences) == 0 {
		d.say("\nCompared: what Salesforce and Slack hold equals the warehouse's models, field by field. (%.1f s in all)", d.report.Seconds)
	}
	command := "go run ./cmd/penstock"
	if self, err := os.Executable(); err == nil && !strings.Contains(self, "go-build") {
		command = os.Args[0]
	}
	dir := d.cmd.Data
	if dir == "" {
		dir = "penstock-data"
		d.say("\nNext (each works as printed):")
		d.say("  %s demo --data %s                       # the same, and keep the files", command, dir)
	} else {
		d.say("\nThe files are in %s. Next (each works as printed):", dir)
		d.say("  %s sql --data %s \"SELECT penstock_status('sf_health')\"", command, dir)
		d.say("  %s sql --data %s \"SELECT penstock_push('sf_health', to_json(m)) FROM salesforce_customer_health_sync m LIMIT 5\"", command, dir)
	}
	d.say("  %s local --data %s                      # gateway, workers and simulators until Ctrl-C", command, dir)
	d.say("  %s demo --rows 100000 --kill                       # kill the process in the middle; nothing is lost", command)
	d.say("  %s validate", command)
	d.say("  %s sql-setup snowflake", command)
}

func (d *demo) table(header table.Row, numbers ...int) table.Writer {
	t := newTable(d.s.out)
	t.AppendHeader(header)
	var columns []table.ColumnConfig
	for _, n := range numbers {
		columns = append(columns, table.ColumnConfig{Number: n, Align: 2, AlignHeader: 2}) // right
	}
	t.SetColumnConfigs(columns)
	return t
}

// cut shortens a text to n characters on one line.
func cut(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// A bar shows a run's progress on a terminal.
type bar struct {
	writer  progress.Writer
	tracker *progress.Tracker
}

func (d *demo) bar(p pushedSync) *bar {
	if d.cmd.JSON || !terminal(d.s.out) {
		return &bar{}
	}
	w := progress.NewWriter()
	w.SetOutputWriter(d.s.out)
	w.SetUpdateFrequency(100 * time.Millisecond)
	w.SetTrackerLength(30)
	w.Style().Visibility.ETA = true
	t := &progress.Tracker{Message: p.name + " -> " + p.destination, Units: progress.UnitsDefault}
	w.AppendTracker(t)
	go w.Render()
	return &bar{w, t}
}

func (b *bar) show(r run.Run) {
	if b.tracker != nil {
		b.tracker.UpdateTotal(max(r.Counts.Received, 1))
		b.tracker.SetValue(r.Counts.Settled())
		if r.Reason != "" {
			b.tracker.UpdateMessage(cut(r.Reason, 60))
		}
	}
}

func (b *bar) done() {
	if b.tracker == nil {
		return
	}
	b.tracker.MarkAsDone()
	for b.writer.IsRenderInProgress() && b.writer.LengthActive() > 0 {
		time.Sleep(20 * time.Millisecond)
	}
	b.writer.Stop()
	for b.writer.IsRenderInProgress() {
		time.Sleep(10 * time.Millisecond)
	}
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
