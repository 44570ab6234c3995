package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb/modelcheck"
	"github.com/penstock-data/penstock/sql"
)

type validateCmd struct {
	definitions
	Warehouse string        `help:"A DuckDB file whose tables the models read; without it the sample's tables are known." placeholder:"FILE"`
	Dialect   string        `enum:",duckdb,snowflake,redshift,bigquery" default:"" help:"Whose SQL the models are: duckdb, snowflake, redshift or bigquery; by warehouse in connections.yaml when not given, else duckdb. What cannot be read as DuckDB's SQL is no fault in another one's."`
	CheckTime time.Duration `default:"10s" help:"How long the check of one model may take."`
	JSON      bool          `name:"json" help:"Print one JSON object: syncs, faults and notices."`

	Connection bool `help:"Ask the destinations, too: whether the fields are there, can be written, and take what is mapped."`
	asking
}

// A validation is what validate found. Its JSON is what validate --json prints.
type validation struct {
	Valid   bool        `json:"valid"`
	Syncs   []validSync `json:"syncs"`
	Faults  []told      `json:"faults"`
	Notices []told      `json:"notices"`

	faults, notices syncdef.Faults

	elsewhere bool     // the models are of another warehouse than DuckDB
	stands    []string // connections for which this machine's simulator was asked
}

// A validSync is one sync, with what is known of its model.
type validSync struct {
	Sync    string   `json:"sync"`
	File    string   `json:"file"`
	Model   string   `json:"model,omitempty"`   // the file of the SELECT; absent when there is none
	Columns []string `json:"columns,omitempty"` // that the model selects
	Checked bool     `json:"columns_checked"`
	// Connection is what asking the destination came to, with --connection: checked,
	// no_metadata, or not_checked, which is a fault.
	Connection string     `json:"connection,omitempty"`
	Gate       *validGate `json:"gate,omitempty"` // of a sync with quality
}

// told is a fault or a notice.
type told struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Path    string `json:"path,omitempty"` // field_mappings[2].scale
	Message string `json:"message"`
}

// Run checks the definitions, and their models by what they select.
func (c validateCmd) Run(ctx context.Context, s program) error {
	set, err := c.read(s.known.kinds())
	var v validation
	if err != nil && !errors.As(err, &v.faults) {
		return err
	}
	for _, n := range set.Notices() {
		v.notices = append(v.notices, syncdef.Fault{File: n.File, Line: n.Line, Column: n.Column, Message: n.Key + ": " + n.Message})
	}
	if err := c.models(ctx, set, &v); err != nil {
		return err
	}
	if c.Connection {
		if err := c.destinations(ctx, s, set, &v); err != nil {
			return err
		}
	}
	if len(v.faults) == 0 {
		if err := c.gates(ctx, set, &v); err != nil {
			return err
		}
	}
	v.faults.Sort()
	v.notices.Sort()
	if err := c.print(s, &v); err != nil {
		return err
	}
	if len(v.faults) > 0 {
		return fmt.Errorf("%s in the sync definitions%s; nothing was changed", english.Plural(len(v.faults), "fault", ""), v.simulated())
	}
	return nil
}

// print prints what was found, and for people, in order, what to jump to.
func (c validateCmd) print(s program, v *validation) error {
	v.Valid = len(v.faults) == 0
	if c.JSON {
		v.Syncs = append([]validSync{}, v.Syncs...) // never null
		v.Faults, v.Notices = toldOf(v.faults), toldOf(v.notices)
		return printJSON(s.out, v)
	}
	for _, n := range v.notices {
		fmt.Fprintln(s.err, n)
	}
	if !v.Valid {
		_, err := fmt.Fprintln(s.err, v.faults.Error())
		return err
	}
	fmt.Fprintf(s.out, "%s valid", english.Plural(len(v.Syncs), "sync is", "syncs are"))
	var unchecked []string
	for _, y := range v.Syncs {
		if !y.Checked {
			unchecked = append(unchecked, y.Sync)
		}
	}
	if len(unchecked) > 0 {
		fmt.Fprintf(s.out, "; the columns of %s were not checked", strings.Join(unchecked, ", "))
	}
	_, err := fmt.Fprintln(s.out, v.simulated())
	for _, y := range v.Syncs {
		if y.Gate != nil {
			fmt.Fprintln(s.out, wrapped("  ", y.Gate.line(y.Sync, v.elsewhere)))
		}
	}
	return err
}

