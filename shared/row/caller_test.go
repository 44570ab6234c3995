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

// Where a role is one within something, both may be written: Redshift's database/user.
func TestCallerWithin(t *testing.T) {
	for _, c := range []struct {
		written, within, role string
		want                  bool
	}{
		{"etl", "dev", "etl", true},
		{"ETL", "dev", "etl", true},
		{"dev/etl", "dev", "etl", true},
		{"DEV/Etl", "dev", "etl", true},
		{"prod/etl", "dev", "etl", false},
		{"dev/other", "dev", "etl", false},
		{"etl/dev", "dev", "etl", false},
		{"dev/", "dev", "etl", false},
		{"/etl", "dev", "etl", false},
		{"dev/etl", "other", "dev/etl", false}, // a user of that name elsewhere is not the pair
		{`"dev/etl"`, "other", "dev/etl", true},
		{`"dev/etl"`, "dev", "etl", false},
		{`dev/"Etl"`, "dev", "Etl", true},
		{`dev/"Etl"`, "dev", "etl", false},
		{`"My DB"/etl`, "My DB", "etl", true},
		{`"a/b"/etl`, "a/b", "etl", true},
		{"a/b/etl", "a/b", "etl", false},
		{"IAMR:Loader", "dev", "IAMR:Loader", true},
		{"IAMR:Loader", "dev", "iamr:loader", false},
		{"dev/IAM:jo@acme.example", "dev", "IAM:jo@acme.example", true},
		{"dev/etl", "dev", "", false},
		{"dev/", "dev", "", false},
	} {
		caller := row.Caller{Role: c.role, Within: c.within, Names: row.Lower}
		if got := caller.Is(c.written); got != c.want {
			t.Errorf("allow %q, user %q in %q: %v, want %v", c.written, c.role, c.within, got, c.want)
		}
	}
	if (row.Caller{Role: "etl", Names: row.Lower}).Is("dev/etl") {
		t.Error("a caller without a database is one of its users")
	}
}

// A caller with two names is let in by either, and by nothing between them.
func TestCallerOfTwoNames(t *testing.T) {
	c := row.Caller{Role: "forwarder@p.iam.gserviceaccount.com", User: "jo@acme.example"}
	for written, want := range map[string]bool{
		"forwarder@p.iam.gserviceaccount.com": true, "jo@acme.example": true, "Jo@acme.example": false, "acme.example": false, "": false,
	} {
		if got := c.Is(written); got != want {
			t.Errorf("allow %q: %v, want %v", written, got, want)
		}
	}
	if (row.Caller{}).Is("") {
		t.Error("nobody is let in by an empty name")
	}
	if got := c.Named(); got != `the role "forwarder@p.iam.gserviceaccount.com" (of the user "jo@acme.example")` {
		t.Error(got)
	}
}
