package cli

import (
	"io"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// widest is how wide a table may be: a terminal that nobody made wider.
const widest = 80

// newTable is a table with a header as it stands; the columns of these numbers
// (the first is 1) are aligned to the right. It has boxes where the writer has them.
func newTable(out io.Writer, header table.Row, numbers ...int) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(out)
	t.SetStyle(table.StyleDefault)
	if screenOn(out).boxes {
		t.SetStyle(table.StyleLight)
	}
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(header)
	var columns []table.ColumnConfig
	for _, n := range numbers {
		columns = append(columns, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	return t
}

// narrowTable is a table without lines between its columns, for long names.
func narrowTable(out io.Writer, header table.Row) table.Writer {
	t := newTable(out, header)
	t.Style().Options = table.Options{SeparateHeader: true}
	t.Style().Box.PaddingLeft = ""
	t.SuppressTrailingSpaces()
	return t
}

// cut shortens a text to n characters on one line.
func cut(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n-3]) + "..."
	}
	return s
}

// wrapped is a text in lines of at most 80 columns, each after the indent.
func wrapped(indent, s string) string {
	lines := strings.Split(text.WrapSoft(strings.Join(strings.Fields(s), " "), widest-len(indent)), "\n")
	for i, line := range lines {
		lines[i] = indent + strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// self is this program as the user called it, for commands that work as printed.
func self() string {
	if path, err := os.Executable(); err != nil || strings.Contains(path, "go-build") {
		return "go run ./cmd/penstock"
	}
	return os.Args[0]
}
