// Package viewtest fills a store with syncs, runs and errors, and holds the pages that are
// read from it to what they may ask and read. Nothing but tests imports it.
package viewtest

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Start is when all that Fill stores is as of.
var Start = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// Now is a minute after Start.
func Now() time.Time { return Start.Add(time.Minute) }

// Open fills a state of one machine, in memory, and gives a Reader of it at Now whose calls
// are counted.
func Open(t testing.TB, syncs, errs int) (*Counted, *view.Reader) {
	t.Helper()
	return open(t, "", syncs, errs)
}

// OpenFile is Open over a file.
func OpenFile(t testing.TB, syncs, errs int) (*Counted, *view.Reader) {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "state.db"), syncs, errs)
}

func open(t testing.TB, path string, syncs, errs int) (*Counted, *view.Reader) {
	t.Helper()
	s, err := sqlite.Open(path, Now)
	check(t, err)
	t.Cleanup(func() { check(t, s.Close()) })
	Fill(t, Stores{Definitions: s, Connections: s, Runs: s, Overviews: s, Errors: s, Ledger: s}, syncs, errs)
	c := Count(runs.Stores{Syncs: s, Runs: s, History: s, Overviews: s, Some: s, Lists: s, Places: s, Entries: s})
	return c, view.New(view.Config{Stores: c.Stores(), Now: Now})
}

// Stores are what Fill fills.
type Stores struct {
	Definitions runs.Definitions
	Connections runs.Connections
	Runs        intake.Runs
	Overviews   runs.Overviews
	Errors      intake.Errors
	Ledger      deliver.Ledger
}

// What Fill stores of each sync.
const (
	Connection = "crm"
	runsOf     = 20 // that have ended, and one that goes on
	firstRuns  = 70 // of the first sync
	errorsOf   = 100
)

func target(n int) string { return Name(n) + "#crm" }

// Name is the name of a sync.
func Name(n int) string { return fmt.Sprintf("sync_%02d", n) }

// Fill stores so many syncs, and so many errors of them in all.
func Fill(t testing.TB, s Stores, syncs, errs int) {
	t.Helper()
	ctx := t.Context()
	var g errgroup.Group
	g.SetLimit(8)
	check(t, s.Connections.PutConnection(ctx, syncdef.Connection{Name: Connection, Type: "crm"}))
	for n := range syncs {
		g.Go(func() error { return fill(ctx, s, n, errs/syncs) })
	}
	check(t, g.Wait())
}

func fill(ctx context.Context, s Stores, n, errs int) error {
	v := version(n)
	if err := s.Definitions.Apply(ctx, v); err != nil {
		return err
	}
	o := run.Overview{
		Sync: Name(n), AsOf: Start, Version: v.ID, AppliedAt: Start, Connection: Connection, Type: "crm", Object: "Account", Model: Name(n),
		Target: target(n), Warn: 120, Stale: 240, Dashboard: 360, Frequency: "hourly", Next: Start.Add(time.Hour),
	}
	var lines []run.Line
	count := runsOf
	if n == 0 {
		count = firstRuns
	}
	for i := range count + 1 {
		r, err := s.Runs.EnsureRun(ctx, aRun(n, i, true))
		if err != nil {
			return err
		}
		if i > 0 {
			r = aRun(n, i, false)
			if err := s.Runs.UpdateRun(ctx, r); err != nil {
				return err
			}
		}
		if i == 0 {
			o.Running = []run.Progress{{ID: r.ID, Status: run.Open, BegunAt: r.BegunAt, AsOf: Start, Expected: -1}}
			continue
		}
		lines = append(lines, run.LineOf(r))
	}
	run.Summarize(&o, lines)
	if err := s.Overviews.SetOverview(ctx, o); err != nil {
		return err
	}
	_, err := s.Ledger.Commit(ctx, o.Target, []ledger.Entry{{Key: "k0", Held: ledger.Held{Fingerprint: row.Fingerprint{1}, ID: "r0"}, Last: ledger.Last{Run: runID(n, 1), Error: run.ErrorRef(runID(n, 1), "b0", 0)}}})
	for at := 0; err == nil && at < errs; at += errorsOf {
		err = s.Errors.StoreErrors(ctx, someErrors(n, at, min(at+errorsOf, errs)))
	}
	return err
}

func version(n int) syncdef.Version {
	d := syncdef.Definition{Sync: Name(n), Connection: Connection, Object: "Account", Strategy: syncdef.MatchNone, Operation: syncdef.Upsert, RecordID: []string{"id"}, Lanes: 1}
	for i := range 10 {
		d.Fields = append(d.Fields, syncdef.Field{Source: fmt.Sprint("c", i), Destination: fmt.Sprint("F", i), Type: syncdef.String})
	}
	return syncdef.NewVersion(d, syncdef.Rules{Type: "crm"}, Start)
}

func runID(n, i int) string { return run.BegunID(Name(n), fmt.Sprint(i)) }

