package storetest

import (
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/run"
)

var freshnessTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		same(t, "Freshness", freshness.Reading{Sync: "health"}, must(s.Freshness(t.Context(), "health"))(t))
	}},
	{"compare and set", func(t *testing.T, s Stores) {
		r := aReading("health")
		ok(t, s.SetFreshness(t.Context(), r))
		ok(t, s.SetFreshness(t.Context(), aReading("health_eu")))
		fails(t, "SetFreshness of one that was read before", s.SetFreshness(t.Context(), r), run.ErrConflict)
		r.Revision = 1
		s = s.Reopen()
		same(t, "Freshness", r, must(s.Freshness(t.Context(), "health"))(t))
		r.AsOf, r.Figures, r.Failure = time.Time{}, freshness.Figures{}, "the login was refused"
		ok(t, s.SetFreshness(t.Context(), r))
		r.Revision++
		same(t, "Freshness", r, must(s.Freshness(t.Context(), "health"))(t))
		if other := must(s.Freshness(t.Context(), "health_eu"))(t); other.Revision != 1 {
			t.Errorf("the other sync's: %+v", other)
		}
	}},
	{"raced", func(t *testing.T, s Stores) {
		for revision := range int64(2) {
			if n := won(t, 8, func(int) error {
				r := aReading("health")
				r.Revision = revision
				return s.SetFreshness(t.Context(), r)
			}); n != 1 {
				t.Errorf("%d workers stored over revision %d, want 1", n, revision)
			}
		}
	}},
}

func aReading(sync string) freshness.Reading {
	oldest, newest := start.Add(-48*time.Hour), start
	return freshness.Reading{
		Sync: sync, Connection: "crm", Object: "Account", Asked: "updated__c", TriedAt: start.Add(time.Second), AsOf: start,
		Figures: freshness.Figures{Field: "Updated__c", Total: freshness.N(1 << 53), Updated4h: freshness.N(0), Updated1d: freshness.N(7),
			Oldest: &oldest, Newest: &newest, Missing: map[string]int64{"größe": 3}, Why: "hours are not known"},
	}
}
