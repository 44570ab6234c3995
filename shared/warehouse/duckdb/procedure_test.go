//go:build cgo

package duckdb

import (
	"strings"
	"testing"
)

// CALL takes what Snowflake takes: positions, names, defaults and NULL; and what
// only looks at the statement does nothing.
func TestCall(t *testing.T) {
	g := newGateway(t)
	g.answer = func() string { return `{"sync":"s","select":"wait","reason":"the last run goes on"}` }
	w, _ := open(t, g)
	for _, c := range []struct{ call, want string }{
		{`CALL penstock_run('s')`, `["s",""]`},
		{`CALL penstock_run('s', 'full')`, `["s","full"]`},
		{`CALL penstock_run('s', mode := 'full')`, `["s","full"]`},
		{`CALL penstock_run(NULL)`, `["",""]`},
		{`CALL penstock_run('s', NULL)`, `["s",""]`},
		{`SELECT * FROM penstock_run('s')`, `["s",""]`},
		{`SELECT reason FROM penstock_run('s')`, `["s",""]`},
		{`EXPLAIN CALL penstock_run('s')`, ``},
		{`DESCRIBE SELECT * FROM penstock_run('s')`, ``},
		{`SELECT * FROM penstock_run('s') LIMIT 0`, ``},
	} {
		g.calls = nil
		if err := readAll(t, w, c.call); err != nil {
			t.Errorf("%s: %v", c.call, err)
			continue
		}
		var got []string
		for _, x := range g.calls {
			if x.path != "POST /begin" { // of the refresh at the end
				continue
			}
			got = append(got, strings.TrimSuffix(strings.TrimPrefix(x.body, `{"data":[[0,`), `]]}`))
		}
		want := strings.TrimSuffix(strings.TrimPrefix(c.want, "["), "]")
		if strings.Join(got, "; ") != want {
			t.Errorf("%s called with %q, want %q", c.call, got, want)
		}
	}
	if err := readAll(t, w, "CALL penstock_run('a', 'b', 'c')"); err == nil || !strings.Contains(err.Error(), "penstock_run(sync, mode") {
		t.Errorf("three arguments: %v", err)
	}
}

// readAll runs a query to its end.
func readAll(t *testing.T, w *Warehouse, query string) error {
	t.Helper()
	rows, err := w.Query(t.Context(), query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}
