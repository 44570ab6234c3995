//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"
)

// A procedure is what CALL runs: work in Go, over connections of the pool of its
// own. It does not see what the caller's open transaction has changed, and what it
// changes stays when that is rolled back, as in a warehouse that commits each
// statement.
type procedure struct {
	name    string
	params  []param // of type VARCHAR; null and left out come as the default
	columns []output
	// run does the work and returns the rows of the answer. ctx is the statement's.
	run func(ctx context.Context, w *Warehouse, args []string) ([][]any, error)
}

// An output is one column of a procedure's answer.
type output struct {
	name string
	kind duck.Type
}

// procedures are those that there are.
var procedures = []procedure{runProcedure, refreshProcedure}

// inner is the name of the Go function below the macro, which shadows a function
// of its own name.
func (p *procedure) inner() string { return "__" + p.name }

// macro is the statement that makes the procedure callable: CALL of a macro with
// optional and named arguments. The driver stops at a NULL argument of the inner
// function, so that the macro hands it none.
func (p *procedure) macro() string {
	var names, args []string
	for _, a := range p.params {
		name := a.name
		if a.optional {
			name += " := NULL"
		}
		names = append(names, name)
		args = append(args, "coalesce(CAST("+a.name+" AS VARCHAR), '')")
	}
	return "CREATE OR REPLACE TEMP MACRO " + p.name + "(" + strings.Join(names, ", ") + ") AS TABLE SELECT * FROM " +
		p.inner() + "(" + strings.Join(args, ", ") + ")"
}

// register makes the inner function known to the database of a connection.
func (p *procedure) register(conn *sql.Conn, w *Warehouse) error {
	text, err := duck.NewTypeInfo(duck.TYPE_VARCHAR)
	if err != nil {
		return fmt.Errorf("register %s: %w", p.name, err)
	}
	columns := make([]duck.ColumnInfo, len(p.columns))
	for i, c := range p.columns {
		kind, err := duck.NewTypeInfo(c.kind)
		if err != nil {
			return fmt.Errorf("register %s: %w", p.name, err)
		}
		columns[i] = duck.ColumnInfo{Name: c.name, T: kind}
	}
	arguments := make([]duck.TypeInfo, len(p.params))
	for i := range arguments {
		arguments[i] = text
	}
	err = duck.RegisterTableUDF(conn, p.inner(), duck.RowTableFunction{
		Config: duck.TableFunctionConfig{Arguments: arguments},
		BindArgumentsContext: func(ctx context.Context, _ map[string]any, args ...any) (duck.RowTableSource, error) {
			c := &called{procedure: p, ctx: ctx, w: w, columns: columns}
			for _, a := range args {
				s, _ := a.(string) // VARCHAR, as registered
				c.args = append(c.args, s)
			}
			return c, nil
		},
	})
	if err != nil {
		return fmt.Errorf("register %s: %w", p.name, err)
	}
	return nil
}

// called is one bound CALL. Binding also happens for PREPARE, EXPLAIN and DESCRIBE,
// and what is not read is never filled: so the work is done at the first row.
type called struct {
	procedure *procedure
	ctx       context.Context //nolint:containedctx // the driver hands it over at binding alone
	w         *Warehouse
	args      []string
	columns   []duck.ColumnInfo
	done      bool
	rows      [][]any
}

func (c *called) ColumnInfos() []duck.ColumnInfo { return c.columns }

func (c *called) Cardinality() *duck.CardinalityInfo { return nil }

// Init begins an execution; a prepared CALL has one each time.
func (c *called) Init() { c.done, c.rows = false, nil }

// FillRow writes the next row. The driver calls it on one thread.
func (c *called) FillRow(row duck.Row) (bool, error) {
	if !c.done {
		rows, err := c.procedure.run(c.ctx, c.w, c.args)
		if err != nil {
			return false, err
		}
		c.done, c.rows = true, rows
	}
	if len(c.rows) == 0 {
		return false, nil
	}
	for i, v := range c.rows[0] {
		if err := duck.SetRowValue(row, i, v); err != nil {
			return false, fmt.Errorf("%s: write column %s: %w", c.procedure.name, c.columns[i].Name, err)
		}
	}
	c.rows = c.rows[1:]
	return true, nil
}
