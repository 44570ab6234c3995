package view_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/app/view/viewtest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// lists are entries and errors as a process that died, or did a thing twice, leaves them.
type lists struct {
	entries []run.Listed
	errors  map[string]run.RowError
	ledger  map[ledger.Place]ledger.Entry
	run     run.Run // the only one
	looks   int
}

func (l *lists) stores() runs.Stores {
	return runs.Stores{Runs: theRun{l: l}, Overviews: theOverview{}, Lists: l, Places: l}
}

type theRun struct {
	runs.Runs
	l *lists
}

func (r theRun) Run(_ context.Context, id string) (run.Run, error) {
	if id != r.l.run.ID {
		return run.Run{}, run.ErrNotFound
	}
	return r.l.run, nil
}

// stored is the interface by another name than that of its method.
type stored = runs.Overviews

type theOverview struct{ stored }

func (theOverview) Overviews(context.Context, map[string]int64) ([]run.Overview, error) {
	return []run.Overview{{Sync: "s", Target: "now"}}, nil
}

func (l *lists) Places(_ context.Context, places []ledger.Place) (map[ledger.Place]ledger.Entry, error) {
	out := map[ledger.Place]ledger.Entry{}
	for _, p := range places {
		if e, ok := l.ledger[p]; ok {
			out[p] = e
		}
	}
	return out, nil
}

func (l *lists) ListErrors(_ context.Context, _, from string, limit int, each func(run.Listed) bool) (bool, error) {
	l.looks++
	for n, e := range l.entries {
		if from != "" && e.Key > from {
			continue
		}
		if limit--; !each(e) || limit == 0 {
			return n < len(l.entries)-1, nil
		}
	}
	return false, nil
}

func (l *lists) SomeErrors(_ context.Context, refs []string) (map[string]run.RowError, error) {
	out := map[string]run.RowError{}
	for _, ref := range refs {
		if e, ok := l.errors[ref]; ok {
			out[ref] = e
		}
	}
	return out, nil
}

// store lists errors, the last first, and stores them unless dead says that the process
// died in between.
func (l *lists) store(dead bool, errs ...run.RowError) {
	for _, entry := range run.List(errs) {
		entry.Key = entry.Place()
		l.entries = append(l.entries, entry)
	}
	slices.SortFunc(l.entries, func(a, b run.Listed) int { return -compare(a.Key, b.Key) })
	for _, e := range errs {
		if stored, ok := l.errors[e.Ref()]; !dead && (!ok || stored.Attempts < e.Attempts) {
			l.errors[e.Ref()] = e
		}
	}
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func anError(row, attempts int, at time.Time) run.RowError {
	return run.RowError{Sync: "s", Run: "s.r1", Batch: "b", Row: row, RecordID: fmt.Sprint("r", row), Type: "BUSY", Stage: "deliver", Message: "no", Attempts: attempts, At: at}
}

// An error is listed once, at its last try, whatever died before or after it was listed,
// happened twice or late.
func TestErrorsAreListedOnce(t *testing.T) {
	l := &lists{errors: map[string]run.RowError{}}
	at := func(m int) time.Time { return viewtest.Start.Add(time.Duration(m) * time.Minute) }
	l.store(true, anError(1, 1, at(0)))                        // died before the error
	l.store(false, anError(1, 1, at(1)), anError(2, 1, at(1))) // and did it again
	l.store(false, anError(2, 1, at(2)))                       // twice: what is stored stays
	l.store(false, anError(1, 2, at(3)))                       // a later try
	l.store(true, anError(3, 1, at(4)))                        // died
	l.store(false, run.RowError{Sync: "s", Run: "s.r1", Batch: "b", Row: -1, Summary: []int{4, 5}, Type: "BUSY", Stage: "deliver", At: at(5)})
	r := view.New(view.Config{Stores: l.stores(), Now: func() time.Time { return at(9) }})
	for limit := 1; limit <= 100; limit += 9 {
		var got []string
		f := view.Filter{Sync: "s", Limit: limit}
		for pages := 0; ; pages++ {
			page, err := r.Errors(t.Context(), f)
			if err != nil || pages > 20 {
				t.Fatal(pages, err)
			}
			for _, e := range page.Errors {
				got = append(got, fmt.Sprint(e.RecordID, "@", e.Attempts, "x", e.Rows))
			}
			if f.After = page.Next; f.After == "" {
				break
			}
		}
		if want := []string{"@0x2", "r1@2x1", "r2@1x1"}; !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v, want %v", limit, got, want)
		}
	}
	page, err := r.Errors(t.Context(), view.Filter{Record: "r2"})
	if err != nil || len(page.Errors) != 1 || page.Errors[0].RecordID != "r2" {
		t.Errorf("of a record: %+v, %v", page, err)
	}
	var refused *row.Refusal
	if _, err := r.Errors(t.Context(), view.Filter{After: "no place"}); !errors.As(err, &refused) {
		t.Errorf("a cursor of somebody's own: %v", err)
	}
}

