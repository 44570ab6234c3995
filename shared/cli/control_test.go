package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A record's id, a field's and an error's name are taken as they are, whatever is in them:
// what the console prints names what it sends.
func TestRetryNamesOneEach(t *testing.T) {
	var c cli
	parser, err := newParser(&c)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"retry", "s.r1", "--record", "Doe, Ann", "--record", `a\,b`, "--record=-5", "--field", "", "--error", "s.r1#a,b#1", "--type", "A,B"}
	if _, err := parser.Parse(args); err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{"record": c.Retry.Record, "field": c.Retry.Field, "error": c.Retry.Error, "type": c.Retry.Type}
	want := map[string][]string{"record": {"Doe, Ann", `a\,b`, "-5"}, "field": {""}, "error": {"s.r1#a,b#1"}, "type": {"A,B"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := parser.Parse([]string{"errors", "s", "--record", "Doe, Ann"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Doe, Ann"}, c.Errors.Record); diff != "" {
		t.Error(diff)
	}
}
