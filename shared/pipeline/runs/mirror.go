package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Remover takes what left a mirror's model: package intake's Intake.
type Remover interface {
	// Remove queues a page of keys as rows that delete. Handed in again, the same page is
	// queued once.
	Remove(ctx context.Context, b run.Removal) error
}

// The bounds of one sweep's work on a mirror.
const (
	listPage  = 5_000 // entries that are read at once
	listPages = 100   // in one sweep; the next one goes on
	leftKeys  = 1_000 // in a page of removals
	leftBytes = 60 << 10
	maxSpared = 10_000 // keys beyond what may be removed, of which spare is to say which stay

	// maxRows is how many rows a run may have that removes: their hashes, 8 bytes each, are
	// read at once by a function of 256 MB.
	maxRows = 5_000_000
)

// seen are the hashes of the keys that a run saw, sorted.
type seen []uint64

func (s seen) has(key string) bool {
	_, found := slices.BinarySearch(s, run.KeyHash(key))
	return found
}

// mirror removes what left the model of a full run whose rows are all settled: it lists
// the ledger, checks the whole list against what the definition allows, stores it, and
// hands it to intake page by page, as rows of the run. wait says that the run goes on:
// next is then not to be stored.
func (s *Sweep) mirror(ctx context.Context, r, next run.Run) (_ run.Run, wait bool, err error) {
	v, err := s.Syncs.Version(ctx, r.Sync, r.Version)
	if err != nil {
		return next, false, fmt.Errorf("read version %s: %w", r.Version, err)
	}
	if v.Definition.Mirror == nil {
		return next, false, nil
	}
	if r.Mirror != nil && r.Mirror.Done {
		return next, false, nil
	}
	if r.Mirror == nil {
		r.Mirror = &run.Mirror{}
	} else {
		m := *r.Mirror
		r.Mirror = &m
	}
	var saw seen
	for !r.Mirror.Done {
		goOn, err := s.mirrorStep(ctx, v, &r, &saw)
		more := errors.Is(err, errMore)
		if err != nil && !more {
			return next, false, fmt.Errorf("remove what left the model: %w", err)
		}
		if r.Mirror.Refused != "" || r.Mirror.Done && r.Mirror.Rows == 0 {
			next.Mirror = r.Mirror // nothing is to be waited for
			next.Outcome = run.OutcomeOf(next, next.Counts)
			if r.Mirror.Refused != "" {
				next.Reason = r.Mirror.Refused
			}
			return next, false, nil
		}
		if err := s.Runs.UpdateRun(ctx, r); err != nil {
			return next, false, err
		}
		r.Revision++
		if more {
			return next, true, errMore
		}
		if !goOn {
			break
		}
	}
	return next, true, nil
}

// mirrorStep makes one step, which is to be stored, also with errMore; goOn says that there
// is time for another one. saw is read where it is nil.
func (s *Sweep) mirrorStep(ctx context.Context, v syncdef.Version, r *run.Run, saw *seen) (goOn bool, err error) {
	m := r.Mirror
	if !m.Listed {
		if m.Refused, err = s.mayMirror(ctx, v, r); err != nil || m.Refused != "" {
			m.Done = m.Refused != ""
			return false, err
		}
		if *saw == nil {
			if *saw, err = s.keysSeen(ctx, r.ID, r.Expected); err != nil {
				return false, err
			}
		}
		if m.Found {
			return s.spare(ctx, v, r, *saw)
		}
		return s.list(ctx, v, r, *saw)
	}
	most, err := s.free(ctx, v)
	if err != nil || most == 0 {
		return false, err
	}
	keys, err := s.Mirrors.Left(ctx, r.ID, m.Sent)
	if err != nil {
		return false, err
	}
	if len(keys) > 0 {
		b := run.Removal{Run: r.ID, Sync: r.Sync, ID: run.RemovalBatch(r.ID, m.Sent), Sequence: m.Sequence, Keys: keys}
		if err := s.Remover.Remove(ctx, b); err != nil {
			return false, err
		}
	}
	m.Sent++
	m.Done = m.Sent == m.Pages
	return true, nil
}

