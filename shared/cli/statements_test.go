package cli

import (
	"slices"
	"testing"
)

// A statement of penstock sql may begin with a comment, and flags stay flags.
func TestStatements(t *testing.T) {
	for _, c := range []struct {
		args      []string
		statement string // "" where the command line is wrong
	}{
		{[]string{"sql", "-- note\nSELECT 1"}, " -- note\nSELECT 1"},
		{[]string{"sql", "--note\r\nSELECT a=1", "--csv", "--as=a b"}, " --note\r\nSELECT a=1"},
		{[]string{"sql", "--csv", "--", "-- note\nSELECT 1"}, " -- note\nSELECT 1"},
		{[]string{"sql", "--csv", "SELECT 1 -- note"}, "SELECT 1 -- note"},
		{[]string{"sql", "--nosuch"}, ""},
		{[]string{"runs", "-- note\nSELECT 1"}, ""},
	} {
		var parsed cli
		parser, err := newParser(&parsed)
		if err != nil {
			t.Fatal(err)
		}
		given := slices.Clone(c.args)
		_, err = parser.Parse(statements(c.args))
		if wrong := err != nil; wrong != (c.statement == "") || !wrong && parsed.SQL.Statement != c.statement {
			t.Errorf("%q: %q, %v", c.args, parsed.SQL.Statement, err)
		}
		if !slices.Equal(given, c.args) {
			t.Errorf("%q: the arguments were changed", given)
		}
	}
}
