package hubspot_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/syncdef"
)

func ageing(name string) syncdef.Definition {
	def := byEmail
	def.Freshness = &syncdef.Freshness{DestinationField: name}
	return def
}

func TestFreshness(t *testing.T) {
	w := start(t, options(), byEmail)
	b := dest.Batch{Run: "r"}
	for i, at := range []string{`"2026-03-01T11:30:00Z"`, `"2026-03-01T11:00:00Z"`, `"2026-03-01T10:59:59Z"`, `"2026-02-20T12:00:00Z"`, `null`} {
		r := contact(i)
		r.Fields = append(r.Fields, field("last_seen", at))
		if i == 1 {
			r.Fields[2].Value = []byte(`null`)
		}
		b.Records = append(b.Records, r)
	}
	for _, c := range w.Calls(b, 0) {
		if _, err := w.Push(t.Context(), b, c); err != nil {
			t.Fatal(err)
		}
	}
	def, searches, calls, before := ageing("last_seen"), 0, 0, w.account.APICalls()
	got, err := w.account.(dest.Prober).Freshness(t.Context(), &def, noon, func(_ context.Context, c dest.Cost) error {
		if c.Bucket == "" {
			calls += c.Tokens
		} else {
			searches += c.Tokens
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	oldest, newest := time.Date(2026, 2, 20, 12, 0, 0, 0, time.UTC), noon.Add(-30*time.Minute)
	want := freshness.Figures{
		Field: "last_seen", Total: freshness.N(4), Updated1h: freshness.N(2), Updated4h: freshness.N(3), Updated1d: freshness.N(3),
		Oldest: &oldest, Newest: &newest, Missing: map[string]int64{"firstname": 0, "ltv_usd": 0, "ltv_segment": 1, "interests": 4},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("want -, got +\n%s", d)
	}
	if made := int(w.account.APICalls() - before); made != calls || made != 10 || searches != 9 {
		t.Errorf("%d calls were made, %d paid for, %d as searches; want 10 and 9", made, calls, searches)
	}
}

// Without records two calls tell everything.
func TestFreshnessOfNothing(t *testing.T) {
	w, def, n := start(t, options(), byEmail), ageing("renewal_date"), 0
	got, err := w.account.(dest.Prober).Freshness(t.Context(), &def, noon, func(_ context.Context, c dest.Cost) error { n++; return nil })
	if err != nil || *got.Total != 0 || got.Updated1h != nil || *got.Updated1d != 0 || got.Oldest != nil || !strings.Contains(got.Why, "hours are not known") || w.account.APICalls() != 2 {
		t.Errorf("%+v, %v, %d calls", got, err, w.account.APICalls())
	}
}

// Without a token no request is made, and a property that holds no time is the
// definition's fault.
func TestFreshnessRefused(t *testing.T) {
	w, spent := start(t, options(), byEmail), errors.New("spent")
	def := ageing("last_seen")
	if _, err := w.account.(dest.Prober).Freshness(t.Context(), &def, noon, func(context.Context, dest.Cost) error { return spent }); !errors.Is(err, spent) || w.account.APICalls() != 0 {
		t.Errorf("%v, %d calls", err, w.account.APICalls())
	}
	for name, want := range map[string]string{"nope": "no property nope", "firstname": "is of type string"} {
		def := ageing(name)
		_, err := w.account.(dest.Prober).Freshness(t.Context(), &def, noon, func(context.Context, dest.Cost) error { return nil })
		failed, ok := errors.AsType[*dest.CallError](err)
		if !ok || failed.Scope != dest.ScopeVersion || !strings.Contains(failed.Message, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The share holds for searches too.
func TestSearchLimit(t *testing.T) {
	w := start(t, options(), byEmail)
	windows := w.account.Limits().Windows("search")
	if len(windows) != 1 || windows[0].Calls != 2 || windows[0].Per != time.Second {
		t.Errorf("%+v", windows)
	}
}
