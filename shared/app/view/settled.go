package view

import (
	"context"
	"maps"
	"slices"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
)

// told are errors, the newest first, as they are told: whether they are still open says the
// ledger, of which at most one query reads what is not known already. targets are those that
// the syncs deliver to now.
func (r *Reader) told(ctx context.Context, errs []run.RowError, targets map[string]string, known map[ledger.Place]ledger.Entry) ([]Error, error) {
	var ask []ledger.Place
	for i := range errs {
		p, ok := placeOf(&errs[i], targets)
		if _, there := known[p]; ok && !there && !slices.Contains(ask, p) {
			ask = append(ask, p)
		}
	}
	all := map[ledger.Place]ledger.Entry{}
	maps.Copy(all, known)
	for some := range slices.Chunk(ask, placesAtOnce) {
		found, err := r.stores.Places.Places(ctx, some)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, found)
	}
	out := make([]Error, len(errs))
	rejected := map[ledger.Place]int64{} // the sequence of a key's last row that was not taken in
	for i := range errs {
		e := &errs[i]
		out[i] = errorOf(e)
		p, ok := placeOf(e, targets)
		if !ok {
			continue
		}
		last := all[p]
		switch current := targets[e.Sync]; {
		case e.Target == "": // no ledger names it: a later row of the key took its place
			out[i].Settled = max(last.Sequence(), rejected[p]) > e.Sequence
			rejected[p] = max(rejected[p], e.Sequence)
		case current != "" && e.Target != current:
			out[i].Settled = true
		default:
			out[i].Settled = !last.Last.Names(e.Ref(), e.Type == "unknown")
		}
	}
	return out, nil
}

// placeOf is where the ledger tells of an error's key; not where its rows have no one key.
func placeOf(e *run.RowError, targets map[string]string) (ledger.Place, bool) {
	p := ledger.Place{Target: e.Target, Key: e.Key}
	if p.Target == "" {
		p.Target = targets[e.Sync]
	}
	return p, p.Target != "" && p.Key != "" && len(e.Summary) == 0
}

// targetsOf are the targets of the syncs, as far as they are known.
func targetsOf(all []run.Overview) map[string]string {
	out := make(map[string]string, len(all))
	for i := range all {
		out[all[i].Sync] = all[i].Target
	}
	return out
}
