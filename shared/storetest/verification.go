package storetest

import (
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/verify"
)

var verificationTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		same(t, "Verification", verify.Reading{Sync: "health"}, must(s.Verification(t.Context(), "health"))(t))
	}},
	{"compare and set", func(t *testing.T, s Stores) {
		r := aVerification("health")
		ok(t, s.SetVerification(t.Context(), r))
		ok(t, s.SetVerification(t.Context(), aVerification("health_eu")))
		fails(t, "SetVerification of one that was read before", s.SetVerification(t.Context(), r), run.ErrConflict)
		r.Revision = 1
		s = s.Reopen()
		same(t, "Verification", r, must(s.Verification(t.Context(), "health"))(t))
		r.Sample, r.Schema = verify.Summary{Failure: "the login was refused"}, verify.Schema{TriedAt: start}
		ok(t, s.SetVerification(t.Context(), r))
		r.Revision++
		same(t, "Verification", r, must(s.Verification(t.Context(), "health"))(t))
		if other := must(s.Verification(t.Context(), "health_eu"))(t); other.Revision != 1 {
			t.Errorf("the other sync's: %+v", other)
		}
	}},
	{"raced", func(t *testing.T, s Stores) {
		for revision := range int64(2) {
			if n := won(t, 8, func(int) error {
				r := aVerification("health")
				r.Revision = revision
				return s.SetVerification(t.Context(), r)
			}); n != 1 {
				t.Errorf("%d workers stored over revision %d, want 1", n, revision)
			}
		}
	}},
}

func aVerification(sync string) verify.Reading {
	return verify.Reading{
		Sync: sync, Connection: "crm", Object: "Account", Version: "v1", TriedAt: start.Add(time.Second),
		Schema: verify.Schema{TriedAt: start, AsOf: start, Faults: []string{"destination: Account has no field Größe__c"}},
		Sample: verify.Summary{AsOf: start, Seed: 1 << 60, Ledger: 1 << 53, Records: 1000, Compared: 990, Missing: 1, Changed: 2, Mended: 3, Fields: map[string]int64{"größe": 3}},
	}
}
