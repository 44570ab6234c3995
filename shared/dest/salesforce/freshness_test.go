package salesforce_test

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

// ageing is a definition that says which field holds the time of the data.
func ageing(field string) syncdef.Definition {
	def := byExternalID
	def.Freshness = &syncdef.Freshness{DestinationField: field}
	for _, f := range []string{"Health_Score__c", "health_status__c", "Description", "Products__c", "Absent__c"} {
		def.Fields = append(def.Fields, syncdef.Field{Source: strings.ToLower(f), Destination: f})
	}
	return def
}

func (w *world) freshness(t *testing.T, def syncdef.Definition, spend dest.Spend) (freshness.Figures, error) {
	t.Helper()
	return w.account.(dest.Prober).Freshness(t.Context(), &def, noon, spend)
}

// paid counts what is spent, and lets everything go.
func paid(n *int) dest.Spend {
	return func(_ context.Context, c dest.Cost) error { *n += c.Tokens; return nil }
}

func TestFreshness(t *testing.T) {
	w := start(t, byExternalID)
	seed(t, w.sim, []string{"Name", "Health_Score_Last_Updated__c", "Health_Score__c", "Health_Status__c", "Products__c"},
		[]string{"now", "2026-03-01T11:30:00Z", "85", "Healthy", "Billing"},
		[]string{"an hour, to the second", "2026-03-01T11:00:00Z", "12", "", ""},
		[]string{"over an hour", "2026-03-01T10:59:59Z", "", "", "Support"},
		[]string{"hours, elsewhere", "2026-03-01T10:30:00+02:00", "1", "At Risk", ""},
		[]string{"a week", "2026-02-22T12:00:00Z", "2", "At Risk", ""},
		[]string{"never", "", "3", "", ""})
	calls := 0
	before := w.account.APICalls()
	got, err := w.freshness(t, ageing("health_score_last_updated__C"), paid(&calls))
	if err != nil {
		t.Fatal(err)
	}
	oldest, newest := noon.Add(-7*24*time.Hour), noon.Add(-30*time.Minute)
	want := freshness.Figures{
		Field: "Health_Score_Last_Updated__c", Total: freshness.N(5), Updated1h: freshness.N(2), Updated4h: freshness.N(4), Updated1d: freshness.N(4),
		Oldest: &oldest, Newest: &newest, Missing: map[string]int64{"Health_Score__c": 1, "health_status__c": 2, "Products__c": 3},
		Why: "Salesforce does not count the empty values of Description; Salesforce does not count the empty values of Absent__c",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("want -, got +\n%s", d)
	}
	if made := w.account.APICalls() - before; made != int64(calls) || made != 2 {
		t.Errorf("%d calls were made, and %d paid for; want 2", made, calls)
	}
}

// An object without a record that has a value has no oldest one, and nothing is divided.
func TestFreshnessOfNothing(t *testing.T) {
	n := 0
	got, err := start(t, byExternalID).freshness(t, ageing("Health_Score_Last_Updated__c"), paid(&n))
	if err != nil || *got.Total != 0 || *got.Updated1h != 0 || got.Oldest != nil || got.Newest != nil || got.Missing["Health_Score__c"] != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Without a token no request is made, and a field that holds no time is the definition's fault.
func TestFreshnessRefused(t *testing.T) {
	w, spent, n := start(t, byExternalID), errors.New("spent"), 0
	for left := range 2 {
		before := w.account.APICalls()
		granted := 0
		_, err := w.freshness(t, ageing("Health_Score_Last_Updated__c"), func(context.Context, dest.Cost) error {
			if granted == left {
				return spent
			}
			granted++
			return nil
		})
		if !errors.Is(err, spent) || w.account.APICalls()-before != int64(left) {
			t.Errorf("%d granted: %d calls, %v", left, w.account.APICalls()-before, err)
		}
	}
	for field, want := range map[string]string{"Nope__c": "no field Nope__c", "Health_Score__c": "is of type double", "x = null OR Id": "no field"} {
		_, err := w.freshness(t, ageing(field), paid(&n))
		failed, ok := errors.AsType[*dest.CallError](err)
		if !ok || failed.Scope != dest.ScopeVersion || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
