package estimate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/estimate"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// What the whole of a push comes to, and the part that one row has in it.
func TestEstimates(t *testing.T) {
	crm := syncdef.Effort{Write: 200, Lookup: 1000, Find: 100, AtOnce: 4, Day: 100_000}
	slow := syncdef.Effort{Write: 1, AtOnce: 8, Limits: []syncdef.Limit{{Calls: 100, Per: 10, Option: "rate", Shared: true}}}
	chat := syncdef.Effort{Write: 1, Digest: 20, AtOnce: 1, Limits: []syncdef.Limit{{Calls: 1, Per: 1}}}
	half := syncdef.Connection{Quota: syncdef.Quota{Share: 50}}
	for name, c := range map[string]struct {
		effort  *syncdef.Effort
		conn    syncdef.Connection
		work    estimate.Work
		calls   float64
		seconds float64
		quota   float64 // -1 is not known
		grant   float64
	}{
		"full calls":               {&crm, half, estimate.Work{Rows: 1000, Created: 600, Updated: 400, Lookups: 600}, 6, 3, 0.00006, 0.00012},
		"one row":                  {&crm, half, estimate.Work{Rows: 1, Created: 1, Lookups: 1}, 2, 1, 0.00002, 0.00004},
		"the connection's day":     {&crm, syncdef.Connection{Quota: syncdef.Quota{CallsPerDay: 10, Share: 100}}, estimate.Work{Rows: 200, Updated: 200}, 1, 0.5, 0.1, 0.1},
		"removals are looked for":  {&crm, half, estimate.Work{Rows: 300, Removed: 300, Finds: 150}, 4, 2, 0.00004, 0.00008},
		"nothing to do":            {&crm, half, estimate.Work{Rows: 1000}, 0, 0, 0, 0},
		"a short window":           {&slow, half, estimate.Work{Rows: 525, Updated: 525}, 525, 300, -1, -1}, // 25 at once, then 25 in 15 s
		"a window that is widened": {&slow, syncdef.Connection{Quota: syncdef.Quota{Share: 50}, Options: map[string]string{"rate": "1000"}}, estimate.Work{Rows: 250, Updated: 250}, 250, 62.5, -1, -1},
		"a digest":                 {&chat, syncdef.Connection{}, estimate.Work{Rows: 50, Created: 50, Messages: 2}, 2, 4, -1, -1},
		"calls besides":            {&slow, half, estimate.Work{Rows: 10, Updated: 10, Extra: 20}, 30, 7.5, -1, -1},
		"of an earlier release":    {nil, half, estimate.Work{Rows: 10, Updated: 10}, 0, 0, -1, -1},
	} {
		v := syncdef.Version{Definition: syncdef.Definition{Lanes: 1}, Rules: syncdef.Rules{Effort: c.effort}}
		e := estimate.Of(&v, &c.conn, c.work)
		if e.Calls != c.calls || e.Seconds != c.seconds {
			t.Errorf("%s: %g calls in %g s, want %g in %g", name, e.Calls, e.Seconds, c.calls, c.seconds)
		}
		if (e.QuotaShare != nil) != (c.quota >= 0) || e.QuotaShare != nil && (*e.QuotaShare != c.quota || *e.GrantShare != c.grant) {
			t.Errorf("%s: shares %v %v", name, e.QuotaShare, e.GrantShare)
		}
		if (e.Dollars > 0) != (c.work.Rows > 0) {
			t.Errorf("%s: $%g", name, e.Dollars)
		}
	}
}

// The parts of a call add up to it.
func TestParts(t *testing.T) {
	v := syncdef.Version{Definition: syncdef.Definition{Lanes: 4}, Rules: syncdef.Rules{Effort: &syncdef.Effort{Write: 200, AtOnce: 4, Day: 1000}}}
	conn, sum, all := syncdef.Connection{}, 0.0, estimate.Work{}
	for range 200 {
		w := estimate.Work{Rows: 1, Updated: 1}
		all.Add(w)
		sum += estimate.Part(&v, &conn, w).Calls
	}
	whole := estimate.Of(&v, &conn, all)
	if whole.Calls != 1 || sum < 0.999 || sum > 1.001 {
		t.Errorf("%g calls, and %g of the parts", whole.Calls, sum)
	}
	if d := cmp.Diff(*whole.QuotaShare, 0.001); d != "" {
		t.Error(d)
	}
}
