package cli

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// maxShown is how many rows of a result are printed.
const maxShown = 200

// A format is how results are printed.
type format int

const (
	asTable format = iota
	asCSV
	asJSON
)

// printResult prints a statement's rows.
func printResult(out io.Writer, f format, columns []duckdb.Column, rows *sql.Rows) error {
	switch f {
	case asCSV:
		return printCSV(out, columns, rows)
	case asJSON:
		return printObjects(out, columns, rows)
	}
	return printRows(out, columns, rows)
}

// printRows prints a table, with cells over several lines where it would be too wide, or
// field by field.
func printRows(out io.Writer, described []duckdb.Column, rows *sql.Rows) error {
	columns := make([]string, len(described))
	for i, c := range described {
		columns[i] = c.Name
	}
	var lines [][]string
	n := 0
	for rows.Next() {
		if n++; n > maxShown {
			continue // the rest is run all the same: it may push
		}
		line, err := cells(rows, len(columns))
		if err != nil {
			return err
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	share := (widest - 1 - 3*len(columns)) / max(len(columns), 1) // of a column, in a table of full width
	switch {
	case n == 0:
	case width(columns, lines) <= widest:
		printTable(out, columns, lines, widest)
	case n > 1 && share >= 35:
		printTable(out, columns, lines, share)
	default:
		printFields(out, columns, lines)
	}
	shown := ""
	if n > maxShown {
		shown = fmt.Sprintf(", the first %d shown; --csv and --json print all", maxShown)
	}
	fmt.Fprintf(out, "(%s%s)\n", english.Plural(n, "row", ""), shown)
	return nil
}

// cells reads the current row as text.
func cells(rows *sql.Rows, n int) ([]string, error) {
	line := make([]string, n)
	into := make([]any, n)
	for i := range line {
		into[i] = (*textCell)(&line[i])
	}
	return line, rows.Scan(into...)
}

// textCell reads any column as text.
type textCell string

// Scan implements sql.Scanner.
func (c *textCell) Scan(v any) error { //nolint:unparam // the signature of sql.Scanner
	switch x := v.(type) {
	case nil:
		*c = "NULL"
	case []byte:
		*c = textCell(x)
	case time.Time:
		*c = textCell(x.UTC().Format("2006-01-02 15:04:05.999999"))
	default:
		*c = textCell(fmt.Sprint(x))
	}
	return nil
}

// width is how wide a table of the lines would be.
func width(columns []string, lines [][]string) int {
	total := 1
	for i, c := range columns {
		most := text.LongestLineLen(c)
		for _, line := range lines {
			most = max(most, text.LongestLineLen(line[i]))
		}
		total += most + 3
	}
	return total
}

// printTable prints the lines; a cell that is wider than most is broken.
func printTable(out io.Writer, columns []string, lines [][]string, most int) {
	header := make(table.Row, len(columns))
	for i, c := range columns {
		header[i] = c
	}
	t := newTable(out, header)
	configs := make([]table.ColumnConfig, len(columns))
	for i := range configs {
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMax: most}
	}
	t.SetColumnConfigs(configs)
	for _, line := range lines {
		row := make(table.Row, len(line))
		for i, c := range line {
			row[i] = c
		}
		t.AppendRow(row)
	}
	t.Render()
}

// printFields prints a column a line, and JSON indented.
func printFields(out io.Writer, columns []string, lines [][]string) {
	widestName := 0
	for _, c := range columns {
		widestName = max(widestName, text.LongestLineLen(c))
	}
	for _, line := range lines {
		for i, c := range line {
			value := indented(c)
			if strings.Contains(value, "\n") {
				fmt.Fprintf(out, "%s\n%s\n", columns[i], value)
				continue
			}
			fmt.Fprintf(out, "%s  %s\n", text.Pad(columns[i], widestName, ' '), value)
		}
		fmt.Fprintln(out, strings.Repeat("-", 40))
	}
}

// indented is a JSON object or array over several lines, and any other text as it is.
func indented(s string) string {
	if !strings.HasPrefix(s, "{") && !strings.HasPrefix(s, "[") {
		return s
	}
	var b bytes.Buffer
	if json.Indent(&b, []byte(s), "", "  ") != nil {
		return s
	}
	return b.String()
}
