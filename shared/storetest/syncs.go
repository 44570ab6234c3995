package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var syncTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		if _, err := s.Syncs.Current(t.Context(), "none"); !errors.Is(err, pipeline.ErrNotFound) {
			t.Errorf("Current: got %v, want ErrNotFound", err)
		}
		if _, err := s.Syncs.Version(t.Context(), "none", "v1"); !errors.Is(err, pipeline.ErrNotFound) {
			t.Errorf("Version: got %v, want ErrNotFound", err)
		}
		if list := must(s.Syncs.List(t.Context()))(t); len(list) != 0 {
			t.Errorf("List: got %v, want none", list)
		}
	}},
	{"apply and go back", func(t *testing.T, s Stores) {
		a, b := aVersion("health", "va"), aVersion("health", "vb")
		for _, v := range []syncdef.Version{a, b, a} {
			ok(t, s.Syncs.Apply(t.Context(), v))
			if diff := cmp.Diff(v, must(s.Syncs.Current(t.Context(), "health"))(t)); diff != "" {
				t.Errorf("Current (-want +got):\n%s", diff)
			}
		}
		if diff := cmp.Diff(b, must(s.Syncs.Version(t.Context(), "health", "vb"))(t)); diff != "" {
			t.Errorf("Version (-want +got):\n%s", diff)
		}
		if _, err := s.Syncs.Version(t.Context(), "health", "vc"); !errors.Is(err, pipeline.ErrNotFound) {
			t.Errorf("Version: got %v, want ErrNotFound", err)
		}
	}},
	{"apply twice is once", func(t *testing.T, s Stores) {
		v := aVersion("health", "va")
		ok(t, s.Syncs.Apply(t.Context(), v))
		later := v
		later.AppliedAt = later.AppliedAt.Add(time.Hour)
		ok(t, s.Syncs.Apply(t.Context(), later))
		if diff := cmp.Diff(v, must(s.Syncs.Current(t.Context(), "health"))(t)); diff != "" {
			t.Errorf("a stored version changed (-want +got):\n%s", diff)
		}
	}},
	{"list is sorted", func(t *testing.T, s Stores) {
		for _, n := range []string{"zeta", "alpha", "mid", "alpha"} {
			ok(t, s.Syncs.Apply(t.Context(), aVersion(n, "v1")))
		}
		// A watermark or a run alone makes no sync.
		_ = must(s.Runs.BeginRun(t.Context(), bracketed("beta", "1")))(t)
		if diff := cmp.Diff([]string{"alpha", "mid", "zeta"}, must(s.Syncs.List(t.Context()))(t)); diff != "" {
			t.Errorf("List (-want +got):\n%s", diff)
		}
	}},
	{"raced", func(t *testing.T, s Stores) {
		v := aVersion("health", "va")
		race(t, 8, func(int) error { return s.Syncs.Apply(t.Context(), v) })
		if diff := cmp.Diff(v, must(s.Syncs.Current(t.Context(), "health"))(t)); diff != "" {
			t.Errorf("Current (-want +got):\n%s", diff)
		}
	}},
	{"reopened", func(t *testing.T, s Stores) {
		v := aVersion("health", "va")
		ok(t, s.Syncs.Apply(t.Context(), v))
		s = s.Reopen()
		if diff := cmp.Diff(v, must(s.Syncs.Current(t.Context(), "health"))(t)); diff != "" {
			t.Errorf("Current (-want +got):\n%s", diff)
		}
	}},
}

func aVersion(sync, id string) syncdef.Version {
	scale, fallback := 1, "Gesund – gut"
	return syncdef.Version{
		ID: id,
		Definition: syncdef.Definition{
			Sync: sync, Connection: "salesforce_prod", Object: "Account", Strategy: syncdef.MatchEmailDomain,
			Match: syncdef.Match{Source: "email", Destination: "Website"}, Operation: syncdef.Upsert, RecordID: []string{"customer_id"},
			Fields: []syncdef.Field{{Source: "score", Destination: "Score__c", Type: syncdef.Number, Scale: &scale, Min: "0", Max: "9007199254740993", Default: &fallback}},
			Lanes:  4, Incremental: &syncdef.Incremental{Cursor: "last_updated"}, Slack: &syncdef.Slack{Channel: "#général"},
		},
		Connection: syncdef.Connection{Name: "salesforce_prod", Type: "salesforce", Quota: syncdef.Quota{CallsPerDay: 100_000, Share: 50}},
		AppliedAt:  start,
	}
}
