package runs

import (
	"context"
	"errors"
	"fmt"

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
)

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
	for !r.Mirror.Done {
		goOn, err := s.mirrorStep(ctx, v, &r)
		if err != nil {
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
		if !goOn {
			break
		}
	}
	return next, true, nil
}

// mirrorStep makes one step, which is to be stored; goOn says that there is time for
// another one.
func (s *Sweep) mirrorStep(ctx context.Context, v syncdef.Version, r *run.Run) (goOn bool, err error) {
	m := r.Mirror
	if !m.Listed {
		if m.Sequence == 0 {
			if m.Refused, err = s.mayMirror(ctx, v, r); err != nil || m.Refused != "" {
				m.Done = m.Refused != ""
				return false, err
			}
		}
		if m.Found {
			return s.spare(ctx, v, r)
		}
		return s.list(ctx, v, r)
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

// mayMirror says why a run removes nothing, "" where it may; and it notes the sequence
// that the removals get.
func (s *Sweep) mayMirror(ctx context.Context, v syncdef.Version, r *run.Run) (refused string, err error) {
	current, err := s.Syncs.Current(ctx, r.Sync)
	switch {
	case errors.Is(err, run.ErrNotFound) || err == nil && current.ID != v.ID:
		return "nothing is removed: the sync was applied anew since the run began; run it once more", nil
	case err != nil:
		return "", fmt.Errorf("read the sync: %w", err)
	}
	batches, err := s.Recorded.Batches(ctx, r.ID)
	if err != nil {
		return "", fmt.Errorf("read the batches: %w", err)
	}
	rows, keyless, unseen := int64(0), 0, false
	r.Mirror.Sequence = r.Sequence
	for _, b := range batches {
		rows, keyless, unseen = rows+b.Counts.Received, keyless+b.Keyless, unseen || !b.Seen
		if r.Mirror.Sequence == 0 || r.Sequence == 0 && b.Sequence < r.Mirror.Sequence { // an earlier release began it
			r.Mirror.Sequence = b.Sequence
		}
	}
	switch {
	case rows == 0:
		return emptyModel, nil
	case keyless > 0:
		return anybodys(keyless), nil
	case rows > r.Expected:
		return fmt.Sprintf("nothing is removed: %d rows were received, finish announced %d", rows, r.Expected), nil
	case unseen:
		return "nothing is removed: an earlier release took some of the rows and kept no keys; run it once more", nil
	}
	return "", nil
}

const emptyModel = "nothing is removed: the model is empty, and a mirror of nothing would remove everything; to do that, use operation: delete"

func anybodys(keyless int) string {
	if keyless == 1 {
		return "nothing is removed: 1 row has no match value, and any record may be its: mend it, and run it once more"
	}
	return fmt.Sprintf("nothing is removed: %d rows have no match value, and any record may be theirs: mend them, and run it once more", keyless)
}

// list lists the ledger as far as one sweep goes; spare checks the whole list.
func (s *Sweep) list(ctx context.Context, v syncdef.Version, r *run.Run) (goOn bool, err error) {
	m := r.Mirror
	seen, err := s.keysSeen(ctx, r.ID)
	if err != nil {
		return false, err
	}
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
	for n := 0; n < listPages && !m.Found; n++ {
		entries, next, err := s.Ledger.EntriesAfter(ctx, r.Target, m.After, listPage)
		if err != nil {
			return false, fmt.Errorf("list the ledger of %s: %w", r.Target, err)
		}
		for _, e := range entries {
			if !e.Wrote() {
				continue
			}
			m.Held++
			if e.Sequence() >= m.Sequence || seen[run.KeyHash(e.Key)] {
				continue
			}
			m.Rows++
			keys, size = append(keys, e.Key), size+len(e.Key)
			if len(keys) == leftKeys || size > leftBytes {
				if err := flush(); err != nil {
					return false, err
				}
			}
		}
		m.After, m.Found = next, next == ""
	}
	if err := flush(); err != nil || !m.Found {
		return false, err
	}
	if m.Rows > v.Definition.Mirror.Allowed(m.Held)+maxSpared { // too many, whichever of them are to stay
		m.Refused = tooMany(&v.Definition, m.Rows, m.Held)
	}
	m.Done = m.Rows == 0 || m.Refused != ""
	return !m.Done, nil
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

// tooMany says why so many of so many records may not be removed; "" where they may.
func tooMany(d *syncdef.Definition, rows, held int64) string {
	allowed := d.Mirror.Allowed(held)
	if rows <= allowed {
		return ""
	}
	return fmt.Sprintf("nothing is removed: %d of the %d records that the sync wrote are not in the model any more, and mirror.max_deletes: %s allows %d; see them with  penstock run %s --mode full --dry-run,  then raise max_deletes", rows, held, d.Mirror.MaxDeletes, allowed, d.Sync)
}

// keysSeen are the hashes of the keys that the run saw.
func (s *Sweep) keysSeen(ctx context.Context, id string) (map[uint64]bool, error) {
	seen := map[uint64]bool{}
	err := s.Mirrors.Seen(ctx, id, func(_ string, _ int, hashes []byte) error {
		run.EachSeen(hashes, func(h uint64) { seen[h] = true })
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the keys that the run saw: %w", err)
	}
	return seen, nil
}
