//go:build cgo

package duckdb

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// show gives the columns and the rows of what Show reads, each joined with " | ".
func show(t *testing.T, w *Warehouse, query string) ([]string, error) {
	t.Helper()
	var lines []string
	err := w.Show(t.Context(), query, func(rows *sql.Rows) error {
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		lines = append(lines, strings.Join(columns, " | "))
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range into {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			line := make([]string, len(columns))
			for i, v := range values {
				line[i] = fmt.Sprint(v)
			}
			lines = append(lines, strings.Join(line, " | "))
		}
		return nil
	})
	return lines, err
}

func TestShow(t *testing.T) {
	w, err := Open(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, c := range []struct {
		query string
		want  []string
	}{
		{`SELECT '{"n": 9007199254740993,  "d": 1234567890123456789012345.1234567890,"a":1,"a":2}'::JSON AS j, NULL::JSON AS "no ""thing""", 7 AS n`,
			[]string{`j | no "thing" | n`, `{"n": 9007199254740993,  "d": 1234567890123456789012345.1234567890,"a":1,"a":2} | <nil> | 7`}},
		{`SELECT {'a': 1, 'j': '9007199254740993'::JSON} AS s, [1, NULL] AS l, DATE '2026-01-05' AS s, 0.10::DECIMAL(5, 2) AS d;`,
			[]string{"s | l | s | d", "{'a': 1, 'j': 9007199254740993} | [1, NULL] | 2026-01-05 | 0.10"}},
		{`CREATE TEMP TABLE kept AS SELECT '[1.0]'::JSON AS j; FROM kept -- and no more;`, []string{"j", "[1.0]"}},
		{`INSERT INTO kept SELECT '[2.0]'; WITH k AS (FROM kept) SELECT j, count(*) OVER () AS n FROM k ORDER BY j::VARCHAR DESC LIMIT 1;`, []string{"j | n", "[2.0] | 2"}},
		{`DESCRIBE kept`, []string{"column_name | column_type | null | key | default | extra", "j | JSON | YES | <nil> | <nil> | <nil>"}},
		{`PIVOT (SELECT 'x' AS k, '{"b": 2}'::JSON AS v) ON k USING first(v)`, []string{"x", `{"b": 2}`}},
		{`EXPLAIN SELECT 1 LIMIT 0`, nil},
	} {
		got, err := show(t, w, c.query)
		if d := cmp.Diff(c.want, got); err != nil || c.want != nil && d != "" {
			t.Errorf("%s: %v\n%s", c.query, err, d)
		}
	}
	if _, err := show(t, w, "SELECT 1; SELECT nothing::JSON"); err == nil || !strings.Contains(err.Error(), `"nothing"`) {
		t.Errorf("a column that is not there: %v", err)
	}
	if _, err := show(t, w, " ; -- nothing"); err == nil {
		t.Error("no statement: no error")
	}
}

// The order of the query holds through the casts, over many row groups.
func TestShowOrder(t *testing.T) {
	w, err := Open(t.Context(), Config{Threads: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Exec(t.Context(), "CREATE TABLE many AS SELECT hash(i) AS h, to_json(i) AS j FROM range(100000) r(i)"); err != nil {
		t.Fatal(err)
	}
	lines, err := show(t, w, "SELECT j, h FROM many ORDER BY h")
	if err != nil || len(lines) != 100_001 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	previous := uint64(0)
	for _, line := range lines[1:] {
		var j int
		var h uint64
		if _, err := fmt.Sscanf(line, "%d | %d", &j, &h); err != nil || h < previous {
			t.Fatalf("%q comes after %d (%v)", line, previous, err)
		}
		previous = h
	}
}

// A push whose answers are cast still runs once.
func TestShowPushesOnce(t *testing.T) {
	g := newGateway(t)
	w, _ := open(t, g)
	lines, err := show(t, w, `SELECT penstock_push('s', {'a': 9007199254740993})::JSON AS answer`)
	if d := cmp.Diff([]string{"answer", `{"a":9007199254740993}`}, lines); err != nil || d != "" {
		t.Errorf("%v %s", err, d)
	}
	if len(g.calls) != 1 {
		t.Errorf("%d calls, want 1", len(g.calls))
	}
}
