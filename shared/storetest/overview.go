package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

var overviewTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		_, err := s.Overview(t.Context(), "health")
		fails(t, "Overview", err, run.ErrNotFound)
		if all := must(s.Overviews(t.Context(), nil))(t); len(all) != 0 {
			t.Errorf("%d overviews", len(all))
		}
		ok(t, s.DeleteOverview(t.Context(), "health"))
	}},
	{"compare and set", func(t *testing.T, s Stores) {
		o := anOverview("health")
		ok(t, s.SetOverview(t.Context(), o))
		ok(t, s.SetOverview(t.Context(), anOverview("a_health")))
		fails(t, "SetOverview of one that was read before", s.SetOverview(t.Context(), o), run.ErrConflict)
		o.Revision = 1
		s = s.Reopen()
		same(t, "Overview", o, must(s.Overview(t.Context(), "health"))(t))
		o.Running, o.Lines, o.Halt, o.Gate, o.Freshness = nil, nil, nil, nil, nil
		ok(t, s.SetOverview(t.Context(), o))
		o.Revision++
		same(t, "Overview over another", o, must(s.Overview(t.Context(), "health"))(t))
		all := must(s.Overviews(t.Context(), map[string]int64{"a_health": 1, "health": 1, "other": 1}))(t)
		same(t, "Overviews", []run.Overview{{Sync: "a_health", Revision: 1}, o}, all)
		ok(t, s.DeleteOverview(t.Context(), "health"))
		same(t, "Overviews", 1, len(must(s.Overviews(t.Context(), nil))(t)))
		fails(t, "SetOverview of a deleted one", s.SetOverview(t.Context(), o), run.ErrConflict)
	}},
	{"raced", func(t *testing.T, s Stores) {
		for revision := range int64(2) {
			if n := won(t, 8, func(int) error {
				o := anOverview("health")
				o.Revision = revision
				return s.SetOverview(t.Context(), o)
			}); n != 1 {
				t.Errorf("%d stored over revision %d, want 1", n, revision)
			}
		}
	}},
	{"some runs", func(t *testing.T, s Stores) {
		var want []run.Run
		for i := range 3 {
			r := must(s.EnsureRun(t.Context(), aRun("health", fmt.Sprint("q", i))))(t)
			want = append(want, r)
		}
		open := must(s.SomeOpenRuns(t.Context(), 2))(t)
		same(t, "SomeOpenRuns", []string{"health.q0", "health.q1"}, open)
		r := want[0]
		r.Status = run.Cancelled
		ok(t, s.UpdateRun(t.Context(), r))
		r.Revision++
		same(t, "SomeOpenRuns after one ended", []string{"health.q1", "health.q2"}, must(s.SomeOpenRuns(t.Context(), 9))(t))
		found := must(s.SomeRuns(t.Context(), []string{"health.q0", "health.q2", "health.q9"}))(t)
		same(t, "SomeRuns", map[string]run.Run{"health.q0": r, "health.q2": want[2]}, found)
		same(t, "no runs", 0, len(must(s.SomeRuns(t.Context(), nil))(t)))
	}},
	{"places", func(t *testing.T, s Stores) {
		entry := func(key string) ledger.Entry {
			return ledger.Entry{Key: key, Held: ledger.Held{Fingerprint: row.Fingerprint{1}, ID: "id " + key, Sequence: 2}, Last: ledger.Last{Run: "health.r1", Sequence: 2}}
		}
		must(s.Commit(t.Context(), "health#crm#A", []ledger.Entry{entry("größe"), entry("k")}))(t)
		must(s.Commit(t.Context(), "other#crm#A", []ledger.Entry{entry("k")}))(t)
		a, b, none := ledger.Place{Target: "health#crm#A", Key: "größe"}, ledger.Place{Target: "other#crm#A", Key: "k"}, ledger.Place{Target: "other#crm#A", Key: "größe"}
		found := must(s.Places(t.Context(), []ledger.Place{a, b, none, a}))(t)
		if len(found) != 2 || found[a].Held.ID != "id größe" || found[b].Held.ID != "id k" {
			t.Errorf("%+v", found)
		}
		same(t, "no places", 0, len(must(s.Places(t.Context(), nil))(t)))
	}},
	{"listed errors", listedErrors},
	{"listed errors of many", func(t *testing.T, s Stores) {
		var errs []run.RowError
		for i := range 4500 {
			e := anErrorAt("health", i, start)
			e.Type = fmt.Sprintf("TYPE_%d", i%3)
			errs = append(errs, e)
		}
		errs = append(errs, anErrorAt("health_eu", 1, start))
		ok(t, s.StoreErrors(t.Context(), errs))
		rows := 0
		for _, l := range listAll(t, s, "health", 2) {
			rows += len(must(l.Numbers())(t))
		}
		if n := len(listAll(t, s, run.EveryError, 2)); rows != 4500 || n != 4 {
			t.Errorf("%d rows of the sync, %d entries of all", rows, n)
		}
	}},
}

