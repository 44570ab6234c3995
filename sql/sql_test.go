package sql

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

func TestSetupRefuses(t *testing.T) {
	for _, c := range []struct {
		dialect Dialect
		params  Params
		want    []string
	}{
		{"oracle", Params{}, []string{`"oracle"`, "snowflake, redshift, bigquery, duckdb"}},
		{"snowflake", Params{APIURL: "http://x", Role: "a'; DROP", RoleARN: "arn:aws:iam::1:role/x", Readers: []string{"b; DROP"}, RunAs: "root"}, []string{"api-url", `role "b; DROP"`, `run-as "root"`, `role "a'; DROP"`, "role-arn"}},
	} {
		_, err := Setup(c.dialect, c.params)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v\nlacks %s", err, want)
			}
		}
	}
}
