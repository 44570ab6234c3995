package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/verify"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// intoWarehouse is the embedded warehouse; the others are dialects, whose statements are
// printed.
const intoWarehouse = "warehouse"

// A sink takes the records that are read.
type sink interface {
	take(row []*string) error
	// end makes the table of what was taken.
	end(ctx context.Context) error
	close() error
}

// sink opens where the records go; nil where they go nowhere.
func (c verifyCmd) sink(ctx context.Context, s program, t *keptTable) (sink, error) {
	switch c.Into {
	case "":
		return nil, nil
	case intoWarehouse:
		return c.tableFile(ctx, t)
	}
	return &printedTable{out: s.out, table: t, dialect: c.Into}, nil
}

// each gives the records that are there to a sink.
func (t *keptTable) each(to sink) func(verify.Read) error {
	if to == nil {
		return nil
	}
	return func(r verify.Read) error {
		if r.Gone {
			return nil
		}
		return to.take(t.row(r))
	}
}

// A tableFile gathers rows in a file, out of which the table is made in one step: who
// reads it meanwhile sees the old one.
type tableFile struct {
	table *keptTable
	w     *duckdb.Warehouse
	file  *os.File
	buf   *bufio.Writer
}

func (c verifyCmd) tableFile(ctx context.Context, t *keptTable) (_ *tableFile, err error) {
	path := filepath.Join(c.Data, warehouseFile)
	if err := haveWarehouse(ctx, path, c.Data); err != nil {
		return nil, err
	}
	out := &tableFile{table: t}
	if out.w, err = duckdb.Open(ctx, duckdb.Config{Path: path}); err != nil {
		return nil, warehouseFault(err, path, c.Data)
	}
	if err := out.mine(ctx); err != nil {
		return nil, errors.Join(err, out.w.Close())
	}
	if out.file, err = os.CreateTemp(c.Data, "verify-*.ndjson"); err != nil {
		return nil, errors.Join(fmt.Errorf("gather the records: %w", err), out.w.Close())
	}
	out.buf = bufio.NewWriter(out.file)
	return out, nil
}

// madeBy marks the table and its view as this command's, which alone it replaces.
const madeBy = "filled by penstock verify --into warehouse"

// mine refuses relations of these names that somebody else made.
func (f *tableFile) mine(ctx context.Context) error {
	q, err := f.w.Query(ctx, `SELECT name FROM (
		SELECT table_name AS name, comment FROM duckdb_tables() WHERE schema_name = 'main' UNION ALL
		SELECT view_name, comment FROM duckdb_views() WHERE schema_name = 'main')
		WHERE lower(name) IN (?, ?) AND comment IS DISTINCT FROM ?`, f.table.name, f.table.view(), madeBy)
	if err != nil {
		return err
	}
	defer q.Close()
	if q.Next() {
		var name string
		if err := q.Scan(&name); err != nil {
			return err
		}
		return fmt.Errorf("the warehouse has a relation %s that is not this command's: rename it, or drop it", name)
	}
	return q.Err()
}

func (t *keptTable) view() string { return t.name + "_view" }

// timed leaves records without a time out of the view: they are not counted at the
// destination either.
func (t *keptTable) timed() string {
	if slices.ContainsFunc(t.columns, func(c keptColumn) bool { return c.name == columnUpdated }) {
		return " WHERE " + columnUpdated + " IS NOT NULL"
	}
	return ""
}

func (f *tableFile) take(row []*string) error {
	object := make(map[string]*string, len(row))
	for i, c := range f.table.columns {
		object[c.name] = row[i]
	}
	line, err := json.Marshal(object)
	if err == nil {
		_, err = f.buf.Write(append(line, '\n'))
	}
	return err
}

func (f *tableFile) end(ctx context.Context) error {
	if err := f.buf.Flush(); err != nil {
		return fmt.Errorf("gather the records: %w", err)
	}
	var texts, casts []string
	for _, c := range f.table.columns {
		texts = append(texts, quoteSQL(c.name)+": 'VARCHAR'")
		casts = append(casts, "TRY_CAST("+identifier(c.name)+" AS "+types[intoWarehouse][columnKind(c.kind)]+") AS "+identifier(c.name))
	}
	script := []string{
		"BEGIN",
		"DROP VIEW IF EXISTS " + identifier(f.table.view()),
		"CREATE OR REPLACE TABLE " + identifier(f.table.name) + " AS SELECT " + strings.Join(casts, ", ") +
			" FROM read_json(" + quoteSQL(f.file.Name()) + ", format = 'newline_delimited', columns = {" + strings.Join(texts, ", ") + "})",
		"CREATE VIEW " + identifier(f.table.view()) + " AS SELECT * FROM " + identifier(f.table.name) + f.table.timed(),
		"COMMENT ON TABLE " + identifier(f.table.name) + " IS " + quoteSQL(madeBy),
		"COMMENT ON VIEW " + identifier(f.table.view()) + " IS " + quoteSQL(madeBy),
		"COMMIT",
	}
	if _, err := f.w.Exec(ctx, strings.Join(script, ";\n")); err != nil {
		return fmt.Errorf("make the table %s: %w", f.table.name, err)
	}
	return nil
}

