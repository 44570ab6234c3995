package sql

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"

	"github.com/penstock-data/penstock/shared/run"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-update writes it): %s", file, d)
	}
}

func TestSetupSnowflake(t *testing.T) {
	full, err := Setup("snowflake", Params{
		APIURL: "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1/", RoleARN: "arn:aws:iam::123456789012:role/penstock-SnowflakeRole-1A2B3C4D5E6F",
		Integration: "reverse_api", Database: "analytics", Schema: "outbound", Role: "transformer", Warehouse: "loading", MaxBatchRows: 500,
		Pushers: []string{"loader"}, Readers: []string{"analyst", "support"}, RunAs: "owner", Streams: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "snowflake_filled.golden", full)
	empty, err := Setup("snowflake", Params{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(empty, "MAX_BATCH_ROWS = 1000\n") {
		t.Error("penstock_push takes another number of rows than 1000 by default")
	}
	head, _, _ := strings.Cut(empty, "\nDESC INTEGRATION")
	golden(t, "snowflake_empty.golden", head+"\n")
	for _, placeholder := range []string{"<API_URL>", "<ROLE_ARN>", "<WAREHOUSE>"} {
		if n := strings.Count(empty, placeholder); n < 2 {
			t.Errorf("%s stands %d times: want it in the list on top and in a statement", placeholder, n)
		}
	}
}

// The scripts of the other dialects, and what takes each away, with nothing left open.
func TestSetupGolden(t *testing.T) {
	for _, dialect := range Dialects {
		p := filled(dialect)
		if dialect != Snowflake {
			script, err := Setup(dialect, p)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, string(dialect)+".golden", script)
		}
		teardown, err := Teardown(dialect, p)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, string(dialect)+"_teardown.golden", teardown)
	}
}

// A placeholder stands for each parameter that has no default, in a statement too, and
// the list on top says what each is.
func TestSetupEmpty(t *testing.T) {
	for dialect, want := range map[Dialect][]string{Redshift: {"<ROLE_ARN>", "<FUNCTION>"}, BigQuery: {"<PROJECT>", "<LOCATION>", "<ENDPOINT>"}, DuckDB: nil} {
		script, err := Setup(dialect, Params{})
		if err != nil {
			t.Fatal(err)
		}
		if headed := strings.HasPrefix(script, "-- NOT READY TO RUN"); headed != (want != nil) {
			t.Errorf("%s: the list on top: %t", dialect, headed)
		}
		for _, p := range want {
			if !strings.Contains(script, "--   "+p+" ") || strings.Count(script, p) < 2 {
				t.Errorf("%s: %s does not stand on top and below", dialect, p)
			}
		}
	}
}

// Every part runs by itself, after those before it: on Snowflake it says where it is,
// elsewhere its names do. Together they are the script.
func TestParts(t *testing.T) {
	for _, dialect := range Dialects {
		parts, err := Parts(dialect, filled(dialect))
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		of, _, _ := strings.Cut(parts[0].Text, "\n")
		for _, f := range parts {
			if !strings.HasPrefix(of, "-- Of penstock sql-setup "+string(dialect)) || !strings.HasPrefix(f.Text, of+"\n") {
				t.Errorf("%s of %s begins otherwise than with %q", f.Name, dialect, of)
			}
		}
		for _, f := range parts[:len(parts)-1] {
			all = append(all, split(f.Text)...)
			if dialect == Snowflake && !strings.Contains(f.Text, "USE SCHEMA penstock.public;") {
				t.Errorf("%s has no schema", f.Name)
			}
		}
		script, err := Setup(dialect, filled(dialect))
		if err != nil {
			t.Fatal(err)
		}
		use := func(s string) bool { return strings.HasPrefix(s, "USE ") }
		if d := cmp.Diff(slices.DeleteFunc(split(script), use), slices.DeleteFunc(all, use)); d != "" {
			t.Errorf("%s: %s", dialect, d)
		}
		if last := parts[len(parts)-1]; last.Name != TeardownFile || !strings.Contains(last.Text, "DROP ") {
			t.Errorf("%s: the last file is %s", dialect, last.Name)
		}
	}
}

// What a script makes, its teardown takes away, but for the landing tables, in an order
// in which nothing is needed any more.
func TestTeardown(t *testing.T) {
	for _, dialect := range Dialects {
		all, err := Files(dialect, filled(dialect))
		if err != nil {
			t.Fatal(err)
		}
		teardown, err := Teardown(dialect, filled(dialect))
		if err != nil {
			t.Fatal(err)
		}
		made := objects(all)
		if len(made) < 10 {
			t.Fatalf("%s: %d objects", dialect, len(made))
		}
		last := len(teardown)
		for _, o := range made {
			name := o.name[strings.LastIndex(o.name, ".")+1:]
			at := regexp.MustCompile(`(?m)^(DROP|CALL) .*\b` + strings.Trim(name, "`") + `\b.*;`).FindStringIndex(teardown)
			if o.landing {
				if at != nil {
					t.Errorf("%s: the landing table %s is dropped", dialect, o.name)
				}
				continue
			}
			if at == nil {
				t.Errorf("%s: %s %s stays", dialect, o.kind, o.name)
				continue
			}
			if at[0] > last && o.kind != "FUNCTION" {
				t.Errorf("%s: %s %s is dropped after what was made before it", dialect, o.kind, o.name)
			}
			last = at[0]
		}
		for _, f := range all {
			for _, m := range regexp.MustCompile(`(?m)^GRANT (USAGE ON LANGUAGE .*) TO (.*;)$`).FindAllStringSubmatch(f.Text, -1) {
				if want := "REVOKE " + m[1] + " FROM " + m[2]; !strings.Contains(teardown, want) {
					t.Errorf("%s: no %s", dialect, want)
				}
			}
		}
	}
}

func TestForeign(t *testing.T) {
	for _, c := range []struct {
		dialect Dialect
		params  Params
		want    []string
	}{
		{Snowflake, Params{Warehouse: "w", Database: "d", Readers: []string{"r"}, Streams: true, NoSample: true}, nil},
		{Redshift, Params{Function: "f", RoleARN: "a", Schema: "s", MaxBatchRows: 5}, nil},
		{BigQuery, Params{Project: "p", RoleARN: "a", Streams: true, NoSample: true}, []string{"--role-arn (of snowflake, redshift)", "--streams (of snowflake)", "--no-sample (of snowflake, duckdb)"}},
		{DuckDB, Params{NoSample: true, Readers: []string{"r"}, MaxBatchRows: 5}, []string{"--reader (of snowflake, redshift, bigquery)", "--max-batch-rows (of snowflake, redshift, bigquery)"}},
		{Redshift, Params{Endpoint: "e", Warehouse: "w"}, []string{"--warehouse (of snowflake)", "--endpoint (of bigquery)"}},
	} {
		if d := cmp.Diff(c.want, c.params.Foreign(c.dialect)); d != "" {
			t.Errorf("%s: %s", c.dialect, d)
		}
	}
}

func TestSetupRefuses(t *testing.T) {
	for _, c := range []struct {
		dialect Dialect
		params  Params
		want    []string
	}{
		{"oracle", Params{}, []string{`"oracle"`, "snowflake, redshift, bigquery, duckdb"}},
		{"snowflake", Params{APIURL: "http://x", Role: "a'; DROP", RoleARN: "arn:aws:iam::1:role/x", Readers: []string{"b; DROP"}, RunAs: "root"}, []string{"api-url", `role "b; DROP"`, `run-as "root"`, `role "a'; DROP"`, "role-arn"}},
		{"redshift", Params{Schema: "a; DROP", RoleARN: "role", Function: "arn:aws:lambda:x", Cluster: "A B", Pushers: []string{"x y"}, MaxBatchRows: -5}, []string{"max-batch-rows -5", `schema "a; DROP"`, `role-arn "role"`, `function "arn`, `cluster "A B"`, `role "x y"`}},
		{"bigquery", Params{Project: "x`y", Dataset: "a-b", Location: "eu west", Connection: "a.b", Endpoint: "http://x", Readers: []string{"analyst", `user:a@b.c";`}}, []string{"project", `dataset "a-b"`, "location", `connection "a.b"`, "endpoint", `role "analyst": want user:, group:`, `role "user:a@b.c\"`}},
		{"redshift", Params{Schema: "order", Pushers: []string{"User"}, Readers: []string{"tag"}}, []string{`schema "order": this word of SQL`, `role "User": this word`, `role "tag": this word`}},
		{"snowflake", Params{Database: "table", Schema: "Order", Pushers: []string{"start"}}, []string{`database "table": this word`, `schema "Order": this word`, `role "start": this word`}},
		{"redshift", Params{Syncs: []Sync{{Definition: syncdef.Definition{Sync: "a", Model: "sales.tag"}}}}, []string{`the model of a "tag": this word`}},
		{"redshift", Params{Syncs: []Sync{{Definition: syncdef.Definition{Sync: "reverse_etl_alerts"}, Model: "SELECT 1"}}}, []string{"the model of reverse_etl_alerts: the script makes a view called penstock.reverse_etl_alerts itself"}},
		{"bigquery", Params{Project: "acme-data", Syncs: []Sync{{Definition: syncdef.Definition{Sync: "a", Model: "Penstock_Receipts"}, Model: "SELECT 1"}}}, []string{"the script makes a table called"}},
		{"snowflake", Params{Syncs: []Sync{{Definition: syncdef.Definition{Sync: "deleted_customers"}, Model: "SELECT 1"}}}, []string{"the script makes a table called deleted_customers"}},
	} {
		_, err := Setup(c.dialect, c.params)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v\nlacks %s", err, want)
			}
		}
	}
}

// What penstock_run ends itself is known by how its reason begins.
func TestRunTellsThatItBrokeOff(t *testing.T) {
	files, err := filepath.Glob("*/05_run.sql")
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "'"+run.BrokeOff+"'") {
			t.Errorf("%s: no reason begins with %q", f, run.BrokeOff)
		}
	}
}
