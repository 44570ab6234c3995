package sql

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The statements of each dialect, for a key with quotes and backslashes.
func TestForgetStatements(t *testing.T) {
	var b strings.Builder
	for _, d := range Dialects {
		b.WriteString("-- " + string(d) + "\n")
		for _, s := range Forget(d, Params{Schema: "penstock", Project: "p", Dataset: "penstock"}, []string{`O'Brien\x@Acme.com`, "cust_001", " ", `o'brien\x@acme.com`}) {
			b.WriteString(s + "\n")
		}
	}
	const file = "testdata/forget.golden"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("(-want +got; -update writes it):\n%s", d)
	}
	if got := ForgetRecords(BigQuery, Params{Project: "p", Dataset: "d"}, "crm_contacts", []string{"003'x", "", "003'x"}); !strings.HasSuffix(got, "DELETE FROM `p.d.crm_contacts`\nWHERE destination_id IN ('003\\'x');") {
		t.Error(got)
	}
	if got := ForgetRecords(DuckDB, Params{}, "crm_contacts", []string{""}); got != "" {
		t.Error(got)
	}
	if got := Forget(DuckDB, Params{}, []string{"", " "}); got != nil {
		t.Errorf("for nobody: %v", got)
	}
}

// Every table that is made, and has a column of JSON or one that names a record, is among
// those that are deleted from.
func TestForgetKnowsTheTables(t *testing.T) {
	scripts := []string{"monitoring/03_monitoring_tables.sql", "duckdb/04_run.sql"}
	for _, d := range []string{"snowflake", "redshift", "bigquery"} {
		scripts = append(scripts, d+"/05_run.sql")
	}
	var tables [][]string
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`(?s)CREATE TABLE IF NOT EXISTS (\w+) \((.*?)\n\);`).FindAllStringSubmatch(string(text), -1)
		if len(found) == 0 {
			t.Fatalf("no tables are read in %s", script)
		}
		tables = append(tables, found...)
	}
	if len(tables) < 12 {
		t.Fatalf("%d tables are read", len(tables))
	}
	counts := []string{"gate_counts", "missing", "missing_columns"} // of rows, by column
	for _, m := range tables {
		at := slices.IndexFunc(personals, func(p personal) bool { return p.table == m[1] })
		for _, c := range regexp.MustCompile(`(?m)^\s+(\w+)\s+(\{\{json\}\}|JSON|VARIANT|SUPER|VARCHAR\(65535\))`).FindAllStringSubmatch(m[2], -1) {
			if !slices.Contains(counts, c[1]) && (at < 0 || !slices.Contains(personals[at].rows, c[1])) {
				t.Errorf("%s.%s may hold rows, and is not deleted from", m[1], c[1])
			}
		}
		if regexp.MustCompile(`(?m)^\s+(record_id|record_key)\s`).MatchString(m[2]) && (at < 0 || len(personals[at].names) == 0) {
			t.Errorf("%s names records, and is not deleted from", m[1])
		}
	}
}
