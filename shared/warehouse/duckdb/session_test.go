//go:build cgo

package duckdb

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// read runs a statement in a session and answers its columns and rows as text.
func read(t *testing.T, s *Session, statement string, asJSON bool) (columns []Column, lines []string, err error) {
	t.Helper()
	err = s.Read(t.Context(), statement, asJSON, func(c []Column, rows *sql.Rows) error {
		columns = c
		for rows.Next() {
			values, into := make([]any, len(c)), make([]any, len(c))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			lines = append(lines, strings.Trim(fmt.Sprint(values), "[]"))
		}
		return nil
	})
	return columns, lines, err
}

func TestSession(t *testing.T) {
	w, err := Open(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s, err := w.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, setup := range []string{"CREATE TEMP TABLE kept AS SELECT 1 AS a", "BEGIN", "INSERT INTO kept VALUES (2)", "ROLLBACK"} {
		if _, _, err := read(t, s, setup, false); err != nil {
			t.Fatal(setup, err)
		}
	}
	columns, lines, err := read(t, s, `SELECT a, {'x': 1.10::DECIMAL(9,2)} AS o, '{"n":12345678901234567890.10}'::JSON AS j, 'text' AS t FROM kept;`, true)
	if d := cmp.Diff([]Column{{"a", false}, {"o", true}, {"j", true}, {"t", false}}, columns); d != "" || err != nil {
		t.Error(d, err)
	}
	if d := cmp.Diff([]string{`1 {"x":1.1} {"n":12345678901234567890.10} text`}, lines); d != "" {
		t.Error(d)
	}
	for statement, want := range map[string]StatementError{
		"SELECT nosuch FROM kept":      {Kind: "Binder", Offset: 7},
		"SELECT 'é', nosuch FROM kept": {Kind: "Binder", Offset: 13}, // in bytes
		"SELECT * FROM nosuch":         {Kind: "Catalog", Offset: 14},
		"SELECT 'x'::INTEGER":          {Kind: "Conversion", Offset: 10},
		"SELEC 1":                      {Kind: "Parser", Offset: 0},
	} {
		_, _, err := read(t, s, statement, false)
		var fault *StatementError
		if !errors.As(err, &fault) || fault.Kind != want.Kind || fault.Offset != want.Offset || fault.Message == "" {
			t.Errorf("%s: %#v", statement, err)
		}
	}
}

func TestSyntax(t *testing.T) {
	for text, offset := range map[string]int{
		"SELECT 1; CALL anything('x'); DROP TABLE nosuch": -1,
		"SELECT 1;\nSELECT 'é', 'open":                    22, // in characters
		"SELECT a b c FROM t":                             11,
		"INSERT INTO t VALUES (1":                         23,
	} {
		err := Syntax(t.Context(), text)
		var fault *StatementError
		switch {
		case offset < 0 && err != nil:
			t.Errorf("%s: %v", text, err)
		case offset >= 0 && (!errors.As(err, &fault) || fault.Offset != offset):
			t.Errorf("%s: %#v, want %d", text, err, offset)
		}
	}
}

// Whoever asks is told of every batch: what it named, and of which statement it was.
func TestAnswered(t *testing.T) {
	g := newGateway(t)
	var mu sync.Mutex
	var all []Batch
	w, err := Open(t.Context(), Config{Gateway: g.URL, Answered: func(b Batch) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, b)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := column(t, w, `SELECT CAST(penstock_push(CASE WHEN i < 2 THEN 'a' ELSE 'b.r1' END, {'n': i}) AS VARCHAR) FROM range(3) t(i)`); err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || all[0].Function != "penstock_push" || all[0].Rows != 3 || all[0].Query == "" || !cmp.Equal(all[0].Names, []string{"a", "b.r1"}) {
		t.Errorf("%+v", all)
	}
}
