package view

import (
	"context"
	"fmt"
	"slices"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// How much of a record's page is read beside the overviews of the syncs.
const (
	recordSyncs  = 50
	recordErrors = 25
	recordLists  = 25
)

// Record is what is known of one record of a connection: what each of its syncs holds of
// it, and its stored errors. key is the match value, or the record id where nothing is
// matched; errors are found by either. ErrNotFound where no sync uses the connection.
func (r *Reader) Record(ctx context.Context, connection, key string) (Record, error) {
	out := Record{Connection: connection, Key: key, Holds: []Holding{}, Others: []string{}}
	all, err := r.overviews(ctx)
	if err != nil {
		return out, err
	}
	out.Connections = namesOf(all).Connections
	var mine []*run.Overview
	var places []ledger.Place
	marks := []uint32{run.RecordMark(key)}
	for i := range all {
		o := &all[i]
		if o.Connection != connection || o.Target == "" || len(mine) == recordSyncs {
			continue
		}
		p := ledger.Place{Target: o.Target, Key: key}
		if k, ok := o.Identity.Key(nil, []byte(key)); ok {
			p.Key = string(k)
		}
		mine, places, marks = append(mine, o), append(places, p), append(marks, run.RecordMark(p.Key))
	}
	if len(mine) == 0 {
		return out, fmt.Errorf("connection %q has no applied sync: %w", connection, ErrNotFound)
	}
	found, err := r.stores.Places.Places(ctx, places)
	if err != nil {
		return out, err
	}
	var of []*run.Overview
	ways := make([]wayTo, 0, len(mine))
	for i, o := range mine {
		ways = append(ways, wayTo{o.Sync, places[i].Key})
		if e, ok := found[places[i]]; ok {
			out.Holds, of = append(out.Holds, r.holding(o, places[i].Key, &e)), append(of, o)
		} else {
			out.Others = append(out.Others, o.Sync)
		}
	}
	if err := r.times(ctx, out.Holds, of); err != nil {
		return out, err
	}
	return out, r.recordErrors(ctx, &out, ways, marks)
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

// recordErrors fills in the stored errors of a record.
func (r *Reader) recordErrors(ctx context.Context, out *Record, ways []wayTo, marks []uint32) (err error) {
	of := finding{marks: marks, errors: recordErrors, lists: recordLists}
	if len(ways) == 1 {
		of.filter.Sync = ways[0].sync
	}
	page, err := r.find(ctx, of)
	out.Errors = Errors{Errors: []Error{}, Next: page.Next, Since: page.Since}
	for _, e := range page.Errors {
		if slices.ContainsFunc(ways, func(w wayTo) bool {
			return w.sync == e.Sync && (e.Key == w.key || e.RecordID == out.Key || e.Key == out.Key)
		}) {
			out.Errors.Errors = append(out.Errors.Errors, e)
		}
	}
	return err
}