// A page that finds none looks further, and where it ends without having looked at all it
// says where the page after goes on.
func TestErrorsLookFurther(t *testing.T) {
	l := &lists{errors: map[string]run.RowError{}}
	at := func(n int) time.Time { return viewtest.Start.Add(time.Duration(n) * time.Second) }
	one := func(id string, n int, kind string) run.RowError {
		return run.RowError{Sync: "s", Run: "s." + id, Batch: fmt.Sprint("b", n), RecordID: fmt.Sprint("r", n), Type: kind, Stage: "deliver", Message: "no: " + kind, Attempts: 1, At: at(n)}
	}
	add := func(e run.RowError) { // each is newer than those before
		for _, entry := range run.List([]run.RowError{e}) {
			entry.Key = entry.Place()
			l.entries = append(l.entries, entry)
		}
		l.errors[e.Ref()] = e
	}
	add(one("r0000000000000001", 0, "OLD"))
	for n := 1; n <= 12_000; n++ {
		add(one("r0000000000000002", n, "BUSY"))
	}
	slices.Reverse(l.entries)
	l.run = run.Run{ID: "s.r0000000000000002", BegunAt: at(9000)}
	r := view.New(view.Config{Stores: l.stores(), Now: func() time.Time { return at(13_000) }})
	for name, c := range map[string]struct {
		f     view.Filter
		pages int // until it is known
		found int
	}{
		"the newest":               {view.Filter{Sync: "s", Limit: 1}, 1, 1},
		"a type":                   {view.Filter{Sync: "s", Type: "OLD"}, 2, 1},
		"a record":                 {view.Filter{Sync: "s", Record: "r9000"}, 1, 1},
		"the oldest record":        {view.Filter{Sync: "s", Record: "r0"}, 2, 1},
		"a run":                    {view.Filter{Run: "s.r0000000000000001"}, 2, 1},
		"none of a run":            {view.Filter{Run: "s.r0000000000000002", Type: "OLD"}, 1, 0},
		"a retry's":                {view.Filter{Run: "s.r0000000000000001~2"}, 2, 1},
		"nobody's type":            {view.Filter{Sync: "s", Type: "NONE"}, 2, 0},
		"a text":                   {view.Filter{Sync: "s", Text: "no: old"}, 14, 1},
		"a text of some in a page": {view.Filter{Sync: "s", Text: "r11"}, 1, 19},
	} {
		l.looks = 0
		pages := 0
		var page view.Errors
		for pages = 1; ; pages++ {
			var err error
			if page, err = r.Errors(t.Context(), c.f); err != nil {
				t.Fatal(name, err)
			}
			if len(page.Errors) > 0 || page.Next == "" {
				break
			}
			if page.Since.IsZero() || !page.Further {
				t.Fatalf("%s: page %d ends without a word of where: %+v", name, pages, page)
			}
			c.f.After = page.Next
		}
		if pages != c.pages || len(page.Errors) != c.found || l.looks > 10*pages {
			t.Errorf("%s: %d errors on page %d after %d looks, want %d on page %d", name, len(page.Errors), pages, l.looks, c.found, c.pages)
		}
	}
}