func (f *tableFile) close() error {
	return errors.Join(f.file.Close(), os.Remove(f.file.Name()), f.w.Close())
}

func quoteSQL(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// A printedTable prints what makes the table in another warehouse.
type printedTable struct {
	out     io.Writer
	table   *keptTable
	dialect string
	rows    []string
	begun   bool
}

// insertedRows is how many rows one INSERT has.
const insertedRows = 500

func (p *printedTable) take(row []*string) error {
	values := make([]string, len(row))
	for i, v := range row {
		values[i] = "NULL"
		if v != nil {
			values[i] = "CAST(" + p.literal(*v) + " AS " + types[p.dialect][columnKind(p.table.columns[i].kind)] + ")"
		}
	}
	if p.rows = append(p.rows, "("+strings.Join(values, ", ")+")"); len(p.rows) < insertedRows {
		return nil
	}
	return p.flush()
}

// literal is a text: all but the embedded warehouse read a backslash as the beginning of an escape.
func (p *printedTable) literal(text string) string {
	if p.dialect == "bigquery" {
		text = strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`, "\r", `\r`).Replace(text)
		return "'" + text + "'"
	}
	return quoteSQL(strings.ReplaceAll(text, `\`, `\\`))
}

// name is an identifier that the statements need not quote.
func (p *printedTable) name(n string) string {
	if p.dialect == "bigquery" {
		return "`" + n + "`"
	}
	return strings.Map(plainLetter, n)
}

func (p *printedTable) flush() error {
	if err := p.begin(); err != nil || p.rows == nil {
		return err
	}
	_, err := fmt.Fprintf(p.out, "INSERT INTO %s VALUES\n%s;\n", p.name(p.table.name), strings.Join(p.rows, ",\n"))
	p.rows = nil
	return err
}

// begin prints the table.
func (p *printedTable) begin() error {
	if p.begun {
		return nil
	}
	p.begun = true
	columns := make([]string, len(p.table.columns))
	for i, c := range p.table.columns {
		columns[i] = "  " + p.name(c.name) + " " + types[p.dialect][columnKind(c.kind)]
	}
	_, err := fmt.Fprintf(p.out, "DROP VIEW IF EXISTS %s;\nDROP TABLE IF EXISTS %s;\nCREATE TABLE %[2]s (\n%s\n);\n", p.name(p.table.view()), p.name(p.table.name), strings.Join(columns, ",\n"))
	return err
}

func (p *printedTable) end(context.Context) error {
	if err := p.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.out, "CREATE VIEW %s AS SELECT * FROM %s%s;\n", p.name(p.table.view()), p.name(p.table.name), p.table.timed())
	return err
}

func (p *printedTable) close() error { return nil }

// columnKind is the kind of a field's column: what has no own one is a text.
func columnKind(t syncdef.Type) syncdef.Type {
	switch t {
	case syncdef.Number, syncdef.Integer, syncdef.Boolean, syncdef.Date, syncdef.DateTime:
		return t
	}
	return syncdef.String
}

// types are the columns' by what a mapping sends; times are UTC.
var types = map[string]map[syncdef.Type]string{
	intoWarehouse: {syncdef.Number: "DOUBLE", syncdef.Integer: "HUGEINT", syncdef.Boolean: "BOOLEAN", syncdef.Date: "DATE", syncdef.DateTime: "TIMESTAMP", syncdef.String: "VARCHAR"},
	"snowflake":   {syncdef.Number: "DOUBLE", syncdef.Integer: "NUMBER(38, 0)", syncdef.Boolean: "BOOLEAN", syncdef.Date: "DATE", syncdef.DateTime: "TIMESTAMP_NTZ", syncdef.String: "VARCHAR"},
	"redshift":    {syncdef.Number: "DOUBLE PRECISION", syncdef.Integer: "DECIMAL(38, 0)", syncdef.Boolean: "BOOLEAN", syncdef.Date: "DATE", syncdef.DateTime: "TIMESTAMP", syncdef.String: "VARCHAR(65535)"},
	"bigquery":    {syncdef.Number: "FLOAT64", syncdef.Integer: "BIGNUMERIC", syncdef.Boolean: "BOOL", syncdef.Date: "DATE", syncdef.DateTime: "TIMESTAMP", syncdef.String: "STRING"},
}
