package storetest

import (
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

var firingTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		_, err := s.Firing(t.Context(), "health", start)
		fails(t, "Firing of none", err, run.ErrNotFound)
		same(t, "RecentFirings", []run.Firing(nil), must(s.RecentFirings(t.Context(), "health", 5))(t))
	}},
	{"compare and set", func(t *testing.T, s Stores) {
		f := aFiring("health", start)
		ok(t, s.SetFiring(t.Context(), f))
		fails(t, "SetFiring of a second one", s.SetFiring(t.Context(), f), run.ErrConflict)
		f.Revision = 1
		s = s.Reopen()
		same(t, "Firing", f, must(s.Firing(t.Context(), "health", start))(t))
		f.Status, f.Handle, f.Reason = run.FiringCalled, "01b1", ""
		ok(t, s.SetFiring(t.Context(), f))
		fails(t, "SetFiring over an older one", s.SetFiring(t.Context(), f), run.ErrConflict)
		f.Revision++
		same(t, "Firing", f, must(s.Firing(t.Context(), "health", start))(t))
	}},
	{"raced", func(t *testing.T, s Stores) {
		for revision := range int64(2) {
			if n := won(t, 8, func(i int) error {
				f := aFiring("health", start)
				f.Call, f.Revision = i, revision
				return s.SetFiring(t.Context(), f)
			}); n != 1 {
				t.Errorf("%d stored over revision %d, want 1", n, revision)
			}
		}
	}},
	{"the latest first", func(t *testing.T, s Stores) {
		var want []run.Firing
		for i := range 5 {
			f := aFiring("health", start.Add(time.Duration(i)*time.Hour))
			ok(t, s.SetFiring(t.Context(), f))
			ok(t, s.SetFiring(t.Context(), aFiring("health_eu", f.At)))
			f.Revision = 1
			want = append([]run.Firing{f}, want...)
		}
		same(t, "RecentFirings", want, must(s.RecentFirings(t.Context(), "health", 9))(t))
		same(t, "RecentFirings, two", want[:2], must(s.RecentFirings(t.Context(), "health", 2))(t))
		same(t, "RecentFirings, none", []run.Firing(nil), must(s.RecentFirings(t.Context(), "health", 0))(t))
	}},
}

func aFiring(sync string, at time.Time) run.Firing {
	return run.Firing{Sync: sync, At: at, Mode: run.Incremental, Status: run.FiringBegun, Since: at, Tried: at.Add(time.Second), Call: 1, Reason: "the last run goes on"}
}
