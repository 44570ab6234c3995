package view

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// Errors is a page of stored errors, the newest first. Where it finds none it looks
// further, as far as a page may; Next says that there is more to look at.
func (r *Reader) Errors(ctx context.Context, f Filter) (Errors, error) {
	f.Run = run.OriginalOf(f.Run) // a retry's errors are those of the run whose rows it sends
	of := finding{filter: f, errors: usualErrors}
	if f.Limit > 0 {
		of.errors = min(mostErrors, f.Limit)
	}
	if f.Record != "" {
		of.marks = []uint32{run.RecordMark(f.Record), run.RecordMark(strings.TrimSpace(f.Record))}
	}
	if run.IsID(f.Run) {
		stored, err := r.stores.Runs.Run(ctx, f.Run)
		if err != nil && !missing(err) {
			return Errors{}, err
		}
		of.since = begun(stored.BegunAt)
	}
	page, err := r.find(ctx, of)
	if err != nil || len(page.errors) == 0 {
		return page.told(nil), err
	}
	all, err := r.overviews(ctx)
	if err != nil {
		return Errors{}, err
	}
	errs, err := r.told(ctx, page.errors, targetsOf(all), nil)
	return page.told(errs), err
}

// told is the page with its errors as they are told.
func (f found) told(errs []Error) Errors {
	out := Errors{Errors: errs, Next: f.next, Since: f.since, Further: f.further}
	if errs == nil {
		out.Errors = []Error{}
	}
	return out
}

// begun is a moment before which a run that began then has stored no error, whosever clock
// is slow; zero stays.
func begun(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return at.Add(-time.Minute)
}

// Error is one stored error with its source row, as far as that is stored and not personal;
// ErrNotFound.
func (r *Reader) Error(ctx context.Context, ref string) (Error, error) {
	id, _, _, err := run.ParseRef(ref)
	if err != nil {
		return Error{}, fmt.Errorf("error %.100q: %w", ref, errors.Join(ErrNotFound, err))
	}
	found, err := r.stores.Errors.ErrorsByRef(ctx, run.SyncOf(id), []string{ref})
	if err != nil {
		return Error{}, fmt.Errorf("read an error of run %q: %w", id, err)
	}
	e, ok := found[ref]
	if !ok {
		return Error{}, fmt.Errorf("error %.100q: %w", ref, ErrNotFound)
	}
	shown := []run.RowError{e}
	if err := r.stores.Hide(ctx, shown); err != nil {
		return Error{}, err
	}
	o, err := r.overview(ctx, e.Sync)
	if err != nil && !missing(err) {
		return Error{}, err
	}
	told, err := r.told(ctx, shown, map[string]string{e.Sync: o.Target}, nil)
	if err != nil {
		return Error{}, err
	}
	told[0].Stored, told[0].Source = len(e.Source) > 0, shown[0].Source
	return told[0], nil
}

// errorOf is an error without its source.
func errorOf(e *run.RowError) Error {
	return Error{
		Ref: e.Ref(), Sync: e.Sync, Run: e.Run, RecordID: e.RecordID, Key: e.Key, Version: e.Version, Stage: e.Stage, Type: e.Type, Field: e.Field,
		Message: e.Message, Attempts: e.Attempts, Due: e.Due, OccurredAt: e.At, Rows: max(1, len(e.Summary)),
	}
}

// takes reports whether an error is meant.
func (f *Filter) takes(e *run.RowError) bool {
	return (f.Sync == "" || e.Sync == f.Sync) && (f.Run == "" || e.Run == f.Run) && (f.Type == "" || e.Type == f.Type) &&
		(f.Stage == "" || e.Stage == f.Stage) && (f.Field == "" || e.Field == f.Field) &&
		(f.Record == "" || f.names(e, f.Record) || f.names(e, strings.TrimSpace(f.Record))) && f.says(e)
}

// names reports whether an error is of a record, by its id or key.
func (*Filter) names(e *run.RowError, record string) bool {
	return e.RecordID == record || e.Key == record
}

// says reports whether the text that is searched for is in an error.
func (f *Filter) says(e *run.RowError) bool {
	if f.Text == "" {
		return true
	}
	text := strings.ToLower(f.Text)
	return slices.ContainsFunc([]string{e.Message, e.RecordID, e.Key, e.Type, e.Field, e.Run}, func(s string) bool { return strings.Contains(strings.ToLower(s), text) })
}
