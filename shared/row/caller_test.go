package row_test

import (
	"testing"

	"github.com/penstock-data/penstock/shared/row"
)

// Whose role a written name is. A role is somebody's to name, so that each of these
// may be an attack: nothing of what came is trimmed, folded or unquoted.
func TestCallerIs(t *testing.T) {
	for _, c := range []struct {
		names         row.Naming
		written, role string
		want          bool
	}{
		{row.Upper, "ANALYST", "ANALYST", true},
		{row.Upper, "analyst", "ANALYST", true},
		{row.Upper, "Analyst_2$", "ANALYST_2$", true},
		{row.Upper, "analyst", "analyst", false}, // made with quotes, by somebody else
		{row.Upper, `"analyst"`, "analyst", true},
		{row.Upper, `"analyst"`, "ANALYST", false},
		{row.Upper, `"Data Team"`, "Data Team", true},
		{row.Upper, "Data Team", "Data Team", true}, // no identifier: it stands for itself
		{row.Upper, "Data Team", "DATA TEAM", false},
		{row.Upper, `"a""b"`, `a"b`, true},
		{row.Upper, "ANALYST", `"ANALYST"`, false},
		{row.Upper, "ANALYST", " ANALYST", false},
		{row.Upper, "ANALYST", "ANALYST ", false},
		{row.Upper, "ANALYST", "ANALYST\x00", false},
		{row.Upper, "ANALYST", "ANALYST,ADMIN", false},
		{row.Upper, "ANALYST", "АNALYST", false}, // a Cyrillic letter
		{row.Upper, "straße", "STRASSE", false},
		{row.Upper, "Ärzte", "Ärzte", true},
		{row.Upper, "", "", false},
		{row.Upper, `""`, "", false},
		{row.Upper, `"`, `"`, true},
		{row.Upper, "1st", "1ST", false},
		{row.Lower, "Analyst", "analyst", true},
		{row.Lower, `"Analyst"`, "Analyst", true},
		{row.Lower, "Analyst", "ANALYST", false},
		{row.Exact, "jo@acme.example", "jo@acme.example", true},
		{row.Exact, "Jo", "jo", false},
		{row.Exact, `"jo"`, "jo", false},
	} {
		if got := (row.Caller{Role: c.role, Names: c.names}).Is(c.written); got != c.want {
			t.Errorf("allow %q, role %q: %v, want %v", c.written, c.role, got, c.want)
		}
	}
}
