package row

import "testing"

func TestInDuckDB(t *testing.T) {
	for message, want := range map[string]string{
		"nulls included (Snowflake: OBJECT_CONSTRUCT_KEEP_NULL(*))":      "nulls included (DuckDB: to_json(m))",
		"build the row with OBJECT_CONSTRUCT_KEEP_NULL(*) or PARSE_JSON": "build the row with to_json(m) or a cast to JSON",
		"as OBJECT_CONSTRUCT_KEEP_NULL(*) makes it":                      "as to_json(m) makes it",
		"column email: found null; allowed: a value to match on":         "column email: found null; allowed: a value to match on",
	} {
		if got := InDuckDB(message); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
