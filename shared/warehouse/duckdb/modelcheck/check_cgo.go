//go:build cgo

package modelcheck

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// A Checker checks models one after the other on one locked connection.
type Checker struct {
	warehouse *duckdb.Warehouse
	conn      *sql.Conn
}

// limit is DuckDB's own memory; what binding takes beside it only the process's
// limits bound.
const limit = "256MB"

// Open makes the tables and locks the database. The error says what is wrong with
// the source.
func Open(ctx context.Context, from Source) (*Checker, error) {
	w, err := duckdb.Open(ctx, duckdb.Config{Threads: 1, MemoryLimit: limit})
	if err != nil {
		return nil, err
	}
	c := &Checker{warehouse: w}
	if c.conn, err = w.DB().Conn(ctx); err == nil {
		err = c.prepare(ctx, from)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// prepare makes or attaches the tables, and then locks: after that nothing reaches
// a file, and nothing can be set back.
func (c *Checker) prepare(ctx context.Context, from Source) error {
	statements := []string{from.Script}
	if from.Path != "" {
		statements = append(statements, "ATTACH '"+strings.ReplaceAll(from.Path, "'", "''")+"' AS own (READ_ONLY)", "USE own")
	}
	statements = append(statements, "SET autoinstall_known_extensions = false", "SET autoload_known_extensions = false", "SET temp_directory = ''",
		"SET errors_as_json = true", "SET enable_external_access = false", "SET lock_configuration = true")
	for i, s := range statements {
		if s == "" {
			continue
		}
		if _, err := c.conn.ExecContext(ctx, s); err != nil {
			if i == 0 {
				return fmt.Errorf("make the tables that models read: %w", err)
			}
			return fmt.Errorf("open the warehouse for checking: %w", err)
		}
	}
	return nil
}

// Close closes the database.
func (c *Checker) Close() error {
	var err error
	if c.conn != nil {
		err = c.conn.Close()
	}
	return errors.Join(err, c.warehouse.Close())
}

// Check says what a model selects, or why it is refused. It runs nothing. The error
// is the database's, not the model's.
func (c *Checker) Check(ctx context.Context, text string) (Result, error) {
	if nul := strings.IndexByte(text, 0); nul >= 0 {
		return Result{Fault: faultAt(text, nul, "a NUL stands here; delete it")}, nil // DuckDB would read no further
	}
	attached, text, err := duckdb.Attachments(text)
	if err != nil {
		return Result{Fault: faultAt(text, first(text), "%s", err)}, nil
	}
	tree, fault, err := c.parse(ctx, text)
	if err != nil || fault != nil {
		return Result{Fault: fault}, err
	}
	if fault := refused(text, tree); fault != nil {
		return Result{Fault: fault}, nil
	}
	r := Result{Aliases: aliasesOf(text), Uses: uses(tree)}
	if r.Reads = readOf(text, tree); r.Reads == nil && len(attached) > 0 {
		r.Reads = &Read{attached[0].File, placeOf(text, attached[0].Offset)}
	}
	if r.Reads != nil { // nothing is opened here
		r.Columns = selected(tree)
		return r, nil
	}
	columns, fault, missing, err := c.bind(ctx, text)
	switch {
	case err != nil || fault != nil:
		return Result{Fault: fault}, err
	case missing != nil:
		r.Missing, r.Columns = missing, selected(tree)
	default:
		r.Columns = columns
	}
	return r, nil
}

// parse admits one SELECT, and gives its tree.
func (c *Checker) parse(ctx context.Context, text string) (node, *Fault, error) {
	var serialized string
	if err := c.conn.QueryRowContext(ctx, "SELECT CAST(json_serialize_sql(?::VARCHAR) AS VARCHAR)", text).Scan(&serialized); err != nil {
		f, _, err := judged(text, err)
		return nil, f, err
	}
	var answer struct {
		Error      bool   `json:"error"`
		Kind       string `json:"error_type"`
		Message    string `json:"error_message"`
		Position   string `json:"position"`
		Statements []struct {
			Node json.RawMessage `json:"node"`
		} `json:"statements"`
	}
	if err := json.Unmarshal([]byte(serialized), &answer); err != nil {
		return nil, nil, fmt.Errorf("read the statement's tree: %w", err)
	}
	switch {
	case answer.Error && answer.Kind == "parser":
		at, err := strconv.Atoi(answer.Position)
		if err != nil {
			return nil, &Fault{answer.Message, Place{1, 1}}, nil
		}
		return nil, cause(text, at, answer.Message), nil
	case answer.Error && selects(text) && secondStatement(text) > 0:
		return nil, faultAt(text, secondStatement(text), "a model is one SELECT, and another statement begins here"), nil
	case answer.Error:
		remedy := ""
		if strings.Contains(strings.ToUpper(text), "PIVOT") {
			remedy = "; a PIVOT stands within FROM, and lists its values with IN"
		}
		return nil, faultAt(text, first(text), "a model is one SELECT, and this is none%s", remedy), nil
	case len(answer.Statements) == 0:
		return nil, faultAt(text, 0, "the model is empty; write one SELECT"), nil
	case len(answer.Statements) > 1:
		return nil, faultAt(text, secondStatement(text), "a model is one SELECT, and another statement begins here"), nil
	}
	d := json.NewDecoder(strings.NewReader(string(answer.Statements[0].Node)))
	d.UseNumber()
	var tree node
	if err := d.Decode(&tree); err != nil {
		return nil, nil, fmt.Errorf("read the statement's tree: %w", err)
	}
	return tree, nil, nil
}

// first is where a statement begins.
func first(text string) int {
	if all := tokens(text); len(all) > 0 {
		return all[0].begin
	}
	return 0
}

// selects reports whether a text begins as a SELECT does.
func selects(text string) bool {
	all := tokens(text)
	return len(all) > 0 && slices.Contains([]string{"SELECT", "WITH", "FROM"}, strings.ToUpper(all[0].text))
}

// secondStatement is where what follows the first semicolon begins.
func secondStatement(text string) int {
	all := tokens(text)
	for i, t := range all {
		if t.kind == ';' && i+1 < len(all) {
			return all[i+1].begin
		}
	}
	return 0
}

// bind asks which columns the statement has. missing is a table, function or type
// that the database does not have.
func (c *Checker) bind(ctx context.Context, text string) (columns []string, fault *Fault, missing *Missing, err error) {
	err = c.conn.Raw(func(raw any) error {
		prepared, err := raw.(*duck.Conn).PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		defer prepared.Close()
		s := prepared.(*duck.Stmt)
		kind, err := s.StatementType()
		if err != nil {
			return err
		}
		if kind != duck.STATEMENT_TYPE_SELECT {
			fault = faultAt(text, first(text), "a model is one SELECT, and this is none")
			return nil
		}
		if s.NumInput() > 0 {
			fault = faultAt(text, max(0, strings.IndexAny(text, "?$:")), "a model has no parameters")
			return nil
		}
		n, err := s.ColumnCount()
		if err != nil {
			return err
		}
		for i := range n {
			name, err := s.ColumnName(i)
			if err != nil {
				return err
			}
			columns = append(columns, name)
		}
		return nil
	})
	if err != nil {
		fault, missing, err = judged(text, err)
	}
	return columns, fault, missing, err
}

// apart is what DuckDB says of a table whose schema it does not have, and of a database.
var apart = regexp.MustCompile(`^(Table|Catalog)(?: with name)? "?([^"]+?)"? does not exist(?: because schema|!|$)`)

// judged turns an error of DuckDB into the model's fault; what is none of it stays
// an error.
func judged(text string, err error) (fault *Fault, missing *Missing, other error) {
	message := err.Error()
	begin := strings.IndexByte(message, '{')
	var e struct {
		Type     string `json:"exception_type"`
		Message  string `json:"exception_message"`
		Position string `json:"position"`
		Subtype  string `json:"error_subtype"`
		What     string `json:"type"`
		Name     string `json:"name"`
		Near     string `json:"candidates"`
	}
	if begin < 0 || json.NewDecoder(strings.NewReader(message[begin:])).Decode(&e) != nil {
		return nil, nil, err
	}
	at, _ := strconv.Atoi(e.Position) // without one, the beginning
	line, _, _ := strings.Cut(e.Message, "\n")
	switch {
	case e.Type == "Parser":
		return cause(text, at, e.Message), nil, nil
	case e.Type == "Permission":
		return faultAt(text, at, "the model reaches outside the tables, which a check does not allow: %s", line), nil, nil
	case e.Type == "Catalog" && e.Subtype == "MISSING_ENTRY":
		m := &Missing{What: strings.ToLower(e.What), Name: e.Name, Place: placeOf(text, at)}
		if e.What == "Table" {
			m.Near = syncdef.Nearest(e.Name, strings.Split(e.Near, ","))
		}
		return nil, m, nil
	case apart.MatchString(line): // a schema or database that is elsewhere, and all in it
		m := apart.FindStringSubmatch(line)
		what := map[string]string{"Table": "table", "Catalog": "database"}[m[1]]
		return nil, &Missing{What: what, Name: m[2], Place: placeOf(text, at)}, nil
	case e.Subtype == "COLUMN_NOT_FOUND":
		return faultAt(text, at, "there is no column %s in the tables that the model reads%s", e.Name, among(e.Name, e.Near)), nil, nil
	}
	return faultAt(text, at, "%s", line), nil, nil
}
