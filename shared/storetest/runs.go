package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/run"
)

var runTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		if _, err := s.Runs.Run(t.Context(), "health.none"); !errors.Is(err, pipeline.ErrNotFound) {
			t.Errorf("Run: got %v, want ErrNotFound", err)
		}
		if err := s.Runs.UpdateRun(t.Context(), aRun("health", "none"), ""); !errors.Is(err, pipeline.ErrConflict) {
			t.Errorf("UpdateRun: got %v, want ErrConflict", err)
		}
		if w := must(s.Runs.Watermark(t.Context(), "health"))(t); w != "" {
			t.Errorf("Watermark: got %q", w)
		}
		if n := len(must(s.Runs.OpenRuns(t.Context()))(t)) + len(must(s.Runs.RecentRuns(t.Context(), "health", 5))(t)); n != 0 {
			t.Errorf("got %d runs, want none", n)
		}
	}},
	{"begin", func(t *testing.T, s Stores) {
		first := bracketed("health", "1")
		if diff := cmp.Diff(first, must(s.Runs.BeginRun(t.Context(), first))(t)); diff != "" {
			t.Errorf("BeginRun (-want +got):\n%s", diff)
		}
		active, err := s.Runs.BeginRun(t.Context(), bracketed("health", "2"))
		if !errors.Is(err, pipeline.ErrActive) {
			t.Fatalf("second BeginRun: got %v, want ErrActive", err)
		}
		if diff := cmp.Diff(first, active); diff != "" {
			t.Errorf("the active run (-want +got):\n%s", diff)
		}
		if _, err := s.Runs.Run(t.Context(), "health.2"); !errors.Is(err, pipeline.ErrNotFound) {
			t.Errorf("a refused run was stored: %v", err)
		}
		_ = must(s.Runs.BeginRun(t.Context(), bracketed("other", "1")))(t)
		wantOpen(t, s, "health.1", "other.1")
	}},
	{"begin raced", func(t *testing.T, s Stores) {
		var first atomic.Int32
		winners := make([]string, 8)
		race(t, 8, func(i int) error {
			r, err := s.Runs.BeginRun(t.Context(), bracketed("health", fmt.Sprint(i)))
			winners[i] = r.ID
			if errors.Is(err, pipeline.ErrActive) {
				return nil
			}
			first.Add(1)
			return err
		})
		if first.Load() != 1 {
			t.Errorf("%d runs began, want 1", first.Load())
		}
		for _, w := range winners {
			if w == "" || w != winners[0] {
				t.Fatalf("callers were told of different active runs: %v", winners)
			}
		}
		wantOpen(t, s, winners[0])
	}},
	{"ensure", func(t *testing.T, s Stores) {
		r := aRun("health", "q1")
		r.Query = "01a-β"
		if diff := cmp.Diff(r, must(s.Runs.EnsureRun(t.Context(), r))(t)); diff != "" {
			t.Errorf("EnsureRun (-want +got):\n%s", diff)
		}
		again := r
		again.BegunAt, again.Version = r.BegunAt.Add(time.Hour), "vother"
		if diff := cmp.Diff(r, must(s.Runs.EnsureRun(t.Context(), again))(t)); diff != "" {
			t.Errorf("EnsureRun again (-want +got):\n%s", diff)
		}
		// An implicit run is not the active one.
		_ = must(s.Runs.BeginRun(t.Context(), bracketed("health", "1")))(t)
	}},
	{"ensure raced", func(t *testing.T, s Stores) {
		got := make([]run.Run, 8)
		race(t, 8, func(i int) (err error) {
			r := aRun("health", "q1")
			r.Version = fmt.Sprint("v", i)
			got[i], err = s.Runs.EnsureRun(t.Context(), r)
			return err
		})
		for _, r := range got[1:] {
			if diff := cmp.Diff(got[0], r); diff != "" {
				t.Errorf("callers got different runs:\n%s", diff)
			}
		}
		wantOpen(t, s, "health.q1")
	}},
	{"update", func(t *testing.T, s Stores) {
		r := must(s.Runs.BeginRun(t.Context(), bracketed("health", "1")))(t)
		r.Status, r.FinishedAt, r.Expected, r.Cursor = run.Finishing, start.Add(time.Hour), 12, `"é"`
		r.Counts = run.Counts{Received: 12, Queued: 10, Rejected: 2, Calls: 1}
		ok(t, s.Runs.UpdateRun(t.Context(), r, ""))
		r.Revision++
		if diff := cmp.Diff(r, must(s.Runs.Run(t.Context(), r.ID))(t)); diff != "" {
			t.Errorf("Run (-want +got):\n%s", diff)
		}
		stale := r
		stale.Revision--
		if err := s.Runs.UpdateRun(t.Context(), stale, `"x"`); !errors.Is(err, pipeline.ErrConflict) {
			t.Errorf("stale UpdateRun: got %v, want ErrConflict", err)
		}
		if w := must(s.Runs.Watermark(t.Context(), "health"))(t); w != "" {
			t.Errorf("a refused update moved the watermark to %q", w)
		}
		wantOpen(t, s, "health.1")
	}},
	{"end and watermark", func(t *testing.T, s Stores) {
		r := must(s.Runs.BeginRun(t.Context(), bracketed("health", "1")))(t)
		r.Status = run.Complete
		ok(t, s.Runs.UpdateRun(t.Context(), r, `"2026-03-14"`))
		wantOpen(t, s)
		if w := must(s.Runs.Watermark(t.Context(), "health"))(t); w != `"2026-03-14"` {
			t.Errorf("Watermark: got %q", w)
		}
		second := must(s.Runs.BeginRun(t.Context(), bracketed("health", "2")))(t)
		// A late update of the first run leaves the second one active.
		r.Revision++
		r.Reason = "counted again"
		ok(t, s.Runs.UpdateRun(t.Context(), r, ""))
		if _, err := s.Runs.BeginRun(t.Context(), bracketed("health", "3")); !errors.Is(err, pipeline.ErrActive) {
			t.Errorf("BeginRun: got %v, want ErrActive", err)
		}
		wantOpen(t, s, "health.2")
		second.Status = run.Incomplete
		ok(t, s.Runs.UpdateRun(t.Context(), second, ""))
		if w := must(s.Runs.Watermark(t.Context(), "health"))(t); w != `"2026-03-14"` {
			t.Errorf("Watermark after an incomplete run: got %q", w)
		}
		_ = must(s.Runs.BeginRun(t.Context(), bracketed("health", "3")))(t)
	}},
	{"reopen an implicit run", func(t *testing.T, s Stores) {
		r := must(s.Runs.EnsureRun(t.Context(), aRun("health", "q1")))(t)
		r.Status = run.Complete
		ok(t, s.Runs.UpdateRun(t.Context(), r, ""))
		wantOpen(t, s)
		r.Revision++
		r.Status = run.Open
		ok(t, s.Runs.UpdateRun(t.Context(), r, ""))
		wantOpen(t, s, "health.q1")
	}},
	{"update raced", func(t *testing.T, s Stores) {
		r := must(s.Runs.EnsureRun(t.Context(), aRun("health", "q1")))(t)
		var won atomic.Int32
		race(t, 8, func(i int) error {
			mine := r
			mine.Status, mine.Reason = run.Complete, fmt.Sprint(i)
			err := s.Runs.UpdateRun(t.Context(), mine, fmt.Sprint(i))
			if errors.Is(err, pipeline.ErrConflict) {
				return nil
			}
			won.Add(1)
			return err
		})
		stored := must(s.Runs.Run(t.Context(), r.ID))(t)
		if won.Load() != 1 || stored.Revision != r.Revision+1 {
			t.Errorf("%d updates won, revision %d, want 1 and %d", won.Load(), stored.Revision, r.Revision+1)
		}
		if w := must(s.Runs.Watermark(t.Context(), "health"))(t); w != stored.Reason {
			t.Errorf("watermark %q is not of the update that won, %q", w, stored.Reason)
		}
	}},
	{"recent", func(t *testing.T, s Stores) {
		for i, id := range []string{"m", "z", "a", "k"} {
			r := aRun("health", id)
			r.BegunAt = start.Add(time.Duration(i) * time.Millisecond)
			_ = must(s.Runs.EnsureRun(t.Context(), r))(t)
		}
		_ = must(s.Runs.EnsureRun(t.Context(), aRun("health2", "x")))(t)
		for limit, want := range map[int][]string{0: nil, 1: {"health.k"}, 3: {"health.k", "health.a", "health.z"}, 9: {"health.k", "health.a", "health.z", "health.m"}} {
			if diff := cmp.Diff(want, ids(must(s.Runs.RecentRuns(t.Context(), "health", limit))(t))); diff != "" {
				t.Errorf("RecentRuns %d (-want +got):\n%s", limit, diff)
			}
		}
	}},
	{"many open", func(t *testing.T, s Stores) {
		var want []string
		for _, id := range names("q", 110) {
			_ = must(s.Runs.EnsureRun(t.Context(), aRun("health", id)))(t)
			want = append(want, "health."+id)
		}
		wantOpen(t, s, want...)
	}},
	{"reopened", func(t *testing.T, s Stores) {
		r := must(s.Runs.BeginRun(t.Context(), bracketed("health", "1")))(t)
		s = s.Reopen()
		if diff := cmp.Diff(r, must(s.Runs.Run(t.Context(), r.ID))(t)); diff != "" {
			t.Errorf("Run (-want +got):\n%s", diff)
		}
		if _, err := s.Runs.BeginRun(t.Context(), bracketed("health", "2")); !errors.Is(err, pipeline.ErrActive) {
			t.Errorf("BeginRun: got %v, want ErrActive", err)
		}
		wantOpen(t, s, "health.1")
	}},
}

func ids(runs []run.Run) []string {
	var all []string
	for _, r := range runs {
		all = append(all, r.ID)
	}
	return all
}

// wantOpen checks the open runs, in any order.
func wantOpen(t *testing.T, s Stores, want ...string) {
	t.Helper()
	got := ids(must(s.Runs.OpenRuns(t.Context()))(t))
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("OpenRuns (-want +got):\n%s", diff)
	}
}
