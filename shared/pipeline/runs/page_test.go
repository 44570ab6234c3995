package runs_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

// storeRuns stores runs, an hour apart, the last one an hour ago.
func (w *world) storeRuns(n int) []run.Run {
	w.t.Helper()
	var all []run.Run
	for i := range n {
		r := run.Run{ID: run.BegunID(syncName, fmt.Sprint(i)), Sync: syncName, Status: run.Complete, BegunAt: w.now.Add(-time.Duration(n-i) * time.Hour)}
		_, err := w.store.EnsureRun(w.t.Context(), r)
		w.ok(err)
		all = append(all, r)
	}
	return all
}

// pages reads all pages of a sync's runs, newest first.
func (w *world) pages(p runs.Page) (ids []string, pages int) {
	w.t.Helper()
	for {
		s, err := w.control.StatusPage(w.t.Context(), syncName, p)
		w.ok(err)
		for _, r := range s.Runs {
			ids = append(ids, r.ID)
		}
		pages++
		if p.After = s.Next; s.Next == "" {
			return ids, pages
		}
	}
}

func TestStatusPages(t *testing.T) {
	w := newWorld(t, nil)
	all := w.storeRuns(250)
	if s := w.status(syncName); len(s.Runs) != 10 || s.Next != "" {
		t.Errorf("%d runs, next %q: want the last ones only", len(s.Runs), s.Next)
	}
	for _, c := range []struct {
		since       time.Duration // ago
		runs, pages int
	}{{1000 * time.Hour, 250, 3}, {250 * time.Hour, 250, 3}, {100 * time.Hour, 100, 2}, {99*time.Hour + time.Minute, 99, 1}, {time.Minute, 0, 1}} {
		ids, pages := w.pages(runs.Page{Since: w.now.Add(-c.since)})
		if len(ids) != c.runs || pages != c.pages {
			t.Errorf("since %s ago: %d runs on %d pages, want %d on %d", c.since, len(ids), pages, c.runs, c.pages)
		}
		for n, id := range ids {
			if want := all[len(all)-1-n].ID; id != want {
				t.Fatalf("since %s ago: run %d is %s, want %s", c.since, n, id, want)
			}
		}
	}
	for _, after := range []string{"nonsense", "7#other.r1", "x#" + all[0].ID} {
		_, err := w.control.StatusPage(t.Context(), syncName, runs.Page{After: after})
		refusal(t, err, "no place in the runs")
	}
}

// A run whose rows were sent again since is there, once, whenever it was begun.
func TestStatusPageShowsWhatIsSentAgain(t *testing.T) {
	w := newWorld(t, nil)
	all := w.storeRuns(20)
	for _, id := range []string{run.AskedID(all[3].ID, "a"), run.AskedID(all[3].ID, "b"), run.AskedID(all[19].ID, "c"), run.AskedID(syncName+".rgone", "d")} {
		_, err := w.store.EnsureRun(t.Context(), run.Run{ID: id, Sync: syncName, Original: run.OriginalOf(id), Status: run.Complete, BegunAt: w.now, Counts: run.Counts{Received: 2, Delivered: 2}})
		w.ok(err)
	}
	s, err := w.control.StatusPage(t.Context(), syncName, runs.Page{Since: w.now.Add(-time.Hour)})
	w.ok(err)
	got := map[string]int64{}
	for _, r := range s.Runs {
		got[r.ID] = r.Retried
	}
	if len(s.Runs) != 2 || got[all[3].ID] != 4 || got[all[19].ID] != 2 {
		t.Errorf("%v, want what was delivered since of two runs", got)
	}
}

func TestErrorsSince(t *testing.T) {
	w := newWorld(t, nil)
	r := w.storeRuns(1)[0]
	for n := range 3 {
		w.ok(w.store.StoreErrors(t.Context(), []run.RowError{{Sync: syncName, Run: r.ID, Batch: "b", Row: n, At: w.now.Add(time.Duration(n) * time.Minute)}}))
	}
	errs, next, err := w.control.RunErrorsSince(t.Context(), r.ID, 2, "", w.now.Add(time.Minute))
	w.ok(err)
	if len(errs) != 1 || errs[0].Row != 1 || next == "" {
		t.Errorf("%+v, next %q: want row 1 and more", errs, next)
	}
	if errs, next, err = w.control.RunErrorsSince(t.Context(), r.ID, 2, next, w.now.Add(time.Minute)); err != nil || len(errs) != 1 || errs[0].Row != 2 || next != "" {
		t.Errorf("%+v, next %q, %v: want row 2 alone", errs, next, err)
	}
}

func TestParseSince(t *testing.T) {
	for text, want := range map[string]string{
		"": "0001-01-01T00:00:00Z", "2026-01-05T12:00:00Z": "2026-01-05T12:00:00Z", "2026-01-05T13:00:00.5+01:00": "2026-01-05T12:00:00.5Z",
		"2026-01-05 12:00:00": "2026-01-05T12:00:00Z", "2026-01-05 12:00:00.123456": "2026-01-05T12:00:00.123456Z",
		"2026-01-05 14:00:00+02": "2026-01-05T12:00:00Z", "2026-01-05": "2026-01-05T00:00:00Z", "yesterday": "refused", "1767614400": "refused",
	} {
		at, err := runs.ParseSince(text)
		got := at.UTC().Format(time.RFC3339Nano)
		if err != nil {
			refusal(t, err, "since is no time")
			got = "refused"
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// penstock_syncs says what a run reads and how late is too late.
func TestListSyncs(t *testing.T) {
	w := newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Model, d.Frequency, d.Freshness, d.StoreSource = "analytics.accounts", "daily", &syncdef.Freshness{StaleAfter: "72h"}, syncdef.StoreNone
	})
	list, err := w.control.ListSyncs(t.Context())
	w.ok(err)
	if len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	s := list[0]
	if s.Model != "analytics.accounts" || s.Cursor != "at" || s.Source != syncdef.StoreNone || s.Lateness != (frequency.Lateness{Interval: 1440, Warn: 2880, Stale: 4320, Dashboard: 4320}) {
		t.Errorf("%+v", s)
	}
}

// In JSON a run is called run, as it is everywhere.
func TestRunIsCalledRun(t *testing.T) {
	b, err := json.Marshal(runs.RunStatus{Run: run.Run{ID: "s.r1", Sync: "s"}, Due: 2})
	if err != nil || !strings.HasPrefix(string(b), `{"run":"s.r1","sync":"s",`) || strings.Contains(string(b), `"id"`) {
		t.Fatalf("%s, %v", b, err)
	}
	var r runs.RunStatus
	if err := json.Unmarshal(b, &r); err != nil || r.ID != "s.r1" || r.Sync != "s" || r.Due != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}
