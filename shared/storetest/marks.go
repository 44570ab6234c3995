package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

var markTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		_, err := s.Mark(t.Context(), "health", target, "updated")
		fails(t, "Mark", err, run.ErrNotFound)
		ok(t, s.ResetMarks(t.Context(), "health"))
		m := aMark("updated", "1")
		m.Revision = 1
		fails(t, "SetMark over none", s.SetMark(t.Context(), m), run.ErrConflict)
	}},
	{"compare and set", func(t *testing.T, s Stores) {
		m := aMark("updated", "9007199254740993")
		ok(t, s.SetMark(t.Context(), m))
		fails(t, "SetMark of one that was read before", s.SetMark(t.Context(), m), run.ErrConflict)
		wantMark(t, s, m, 1)
		m.Revision, m.Value, m.Past = 1, "5", nil
		ok(t, s.SetMark(t.Context(), m))
		fails(t, "SetMark again", s.SetMark(t.Context(), m), run.ErrConflict)
		wantMark(t, s, m, 2)
	}},
	{"by sync, target and column", func(t *testing.T, s Stores) {
		all := []run.Mark{aMark("updated", "1"), aMark("created", "2"), aMark("", ""), aMark("updated", "4"), aMark("updated", "5"), aMark("größe#x", "6")}
		all[3].Target = target + "2"
		all[4].Sync = "health2"
		for _, m := range all {
			ok(t, s.SetMark(t.Context(), m))
		}
		for _, m := range all {
			wantMark(t, s, m, 1)
		}
		ok(t, s.ResetMarks(t.Context(), "health"))
		for _, m := range all {
			if m.Sync == "health" {
				_, err := s.Mark(t.Context(), m.Sync, m.Target, m.Column)
				fails(t, "Mark after the reset", err, run.ErrNotFound)
			}
		}
		wantMark(t, s, all[4], 1)
		m := all[0]
		m.Revision = 1
		fails(t, "SetMark over one that was reset", s.SetMark(t.Context(), m), run.ErrConflict)
		ok(t, s.SetMark(t.Context(), all[0]))
	}},
	{"raced", func(t *testing.T, s Stores) {
		for revision := range int64(2) {
			if n := won(t, 8, func(i int) error {
				m := aMark("updated", fmt.Sprint(i))
				m.Revision = revision
				return s.SetMark(t.Context(), m)
			}); n != 1 {
				t.Errorf("%d marks were stored over revision %d, want 1", n, revision)
			}
		}
	}},
	{"with the run that is complete (I4)", func(t *testing.T, s Stores) {
		r, m := bracketed("health", "1"), aMark("updated", "7")
		ok(t, s.BeginRun(t.Context(), r, ""))
		done := r
		done.Status, done.EndedAt = run.Complete, start.Add(time.Hour)
		ok(t, s.CompleteRun(t.Context(), done, m))
		done.Revision++
		same(t, "Run", done, must(s.Run(t.Context(), r.ID))(t))
		wantMark(t, s, m, 1)
		wantOpen(t, s)
		// Neither is stored when either was changed.
		later := done
		later.Reason = "later"
		fails(t, "a mark that was changed", s.CompleteRun(t.Context(), later, m), run.ErrConflict)
		same(t, "Run", done, must(s.Run(t.Context(), r.ID))(t))
		m.Revision, m.Value = 1, "8"
		later.Revision--
		fails(t, "a run that was changed", s.CompleteRun(t.Context(), later, m), run.ErrConflict)
		m.Value = "7"
		wantMark(t, s, m, 1)
		fails(t, "a run that is absent", s.CompleteRun(t.Context(), bracketed("health", "none"), m), run.ErrConflict)
		later.Revision, m.Value = done.Revision, "8"
		ok(t, s.CompleteRun(t.Context(), later, m))
		wantMark(t, s, m, 2)
	}},
	{"completed twice at once (I4)", func(t *testing.T, s Stores) {
		r := bracketed("health", "1")
		ok(t, s.BeginRun(t.Context(), r, ""))
		r.Status = run.Complete
		if n := won(t, 8, func(i int) error {
			mine := r
			mine.Reason = fmt.Sprint(i)
			return s.CompleteRun(t.Context(), mine, aMark("updated", fmt.Sprint(i)))
		}); n != 1 {
			t.Errorf("%d sweepers completed it, want 1", n)
		}
		stored := must(s.Run(t.Context(), r.ID))(t)
		if m := must(s.Mark(t.Context(), "health", target, "updated"))(t); m.Value != stored.Reason {
			t.Errorf("the mark is %s's, the run is %s's", m.Value, stored.Reason)
		}
	}},
	{"reopened", func(t *testing.T, s Stores) {
		m := aMark("updated", "7")
		ok(t, s.SetMark(t.Context(), m))
		s = s.Reopen()
		wantMark(t, s, m, 1)
	}},
}

func aMark(column, value string) run.Mark {
	return run.Mark{
		Sync: "health", Target: target, Column: column, Value: value, Type: "number", Version: "v1", Low: `"a"`, At: start,
		Past: []run.Past{{At: start, Cursor: `"é"`}, {At: start.Add(time.Hour), Cursor: value}},
	}
}

// wantMark checks that m is what is stored, with a revision.
func wantMark(t *testing.T, s Stores, m run.Mark, revision int64) {
	t.Helper()
	m.Revision = revision
	same(t, "Mark", m, must(s.Mark(t.Context(), m.Sync, m.Target, m.Column))(t))
}

var haltTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		_, err := s.Halt(t.Context(), "health", "v1")
		fails(t, "Halt", err, run.ErrNotFound)
		ok(t, s.DeleteHalt(t.Context(), "health", "v1"))
	}},
	{"compare and set", func(t *testing.T, s Stores) {
		h := aHalt("v1")
		ok(t, s.SetHalt(t.Context(), h))
		ok(t, s.SetHalt(t.Context(), aHalt("v2")))
		fails(t, "SetHalt of one that was read before", s.SetHalt(t.Context(), h), run.ErrConflict)
		h.Revision = 1
		same(t, "Halt", h, must(s.Halt(t.Context(), "health", "v1"))(t))
		h.Tries++
		ok(t, s.SetHalt(t.Context(), h))
		h.Revision++
		s = s.Reopen()
		same(t, "Halt", h, must(s.Halt(t.Context(), "health", "v1"))(t))
		ok(t, s.DeleteHalt(t.Context(), "health", "v1"))
		_, err := s.Halt(t.Context(), "health", "v1")
		fails(t, "Halt that was ended", err, run.ErrNotFound)
		fails(t, "SetHalt over one that was ended", s.SetHalt(t.Context(), h), run.ErrConflict)
		if other := must(s.Halt(t.Context(), "health", "v2"))(t); other.Revision != 1 {
			t.Errorf("the other version's halt: %+v", other)
		}
	}},
	{"raced", func(t *testing.T, s Stores) {
		for revision := range int64(2) {
			if n := won(t, 8, func(i int) error {
				h := aHalt("v1")
				h.Tries, h.Revision = i, revision
				return s.SetHalt(t.Context(), h)
			}); n != 1 {
				t.Errorf("%d workers may try over revision %d, want 1", n, revision)
			}
		}
	}},
}

func aHalt(version string) run.Halt {
	return run.Halt{
		Sync: "health", Version: version, Tries: 1, Since: start, Next: start.Add(10 * time.Minute),
		Code: "INVALID_FIELD", Field: "Größe__c", Reason: "no such field", Runs: []string{"health.q1", "health.q2"},
	}
}
