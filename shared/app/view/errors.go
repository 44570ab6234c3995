package view

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/run"
)

// Errors is a page of stored errors, the newest first.
func (r *Reader) Errors(ctx context.Context, f Filter) (Errors, error) {
	of := finding{filter: f, errors: usualErrors, lists: mostLists}
	if f.Limit > 0 {
		of.errors = min(mostErrors, f.Limit)
	}
	if f == (Filter{Sync: f.Sync, After: f.After, Limit: f.Limit}) { // each entry has some
		of.lists = min(of.errors, mostLists-1) + 1 // the first one may be known to its end
	}
	if f.Record != "" {
		of.marks = []uint32{run.RecordMark(f.Record)}
	}
	return r.find(ctx, of)
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
	one := []run.RowError{e}
	if err := r.stores.Hide(ctx, one); err != nil {
		return Error{}, err
	}
	out := errorOf(&e)
	out.Stored, out.Source = len(e.Source) > 0, one[0].Source
	return out, nil
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
		(f.Record == "" || e.RecordID == f.Record || e.Key == f.Record) && f.says(e)
}

// says reports whether the text that is searched for is in an error.
func (f *Filter) says(e *run.RowError) bool {
	if f.Text == "" {
		return true
	}
	text := strings.ToLower(f.Text)
	return slices.ContainsFunc([]string{e.Message, e.RecordID, e.Key, e.Type, e.Field, e.Run}, func(s string) bool { return strings.Contains(strings.ToLower(s), text) })
}
