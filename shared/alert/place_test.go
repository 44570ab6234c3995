package alert

import (
	"strings"
	"testing"
	"time"
)

// A stack's alerts quote commands that act on it, and for a run the statement.
func TestOfStack(t *testing.T) {
	for command, want := range map[string]string{
		"":                               "",
		"penstock status sf_health":      "penstock status sf_health --stack prod",
		"penstock retry sf_health.r1":    "penstock retry sf_health.r1 --stack prod",
		"penstock connect list":          "penstock connect list --stack prod",
		"penstock apply":                 "penstock apply --stack prod",
		"penstock run sf_health":         "in the warehouse  CALL penstock_run('sf_health')",
		"penstock validate --connection": "penstock validate --connection",
		"penstock verify sf_health --mend && penstock run sf_health": "penstock verify sf_health --mend --stack prod , then in the warehouse  CALL penstock_run('sf_health')",
	} {
		n := Notice{Look: command, Mend: command}
		if got := n.OfStack("prod"); got.Look != want || got.Mend != want {
			t.Errorf("%s: %q and %q, want %q", command, got.Look, got.Mend, want)
		}
		if got := n.OfStack(""); got != n {
			t.Errorf("%s: on one machine it is %+v", command, got)
		}
	}
}

// No alert of a stack quotes a command that would act on this machine.
func TestEveryKindOfStack(t *testing.T) {
	s := seen(func(s *Seen) {
		s.Last.Failed, s.Last.Partial, s.Last.Resends = true, true, true
		s.Blocked, s.Missed.At, s.Halt = &Run{ID: "sf_health.r2"}, noon, Halt{Since: noon}
		s.Success, s.Hour, s.Pause = noon.Add(-5*time.Hour), Rows{Received: 1, Lost: 1}, Pause{Since: noon.Add(-time.Hour)}
		s.Matches, s.Counted = Rows{Received: 100, Lost: 100}, Counts{Run: "sf_health.r1", Rows: 1000, Before: []int64{200}}
		s.Drift, s.Records = []string{"x"}, Records{Compared: 10, Missing: 10, Differ: 10}
		s.Spent, s.Exhausted, s.Dead = Spent{Share: 1}, 1, 1
	})
	notices, _ := Judge(s, nil, noon, DefaultPolicy)
	s.Last.Failed, s.Pause.Person = false, true
	more, _ := Judge(s, nil, noon, DefaultPolicy)
	kinds := map[Kind]bool{}
	for _, n := range append(notices, more...) {
		kinds[n.Kind] = true
		for _, text := range []string{n.OfStack("prod").Look, n.OfStack("prod").Mend} {
			if text == "" || !strings.Contains(text, "--stack prod") && !strings.Contains(text, "CALL penstock_run('sf_health')") && text != "penstock validate --connection" {
				t.Errorf("%s: %q", n.Kind, text)
			}
		}
	}
	if len(kinds) != len(Kinds) {
		t.Errorf("%d of %d kinds are raised", len(kinds), len(Kinds))
	}
}