// list lists the ledger as far as one sweep goes; spare checks the whole list.
func (s *Sweep) list(ctx context.Context, v syncdef.Version, r *run.Run, saw seen) (goOn bool, err error) {
	m := r.Mirror
	var keys []string
	size := 0
	flush := func() error {
		if len(keys) == 0 {
			return nil
		}
		if err := s.storeLeft(ctx, r, m.Pages, keys); err != nil {
			return err
		}
		m.Pages, keys, size = m.Pages+1, nil, 0
		return nil
	}
	whole, err := s.eachPage(ctx, r, func(entries []ledger.Entry) error {
		for _, e := range entries {
			if !e.Wrote() {
				continue
			}
			m.Held++
			if e.Sequence() >= m.Sequence || saw.has(e.Key) {
				continue
			}
			m.Rows++
			keys, size = append(keys, e.Key), size+len(e.Key)
			if len(keys) == leftKeys || size > leftBytes {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, errMore) {
		return false, err
	}
	if err := flush(); err != nil {
		return false, err
	}
	if m.Found = whole; !whole {
		return false, err
	}
	if m.Rows > v.Definition.Mirror.Allowed(m.Held)+maxSpared { // too many, whichever of them are to stay
		m.Refused = tooMany(&v.Definition, m.Rows, m.Held)
	}
	m.Done = m.Rows == 0 || m.Refused != ""
	return !m.Done, nil
}

// eachPage calls each with the entries of the run's ledger from m.After on, page by page, as
// far as one sweep goes, and notes how far it came; whole says that it came to the end. The
// first page may take all the time that there is, so that every sweep gets further; before
// another one some time is left to store what was found, and errMore then says that the rest
// of a sweep is of use.
func (s *Sweep) eachPage(ctx context.Context, r *run.Run, each func([]ledger.Entry) error) (whole bool, err error) {
	most := slice
	if deadline, ok := ctx.Deadline(); ok {
		most = time.Until(deadline) //nolint:forbidigo // a deadline is by the process's own clock
	}
	reading, cancel := context.WithTimeout(ctx, most*3/4)
	defer cancel()
	for n, now := 0, ctx; n < listPages; n, now = n+1, reading {
		late := func() bool { return n > 0 && reading.Err() != nil && ctx.Err() == nil }
		if late() {
			return false, errMore
		}
		entries, next, err := s.Ledger.EntriesAfter(now, r.Target, r.Mirror.After, listPage)
		if err != nil && late() {
			return false, errMore
		}
		if err != nil {
			return false, fmt.Errorf("list the ledger of %s: %w", r.Target, err)
		}
		if err := each(entries); err != nil {
			return false, err
		}
		if r.Mirror.After = next; next == "" {
			return true, nil
		}
	}
	return false, nil
}

// storeLeft stores a page, unless another sweeper was faster: it may have handed in the
// page that is there.
func (s *Sweep) storeLeft(ctx context.Context, r *run.Run, page int, keys []string) error {
	stored, err := s.Runs.Run(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("read run %q: %w", r.ID, err)
	}
	if stored.Revision != r.Revision {
		return run.ErrConflict
	}
	return s.Mirrors.StoreLeft(ctx, r.ID, page, keys)
}

// keysSeen are the hashes of the keys that the run saw, of about so many rows.
func (s *Sweep) keysSeen(ctx context.Context, id string, rows int64) (seen, error) {
	all := make(seen, 0, min(rows, maxRows))
	err := s.Mirrors.Seen(ctx, id, func(_ string, _ int, hashes []byte) error {
		run.EachSeen(hashes, func(h uint64) { all = append(all, h) })
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the keys that the run saw: %w", err)
	}
	slices.Sort(all)
	return all, nil
}
