//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"
)

// A Session is one connection, so that what a statement sets, makes for a while, or
// begins is there for the next. It is used by one goroutine at a time.
type Session struct {
	conn *sql.Conn
	w    *Warehouse
}

// Session opens a connection of its own.
func (w *Warehouse) Session(ctx context.Context) (*Session, error) {
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to the warehouse: %w", err)
	}
	if _, err := conn.ExecContext(ctx, "SET SESSION errors_as_json = true"); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the session: %w", err), conn.Close())
	}
	return &Session{conn, w}, nil
}

// Close gives the connection back.
func (s *Session) Close() error {
	_, err := s.conn.ExecContext(context.Background(), "RESET errors_as_json")
	return errors.Join(err, s.conn.Close())
}

// Read runs one statement under a fresh query id and gives read its rows. What Go has
// no equal of comes as text, as Show says; with asJSON all nested values, lists and
// JSON come as JSON. A fault of the statement is a *StatementError. Before one that
// names a monitoring table or view these are refreshed: what a task does elsewhere.
func (s *Session) Read(ctx context.Context, statement string, asJSON bool, read func([]Column, *sql.Rows) error) error {
	if monitors.MatchString(statement) {
		if _, err := refresh(ctx, s.w, nil); err != nil {
			return err
		}
	}
	ctx = begin(ctx)
	var columns []Column
	err := s.conn.Raw(func(c any) (err error) {
		statement, columns, err = shaped(ctx, c.(*duck.Conn), statement, asJSON)
		return err
	})
	if err != nil {
		return statementError(err)
	}
	rows, err := s.conn.QueryContext(ctx, statement)
	if err != nil {
		return statementError(err)
	}
	defer rows.Close()
	if columns == nil { // no query: what it returns comes as the driver reads it
		names, err := rows.Columns()
		if err != nil {
			return err
		}
		columns = make([]Column, len(names))
		for i, name := range names {
			columns[i].Name = name
		}
	}
	if err := errors.Join(read(columns, rows), rows.Err()); err != nil {
		return statementError(err)
	}
	return nil
}

// Syntax parses a text of statements and runs nothing: a *StatementError where it is
// no SQL.
func Syntax(ctx context.Context, text string) error {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return fmt.Errorf("open the parser: %w", err)
	}
	defer db.Close()
	var answer []byte
	if err := db.QueryRowContext(ctx, "SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS BLOB)", text).Scan(&answer); err != nil {
		return fmt.Errorf("parse the statement: %w", err)
	}
	var parsed struct {
		Type     string `json:"error_type"`
		Message  string `json:"error_message"`
		Position string `json:"position"`
	}
	if err := json.Unmarshal(answer, &parsed); err != nil {
		return fmt.Errorf("parse the statement: %w", err)
	}
	if parsed.Type != "parser" {
		return nil // also of statements that the parser knows and cannot print
	}
	return &StatementError{Kind: "Parser", Message: parsed.Message, Offset: position(parsed.Position)}
}

// statementError reads what DuckDB says under errors_as_json.
func statementError(err error) error {
	text := err.Error()
	var told *duck.Error
	if errors.As(err, &told) {
		text = told.Msg
	}
	at := strings.Index(text, `{"exception_type"`)
	if at < 0 {
		return err
	}
	var e struct {
		Kind     string `json:"exception_type"`
		Message  string `json:"exception_message"`
		Position string `json:"position"`
	}
	if json.Unmarshal([]byte(text[at:]), &e) != nil {
		return err
	}
	_, answer, ours := strings.Cut(e.Message, "database/sql/driver: API error: ")
	if ours {
		e.Kind, e.Message = "", answer
	}
	return &StatementError{Kind: e.Kind, Message: strings.TrimSpace(e.Message), Offset: position(e.Position), cause: err}
}

func position(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}

// shaped is the statement with a cast of every column that is not plain, and its
// columns; nil where it is no query. Preparing a statement binds it and runs nothing.
func shaped(ctx context.Context, conn *duck.Conn, statement string, asJSON bool) (string, []Column, error) {
	prepared, err := conn.PrepareContext(ctx, statement)
	if err != nil {
		return "", nil, err
	}
	defer prepared.Close()
	s := prepared.(*duck.Stmt)
	if kind, err := s.StatementType(); err != nil || kind != duck.STATEMENT_TYPE_SELECT {
		return statement, nil, err
	}
	n, err := s.ColumnCount()
	if err != nil {
		return "", nil, err
	}
	columns, names, casts := make([]string, n), make([]string, n), 0
	out := make([]Column, n)
	for i := range n {
		kind, err := s.ColumnTypeInfo(i)
		if err != nil {
			return "", nil, err
		}
		if out[i].Name, err = s.ColumnName(i); err != nil {
			return "", nil, err
		}
		names[i] = fmt.Sprintf("c%d", i) // the statement's own may be there twice
		columns[i] = names[i]
		switch {
		case kind.Alias() == "JSON":
			columns[i], out[i].JSON = "CAST("+names[i]+" AS VARCHAR)", true
			casts++
		case asJSON && nested[kind.InternalType()]:
			columns[i], out[i].JSON = "CAST(to_json("+names[i]+") AS VARCHAR)", true
			casts++
		case kind.Alias() != "" || !plain[kind.InternalType()]:
			columns[i], out[i].JSON = "CAST("+names[i]+" AS VARCHAR)", asJSON && kind.InternalType() == duck.TYPE_DECIMAL
			casts++
		}
		columns[i] += ` AS "` + strings.ReplaceAll(out[i].Name, `"`, `""`) + `"`
	}
	if casts == 0 {
		return statement, out, nil
	}
	cast := "SELECT " + strings.Join(columns, ", ") + " FROM (" + strings.TrimRight(strings.TrimSpace(statement), ";") + "\n) AS t(" + strings.Join(names, ", ") + ")"
	again, err := conn.PrepareContext(ctx, cast)
	if err != nil {
		for i := range out {
			out[i].JSON = false
		}
		return statement, out, nil // it cannot stand in another, as some pragmas cannot
	}
	return cast, out, again.Close()
}

// nested are the types that JSON writes as objects and arrays.
var nested = map[duck.Type]bool{duck.TYPE_LIST: true, duck.TYPE_ARRAY: true, duck.TYPE_STRUCT: true, duck.TYPE_MAP: true, duck.TYPE_UNION: true}
