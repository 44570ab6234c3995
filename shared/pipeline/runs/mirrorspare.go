package runs

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// sparePages is how many pages of the list are checked at once: as many keys and ids as one
// sweep reads and holds.
const sparePages = 20

// spare takes from the list the keys whose record another key has that is to stay: a
// person gave the record another match value at the destination, or the destination
// merged two (I8). For some pages of the list after the other it reads the ledger once more
// as far as one sweep goes, and checks the whole list at its end.
func (s *Sweep) spare(ctx context.Context, v syncdef.Version, r *run.Run, saw seen) (goOn bool, err error) {
	m := r.Mirror
	pages, ids, err := s.listed(ctx, r)
	if err != nil {
		return false, err
	}
	shared := map[string]bool{}
	whole := len(ids) == 0
	if !whole {
		whole, err = s.eachPage(ctx, r, func(entries []ledger.Entry) error {
			for _, e := range entries {
				if ids[e.Held.ID] && e.There() && (e.Sequence() >= m.Sequence || saw.has(e.Key)) {
					shared[e.Held.ID] = true
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, errMore) {
			return false, err
		}
	}
	gone := int64(0)
	for n, page := range pages {
		var keys []string
		for _, k := range page {
			if !shared[k.id] {
				keys = append(keys, k.key)
			}
		}
		if len(keys) < len(page) { // in its place: done again, nothing is there twice
			if err := s.storeLeft(ctx, r, m.Spared+n, keys); err != nil {
				return false, err
			}
		}
		gone += int64(len(keys))
	}
	if !whole {
		return false, err
	}
	m.After = "" // the next part is looked for from the beginning, also where all of this one was found before the end
	m.Spared, m.Gone = m.Spared+len(pages), m.Gone+gone
	if m.Spared < m.Pages {
		return false, nil
	}
	m.Listed, m.Rows = true, m.Gone
	m.Refused = tooMany(&v.Definition, m.Rows, m.Held)
	m.Done = m.Rows == 0 || m.Refused != ""
	r.Expected += m.Expects() // the run is complete when they are settled too
	return true, nil
}

// A left is a key that left the model, with the destination's id of its record, "" where
// none is known.
type left struct{ key, id string }

// listed are the next pages of what left the model, and the ids in them.
func (s *Sweep) listed(ctx context.Context, r *run.Run) (pages [][]left, ids map[string]bool, err error) {
	ids = map[string]bool{}
	for n := r.Mirror.Spared; n < min(r.Mirror.Spared+sparePages, r.Mirror.Pages); n++ {
		keys, err := s.Mirrors.Left(ctx, r.ID, n)
		if err != nil {
			return nil, nil, err
		}
		entries, err := s.Ledger.Entries(ctx, r.Target, keys)
		if err != nil {
			return nil, nil, fmt.Errorf("read the ledger of %s: %w", r.Target, err)
		}
		page := make([]left, len(keys))
		for i, k := range keys {
			page[i] = left{k, entries[k].Held.ID}
			if page[i].id != "" {
				ids[page[i].id] = true
			}
		}
		pages = append(pages, page)
	}
	return pages, ids, nil
}
