package view

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// How much of a record's page is read beside the overviews of the syncs.
const (
	recordSyncs  = 50
	recordErrors = 25
	recordLists  = 25
	placesAtOnce = 100
	asksAtOnce   = 8 // for the keys of a record id
)

// Record is what is known of one record of a connection: what each of its syncs holds of
// it, and its stored errors. key is the match value, or the record id where a sync leads
// from it to what it holds; errors are found by either: those that the ledger calls open,
// and those of a page of the lists, from after on (Errors.Next of the page before).
// ErrNotFound where no sync uses the connection.
func (r *Reader) Record(ctx context.Context, connection, key, after string) (Record, error) {
	out := Record{Connection: connection, Key: key, Holds: []Holding{}, Others: []string{}}
	all, err := r.overviews(ctx)
	if err != nil {
		return out, err
	}
	out.Connections = namesOf(all).Connections
	var mine []*run.Overview
	for i := range all {
		if o := &all[i]; o.Connection == connection && o.Target != "" && len(mine) < recordSyncs {
			mine = append(mine, o)
		}
	}
	if len(mine) == 0 {
		return out, fmt.Errorf("connection %q has no applied sync: %w", connection, ErrNotFound)
	}
	keys, err := r.keysOf(ctx, mine, key)
	if err != nil {
		return out, err
	}
	found, err := r.held(ctx, mine, keys)
	if err != nil {
		return out, err
	}
	var of []*run.Overview
	var ways []wayTo
	marks := []uint32{run.RecordMark(key)}
	for i, o := range mine {
		known := len(out.Holds)
		for n, k := range keys[i] {
			e, ok := found[ledger.Place{Target: o.Target, Key: k}]
			if n > 0 && ok && e.Held.Record != 0 && e.Held.Record != ledger.RecordOf(key) {
				continue // the key has passed to another record since
			}
			if ways, marks = append(ways, wayTo{o.Sync, k}), append(marks, run.RecordMark(k)); ok {
				out.Holds, of = append(out.Holds, r.holding(o, k, &e)), append(of, o)
			}
		}
		if known == len(out.Holds) {
			if out.Others = append(out.Others, o.Sync); syncdef.RecordLookup(o.RecordLookup) == syncdef.NoRecord {
				out.ByMatch = append(out.ByMatch, o.Sync)
			}
		}
	}
	if err := r.times(ctx, out.Holds, of); err != nil {
		return out, err
	}
	f := Filter{After: after}
	if len(mine) == 1 {
		f.Sync = mine[0].Sync
	}
	look := finding{filter: f, marks: marks, errors: recordErrors, lists: recordLists, mine: func(e *run.RowError) bool {
		return slices.ContainsFunc(ways, func(w wayTo) bool {
			return w.sync == e.Sync && (e.Key == w.key || e.RecordID == key || e.Key == key)
		})
	}}
	errs, err := r.recordErrors(ctx, &out, look)
	if err != nil {
		return out, err
	}
	out.Errors.Errors, err = r.told(ctx, errs, targetsOf(all), found)
	return out, err
}

// keysOf are the keys that a text may stand for in each of the syncs: first as a match
// value, then those that are kept for it as a record id.
func (r *Reader) keysOf(ctx context.Context, mine []*run.Overview, text string) ([][]string, error) {
	keys := make([][]string, len(mine))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(asksAtOnce)
	for i, o := range mine {
		keys[i] = []string{text}
		lookup := syncdef.RecordLookup(o.RecordLookup)
		if k, ok := o.Identity.Key(nil, []byte(text)); ok && lookup != syncdef.RecordIsKey {
			keys[i][0] = string(k)
		}
		if lookup != syncdef.RecordIsKept {
			continue
		}
		g.Go(func() error {
			kept, err := r.stores.Entries.KeysOf(ctx, o.Target, []string{text})
			for _, k := range kept[text] {
				if !slices.Contains(keys[i], k) {
					keys[i] = append(keys[i], k)
				}
			}
			return err
		})
	}
	return keys, g.Wait()
}

// held reads the entries of the keys.
func (r *Reader) held(ctx context.Context, mine []*run.Overview, keys [][]string) (map[ledger.Place]ledger.Entry, error) {
	var places []ledger.Place
	for i, o := range mine {
		for _, k := range keys[i] {
			places = append(places, ledger.Place{Target: o.Target, Key: k})
		}
	}
	all := map[ledger.Place]ledger.Entry{}
	for some := range slices.Chunk(places, placesAtOnce) {
		found, err := r.stores.Places.Places(ctx, some)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, found)
	}
	return all, nil
}

// A wayTo is a sync and the key of the record there.
type wayTo struct{ sync, key string }

// holding is what one sync holds of a record.
func (r *Reader) holding(o *run.Overview, key string, e *ledger.Entry) Holding {
	h := Holding{Sync: o.Sync, Object: o.Object, Key: key, Gone: e.Held.Fingerprint == row.Gone}
	h.Held = !h.Gone && e.Held.Fingerprint != (row.Fingerprint{})
	h.ID, h.Run, h.Error, h.Doubt = e.Held.ID, e.Last.Run, e.Last.Error, e.Last.Unknown
	if h.ID != "" {
		h.Link = r.link(o.Type, o.Account.URL, o.Account.ID, o.Object, h.ID)
	}
	return h
}

// times fills in when the runs of holdings were; most are among the last of their sync.
func (r *Reader) times(ctx context.Context, all []Holding, of []*run.Overview) error {
	var ids []string
	for i := range all {
		h := &all[i]
		if n := slices.IndexFunc(of[i].Lines, func(l run.Line) bool { return l.ID == h.Run }); n >= 0 {
			h.At = of[i].Lines[n].EndedAt
		} else if h.Run != "" {
			ids = append(ids, h.Run)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := r.stores.Some.SomeRuns(ctx, ids)
	if err != nil {
		return err
	}
	for i := range all {
		if s, ok := found[all[i].Run]; ok { // else it has expired
			if all[i].At = s.EndedAt; all[i].At.IsZero() {
				all[i].At = s.BegunAt
			}
		}
	}
	return nil
}

// recordErrors are the stored errors of a record, the newest first: on its first page those
// that the ledger calls open, and on each a part of the others. It fills in where these go on.
func (r *Reader) recordErrors(ctx context.Context, out *Record, of finding) ([]run.RowError, error) {
	var open []string
	for i := range out.Holds {
		if ref := out.Holds[i].Error; ref != "" && len(open) < recordSyncs {
			open = append(open, ref)
		}
	}
	var errs []run.RowError
	if of.filter.After == "" && len(open) > 0 {
		stored, err := r.stores.Lists.SomeErrors(ctx, open)
		if err != nil {
			return nil, err
		}
		for _, e := range stored {
			errs = append(errs, e)
		}
	}
	others := of.mine
	of.mine = func(e *run.RowError) bool { return others(e) && !slices.Contains(open, e.Ref()) }
	of.enough = func(all []run.RowError) bool { return len(all)+len(errs) > 0 }
	page, err := r.find(ctx, of)
	if err != nil {
		return nil, err
	}
	out.Errors = page.told(nil)
	errs = append(errs, page.errors...)
	slices.SortFunc(errs, func(a, b run.RowError) int {
		return cmp.Or(b.At.Compare(a.At), strings.Compare(a.Ref(), b.Ref()))
	})
	return errs, nil
}
