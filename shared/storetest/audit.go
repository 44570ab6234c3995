package storetest

import (
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

var auditTests = []test{
	{"newest first, since, limit", func(t *testing.T, s Stores) {
		now := time.Now().UTC() //nolint:forbidigo // servers expire items by their own clock
		if got := must(s.Actions(t.Context(), now.Add(-time.Hour), 10))(t); len(got) > 0 {
			t.Fatalf("an empty log has %v", got)
		}
		var want []run.Action
		for _, days := range []int{0, 1, 1, 40} {
			a := run.Action{At: now.AddDate(0, 0, -days).Add(-time.Duration(len(want)) * time.Second), Who: "größe", What: "pause", On: "health", Note: "<note>"}.Begin()
			want = append(want, a)
			ok(t, s.StoreAction(t.Context(), a))
		}
		s = s.Reopen()
		same(t, "Actions", want, must(s.Actions(t.Context(), now.AddDate(0, 0, -50), 10))(t))
		same(t, "Actions of 30 days", want[:3], must(s.Actions(t.Context(), now.AddDate(0, 0, -30), 10))(t))
		same(t, "two Actions", want[:2], must(s.Actions(t.Context(), now.AddDate(0, 0, -30), 2))(t))
		same(t, "Actions since the second", want[:2], must(s.Actions(t.Context(), want[1].At, 10))(t))
	}},
	{"the result is stored over the beginning", func(t *testing.T, s Stores) {
		now := time.Now().UTC() //nolint:forbidigo // as above
		a := run.Action{At: now, Who: "x", What: "reset", On: "health"}.Begin()
		b := run.Action{At: now, Who: "y", What: "reset", On: "health"}.Begin()
		ok(t, s.StoreAction(t.Context(), a))
		ok(t, s.StoreAction(t.Context(), b))
		a.Result, a.Note = run.ActionDone, "cleared"
		ok(t, s.StoreAction(t.Context(), a))
		got := must(s.Actions(t.Context(), now, 10))(t)
		if len(got) != 2 || got[0].Who == got[1].Who {
			t.Fatalf("two of one moment are %v", got)
		}
		for _, one := range got {
			if one.Who == "x" {
				same(t, "the action that ended", a, one)
			}
		}
	}},
}