func aRun(n, i int, open bool) run.Run {
	at := Start.Add(-time.Duration(i) * time.Hour)
	r := run.Run{ID: runID(n, i), Sync: Name(n), Version: version(n).ID, Mode: run.Incremental, Bracketed: true, Status: run.Open, BegunAt: at, Expected: -1, Revision: 1}
	if open {
		return r
	}
	r.Status, r.Outcome, r.EndedAt, r.Expected = run.Complete, run.Partial, at.Add(time.Minute), 1000
	r.Counts = run.Counts{Received: 1000, Queued: 1000, Delivered: 900, Failed: 100, Calls: 5}
	for k := range run.MaxGroups {
		r.Groups = append(r.Groups, run.Group{Stage: "deliver", Type: fmt.Sprintf("TYPE_%02d", k), Field: "F1", Rows: 2})
	}
	return r
}

// someErrors are one message's errors of the sync's last run that has ended.
func someErrors(n, from, to int) []run.RowError {
	at := Start.Add(-time.Hour).Add(time.Duration(from) * time.Millisecond)
	var all []run.RowError
	for i := from; i < to; i++ {
		all = append(all, run.RowError{
			Sync: Name(n), Run: runID(n, 1), Batch: fmt.Sprint("b", from), Row: i, RecordID: fmt.Sprint("r", i), Key: fmt.Sprint("k", i), Target: target(n),
			Type: fmt.Sprintf("TYPE_%02d", i/20%run.MaxGroups), Field: "F1", Stage: "deliver", Message: "the field F1 does not take this", Attempts: 3, At: at,
			Source: []byte(`{"id":"r","c1":"a text of some length"}`),
		})
	}
	return all
}

// Pages are the pages, each of which is read once by its function.
var Pages = map[string]func(ctx context.Context, r *view.Reader) error{
	"overview": func(ctx context.Context, r *view.Reader) error { _, err := r.Overview(ctx); return err },
	"run":      func(ctx context.Context, r *view.Reader) error { _, err := r.Run(ctx, runID(0, 1)); return err },
	"live run": func(ctx context.Context, r *view.Reader) error { _, err := r.Run(ctx, runID(0, 0)); return err },
	"sync":     func(ctx context.Context, r *view.Reader) error { _, err := r.Sync(ctx, Name(0)); return err },
	"record": func(ctx context.Context, r *view.Reader) error {
		_, err := r.Record(ctx, Connection, "k0", "")
		return err
	},
	"errors": func(ctx context.Context, r *view.Reader) error { _, err := r.Errors(ctx, view.Filter{}); return err },
	"errors of a sync": func(ctx context.Context, r *view.Reader) error {
		_, err := r.Errors(ctx, view.Filter{Sync: Name(0)})
		return err
	},
	"errors of a type": func(ctx context.Context, r *view.Reader) error {
		_, err := r.Errors(ctx, view.Filter{Sync: Name(0), Type: "TYPE_07"})
		return err
	},
	"search": func(ctx context.Context, r *view.Reader) error {
		_, err := r.Errors(ctx, view.Filter{Text: "nothing says this"})
		return err
	},
}

// Most is what a page may ask and read at most: one that finds no error looks ten times for
// some.
func Most(page string) (queries, items int) {
	if page == "search" {
		return 25, 2200
	}
	return 5, 200
}

// Bounds reads every page; count says how much was asked and read since it was called last.
func Bounds(t *testing.T, r *view.Reader, syncs, errs int, count func() (queries, items int)) {
	t.Helper()
	for name, page := range Pages {
		count()
		if err := page(t.Context(), r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		queries, items := count()
		t.Logf("%s: %d queries, %d items", name, queries, items)
		if mostQueries, mostItems := Most(name); queries > mostQueries || items > mostItems || queries == 0 || items == 0 {
			t.Errorf("%s: %d queries and %d items; at most %d and %d", name, queries, items, mostQueries, mostItems)
		}
	}
	o, err := r.Overview(t.Context())
	check(t, err)
	if len(o.Syncs) != syncs || len(o.Syncs[0].Running) != 1 || len(o.Syncs[0].Spark) != run.OverviewRuns {
		t.Errorf("%d syncs, the first with %+v", len(o.Syncs), o.Syncs[0])
	}
	one, err := r.Run(t.Context(), runID(0, 1))
	check(t, err)
	for _, g := range one.Groups[:min(len(one.Groups), errs/syncs/20)] {
		if len(g.Samples) == 0 {
			t.Errorf("no error of %s is shown", g.Type)
			break
		}
	}
	walk(t, r, errs/syncs)
}

// walk reads all errors of a sync, page by page: each once, the newest first.
func walk(t *testing.T, r *view.Reader, want int) {
	t.Helper()
	seen := map[string]bool{}
	f, last := view.Filter{Sync: Name(0)}, Start
	for {
		page, err := r.Errors(t.Context(), f)
		check(t, err)
		for _, e := range page.Errors {
			if seen[e.Ref] || e.OccurredAt.After(last) {
				t.Fatalf("%s at %v after %v, or twice", e.Ref, e.OccurredAt, last)
			}
			seen[e.Ref], last = true, e.OccurredAt
		}
		if f.After = page.Next; f.After == "" {
			break
		}
	}
	if len(seen) != want {
		t.Errorf("%d errors were listed, there are %d", len(seen), want)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// LastRun is the last run of the first sync that has ended: all of its errors are of it.
func LastRun() string { return runID(0, 1) }
