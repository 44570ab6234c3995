package duckdb

import "testing"

func TestSplitLast(t *testing.T) {
	for _, c := range []struct{ text, before, last string }{
		{"SELECT 1", "", "SELECT 1"},
		{"SELECT 1;", "", "SELECT 1"},
		{"SELECT 1; -- done; really\n ; /* ; /* ; */ ; */ ", "", "SELECT 1"},
		{"CREATE TABLE t (a INT); SELECT ';' AS \";\"", "CREATE TABLE t (a INT);", " SELECT ';' AS \";\""},
		{"SELECT 'it''s;' ; SELECT 2", "SELECT 'it''s;' ;", " SELECT 2"},
		{`SELECT E'\';' ; SELECT 2 -- ;`, `SELECT E'\';' ;`, " SELECT 2 -- ;"},
		{`SELECT some'\'; SELECT 2`, `SELECT some'\';`, " SELECT 2"},
		{"SELECT $$;$$, $a$;$$;$a$; SELECT $1; SELECT a$b;SELECT c$d", "SELECT $$;$$, $a$;$$;$a$; SELECT $1; SELECT a$b;", "SELECT c$d"},
		{"SELECT 1; 'unfinished;", "SELECT 1;", " 'unfinished;"},
		{"/* SELECT 1; */", "", ""},
		{"", "", ""},
	} {
		if before, last := splitLast(c.text); before != c.before || last != c.last {
			t.Errorf("%s\ngot  %q and %q\nwant %q and %q", c.text, before, last, c.before, c.last)
		}
	}
}
