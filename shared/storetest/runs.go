package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

var runTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		_, err := s.Run(t.Context(), "health.none")
		fails(t, "Run", err, run.ErrNotFound)
		fails(t, "UpdateRun", s.UpdateRun(t.Context(), aRun("health", "none")), run.ErrConflict)
		same(t, "Latest", "", must(s.Latest(t.Context(), "health"))(t))
		if n := len(must(s.LiveRuns(t.Context()))(t)) + len(must(s.RecentRuns(t.Context(), "health", 5))(t)); n != 0 {
			t.Errorf("got %d runs, want none", n)
		}
	}},
	{"begin", func(t *testing.T, s Stores) {
		first, second := bracketed("health", "1"), bracketed("health", "2")
		fails(t, "begin over a latest that is none", s.BeginRun(t.Context(), first, "health.0"), run.ErrConflict)
		ok(t, s.BeginRun(t.Context(), first, ""))
		same(t, "Run", first, must(s.Run(t.Context(), first.ID))(t))
		fails(t, "begin over what was read before", s.BeginRun(t.Context(), second, ""), run.ErrConflict)
		_, err := s.Run(t.Context(), second.ID)
		fails(t, "a refused run", err, run.ErrNotFound)
		same(t, "Latest", first.ID, must(s.Latest(t.Context(), "health"))(t))
		ok(t, s.BeginRun(t.Context(), second, first.ID))
		same(t, "Latest", second.ID, must(s.Latest(t.Context(), "health"))(t))
		ok(t, s.BeginRun(t.Context(), bracketed("other", "1"), ""))
		wantOpen(t, s, first.ID, second.ID, "other.1")
		// An implicit run is never the latest.
		_ = must(s.EnsureRun(t.Context(), aRun("health", "q1")))(t)
		same(t, "Latest", second.ID, must(s.Latest(t.Context(), "health"))(t))
	}},
	{"the same begin again", func(t *testing.T, s Stores) {
		r := bracketed("health", "1")
		ok(t, s.BeginRun(t.Context(), r, ""))
		r.Reason = "as of later"
		ok(t, s.UpdateRun(t.Context(), r))
		r.Revision++
		again := bracketed("health", "1")
		again.BegunAt = start.Add(time.Hour)
		ok(t, s.BeginRun(t.Context(), again, ""))
		ok(t, s.BeginRun(t.Context(), again, r.ID))
		same(t, "Run", r, must(s.Run(t.Context(), r.ID))(t))
		ok(t, s.BeginRun(t.Context(), bracketed("health", "2"), r.ID))
		fails(t, "a run that is not the latest any more", s.BeginRun(t.Context(), again, "health.2"), run.ErrConflict)
		same(t, "Run", r, must(s.Run(t.Context(), r.ID))(t))
		same(t, "Latest", "health.2", must(s.Latest(t.Context(), "health"))(t))
	}},
	{"begin raced", func(t *testing.T, s Stores) {
		for _, latest := range []string{"", "again"} {
			if latest != "" {
				latest = must(s.Latest(t.Context(), "health"))(t)
			}
			before := len(must(s.LiveRuns(t.Context()))(t))
			if n := won(t, 8, func(i int) error {
				return s.BeginRun(t.Context(), bracketed("health", fmt.Sprint(len(latest), "-", i)), latest)
			}); n != 1 {
				t.Errorf("%d runs began, want 1", n)
			}
			if open := must(s.LiveRuns(t.Context()))(t); len(open) != before+1 {
				t.Errorf("%d runs are open, want %d", len(open), before+1)
			}
		}
	}},
	{"ensure", func(t *testing.T, s Stores) {
		r := aRun("health", "q1")
		r.Query = "01a-β"
		same(t, "EnsureRun", r, must(s.EnsureRun(t.Context(), r))(t))
		again := r
		again.BegunAt, again.Version = r.BegunAt.Add(time.Hour), "vother"
		same(t, "EnsureRun again", r, must(s.EnsureRun(t.Context(), again))(t))
		retry := aRun("health", "q1~2")
		retry.Original = r.ID
		same(t, "EnsureRun of a retry", retry, must(s.EnsureRun(t.Context(), retry))(t))
		wantOpen(t, s, r.ID, retry.ID)
	}},
	{"ensure raced", func(t *testing.T, s Stores) {
		got := make([]run.Run, 8)
		race(t, 8, func(i int) (err error) {
			r := aRun("health", "q1")
			r.Version = fmt.Sprint("v", i)
			got[i], err = s.EnsureRun(t.Context(), r)
			return err
		})
		for _, r := range got[1:] {
			same(t, "the run that a caller got", got[0], r)
		}
		wantOpen(t, s, "health.q1")
	}},
	{"update", func(t *testing.T, s Stores) {
		r := bracketed("health", "1")
		ok(t, s.BeginRun(t.Context(), r, ""))
		r.Status, r.FinishedAt, r.Expected, r.Cursor, r.Hold = run.Finishing, start.Add(time.Hour), 12, `"é"`, "9007199254740993"
		r.Counts = run.Counts{Received: 12, Queued: 10, Rejected: 2, Calls: 1, Cancelled: 1, LookedUp: 4, NoCursor: 1}
		r.Groups = []run.Group{{Stage: "intake", Type: "too_long", Field: "größe", Rows: 2}}
		ok(t, s.UpdateRun(t.Context(), r))
		r.Revision++
		same(t, "Run", r, must(s.Run(t.Context(), r.ID))(t))
		stale := r
		stale.Revision--
		fails(t, "UpdateRun of one that was read before", s.UpdateRun(t.Context(), stale), run.ErrConflict)
		same(t, "Run", r, must(s.Run(t.Context(), r.ID))(t))
		wantOpen(t, s, "health.1")
	}},
	{"end and reopen", func(t *testing.T, s Stores) {
		r := must(s.EnsureRun(t.Context(), aRun("health", "q1")))(t)
		for _, status := range []run.Status{run.Complete, run.Incomplete, run.Cancelled, run.Failed} {
			r.Status = status
			ok(t, s.UpdateRun(t.Context(), r))
			r.Revision++
			if status != run.Complete { // its last rows are still counted
				wantOpen(t, s, "health.q1")
				r.Final = true
				ok(t, s.UpdateRun(t.Context(), r))
				r.Revision++
			}
			wantOpen(t, s)
			r.Status, r.Final = run.Open, false
			ok(t, s.UpdateRun(t.Context(), r))
			r.Revision++
			wantOpen(t, s, "health.q1")
		}
	}},
	{"update raced", func(t *testing.T, s Stores) {
		r := must(s.EnsureRun(t.Context(), aRun("health", "q1")))(t)
		if n := won(t, 8, func(i int) error {
			mine := r
			mine.Status, mine.Reason = run.Complete, fmt.Sprint(i)
			return s.UpdateRun(t.Context(), mine)
		}); n != 1 {
			t.Errorf("%d updates won, want 1", n)
		}
		if stored := must(s.Run(t.Context(), r.ID))(t); stored.Revision != r.Revision+1 {
			t.Errorf("revision %d, want %d", stored.Revision, r.Revision+1)
		}
	}},
	{"recent", func(t *testing.T, s Stores) {
		for i, id := range []string{"m", "z", "a", "k"} {
			r := aRun("health", id)
			r.BegunAt = start.Add(time.Duration(i) * time.Millisecond)
			_ = must(s.EnsureRun(t.Context(), r))(t)
		}
		_ = must(s.EnsureRun(t.Context(), aRun("health2", "x")))(t)
		for limit, want := range map[int][]string{0: nil, 1: {"health.k"}, 3: {"health.k", "health.a", "health.z"}, 9: {"health.k", "health.a", "health.z", "health.m"}} {
			same(t, fmt.Sprint("RecentRuns ", limit), want, ids(must(s.RecentRuns(t.Context(), "health", limit))(t)))
		}
		twin := aRun("health", "b") // begun with a, and after it in the order
		twin.BegunAt = start.Add(2 * time.Millisecond)
		_ = must(s.EnsureRun(t.Context(), twin))(t)
		for _, c := range []struct {
			after string
			begun int
			limit int
			want  []string
		}{
			{"health.k", 3, 9, []string{"health.b", "health.a", "health.z", "health.m"}},
			{"health.b", 2, 2, []string{"health.a", "health.z"}},
			{"health.a", 2, 1, []string{"health.z"}},
			{"health.gone", 1, 9, []string{"health.m"}}, // the run itself need not be there
			{"health.m", 0, 9, nil},
			{"health.k", 3, 0, nil},
		} {
			got := must(s.RunsBefore(t.Context(), "health", start.Add(time.Duration(c.begun)*time.Millisecond), c.after, c.limit))(t)
			same(t, fmt.Sprintf("RunsBefore %s, %d", c.after, c.limit), c.want, ids(got))
		}
	}},
	{"retries", func(t *testing.T, s Stores) {
		for _, id := range []string{"q1~2", "q1", "q1~a0123", "q1~1", "q10~1", "q1-~1", "q2~1"} {
			_ = must(s.EnsureRun(t.Context(), aRun("health", id)))(t)
		}
		same(t, "RetriesOf", []string{"health.q1~1", "health.q1~2", "health.q1~a0123"}, ids(must(s.RetriesOf(t.Context(), "health.q1"))(t)))
		same(t, "RetriesOf of none", []string(nil), ids(must(s.RetriesOf(t.Context(), "health.q3"))(t)))
	}},
	{"many open", func(t *testing.T, s Stores) {
		var want []string
		for _, id := range names("q", 110) {
			_ = must(s.EnsureRun(t.Context(), aRun("health", id)))(t)
			want = append(want, "health."+id)
		}
		wantOpen(t, s, want...)
	}},
	{"reopened", func(t *testing.T, s Stores) {
		r := bracketed("health", "1")
		ok(t, s.BeginRun(t.Context(), r, ""))
		s = s.Reopen()
		same(t, "Run", r, must(s.Run(t.Context(), r.ID))(t))
		same(t, "Latest", r.ID, must(s.Latest(t.Context(), "health"))(t))
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
	got := ids(must(s.LiveRuns(t.Context()))(t))
	slices.Sort(got)
	slices.Sort(want)
	same(t, "LiveRuns", want, got)
}