// listedErrors: the newest first, of a sync and of all, a page at a time; stored twice they
// are listed once, and a later try is a later entry.
func listedErrors(t *testing.T, s Stores) {
	for i := range 5 {
		ok(t, s.StoreErrors(t.Context(), []run.RowError{anErrorAt("health", i, start.Add(time.Duration(i)*time.Minute))}))
	}
	eu := anErrorAt("health_eu", 9, start.Add(2*time.Minute+time.Second))
	ok(t, s.StoreErrors(t.Context(), []run.RowError{eu}))
	ok(t, s.StoreErrors(t.Context(), []run.RowError{eu}))
	rowsOf := func(all []run.Listed) (out []int) {
		for _, l := range all {
			out = append(out, must(l.Numbers())(t)...)
		}
		return out
	}
	s = s.Reopen()
	same(t, "of the sync", []int{4, 3, 2, 1, 0}, rowsOf(listAll(t, s, "health", 2)))
	same(t, "of all", []int{4, 3, 9, 2, 1, 0}, rowsOf(listAll(t, s, run.EveryError, 4)))
	same(t, "of nothing", 0, len(listAll(t, s, "nothing", 4)))
	var until []run.Listed
	more, err := s.ListErrors(t.Context(), "health", run.ListedFrom(start.Add(90*time.Second)), 9, func(l run.Listed) bool { until = append(until, l); return true })
	if ok(t, err); more {
		t.Error("more than all")
	}
	same(t, "until then", []int{1, 0}, rowsOf(until))
	calls := 0
	if more, err = s.ListErrors(t.Context(), "health", "", 9, func(run.Listed) bool { calls++; return false }); err != nil || !more || calls != 1 {
		t.Errorf("stopped after %d calls: %v, %v", calls, more, err)
	}

	again := anErrorAt("health", 0, start.Add(time.Hour))
	again.Attempts++
	ok(t, s.StoreErrors(t.Context(), []run.RowError{again}))
	all := listAll(t, s, "health", 3)
	if len(all) != 6 {
		t.Fatalf("%d entries", len(all))
	}
	newest, oldest := all[0], all[5]
	found := must(s.SomeErrors(t.Context(), []string{again.Ref(), eu.Ref(), "health.r1#b#77"}))(t)
	if e := found[again.Ref()]; len(found) != 2 || !newest.Names(&e) || oldest.Names(&e) || !newest.Marked(0, []uint32{run.RecordMark(e.RecordID)}) || !newest.Kinds[0].Is("deliver", e.Type, e.Field) || e.Source != nil {
		t.Errorf("%+v; %+v; %+v", found, newest, oldest)
	}
}

// listAll reads a list to its end.
func listAll(t *testing.T, s Stores, list string, limit int) (all []run.Listed) {
	t.Helper()
	from := ""
	for {
		var page []run.Listed
		more, err := s.ListErrors(t.Context(), list, from, limit, func(l run.Listed) bool { page = append(page, l); return true })
		ok(t, err)
		if len(page) > limit {
			t.Fatalf("%d entries, at most %d were asked for", len(page), limit)
		}
		for _, l := range page {
			if !slices.ContainsFunc(all, func(o run.Listed) bool { return o.Key == l.Key }) {
				all = append(all, l)
			}
		}
		if !more || len(page) == 0 {
			return all
		}
		from = page[len(page)-1].Key
	}
}

func anErrorAt(sync string, row int, at time.Time) run.RowError {
	return run.RowError{
		Sync: sync, Run: sync + ".r1", Batch: "b1", Row: row, RecordID: fmt.Sprint("größe", row), Key: fmt.Sprint("k", row), Type: "BUSY", Field: "Größe__c",
		Stage: "deliver", Message: "no", Attempts: 1, At: at, Source: []byte(`{"n":1}`),
	}
}

func anOverview(sync string) run.Overview {
	total, r := int64(7), aReading(sync)
	line := run.Line{ID: sync + ".r1", Mode: run.Full, Status: run.Complete, Outcome: run.Partial, BegunAt: start, EndedAt: start.Add(time.Minute), Counts: run.Counts{Received: 1 << 53, Failed: 2}, Reason: "<größe>"}
	r.Figures.Total = &total
	return run.Overview{
		Sync: sync, AsOf: start, Version: "v0123456789ab", AppliedAt: start, Connection: "crm", Type: "crm", Object: "Account", Operation: "upsert", Model: "m",
		Target: target, Identity: row.Identity{Steps: []row.Step{row.StepTrim}}, RecordLookup: "kept", Warn: 120, Stale: 240, Dashboard: 360, Frequency: "hourly", Next: start.Add(time.Hour),
		Success: start, SuccessRun: sync + ".r1", SuccessRows: 5, PreviousRows: -1, Lines: []run.Line{line, line},
		Running:   []run.Progress{{ID: sync + ".r2", Status: run.Open, BegunAt: start, AsOf: start, Expected: -1, Groups: []run.Group{{Stage: "deliver", Type: "busy", Rows: 3}}}},
		Watermark: `"é"`, MarkType: "text", MarkAt: start, Hold: `"d"`, Halt: &run.Halt{Sync: sync, Version: "v0123456789ab", Since: start, Reason: "x"},
		Pause: &run.Pause{Sync: sync, By: "x", At: start}, Account: run.AccountState{Since: start, Calls: 9, Per: 3600, Share: 0.5, Rate: 1},
		NotRight: 2, Due: 1, Gate: &run.Gate{Verdict: quality.Verdict{Decision: quality.Warn, Total: 9}, At: start}, GateRun: sync + ".r1",
		Alerts: []run.OpenAlert{{Kind: "quota", Since: start}}, Freshness: &r,
	}
}