// No page shows an error twice or leaves one out, whichever are meant.
func TestErrorsOfATextPageByPage(t *testing.T) {
	l := &lists{errors: map[string]run.RowError{}}
	for n := range 60 {
		var some []run.RowError
		for i := range 10 {
			e := anError(10*n+i, 1, viewtest.Start.Add(time.Duration(n)*time.Second))
			if e.Batch = fmt.Sprint("b", n); n%20 == 19 || n == 0 {
				e.Message = "tea"
			}
			some = append(some, e)
		}
		l.store(false, some...)
	}
	r := view.New(view.Config{Stores: l.stores(), Now: func() time.Time { return viewtest.Start }})
	for limit := 1; limit <= 40; limit += 3 {
		seen := map[string]bool{}
		f := view.Filter{Sync: "s", Text: "TEA", Limit: limit}
		for {
			page, err := r.Errors(t.Context(), f)
			if err != nil || len(page.Errors) > limit {
				t.Fatal(len(page.Errors), err)
			}
			for _, e := range page.Errors {
				if seen[e.Ref] {
					t.Fatalf("pages of %d: %s twice", limit, e.Ref)
				}
				seen[e.Ref] = true
			}
			if f.After = page.Next; f.After == "" {
				break
			}
		}
		if len(seen) != 40 {
			t.Errorf("pages of %d: %d errors, want 40", limit, len(seen))
		}
	}
}

// An error is open while the ledger names it.
func TestSettledErrors(t *testing.T) {
	l := &lists{errors: map[string]run.RowError{}, ledger: map[ledger.Place]ledger.Entry{}}
	var refs []string
	add := func(row int, target, key string, sequence int64) {
		e := anError(row, 1, viewtest.Start.Add(time.Duration(row)*time.Second))
		e.Target, e.Key, e.Sequence = target, key, sequence
		l.store(false, e)
		refs = append(refs, e.Ref())
	}
	add(0, "now", "failed twice", 1)
	add(1, "now", "failed twice", 2)
	add(2, "now", "mended", 1)
	add(3, "before", "of another account", 1)
	add(4, "", "rejected", 1)
	add(5, "", "rejected", 2)
	add(6, "", "mended", 2)
	add(7, "", "", 1)
	add(8, "now", "maybe sent", 1)
	add(9, "now", "forgotten", 1)
	enter := func(target, key string, last ledger.Last) {
		l.ledger[ledger.Place{Target: target, Key: key}] = ledger.Entry{Last: last}
	}
	enter("now", "failed twice", ledger.Last{Error: refs[1], Sequence: 2})
	enter("now", "mended", ledger.Last{Sequence: 3})
	enter("before", "of another account", ledger.Last{Error: refs[3], Sequence: 1})
	enter("now", "maybe sent", ledger.Last{Error: refs[8], Sequence: 1, Unknown: true})
	r := view.New(view.Config{Stores: l.stores(), Now: func() time.Time { return viewtest.Start }})
	page, err := r.Errors(t.Context(), view.Filter{Sync: "s"})
	if err != nil || len(page.Errors) != 10 {
		t.Fatal(page, err)
	}
	var open []string
	for _, e := range page.Errors {
		if !e.Settled {
			open = append(open, e.RecordID)
		}
	}
	if want := []string{"r7", "r5", "r1"}; !slices.Equal(open, want) {
		t.Errorf("open: %v, want %v", open, want)
	}
}

// FuzzCursor: no cursor breaks a page.
func FuzzCursor(f *testing.F) {
	f.Add("MDAx")
	f.Add("")
	l := &lists{errors: map[string]run.RowError{}}
	l.store(false, anError(1, 1, viewtest.Start), anError(2, 1, viewtest.Start))
	r := view.New(view.Config{Stores: l.stores(), Now: func() time.Time { return viewtest.Start }})
	f.Fuzz(func(t *testing.T, after string) {
		if page, err := r.Errors(t.Context(), view.Filter{After: after}); err == nil && len(page.Errors) > 2 {
			t.Errorf("%+v", page)
		}
	})
}
