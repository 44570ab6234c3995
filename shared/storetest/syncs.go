package storetest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var syncTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		if _, err := s.Current(t.Context(), "none"); !errors.Is(err, run.ErrNotFound) {
			t.Errorf("Current: got %v, want ErrNotFound", err)
		}
		if _, err := s.Version(t.Context(), "none", "v1"); !errors.Is(err, run.ErrNotFound) {
			t.Errorf("Version: got %v, want ErrNotFound", err)
		}
		if list := must(s.List(t.Context()))(t); len(list) != 0 {
			t.Errorf("List: got %v, want none", list)
		}
	}},
	{"apply and go back", func(t *testing.T, s Stores) {
		a, b := aVersion("health", "va"), aVersion("health", "vb")
		for _, v := range []syncdef.Version{a, b, a} {
			ok(t, s.Apply(t.Context(), v))
			if diff := cmp.Diff(v, must(s.Current(t.Context(), "health"))(t)); diff != "" {
				t.Errorf("Current (-want +got):\n%s", diff)
			}
		}
		if diff := cmp.Diff(b, must(s.Version(t.Context(), "health", "vb"))(t)); diff != "" {
			t.Errorf("Version (-want +got):\n%s", diff)
		}
		if _, err := s.Version(t.Context(), "health", "vc"); !errors.Is(err, run.ErrNotFound) {
			t.Errorf("Version: got %v, want ErrNotFound", err)
		}
	}},
	{"apply twice is once", func(t *testing.T, s Stores) {
		v := aVersion("health", "va")
		ok(t, s.Apply(t.Context(), v))
		later := v
		later.AppliedAt = later.AppliedAt.Add(time.Hour)
		ok(t, s.Apply(t.Context(), later))
		if diff := cmp.Diff(v, must(s.Current(t.Context(), "health"))(t)); diff != "" {
			t.Errorf("a stored version changed (-want +got):\n%s", diff)
		}
	}},
	{"list is sorted", func(t *testing.T, s Stores) {
		for _, n := range []string{"zeta", "alpha", "mid", "alpha"} {
			ok(t, s.Apply(t.Context(), aVersion(n, "v1")))
		}
		// A watermark or a run alone makes no sync.
		ok(t, s.BeginRun(t.Context(), bracketed("beta", "1"), ""))
		_ = must(s.NextSequence(t.Context(), "gamma"))(t)
		if diff := cmp.Diff([]string{"alpha", "mid", "zeta"}, must(s.List(t.Context()))(t)); diff != "" {
			t.Errorf("List (-want +got):\n%s", diff)
		}
	}},
	{"remove", func(t *testing.T, s Stores) {
		ok(t, s.Remove(t.Context(), "none"))
		v := aVersion("health", "va")
		ok(t, s.Apply(t.Context(), v))
		ok(t, s.BeginRun(t.Context(), bracketed("health", "1"), ""))
		before := must(s.NextSequence(t.Context(), "health"))(t)
		ok(t, s.Remove(t.Context(), "health"))
		ok(t, s.Remove(t.Context(), "health"))
		_, err := s.Current(t.Context(), "health")
		fails(t, "Current", err, run.ErrNotFound)
		same(t, "List", []string(nil), must(s.List(t.Context()))(t))
		if gone := must(s.Removed(t.Context()))(t); !slices.Contains(gone, "health") {
			t.Errorf("Removed: %q", gone)
		}
		// What is queued still finds its version, and the order goes on.
		same(t, "Version", v, must(s.Version(t.Context(), "health", "va"))(t))
		ok(t, s.Apply(t.Context(), v))
		same(t, "Current", v, must(s.Current(t.Context(), "health"))(t))
		if gone := must(s.Removed(t.Context()))(t); slices.Contains(gone, "health") {
			t.Errorf("Removed, though it is applied again: %q", gone)
		}
		same(t, "Latest", "health.1", must(s.Latest(t.Context(), "health"))(t))
		if after := must(s.NextSequence(t.Context(), "health"))(t); after <= before {
			t.Errorf("sequence %d after %d", after, before)
		}
	}},
	{"sequence (I3)", func(t *testing.T, s Stores) {
		last := int64(0)
		for range 5 {
			next := must(s.NextSequence(t.Context(), "health"))(t)
			if next <= last {
				t.Errorf("%d after %d", next, last)
			}
			last = next
		}
		if n := must(s.NextSequence(t.Context(), "health2"))(t); n < 1 {
			t.Errorf("another sync begins at %d", n)
		}
		var mu sync.Mutex
		seen := map[int64]bool{}
		race(t, 8, func(int) error {
			before := int64(0)
			for range 5 {
				n, err := s.NextSequence(t.Context(), "health")
				mu.Lock()
				if err == nil && (seen[n] || n <= last || n <= before) {
					t.Errorf("%d was given twice, or after %d", n, max(last, before))
				}
				seen[n] = true
				mu.Unlock()
				if before = n; err != nil {
					return err
				}
			}
			return nil
		})
		s = s.Reopen()
		if n := must(s.NextSequence(t.Context(), "health"))(t); n < last+41 {
			t.Errorf("%d after 40 numbers beyond %d", n, last)
		}
	}},
	{"raced", func(t *testing.T, s Stores) {
		v := aVersion("health", "va")
		race(t, 8, func(int) error { return s.Apply(t.Context(), v) })
		if diff := cmp.Diff(v, must(s.Current(t.Context(), "health"))(t)); diff != "" {
			t.Errorf("Current (-want +got):\n%s", diff)
		}
	}},
	{"reopened", func(t *testing.T, s Stores) {
		v := aVersion("health", "va")
		ok(t, s.Apply(t.Context(), v))
		s = s.Reopen()
		if diff := cmp.Diff(v, must(s.Current(t.Context(), "health"))(t)); diff != "" {
			t.Errorf("Current (-want +got):\n%s", diff)
		}
	}},
}

func aVersion(name, id string) syncdef.Version {
	return syncdef.Version{
		ID: id, AppliedAt: start,
		Definition: syncdef.Definition{
			Sync: name, Connection: "crm_prod", Object: "Account", Operation: syncdef.Upsert, RecordID: []string{"customer_id", "größe"},
			Fields: []syncdef.Field{{Source: "score", Destination: "Score__c", Type: syncdef.Number}}, Lanes: 4,
		},
	}
}
