package state

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
)

func firedSK(at time.Time) string { return "FIRED#" + number(at) }

// Firing reads a due time; run.ErrNotFound.
func (s *Store) Firing(ctx context.Context, sync string, at time.Time) (run.Firing, error) {
	var f run.Firing
	if err := s.getJSON(ctx, syncPK(sync), firedSK(at), &f); err != nil {
		return run.Firing{}, fmt.Errorf("due time of sync %q: %w", sync, err)
	}
	return f, nil
}

// SetFiring stores a due time over the one with its Revision (0: none is stored), with
// Revision+1; run.ErrConflict when another one is.
func (s *Store) SetFiring(ctx context.Context, f run.Firing) error {
	read := f.Revision
	f.Revision++
	if err := s.swap(ctx, syncPK(f.Sync), firedSK(f.At), read, f, attr.Item{attr.Expires: s.expiry()}); err != nil {
		return fmt.Errorf("due time of sync %q: %w", f.Sync, err)
	}
	return nil
}

// RecentFirings lists a sync's due times, the latest first.
func (s *Store) RecentFirings(ctx context.Context, sync string, limit int) ([]run.Firing, error) {
	if limit <= 0 {
		return nil, nil
	}
	in := prefix(syncPK(sync), "FIRED#")
	in.descending, in.limit = true, limit
	var all []run.Firing
	err := s.query(ctx, in, func(i attr.Item) error {
		var f run.Firing
		err := unmarshalBody(i, &f)
		all = append(all, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list due times of sync %q: %w", sync, err)
	}
	return all, nil
}
