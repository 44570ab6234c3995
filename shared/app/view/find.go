package view

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
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
	ref      string
	attempts int
	at       time.Time
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
	p := picking{of: &of, from: from, skip: skip, seen: map[string]bool{}, kinds: map[run.ListedKind]int{}}
	more, err := r.stores.Lists.ListErrors(ctx, cmp.Or(f.Sync, run.EveryError), from, of.lists, p.take)
	if err := errors.Join(err, p.err); err != nil {
		return out, err
	}
	if out.Next = p.next; p.next == "" && more {
		out.Next = cursor(p.last, p.lastLen)
	}
	if out.Next != "" {
		out.Since = p.at
	}
	if len(p.picked) == 0 {
		return out, nil
	}
	refs := make([]string, len(p.picked))
	for i, c := range p.picked {
		refs[i] = c.ref
	}
	found, err := r.stores.Lists.SomeErrors(ctx, refs)
	if err != nil {
		return out, err
	}
	for _, c := range p.picked {
		e, there := found[c.ref]
		named := e.Attempts == c.attempts && e.At.Equal(c.at)
		if there && (f.Run != "" || named) && f.takes(&e) {
			out.Errors = append(out.Errors, errorOf(&e))
		}
	}
	slices.SortStableFunc(out.Errors, func(a, b Error) int { return b.OccurredAt.Compare(a.OccurredAt) })
	return out, nil
}

// A picking picks the errors to read from the entries of a list.
type picking struct {
	of    *finding
	from  string // the entry that the page begins with,
	skip  int    // and how many of its rows the page before has seen
	seen  map[string]bool
	kinds map[run.ListedKind]int // how many are picked of each

	picked  []candidate
	next    string // where the page after goes on; "" while all is picked
	last    string // the entry that was looked at last
	lastLen int
	at      time.Time // its time
	err     error
}

// take looks at an entry, and says whether another one is wanted.
func (p *picking) take(l run.Listed) bool {
	f := &p.of.filter
	p.last, p.lastLen, p.at = l.Key, l.Len(), l.At
	if f.Run != "" && l.Run != f.Run {
		return true
	}
	if !slices.ContainsFunc(l.Kinds, func(k run.ListedKind) bool { return k.Is(f.Stage, f.Type, f.Field) }) {
		return true
	}
	numbers, err := l.Numbers()
	if err != nil {
		p.err = err
		return false
	}
	at := 0
	for _, k := range l.Kinds {
		wanted, count := k.Is(f.Stage, f.Type, f.Field), k.Rows
		k.Rows = 0
		for range count {
			n := at
			at++
			switch {
			case !wanted, l.Key == p.from && n < p.skip, p.of.marks != nil && !l.Marked(n, p.of.marks), p.of.each > 0 && p.kinds[k] == p.of.each:
				continue
			case len(p.picked) == p.of.errors:
				p.next = cursor(l.Key, n)
				return false
			}
			if p.add(&l, numbers[n]) {
				p.kinds[k]++
			}
		}
	}
	return len(p.picked) < p.of.errors
}

// add picks an error; of a run's an earlier try of the same row is left out.
func (p *picking) add(l *run.Listed, row int) bool {
	ref := run.ErrorRef(l.Run, l.Batch, row)
	if p.of.filter.Run != "" && p.seen[ref] {
		return false
	}
	p.seen[ref] = true
	p.picked = append(p.picked, candidate{ref, l.Attempts, l.At})
	return true
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
		return run.ListedFrom(of.until), 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(of.filter.After)
	key, rows, ok := strings.Cut(string(text), " ")
	skip, bad := strconv.Atoi(rows)
	if err != nil || bad != nil || !ok || key == "" || len(key) > 100 {
		return "", 0, row.Refuse("this is no place in the errors: pass the next of the page before")
	}
	return key, skip, nil
}
