package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
	"github.com/penstock-data/penstock/sql"
)

// definitions are the arguments of commands that read sync definitions.
type definitions struct {
	Files []string `arg:"" optional:"" help:"Definitions (NAME.yaml); all of --syncs when none is given."`
	Syncs string   `default:"sql/syncs" help:"The folder of definitions and connections.yaml." placeholder:"DIR"`
}

// load reads and checks the definitions, and prints what is accepted without
// effect.
func (d definitions) load(s streams) (yamlfile.Set, error) {
	read := func() (yamlfile.Set, error) { return yamlfile.Load(d.Syncs) }
	if len(d.Files) > 0 {
		read = func() (yamlfile.Set, error) { return yamlfile.LoadFiles(d.Files) }
	}
	set, err := read()
	if err != nil {
		return set, faulty(s, err)
	}
	for _, n := range set.Notices() {
		fmt.Fprintln(s.err, n)
	}
	return set, nil
}

// faulty prints faults one a line, so that editors can jump to them.
func faulty(s streams, err error) error {
	var faults syncdef.Faults
	if !errors.As(err, &faults) {
		return err
	}
	fmt.Fprintln(s.err, faults.Error())
	return fmt.Errorf("%d faults in the sync definitions; nothing was changed", len(faults))
}

type validateCmd struct {
	definitions
	Warehouse string `help:"A DuckDB file whose tables the models read; without it the lesson's." placeholder:"FILE"`
}

// Run checks the definitions and, against the warehouse, their models' columns.
func (c validateCmd) Run(ctx context.Context, s streams) error {
	set, err := c.load(s)
	if err != nil {
		return err
	}
	unchecked, err := c.columns(ctx, s, set)
	if err != nil {
		return faulty(s, err)
	}
	fmt.Fprintf(s.out, "%d syncs are valid", len(set.Syncs))
	if len(unchecked) > 0 {
		fmt.Fprintf(s.out, "; the columns of %s were not checked", strings.Join(unchecked, ", "))
	}
	fmt.Fprintln(s.out)
	return nil
}

// columns asks the warehouse what each model selects.
func (c validateCmd) columns(ctx context.Context, s streams, set yamlfile.Set) (unchecked []string, err error) {
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
		if err := lessonTables(ctx, w); err != nil {
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
			faults = append(faults, syncdef.Fault{File: y.File, Line: 1, Column: 1, Message: fmt.Sprintf("its model %s.sql does not run on the warehouse: %v", y.Definition.Sync, err)})
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

// lessonTables makes the lesson's tables and views.
func lessonTables(ctx context.Context, w *duckdb.Warehouse) error {
	script, err := sql.Setup("duckdb", sql.SnowflakeParams{})
	if err != nil {
		return err
	}
	if _, err := w.Exec(ctx, script); err != nil {
		return fmt.Errorf("make the lesson's tables: %w", err)
	}
	return nil
}

type setupCmd struct {
	Dialect      string `arg:"" enum:"snowflake,duckdb" help:"snowflake or duckdb."`
	APIURL       string `name:"api-url" help:"The API's invoke URL (stack output ApiUrl)." placeholder:"URL"`
	RoleARN      string `name:"role-arn" help:"The role that Snowflake assumes (stack output SnowflakeRoleArn)." placeholder:"ARN"`
	Integration  string `help:"The API integration's name (penstock_api)." placeholder:"NAME"`
	Database     string `help:"The database (penstock)." placeholder:"NAME"`
	Schema       string `help:"The schema (public)." placeholder:"NAME"`
	Role         string `help:"The Snowflake role that pushes (sysadmin)." placeholder:"NAME"`
	Warehouse    string `help:"The warehouse in which tasks run." placeholder:"NAME"`
	MaxBatchRows int    `help:"Rows per request (2000)." placeholder:"N"`
}

// Run prints the script.
func (c setupCmd) Run(s streams) error {
	text, err := sql.Setup(c.Dialect, sql.SnowflakeParams{
		APIURL: c.APIURL, RoleARN: c.RoleARN, Integration: c.Integration, Database: c.Database, Schema: c.Schema,
		Role: c.Role, Warehouse: c.Warehouse, MaxBatchRows: c.MaxBatchRows,
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(s.out, text)
	return err
}
