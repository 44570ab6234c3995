package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
	"github.com/penstock-data/penstock/sql"
)

type validateCmd struct {
	definitions
	Warehouse string `help:"A DuckDB file whose tables the models read; without it the sample's." placeholder:"FILE"`
}

// Run checks the definitions and, against the warehouse, their models' columns.
func (c validateCmd) Run(ctx context.Context, s program) error {
	set, err := c.load(s)
	if err != nil {
		return err
	}
	unchecked, err := c.columns(ctx, s, set)
	if err != nil {
		return faulty(s, err)
	}
	fmt.Fprintf(s.out, "%s valid", english.Plural(len(set.Syncs), "sync is", "syncs are"))
	if len(unchecked) > 0 {
		fmt.Fprintf(s.out, "; the columns of %s were not checked", strings.Join(unchecked, ", "))
	}
	fmt.Fprintln(s.out)
	return nil
}

// columns asks the warehouse what each model selects.
func (c validateCmd) columns(ctx context.Context, s program, set yamlfile.Set) (unchecked []string, err error) {
	w, err := duckdb.Open(ctx, duckdb.Config{Path: c.Warehouse})
	if err != nil {
		fmt.Fprintln(s.err, "columns are not checked:", err)
		for _, y := range set.Syncs {
			unchecked = append(unchecked, y.Definition.Sync)
		}
		return unchecked, nil
	}
	defer w.Close()
	if c.Warehouse == "" {
		if err := sampleTables(ctx, w); err != nil {
			return nil, err
		}
	}
	var faults syncdef.Faults
	for _, y := range set.Syncs {
		if y.Model == "" {
			fmt.Fprintf(s.err, "%s: there is no model beside it (%s.sql), so its columns are not checked\n", y.File, y.Definition.Sync)
			unchecked = append(unchecked, y.Definition.Sync)
			continue
		}
		columns, err := modelColumns(ctx, w, y.Model)
		if err != nil {
			reason, _, _ := strings.Cut(err.Error(), "\n") // a fault is one line
			faults = append(faults, syncdef.Fault{File: y.File, Line: 1, Column: 1, Message: fmt.Sprintf("its model %s.sql does not run on the warehouse: %s", y.Definition.Sync, reason)})
			continue
		}
		faults = append(faults, y.CheckColumns(columns)...)
	}
	return unchecked, faults.Err()
}

// modelColumns asks the warehouse which columns a model selects.
func modelColumns(ctx context.Context, w *duckdb.Warehouse, model string) ([]string, error) {
	rows, err := w.Query(ctx, "SELECT column_name FROM (DESCRIBE "+model+"\n)")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// sampleTables makes the sample's tables and views.
func sampleTables(ctx context.Context, w *duckdb.Warehouse) error {
	script, err := sql.Setup("duckdb", sql.SnowflakeParams{})
	if err != nil {
		return err
	}
	if _, err := w.Exec(ctx, script); err != nil {
		return fmt.Errorf("make the sample's tables: %w", err)
	}
	return nil
}
