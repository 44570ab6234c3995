//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"

	statements "github.com/penstock-data/penstock/sql"
)

// refreshProcedure is penstock_refresh(): it brings the monitoring tables up to date.
// Its rows say of each table how many rows were merged into it.
var refreshProcedure = procedure{
	name:    "penstock_refresh",
	columns: []output{{"table_name", duck.TYPE_VARCHAR}, {"changed", duck.TYPE_BIGINT}},
	run:     refresh,
}

// monitors finds the tables and views that penstock_refresh fills, and what shows them.
var monitors = regexp.MustCompile(`(?i)\b(` + strings.Join(statements.Monitored(), "|") + `|penstock_pushed|\w+` + statements.HistorySuffix + `)\b`)

// maxPages bounds what one refresh reads of a kind; the next one goes on.
const maxPages = 10_000

// A refresher is one penstock_refresh.
type refresher struct {
	w       *Warehouse
	values  map[string]any // the steps' variables
	order   []string       // tables, as they are met
	changed map[string]int64
}

// refresh does the work of penstock_refresh, one at a time: two would change the same
// rows, which DuckDB refuses.
func refresh(ctx context.Context, w *Warehouse, _ []string) ([][]any, error) {
	w.refreshing.Lock()
	defer w.refreshing.Unlock()
	if err := w.monitoring(ctx); err != nil {
		return nil, fmt.Errorf("penstock_refresh: make the monitoring tables: %w", err)
	}
	groups, err := statements.RefreshGroups()
	if err != nil {
		return nil, err
	}
	r := refresher{w: w, values: map[string]any{"refresh": newStatement().query}, changed: map[string]int64{}}
	for _, g := range groups {
		if err := r.group(ctx, g); err != nil {
			return nil, err
		}
	}
	var rows [][]any
	for _, table := range r.order {
		rows = append(rows, []any{table, r.changed[table]})
	}
	return rows, nil
}

// monitoring makes the tables and views where one of them is missing.
func (w *Warehouse) monitoring(ctx context.Context) error {
	names := append(statements.MonitoringNames(), "penstock_receipts")
	var found int
	err := w.db.QueryRowContext(ctx, `SELECT count(*) FROM information_schema.tables WHERE table_catalog = current_database() AND table_schema = current_schema()
		AND table_name IN ('`+strings.Join(names, "', '")+"')").Scan(&found)
	var columns int // of an earlier release the table has not all
	if err == nil {
		err = w.db.QueryRowContext(ctx, "SELECT count(*) FROM information_schema.columns WHERE table_catalog = current_database() AND table_schema = current_schema() AND table_name = 'penstock_runs' AND column_name = 'gate_counts'").Scan(&columns)
	}
	if err != nil || found == len(names) && columns == 1 {
		return err
	}
	script, err := statements.MonitoringTables()
	if err != nil {
		return err
	}
	_, err = w.Exec(ctx, script+"\n"+statements.RunTables())
	return err
}

// group does a group once, or for every page.
func (r *refresher) group(ctx context.Context, g statements.RefreshGroup) error {
	if g.Pending.Into == nil {
		return r.steps(ctx, g.Steps)
	}
	if g.Pending.DuckDB.Statement() == "" { // an answer is whole here
		return nil
	}
	for page := range maxPages {
		r.values["page"] = int64(page)
		var pending int64
		row := r.w.db.QueryRowContext(begin(ctx), g.Pending.DuckDB.Statement(), r.arguments(g.Pending.DuckDB)...)
		if err := row.Scan(&pending); err != nil {
			return r.failed(g.Pending.Name, err)
		}
		if pending == 0 {
			return nil
		}
		if err := r.steps(ctx, g.Steps); err != nil {
			return err
		}
	}
	return nil
}

func (r *refresher) steps(ctx context.Context, steps []statements.RefreshStep) error {
	for _, s := range steps {
		done, err := r.w.Exec(ctx, s.DuckDB.Statement(), r.arguments(s.DuckDB)...)
		if err != nil {
			return r.failed(s.Name, err)
		}
		if s.Table == "" {
			continue
		}
		n, err := done.RowsAffected()
		if err != nil {
			return r.failed(s.Name, err)
		}
		if _, met := r.changed[s.Table]; !met {
			r.order = append(r.order, s.Table)
		}
		r.changed[s.Table] += n
	}
	return nil
}

// arguments are a statement's variables.
func (r *refresher) arguments(t statements.Text) []any {
	var args []any
	for _, v := range t.Variables() {
		args = append(args, sql.Named(v, r.values[v]))
	}
	return args
}

func (r *refresher) failed(step statements.StepName, err error) error {
	return fmt.Errorf("penstock_refresh: %s: %w", step, err)
}
