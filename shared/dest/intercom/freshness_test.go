package intercom_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/syncdef"
)

func ageing(field string) syncdef.Definition {
	def := byExternalID()
	def.Freshness = &syncdef.Freshness{DestinationField: field}
	return def
}

// aged makes contacts whose data is so old, and lets the search find them.
func (w *world) aged(ages ...time.Duration) {
	w.t.Helper()
	bodies, later := []string{`{"role":"user","external_id":"never","name":"P"}`}, w.clock.now().Add(time.Hour)
	for i, age := range ages {
		bodies = append(bodies, fmt.Sprintf(`{"role":"user","external_id":"p%d","name":"P","custom_attributes":{"seen":%d%s}}`, i, later.Add(-age).Unix(), []string{`,"score":1`, ``}[i%2]))
	}
	w.seed(bodies...)
	w.clock.pass(later.Sub(w.clock.now()))
}

func (w *world) fresh(field string, spend dest.Spend) (freshness.Figures, error) {
	def := ageing(field)
	return w.acct.(dest.Prober).Freshness(w.t.Context(), &def, w.clock.now(), spend)
}

func paid(n *int) dest.Spend {
	return func(_ context.Context, c dest.Cost) error { *n += c.Tokens; return nil }
}

func TestFreshness(t *testing.T) {
	w := newWorld(t, byExternalID())
	w.aged(10*time.Minute, time.Hour, time.Hour+time.Second, 20*time.Hour, 72*time.Hour)
	for _, field := range []string{"custom_attributes.seen", "seen"} {
		calls, before := 0, w.acct.APICalls()
		got, err := w.fresh(field, paid(&calls))
		if err != nil {
			t.Fatal(err)
		}
		oldest, newest := w.clock.now().Add(-72*time.Hour), w.clock.now().Add(-10*time.Minute)
		want := freshness.Figures{
			Field: "custom_attributes.seen", Total: freshness.N(5), Updated1h: freshness.N(2), Updated4h: freshness.N(3), Updated1d: freshness.N(4),
			Oldest: &oldest, Newest: &newest, Missing: map[string]int64{"name": 0, "note": 5, "custom_attributes.score": 2, "phone": 5},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: want -, got +\n%s", field, d)
		}
		if made := int(w.acct.APICalls() - before); made > calls || calls != 3 {
			t.Errorf("%d calls were made, %d paid for; want 3", made, calls)
		}
	}
}

func TestFreshnessOfNothing(t *testing.T) {
	w, n := newWorld(t, byExternalID()), 0
	w.aged()
	got, err := w.fresh("seen", paid(&n))
	if err != nil || *got.Total != 0 || *got.Updated1h != 0 || got.Oldest != nil || got.Newest != nil || got.Missing["note"] != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Of many contacts those of the last two days are read; the rest is said to be unknown.
func TestFreshnessOfMany(t *testing.T) {
	w, n := newWorld(t, byExternalID()), 0
	old := make([]time.Duration, 1501)
	for i := range old {
		old[i] = 200 * time.Hour
	}
	w.aged(append(old, 2*time.Hour, 30*time.Minute)...)
	got, err := w.fresh("seen", paid(&n))
	if err != nil {
		t.Fatal(err)
	}
	if *got.Total != 1503 || *got.Updated1h != 1 || *got.Updated4h != 2 || *got.Updated1d != 2 || got.Oldest != nil || got.Newest == nil || got.Missing != nil ||
		!strings.Contains(got.Why, "neither the oldest nor what is empty") || n != 4 {
		t.Errorf("%+v, %d calls", got, n)
	}
}

func TestFreshnessRefused(t *testing.T) {
	w, spent, n := newWorld(t, byExternalID()), errors.New("spent"), 0
	if _, err := w.fresh("seen", func(context.Context, dest.Cost) error { return spent }); !errors.Is(err, spent) || w.acct.APICalls() != 0 {
		t.Errorf("%v, %d calls", err, w.acct.APICalls())
	}
	for field, want := range map[string]string{"nope": "no attribute nope", "seen_text": "is of type string"} {
		_, err := w.fresh(field, paid(&n))
		failed, ok := errors.AsType[*dest.CallError](err)
		if !ok || failed.Scope != dest.ScopeVersion || !strings.Contains(failed.Message, want) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
