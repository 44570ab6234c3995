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
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// lists are entries and errors as a process that died, or did a thing twice, leaves them.
type lists struct {
	entries []run.Listed
	errors  map[string]run.RowError
}

func (l *lists) ListErrors(_ context.Context, _, from string, limit int, each func(run.Listed) bool) (bool, error) {
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
	r := view.New(view.Config{Stores: runs.Stores{Lists: l}, Now: func() time.Time { return at(9) }})
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

// FuzzCursor: no cursor breaks a page.
func FuzzCursor(f *testing.F) {
	f.Add("MDAx")
	f.Add("")
	l := &lists{errors: map[string]run.RowError{}}
	l.store(false, anError(1, 1, viewtest.Start), anError(2, 1, viewtest.Start))
	r := view.New(view.Config{Stores: runs.Stores{Lists: l}, Now: func() time.Time { return viewtest.Start }})
	f.Fuzz(func(t *testing.T, after string) {
		if page, err := r.Errors(t.Context(), view.Filter{After: after}); err == nil && len(page.Errors) > 2 {
			t.Errorf("%+v", page)
		}
	})
}
