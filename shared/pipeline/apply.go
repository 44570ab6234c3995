package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// How far back a sync's runs are asked for rows on their way: so many runs, and no
// longer than a queue keeps a message.
const (
	lookBack = 100
	keptFor  = 14 * 24 * time.Hour
)

// MayApply refuses a version that would change the number of a sync's lanes while
// rows are on their way: a key's newer value would overtake its older one in
// another lane, and the older would be delivered last (I3). The error says what
// to wait for.
func MayApply(ctx context.Context, syncs Syncs, runs Runs, next syncdef.Version) error {
	name := next.Definition.Sync
	old, err := syncs.Current(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read sync %q: %w", name, err)
	}
	from, to := old.Definition.Lanes, next.Definition.Lanes
	if from == to {
		return nil
	}
	recent, err := runs.RecentRuns(ctx, name, lookBack)
	if err != nil {
		return fmt.Errorf("list the runs of sync %q: %w", name, err)
	}
	for _, r := range recent {
		if r.Status == run.Complete || r.Status.Ended() && next.AppliedAt.Sub(r.EndedAt) > keptFor {
			continue
		}
		batches, err := runs.Batches(ctx, r.ID)
		if err != nil {
			return fmt.Errorf("read the batches of run %q: %w", r.ID, err)
		}
		c, pending, _ := run.Total(batches)
		if left := c.Received - c.Settled(); left > 0 || pending > 0 || !r.Status.Ended() {
			return fmt.Errorf("sync %q cannot go from %d to %d lanes while run %q is %s with %d rows on their way: wait until penstock_status shows it settled, then apply again, or keep lanes: %d",
				name, from, to, r.ID, r.Status, left, from)
		}
	}
	return nil
}
