package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-isatty"

	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

type sqlCmd struct {
	Statement string `arg:"" optional:"" help:"The statements, parted by semicolons; without one: -f, a prompt, or the standard input."`
	File      string `short:"f" help:"Run the statements of this file." placeholder:"FILE"`
	CSV       bool   `name:"csv" help:"Print results as CSV, all rows."`
	JSON      bool   `name:"json" help:"Print results as JSON, all rows: an array of objects per statement; a text that is a JSON object or array is printed as such."`
	Warehouse string `help:"Another DuckDB file than the folder's." placeholder:"FILE.duckdb"`
	As        string `help:"Call as this role, as a warehouse tells it: what allow lets it do." placeholder:"ROLE"`
	gated
}

// A script is statements and where they were written.
type script struct {
	name string // of the file; "" of an argument
	text string
}

// Run runs statements or a prompt.
func (c sqlCmd) Run(ctx context.Context, s program) (err error) {
	in, interactive, err := c.script(s)
	if err != nil {
		return err
	}
	if !interactive { // before anything starts
		if err := duckdb.Syntax(ctx, in.text); err != nil {
			return in.placed(0, err)
		}
	}
	file := c.Warehouse
	if file == "" {
		file = filepath.Join(c.Data, warehouseFile)
		if err := haveWarehouse(file, c.Data); err != nil {
			return err
		}
	} else if err := readable(file); err != nil {
		return err
	}
	g, err := c.gate(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.leave()) }()
	did := &touched{}
	w, err := duckdb.Open(ctx, duckdb.Config{Path: file, Gateway: g.url, Token: g.token, Role: c.As, Answered: did.answered})
	if err != nil {
		return warehouseFault(err, file, c.Data)
	}
	defer w.Close()
	session, err := w.Session(ctx)
	if err != nil {
		return err
	}
	defer session.Close()
	r := &runner{s: s, g: g, session: session, did: did, format: c.format()}
	if interactive {
		return r.prompt(ctx, filepath.Join(c.Data, "history"))
	}
	return r.script(ctx, in)
}

// gate enters the folder's gate. Another warehouse's statements may need none.
func (c sqlCmd) gate(ctx context.Context, s program) (*gate, error) {
	if c.Warehouse != "" && c.Gateway == "" && c.Data == defaultData && haveFolder(c.Data) != nil {
		return &gate{data: c.Data}, nil
	}
	return c.enter(ctx, s)
}

func (c sqlCmd) format() format {
	switch {
	case c.JSON:
		return asJSON
	case c.CSV:
		return asCSV
	}
	return asTable
}

// script reads the statements; with none, and a terminal, there is to be a prompt.
func (c sqlCmd) script(s program) (in script, interactive bool, err error) {
	switch {
	case c.CSV && c.JSON:
		return in, false, usage("--csv and --json: choose one")
	case c.File != "" && c.Statement != "":
		return in, false, usage("a statement and --file: choose one")
	case c.File != "":
		text, err := os.ReadFile(c.File)
		if err != nil {
			return in, false, fmt.Errorf("read the statements: %w", err)
		}
		in = script{c.File, string(text)}
	case c.Statement != "":
		in.text = c.Statement
	case isatty.IsTerminal(s.in.Fd()):
		return in, true, nil
	default:
		text, err := io.ReadAll(s.in)
		if err != nil {
			return in, false, fmt.Errorf("read the statements: %w", err)
		}
		in.text = string(text)
	}
	if pieces, _ := duckdb.Split(in.text); len(pieces) == 0 {
		return in, false, usage("no statement: give one as the argument, in a file with -f, or on the standard input")
	}
	return in, false, nil
}

// placed says where in the script a statement's fault is: file, line and column, as
// editors jump to, and the likely cause.
func (in script) placed(offset int, err error) error {
	var fault *duckdb.StatementError
	if !errors.As(err, &fault) || fault.Offset < 0 {
		return err
	}
	end := offset + fault.Offset // DuckDB's binder counts bytes, its parser characters
	if fault.Kind == "Parser" {
		end = offset
		for range fault.Offset {
			_, n := utf8.DecodeRuneInString(in.text[end:])
			end += n
		}
	}
	before := in.text[:min(end, len(in.text))]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:]) + 1
	place := fmt.Sprintf("line %d, column %d", line, column)
	if in.name != "" {
		place = fmt.Sprintf("%s:%d:%d", in.name, line, column)
	}
	return fmt.Errorf("%s: %s%s", place, oneLine(err.Error()), cause(fault))
}

// cause is what mostly lies behind a fault.
func cause(fault *duckdb.StatementError) string {
	switch {
	case fault.Kind != "Parser":
		return ""
	case strings.Contains(fault.Message, "unterminated quoted"):
		return ": the quote that begins here is not closed; a quote within a text is written twice"
	case strings.Contains(fault.Message, "end of input"):
		return ": something is not closed, or the statement stops too early"
	case strings.Contains(fault.Message, "syntax error at or near"):
		return ": just before it, a comma, a quote, a bracket or a word may be missing or wrong"
	}
	return ""
}
