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
	mine   func(*run.RowError) bool      // which of them are meant; nil for all
	enough func(all []run.RowError) bool // while it is false, it looks further; nil: one is enough
	marks  []uint32                      // of a record; nil for any
	since  time.Time                     // none that was stored earlier,
	until  time.Time                     // or later; zero for any
	each   int                           // at most so many of a kind; 0 is all
	errors int                           // at most so many errors are found
	lists  int                           // in so many entries at the first look; 0 is mostLists
	looks  int                           // at most so many are made; 0 is mostLooks
}

// What was found, the newest first, without their source.
type found struct {
	errors  []run.RowError
	next    string    // where the older ones go on; "" at the end
	since   time.Time // how far back it looked, where that is not the end
	further bool      // it took more than one look
}

// A candidate is an error that a list names.
type candidate struct {
	ref      string
	attempts int
	at       time.Time
	place    place
}

// A place in a list is an entry, and how many of its rows come before.
type place struct {
	key  string
	rows int
}

// cursor names the place.
func (p place) cursor() string {
	return base64.RawURLEncoding.EncodeToString([]byte(p.key + " " + strconv.Itoa(p.rows)))
}

// find reads a page of errors: a look is one query for the list, and one for the errors.
func (r *Reader) find(ctx context.Context, of finding) (found, error) {
	var out found
	f := &of.filter
	if f.Run != "" && f.Sync == "" {
		f.Sync = run.SyncOf(f.Run)
	}
	from, err := of.from()
	if err != nil {
		return out, err
	}
	p := picking{of: &of, from: from, most: min(of.errors, mostErrors), lists: cmp.Or(of.lists, mostLists), seen: map[string]bool{}, kinds: map[run.ListedKind]int{}}
	if of.enough == nil {
		of.enough = func(all []run.RowError) bool { return len(all) > 0 }
	}
	for looks := 1; ; looks++ {
		next, err := r.look(ctx, &p, &out)
		if err != nil {
			return out, err
		}
		if next.key == "" {
			break
		}
		if looks == cmp.Or(of.looks, mostLooks) || p.rows >= mostRows || len(out.errors) == of.errors || of.enough(out.errors) {
			out.next = next.cursor()
			break
		}
		clear(p.kinds)
		p.from, p.most, p.lists, p.picked = next, mostErrors, furtherLists, nil
		out.further = true
	}
	if out.next == "" {
		out.since = time.Time{}
	}
	slices.SortStableFunc(out.errors, func(a, b run.RowError) int { return b.At.Compare(a.At) })
	return out, nil
}

// look adds what the next entries of the list name. next is where it goes on, nowhere at
// the end.
func (r *Reader) look(ctx context.Context, p *picking, out *found) (next place, err error) {
	p.next, p.last = place{}, place{}
	f, lists := &p.of.filter, p.lists
	if p.of.all() { // each entry has some, but for the first one, that may be known to its end
		lists = min(lists, p.most+1)
	}
	more, err := r.stores.Lists.ListErrors(ctx, cmp.Or(f.Sync, run.EveryError), p.from.key, lists, p.take)
	if err := errors.Join(err, p.err); err != nil {
		return next, err
	}
	if next = p.next; next.key == "" && more && !p.ended {
		next = p.last
	}
	out.since = p.at
	if len(p.picked) == 0 {
		return next, nil
	}
	refs := make([]string, len(p.picked))
	for i, c := range p.picked {
		refs[i] = c.ref
	}
	stored, err := r.stores.Lists.SomeErrors(ctx, refs)
	if err != nil {
		return next, err
	}
	for _, c := range p.picked {
		e, there := stored[c.ref]
		named := e.Attempts == c.attempts && e.At.Equal(c.at)
		if !there || f.Run == "" && !named || !f.takes(&e) || p.of.mine != nil && !p.of.mine(&e) {
			continue
		}
		if len(out.errors) == p.of.errors {
			out.since = c.at
			return c.place, nil
		}
		out.errors = append(out.errors, e)
	}
	return next, nil
}

// A picking picks the errors to read from the entries of a list.
type picking struct {
	of    *finding
	from  place // where the look begins
	most  int   // at most so many are picked,
	lists int   // of so many entries
	seen  map[string]bool
	kinds map[run.ListedKind]int // how many the look has picked of each
	rows  int                    // that the entries name which were looked at

	picked []candidate
	next   place     // where it goes on; nowhere while all is picked
	last   place     // behind the entry that was looked at last
	at     time.Time // its time
	ended  bool      // it came to what is too old
	err    error
}

// take looks at an entry, and says whether another one is wanted.
func (p *picking) take(l run.Listed) bool {
	f := &p.of.filter
	if p.ended = l.At.Before(p.of.since); p.ended {
		return false
	}
	p.last, p.at = place{l.Key, l.Len()}, l.At
	p.rows += l.Len()
	if f.Run != "" && l.Run != f.Run {
		return p.rows < mostRows
	}
	if !slices.ContainsFunc(l.Kinds, func(k run.ListedKind) bool { return k.Is(f.Stage, f.Type, f.Field) }) {
		return p.rows < mostRows
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
			case !wanted, l.Key == p.from.key && n < p.from.rows, p.of.marks != nil && !l.Marked(n, p.of.marks), p.of.each > 0 && p.kinds[k] == p.of.each:
				continue
			case len(p.picked) == p.most:
				p.next = place{l.Key, n}
				return false
			}
			if p.add(&l, n, numbers[n]) {
				p.kinds[k]++
			}
		}
	}
	return len(p.picked) < p.most && p.rows < mostRows
}

// add picks the n-th error of an entry; of a run's an earlier try of the same row is left
// out.
func (p *picking) add(l *run.Listed, n, row int) bool {
	ref := run.ErrorRef(l.Run, l.Batch, row)
	if p.of.filter.Run != "" && p.seen[ref] {
		return false
	}
	p.seen[ref] = true
	p.picked = append(p.picked, candidate{ref, l.Attempts, l.At, place{l.Key, n}})
	return true
}

// all reports whether every entry has errors that may be meant.
func (of *finding) all() bool {
	f := &of.filter
	return f.Run == "" && f.Stage == "" && f.Type == "" && f.Field == "" && of.marks == nil && of.each == 0
}

// from is the place at which the page begins.
func (of *finding) from() (place, error) {
	if of.filter.After == "" {
		if of.until.IsZero() {
			return place{}, nil
		}
		return place{key: run.ListedFrom(of.until)}, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(of.filter.After)
	key, rows, ok := strings.Cut(string(text), " ")
	skip, bad := strconv.Atoi(rows)
	if err != nil || bad != nil || !ok || key == "" || len(key) > 100 {
		return place{}, row.Refuse("this is no place in the errors: pass the next of the page before")
	}
	return place{key, skip}, nil
}
