package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
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

// What a retry leaves out is told by the exit code; a row that something newer has settled
// is left out rightly, beside one that is sent.
func TestRetryLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		pages []runs.Retried
		want  string
	}{
		"all sent":                {[]runs.Retried{{Queued: 2}}, ""},
		"one settled since":       {[]runs.Retried{{Queued: 1, Superseded: 1}}, ""},
		"all settled since":       {[]runs.Retried{{Superseded: 2}}, "no row of s.q1 was sent again"},
		"nothing named":           {[]runs.Retried{{}, {}}, "no row of s.q1 was sent again"},
		"refused by the mapping":  {[]runs.Retried{{Queued: 1}, {Rejected: 2}}, "of s.q1, 2 rows were not sent again"},
		"without a source":        {[]runs.Retried{{Queued: 1, PushAgain: 1}}, "of s.q1, 1 row was not sent again"},
		"may have arrived":        {[]runs.Retried{{Queued: 1, Unknown: 1}}, "of s.q1, 1 row was not sent again"},
		"of a target that it had": {[]runs.Retried{{Queued: 1, Retargeted: 1}}, "of s.q1, 1 row was not sent again"},
	} {
		err := unsent("s.q1", c.pages)
		if got := codeOf(err); (got == exitRows) != (c.want != "") || err != nil && err.Error() != c.want {
			t.Errorf("%s: %v, exit code %d", name, err, got)
		}
	}
}
