package doctor

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func says(name string, v Verdict) Check {
	return Check{Name: name, Run: func(context.Context) ([]Finding, error) {
		return []Finding{{Check: name, Verdict: v, Detail: "as it is"}}, nil
	}}
}

// One check's failure, panic or silence hides no other, and the order is the checks'.
func TestExamineHidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := make(chan struct{})
		checks := []Check{
			says("first", OK),
			{Name: "fails", Remedy: "do this", Run: func(context.Context) ([]Finding, error) {
				return []Finding{{Check: "fails", Verdict: OK, Detail: "half"}}, errors.New("no such table")
			}},
			{Name: "panics", Run: func(context.Context) ([]Finding, error) { panic("ann@acme.com") }},
			{Name: "slow", Run: func(ctx context.Context) ([]Finding, error) { <-ctx.Done(); return nil, ctx.Err() }},
			{Name: "deaf", Run: func(context.Context) ([]Finding, error) { <-deaf; return nil, nil }},
			says("last", Warn),
		}
		begun := time.Now()
		got := Examine(t.Context(), checks, 15*time.Second)
		if took := time.Since(begun); took != 15*time.Second {
			t.Errorf("took %v, want the limit of one check: they run at once", took)
		}
		close(deaf)
		want := []Finding{
			{Check: "first", Verdict: OK, Detail: "as it is"},
			{Check: "fails", Verdict: OK, Detail: "half"},
			{Check: "fails", Verdict: Fail, Detail: "no such table", Remedy: "do this"},
			{Check: "panics", Verdict: Fail, Detail: "the check itself broke; please report it"},
			{Check: "slow", Verdict: Fail, Detail: "no answer within 15s"},
			{Check: "deaf", Verdict: Fail, Detail: "no answer within 15s"},
			{Check: "last", Verdict: Warn, Detail: "as it is"},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if fails, warns := Failed(got); fails != 4 || warns != 1 {
			t.Errorf("%d fails, %d warns", fails, warns)
		}
	})
}

// A person who interrupts is told so, not that something took long.
func TestExamineInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := Examine(ctx, []Check{{Name: "slow", Run: func(ctx context.Context) ([]Finding, error) { <-ctx.Done(); return nil, ctx.Err() }}}, time.Hour)
	if d := cmp.Diff([]Finding{{Check: "slow", Verdict: Fail, Detail: "interrupted"}}, got); d != "" {
		t.Error(d)
	}
}
