package view

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// A finding is what is looked for in the lists of errors, and how much may be read.
type finding struct {
	filter Filter
	marks  []uint32  // of a record; nil for any
	until  time.Time // none that was stored later; zero for any
	each   int       // at most so many of a kind; 0 is all
	errors int       // at most so many errors are read,
	lists  int       // and so many entries of lists
}

// A candidate is an error that a list names.
type candidate struct {
	ref  string
	part *run.Part
}

// find reads a page of errors: one query for the list, one for the errors.
func (r *Reader) find(ctx context.Context, of finding) (Errors, error) {
	f := &of.filter
	out := Errors{Errors: []Error{}}
	if f.Run != "" && f.Sync == "" {
		f.Sync = run.SyncOf(f.Run)
	}
	from, skip, err := of.from()
	if err != nil {
		return out, err
	}
	list := f.Sync
	if list == "" {
		list = run.EveryError
	}
	entries, more, err := r.stores.Lists.ListErrors(ctx, list, from, of.lists)
	if err != nil {
		return out, err
	}
	picked, next := of.pick(entries, from, skip)
	if next == "" && more {
		last := &entries[len(entries)-1]
		next = cursor(last.Key, rowsOf(last))
	}
	if out.Next = next; next != "" {
		out.Since = entries[len(entries)-1].At
	}
	if len(picked) == 0 {
		return out, nil
	}
	refs := make([]string, len(picked))
	for i, c := range picked {
		refs[i] = c.ref
	}
	found, err := r.stores.Lists.SomeErrors(ctx, refs)
	if err != nil {
		return out, err
	}
	for _, c := range picked {
		e, there := found[c.ref]
		if there && (f.Run != "" || c.part.Names(&e)) && f.takes(&e) {
			out.Errors = append(out.Errors, errorOf(&e, false))
		}
	}
	slices.SortStableFunc(out.Errors, func(a, b Error) int { return b.OccurredAt.Compare(a.OccurredAt) })
	return out, nil
}

// pick picks the errors to read; next is where the page after goes on, "" where nothing of
// the entries is left.
func (of *finding) pick(entries []run.Listed, from string, skip int) (picked []candidate, next string) {
	f := &of.filter
	seen := map[string]bool{}
	kinds := map[run.Group]int{}
	for i := range entries {
		l := &entries[i]
		at := 0
		for j := range l.Parts {
			p := &l.Parts[j]
			wanted := (f.Run == "" || p.Run == f.Run) && p.Kind(f.Stage, f.Type, f.Field)
			kind := run.Group{Stage: p.Stage, Type: p.Type, Field: p.Field}
			for n, row := range p.Rows {
				if at++; !wanted || l.Key == from && at <= skip || of.marks != nil && !p.Has(n, of.marks) || of.each > 0 && kinds[kind] == of.each {
					continue
				}
				ref := run.ErrorRef(p.Run, p.Batch, row)
				if f.Run != "" && seen[ref] { // an earlier try of the same row
					continue
				}
				if len(picked) == of.errors {
					return picked, cursor(l.Key, at-1)
				}
				seen[ref] = true
				kinds[kind]++
				picked = append(picked, candidate{ref, p})
			}
		}
	}
	return picked, ""
}

func rowsOf(l *run.Listed) (n int) {
	for i := range l.Parts {
		n += len(l.Parts[i].Rows)
	}
	return n
}

// cursor names a place in a list: an entry, and how many of its rows were looked at.
func cursor(key string, rows int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(key + " " + strconv.Itoa(rows)))
}

// from is the place at which the page begins.
func (of *finding) from() (key string, skip int, err error) {
	if of.filter.After == "" {
		if of.until.IsZero() {
			return "", 0, nil
		}
		return fmt.Sprintf("%020d", of.until.UnixNano()), 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(of.filter.After)
	key, rows, ok := strings.Cut(string(text), " ")
	skip, bad := strconv.Atoi(rows)
	if err != nil || bad != nil || !ok || key == "" || len(key) > 100 {
		return "", 0, row.Refuse("this is no place in the errors: pass the next of the page before")
	}
	return key, skip, nil
}
