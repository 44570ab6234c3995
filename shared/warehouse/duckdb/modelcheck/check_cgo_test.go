//go:build cgo

package modelcheck

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden file")

const script = "CREATE TABLE customers (customer_id VARCHAR, email VARCHAR, name VARCHAR, score DOUBLE, updated_at TIMESTAMP); CREATE VIEW good AS SELECT * FROM customers;"

func open(t *testing.T, from Source) *Checker {
	t.Helper()
	c, err := Open(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// What a model may be, with its columns.
func TestAdmitted(t *testing.T) {
	c := open(t, Source{Script: script})
	for _, m := range []struct{ text, columns string }{
		{"SELECT customer_id, email FROM customers", "customer_id email"},
		{"-- a comment; with a semicolon\nSELECT customer_id AS id, score * 2 AS twice FROM customers; -- the end\n;", "id twice"},
		{"WITH x AS (SELECT * FROM good) SELECT email, count(*) AS n FROM x GROUP BY email", "email n"},
		{"FROM customers", "customer_id email name score updated_at"},
		{"SELECT email FROM customers UNION ALL SELECT name FROM customers", "email"},
		{"SELECT * FROM range(3) t(i)", "i"},
		{"SELECT unnest([1, 2]) AS i", "i"},
		{"SELECT 'a ; DROP TABLE customers' AS text", "text"},
		{"SELECT customer_id, FROM customers", "customer_id"},
		{"VALUES (1, 2)", "col0 col1"},
		{"SELECT name, row_number() OVER (PARTITION BY name ORDER BY score) AS n FROM customers QUALIFY n = 1", "name n"},
	} {
		r, err := c.Check(t.Context(), m.text)
		if err != nil || r.Fault != nil || r.Missing != nil {
			t.Errorf("%s: %+v %v", m.text, r, err)
		}
		if got := strings.Join(r.Columns, " "); got != m.columns {
			t.Errorf("%s: got %s, want %s", m.text, got, m.columns)
		}
	}
}

// hostile are models that would do something, or read what is no table. FILE is a
// file that is there, OUT one that must not come to be.
var hostile = []string{
	"SELECT 1; SELECT 2", "DROP TABLE customers; SELECT 1", "SELECT 1; DROP TABLE customers", "SELECT 1; DROP TABLE customers; --",
	"SELECT 1) ; DROP TABLE customers; SELECT (1", "1) ; DROP TABLE customers --", "SELECT 1) t; DROP TABLE customers --", "SELECT 1\n) ; COPY customers TO 'OUT' --",
	"WITH x AS (DELETE FROM customers RETURNING *) SELECT * FROM x", "INSERT INTO customers VALUES (1) RETURNING *", "UPDATE customers SET name = ''", "DELETE FROM customers",
	"CREATE TABLE x AS SELECT 1", "CREATE OR REPLACE VIEW good AS SELECT 1", "ATTACH 'OUT' AS x", "ATTACH ':memory:' AS x", "DETACH own", "CALL pragma_version()", "EXPLAIN SELECT 1",
	"EXPLAIN ANALYZE SELECT 1", "PREPARE x AS SELECT 1", "EXECUTE x", "COPY customers TO 'OUT'", "COPY (SELECT 1) TO 'OUT'", "COPY customers FROM 'FILE'", "EXPORT DATABASE 'OUT'", "IMPORT DATABASE 'OUT'",
	"INSTALL httpfs", "LOAD httpfs", "CREATE SECRET s (TYPE s3)", "SET enable_external_access = true", "RESET enable_external_access", "SET lock_configuration = false", "USE memory",
	"PRAGMA enable_profiling", "PRAGMA database_list", "SET VARIABLE x = 1", "BEGIN", "COMMIT", "VACUUM", "CHECKPOINT",
	"SUMMARIZE customers", "DESCRIBE customers", "SHOW TABLES", "SHOW customers", "SELECT * FROM (SUMMARIZE customers)", "SELECT * FROM (DESCRIBE SELECT 1)", "WITH x AS (SELECT * FROM (SHOW TABLES)) SELECT * FROM x",
	"SELECT * FROM read_text('FILE')", "SELECT * FROM read_blob('FILE')",
	"SELECT * FROM read_parquet(['x.parquet', 's3://bucket/x.parquet'])", "ATTACH 'FILE' AS warehouse; SELECT 1 AS one", "ATTACH 'FILE' (TYPE sqlite); SELECT 1 AS one", "SELECT * FROM glob('*')", "SELECT * FROM sniff_csv('FILE')", "SELECT * FROM 'https://127.0.0.1/x.parquet'",
	"SELECT (SELECT content FROM read_text('FILE')) AS x", "SELECT 1 WHERE EXISTS (FROM read_text('FILE'))", "SELECT * FROM customers JOIN read_text('FILE') ON true",
	"SELECT * FROM enable_logging(storage = 'file', storage_path = 'OUT')", "SELECT * FROM query('SELECT 1')", "SELECT * FROM query_table('customers')", "SELECT * FROM duckdb_secrets()", "SELECT * FROM duckdb_settings()",
	"SELECT * FROM pragma_database_list()", "SELECT * FROM sqlite_scan('FILE', 'x')", "SELECT * FROM test_all_types()",
	"SELECT ? AS x", "SELECT $1 AS x", "SELECT $x AS x", "SELECT 1 AS a\x00; DROP TABLE customers",
	"", "  ", "-- nothing", "/* nothing */", ";", ";;",
	"PIVOT customers ON name USING sum(score)",
	"SELECT " + strings.Repeat("abs(", 2000) + "1" + strings.Repeat(")", 2000) + " AS x",
}

// None of them is admitted, each is told with its place, none has an effect, and the
// check goes on.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	file, out := filepath.Join(dir, "secret.csv"), filepath.Join(dir, "out")
	if err := os.WriteFile(file, []byte("marked_column\nmarked_value\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := open(t, Source{Script: script})
	var told strings.Builder
	for _, text := range hostile {
		r, err := c.Check(t.Context(), strings.NewReplacer("FILE", file, "OUT", out).Replace(text))
		if err != nil || r.Fault == nil || r.Columns != nil {
			t.Errorf("%.80q is admitted: %+v %v", text, r, err)
			continue
		}
		if r.Fault.Line < 1 || r.Fault.Col < 1 || strings.Contains(r.Fault.Message, "marked") || strings.Contains(r.Fault.Message, "\n") {
			t.Errorf("%.80q: %+v", text, *r.Fault)
		}
		fmt.Fprintf(&told, "%.100q\n  %d:%d %s\n", text, r.Fault.Line, r.Fault.Col, strings.ReplaceAll(r.Fault.Message, dir, "DIR"))
		if r, err := c.Check(t.Context(), "SELECT email FROM customers"); err != nil || len(r.Columns) != 1 {
			t.Fatalf("after %q: %+v %v", text, r, err)
		}
	}
	golden(t, "refused.golden", told.String())
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("the check left %v (%v)", files, err)
	}
}

// A warehouse's own tables are read from its file, and the file stays as it is.
// A model may read files of this machine: a check says so and opens none, and takes the
// columns from the text where that names them.
func TestFilesAreNotOpened(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("secret.csv", []byte("hidden\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := open(t, Source{Script: script})
	for text, want := range map[string]string{
		"SELECT * FROM 'secret.csv'":                                          "[] reads secret.csv 1:15",
		"SELECT a, b AS c FROM read_csv('secret.csv')":                        "[a c] reads read_csv 1:23",
		"SELECT a FROM read_parquet(['a.parquet', 'b.parquet'])":              "[a] reads read_parquet 1:15",
		"SELECT a FROM read_json('*.json')":                                   "[a] reads read_json 1:15",
		"SELECT a FROM read_duckdb('o.duckdb', table_name = 't')":             "[a] reads read_duckdb 1:15",
		"SELECT c.email FROM customers c JOIN 'x.parquet' p ON c.email = p.e": "[email] reads x.parquet 1:38",
		"ATTACH 'o.duckdb' AS o (READ_ONLY);\nSELECT a FROM o.t":              "[a] reads o.duckdb 1:1",
		"-- mine\nATTACH 'o.duckdb';\nSELECT a FROM o.t":                      "[a] reads o.duckdb 2:1",
		"ATTACH 'o.duckdb';\nSELEC a FROM o.t":                                "[] 2:1 SELEC is no keyword; did you mean SELECT?",
	} {
		r, err := c.Check(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(r.Columns)
		if r.Reads != nil {
			got += fmt.Sprintf(" reads %s %d:%d", r.Reads.What, r.Reads.Line, r.Reads.Col)
		}
		if r.Fault != nil {
			got += fmt.Sprintf(" %d:%d %s", r.Fault.Line, r.Fault.Col, r.Fault.Message)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestOwnTables(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "it's.duckdb")
	build := open(t, Source{Script: "ATTACH '" + strings.ReplaceAll(path, "'", "''") + "' AS x; CREATE TABLE x.orders (id INTEGER, total DECIMAL(9,2)); DETACH x"})
	build.Close()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, Source{Path: path})
	if r, err := c.Check(t.Context(), "SELECT * FROM orders"); err != nil || strings.Join(r.Columns, " ") != "id total" {
		t.Errorf("%+v %v", r, err)
	}
	r, err := c.Check(t.Context(), "SELECT id, total AS amount FROM ordres")
	if err != nil || r.Missing == nil || strings.Join(r.Columns, " ") != "id amount" || *r.Missing != (Missing{"table", "ordres", "orders", Place{1, 33}}) {
		t.Errorf("%+v %+v %v", r, r.Missing, err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file has changed (%v)", err)
	}
	if _, err := Open(t.Context(), Source{Path: filepath.Join(dir, "none.duckdb")}); err == nil {
		t.Error("a file that is not there is opened")
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("%d files, want the warehouse alone", len(files))
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join(home, "testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: want -, got + (go test -update writes it)\n%s", name, diff)
	}
}

// home is the package's folder, which tests leave.
var home, _ = os.Getwd()
