package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-isatty"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb/modelcheck"
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
		if err := haveWarehouse(ctx, file, c.Data); err != nil && !ownProject(ctx, c.Data) { // else its first table may be made here
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
	did := &touched{again: s.again(c.Data)}
	w, err := duckdb.Open(ctx, duckdb.Config{Path: file, Files: syncsFolder(), Gateway: g.url, Token: g.token, Role: c.As, Answered: did.answered, Repeats: did.again})
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
		return &gate{at: somewhere{Data: c.Data}}, nil
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
	end = min(end, len(in.text))
	if begin, text := in.statementAt(end); fault.Kind == "Parser" && selects(text) {
		if likely := modelcheck.Cause(text, end-begin); likely != nil {
			return fmt.Errorf("%s: %s (%s)", in.place(begin, likely.Place), likely.Message, oneLine(err.Error()))
		}
	}
	said, likely := oneLine(err.Error()), cause(fault)
	if fault.Kind == "Catalog" && likely != "" {
		said, _, _ = strings.Cut(said, " Did you mean") // DuckDB's nearest name is another function
	}
	return fmt.Errorf("%s: %s%s", in.place(end, modelcheck.Place{Line: 1, Col: 1}), said, likely)
}

// place is where something stands, from a byte on.
func (in script) place(offset int, within modelcheck.Place) string {
	before := in.text[:offset]
	line, column := strings.Count(before, "\n")+within.Line, within.Col
	if within.Line == 1 {
		column += utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:])
	}
	if in.name != "" {
		return fmt.Sprintf("%s:%d:%d", in.name, line, column)
	}
	return fmt.Sprintf("line %d, column %d", line, column)
}

// statementAt is the statement that a byte is in, or follows, and where it begins.
func (in script) statementAt(offset int) (begin int, text string) {
	pieces, _ := duckdb.Split(in.text)
	for _, p := range pieces {
		if p.Offset <= offset {
			begin, text = p.Offset, p.Text
		}
	}
	return begin, text
}

// selects reports whether a statement is one whose faults the model's check knows: its
// first word is SELECT or WITH, or was to be.
func selects(text string) bool {
	word := text
	if fields := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }); len(fields) > 0 {
		word = fields[0]
	}
	return syncdef.Nearest(word, []string{"SELECT", "WITH"}) != ""
}

// cause is what mostly lies behind a fault.
func cause(fault *duckdb.StatementError) string {
	switch {
	case fault.Kind == "Catalog":
		return dialect(fault.Message)
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

// snowflakeOnly are functions that people take from a Snowflake page, and what DuckDB
// has in their place.
var snowflakeOnly = map[string]string{
	"object_construct_keep_null": "to_json(m), where m is the table's alias",
	"object_construct":           "to_json(m), where m is the table's alias, or json_object('key', value)",
	"json_build_object":          "json_object('key', value)",
	"parse_json":                 "json('...')",
	"array_construct":            "[a, b]",
	"regexp_like":                "regexp_matches(text, pattern)",
	"dateadd":                    "a time + INTERVAL 1 DAY",
	"iff":                        "if(condition, a, b)",
	"nvl":                        "coalesce(a, b)",
	"zeroifnull":                 "coalesce(a, 0)",
	"sysdate":                    "now() AT TIME ZONE 'UTC'",
	"to_varchar":                 "strftime(time, format), or value::VARCHAR",
	"try_to_number":              "TRY_CAST(value AS BIGINT)",
	"try_to_decimal":             "TRY_CAST(value AS DECIMAL(18, 2))",
}

// missingFunction is how DuckDB says that it does not know a function.
var missingFunction = regexp.MustCompile(`(?i)function with name "?([a-z_]+)"? does not exist`)

// dialect says what DuckDB has for a function of Snowflake's.
func dialect(message string) string {
	if m := missingFunction.FindStringSubmatch(message); m != nil {
		if here := snowflakeOnly[strings.ToLower(m[1])]; here != "" {
			return " This warehouse is DuckDB, which has  " + here
		}
	}
	return ""
}
