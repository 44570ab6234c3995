//go:build cgo

package duckdb

import (
	"strings"
	"testing"
)

func TestSetModel(t *testing.T) {
	w, _ := open(t, nil)
	for _, s := range []string{"CREATE TABLE scores AS SELECT 1 AS id", "CREATE SCHEMA other", "CREATE TABLE other.scores AS SELECT 1 AS id"} {
		if _, err := w.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ relation, text, refusal string }{
		{"health", "SELECT id FROM scores", ""},
		{"health", "-- twice\nSELECT id + 1 AS id FROM scores -- the same\n;", ""},
		{"other.health", "WITH s AS (SELECT id FROM scores) SELECT id FROM s", ""},
		{"warehouse.other.health", "SELECT 5 AS id", ""},
		{"scores", "SELECT 1", "model: ANOTHER_NAME"},
		{"SCORES", "SELECT 1", "model: ANOTHER_NAME"},
		{"other.scores", "SELECT 1", "model: ANOTHER_NAME"},
		{"health", "SELECT id FROM health", "reads from itself"},
		{"health", "SELECT id FROM absent", "absent"},
		{"health", "SELECT nothing FROM scores", "nothing"},
		{"health", "SELEC 1", "syntax"},
		{"health", "SELECT 1; DROP TABLE scores", "SELECT"},
		{"health", "DROP TABLE scores", "SELECT"},
		{"health", "SELECT 1; SELECT 2", "2 statements"},
		{"health", "", "0 statements"},
		{"health", "SELECT 1\x00", "NUL"},
	} {
		err := w.SetModel(t.Context(), c.relation, c.text)
		switch {
		case c.refusal == "" && err != nil:
			t.Errorf("%s as %q: %v", c.relation, c.text, err)
		case c.refusal != "" && (err == nil || !strings.Contains(err.Error(), c.refusal) || !strings.Contains(err.Error(), c.relation)):
			t.Errorf("%s as %q: %v, want %s", c.relation, c.text, err, c.refusal)
		}
	}
	got, err := column(t, w, "SELECT id::VARCHAR FROM health UNION ALL SELECT id::VARCHAR FROM other.health UNION ALL SELECT id::VARCHAR FROM scores ORDER BY 1")
	if err != nil || strings.Join(got, " ") != "1 2 5" {
		t.Errorf("the views hold %q, %v", got, err)
	}
}