// toldOf is what is printed as JSON, never null.
func toldOf(all syncdef.Faults) []told {
	out := make([]told, len(all))
	for i, f := range all {
		out[i] = told(f)
	}
	return out
}

// models has each sync's model checked, in a process of its own.
func (c validateCmd) models(ctx context.Context, set yamlfile.Set, v *validation) error {
	if c.Warehouse != "" {
		if err := readable(c.Warehouse); err != nil {
			return err
		}
	}
	m := modelChecker{limit: c.CheckTime, from: modelcheck.Source{Path: c.Warehouse}}
	defer m.stop()
	if c.Warehouse == "" {
		script, err := sql.Setup("duckdb", sql.Params{})
		if err != nil {
			return err
		}
		m.from.Script = script
	} else if path, err := filepath.Abs(c.Warehouse); err == nil {
		m.from.Path = path
	}
	if set.Warehouse != nil {
		c.Dialect = cmp.Or(c.Dialect, set.Warehouse.Type)
	}
	unable := false
	for _, y := range set.Syncs {
		faulty := y.Faulty(v.faults)
		one := validSync{Sync: y.Definition.Sync, File: y.File, Model: y.ModelFile}
		named := "SELECT * FROM " + y.Definition.Model
		before, selected := len(v.faults), false
		switch {
		case one.Model == "" && faulty:
		case slices.ContainsFunc(v.faults, func(f syncdef.Fault) bool { return one.Model != "" && f.File == one.Model }): // it could not be read
		case one.Model == "" && c.Warehouse != "" && y.Definition.Model != "" && !unable:
			r, err := m.check(ctx, named)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if unable = err != nil; unable {
				v.notice("columns are not checked", modelcheck.Place{}, err.Error())
				break
			}
			one.Columns = r.Columns
			if one.Checked = judgeNamed(y, r, v); !one.Checked {
				break
			}
			selected = true
			if err := c.selection(ctx, &m, y, named, v); err != nil {
				return err
			}
		case one.Model == "" && y.Definition.Model != "":
			v.notice(y.File, modelcheck.Place{}, fmt.Sprintf("the columns of the model %s are not checked: --warehouse FILE names a database that has it", y.Definition.Model))
		case one.Model == "":
			v.notice(y.File, modelcheck.Place{}, fmt.Sprintf("there is no model beside it (%s.sql), so its columns are not checked", y.Definition.Sync))
		case !unable:
			r, err := m.check(ctx, y.Model)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if unable = err != nil; unable {
				v.notice("columns are not checked", modelcheck.Place{}, err.Error())
				break
			}
			one.Columns = r.Columns
			one.Checked = c.judge(y, r, v, faulty)
			if !one.Checked || r.Columns == nil || r.Missing != nil {
				break
			}
			changing(y, r.Uses, v)
			selected = true
			if err := c.selection(ctx, &m, y, y.Model, v); err != nil {
				return err
			}
		}
		if !selected && !faulty && !unable && len(v.faults) == before {
			unselected(y, v)
		}
		v.Syncs = append(v.Syncs, one)
	}
	return nil
}

// judgeNamed compares a sync with the table or view that its model names, which somebody
// else has made: dbt, say. It reports whether it could.
func judgeNamed(y yamlfile.Sync, r modelcheck.Result, v *validation) bool {
	fault := syncdef.Fault{Path: "model"}
	switch {
	case r.Missing != nil && r.Missing.Near != "":
		fault.Message = fmt.Sprintf("model: there is no table or view %s in the warehouse; did you mean %s?", y.Definition.Model, r.Missing.Near)
	case r.Missing != nil, r.Columns == nil:
		fault.Message = fmt.Sprintf("model: there is no table or view %s in the warehouse", y.Definition.Model)
	case r.Fault != nil:
		fault.Message = "model: " + r.Fault.Message
	default:
		fault.Message = syncdef.ReservedAmong(r.Columns)
		v.faults = append(v.faults, y.CheckColumns(r.Columns)...)
	}
	if fault.Message != "" {
		v.faults = append(v.faults, y.Placed([]syncdef.Fault{fault})...)
	}
	return r.Columns != nil
}

