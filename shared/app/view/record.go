package view

import (
	"context"
	"fmt"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// Record is what is known of one record of a connection: what each of its syncs holds of
// it, and its stored errors. key is the match value, or the record id where nothing is
// matched. ErrNotFound where no sync uses the connection.
func (r *Reader) Record(ctx context.Context, connection, key string) (Record, error) {
	out := Record{Connection: connection, Key: key, Holds: []Holding{}}
	all, err := r.overviews(ctx)
	if err != nil {
		return out, err
	}
	stored, err := r.stores.Connections.Connection(ctx, connection)
	if err != nil {
		return out, fmt.Errorf("read connection %q: %w", connection, err)
	}
	for i := range all {
		o := &all[i]
		if o.Connection != connection || o.Unreadable != "" || o.Target == "" {
			continue
		}
		h, err := r.holding(ctx, o, key)
		if err != nil {
			return out, err
		}
		if h.ID != "" {
			h.Link = r.link(o.Type, stored.Connection.URL, stored.Account, o.Object, h.ID)
		}
		out.Holds = append(out.Holds, h)
		errs, err := r.Errors(ctx, Filter{Sync: o.Sync, Record: key})
		if err != nil {
			return out, err
		}
		out.Errors.Errors = append(out.Errors.Errors, errs.Errors...)
	}
	if len(out.Holds) == 0 {
		return out, fmt.Errorf("connection %q has no applied sync: %w", connection, ErrNotFound)
	}
	return out, nil
}

// holding is what one sync holds of a record.
func (r *Reader) holding(ctx context.Context, o *run.Overview, key string) (Holding, error) {
	h := Holding{Sync: o.Sync, Object: o.Object, Key: key}
	if k, ok := o.Identity.Key(nil, []byte(key)); ok {
		h.Key = string(k)
	}
	found, err := r.stores.Ledger.Entries(ctx, o.Target, []string{h.Key})
	if err != nil {
		return h, fmt.Errorf("read the ledger of sync %q: %w", o.Sync, err)
	}
	e, ok := found[h.Key]
	if !ok {
		return h, nil
	}
	h.Known, h.Gone = true, e.Held.Fingerprint == row.Gone
	h.Held = !h.Gone && e.Held.Fingerprint != (row.Fingerprint{})
	h.ID, h.Run, h.Error, h.Doubt = e.Held.ID, e.Last.Run, e.Last.Error, e.Last.Unknown
	if h.Run == "" {
		return h, nil
	}
	last, err := r.stores.Runs.Run(ctx, h.Run)
	if missing(err) { // it has expired
		return h, nil
	}
	if err != nil {
		return h, err
	}
	if h.At = last.EndedAt; h.At.IsZero() {
		h.At = last.BegunAt
	}
	return h, nil
}