func (v *validation) notice(file string, at modelcheck.Place, message string) {
	v.notices = append(v.notices, syncdef.Fault{File: file, Line: at.Line, Column: at.Col, Message: message})
}

// judge compares a sync with what its model selects, and reports whether it could.
// Of a faulty definition only the model itself is judged.
func (c validateCmd) judge(y yamlfile.Sync, r modelcheck.Result, v *validation, faulty bool) bool {
	file := y.ModelFile
	fault := func(at modelcheck.Place, message string) {
		v.faults = append(v.faults, syncdef.Fault{File: file, Line: at.Line, Column: at.Col, Message: message})
	}
	switch m := r.Missing; {
	case r.Fault != nil && c.foreign(y.Model):
		v.notice(file, r.Fault.Place, fmt.Sprintf("this is no SQL of DuckDB's, so the columns are not checked; %s will judge it (%s)", c.Dialect, r.Fault.Message))
		return false
	case r.Fault != nil && strings.HasPrefix(r.Fault.Message, "syntax error"):
		fault(r.Fault.Place, r.Fault.Message+": models are read as DuckDB's SQL; --dialect snowflake, say, takes another one's")
		return false
	case r.Fault != nil:
		fault(r.Fault.Place, r.Fault.Message)
		return false
	case r.Reads != nil && r.Columns == nil:
		v.notice(file, r.Reads.Place, fmt.Sprintf("the model reads a file (%s), which a check does not open: the columns are not checked; name them in the SELECT, and they are", r.Reads.What))
		return false
	case m != nil && c.Warehouse != "" && m.Near != "":
		fault(m.Place, fmt.Sprintf("there is no %s %s in the warehouse; did you mean %s?", m.What, m.Name, m.Near))
		return false
	case m != nil && c.Warehouse != "":
		fault(m.Place, fmt.Sprintf("there is no %s %s in the warehouse", m.What, m.Name))
		return false
	case m != nil && r.Columns == nil:
		v.notice(file, m.Place, fmt.Sprintf("the %s %s is not known here, so the columns are not checked; --warehouse FILE names your own tables", m.What, m.Name))
		return false
	case faulty:
		return false
	}
	columns, needed := r.Columns, syncdef.Columns(y.Definition)
	for _, a := range r.Aliases {
		switch {
		case !hasColumn(r.Columns, a.Column) && hasColumn(needed, a.Column):
			fault(a.Place, fmt.Sprintf("a comma is missing after %s: without it the column is called %s, and none is called %[1]s", a.Column, a.As))
			columns = append(slices.Clone(columns), a.Column) // which needs no other fault
			continue
		case !a.Below:
			continue
		case hasColumn(needed, a.As): // another column's values would be sent
			fault(a.Place, fmt.Sprintf("a comma is missing after %s: without it %s, by the next line, has the values of %[1]s; if that is meant, write AS", a.Column, a.As))
			continue
		}
		v.notice(file, a.Place, fmt.Sprintf("%s is called %s, by the next line: if a comma is missing, add it, and else write AS", a.Column, a.As))
	}
	if why := syncdef.ReservedAmong(r.Columns); why != "" {
		fault(modelcheck.Place{}, why)
	}
	v.faults = append(v.faults, y.CheckColumns(columns)...)
	return true
}

// foreign reports whether a model is of another warehouse than DuckDB, which cannot be
// read here as a whole. A template is nobody's SQL.
func (c validateCmd) foreign(model string) bool {
	return c.Dialect != "" && c.Dialect != "duckdb" && !strings.Contains(model, "{{") && !strings.Contains(model, "{%")
}

// hasColumn reports whether a column is among others, whatever the case.
func hasColumn(columns []string, name string) bool {
	return slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, name) })
}

// modelColumns asks the warehouse which columns a model selects. The model must be
// trusted: its text is run as a part of a statement.
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
	script, err := sql.Setup("duckdb", sql.Params{NoRows: true})
	if err != nil {
		return err
	}
	if _, err := w.Exec(ctx, script); err != nil {
		return fmt.Errorf("make the sample's tables: %w", err)
	}
	return nil
}
