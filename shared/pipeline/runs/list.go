package runs

import (
	"context"
	"fmt"

	"github.com/penstock-data/penstock/shared/run"
)

// MaxListed is how many runs of a sync List answers at most.
const MaxListed = lookedRuns

// List answers a sync's runs, the newest first, at most limit, with the counts of this
// moment and without those of retries. The sync may have been removed since.
func (c *Control) List(ctx context.Context, sync string, limit int) ([]RunStatus, error) {
	all, err := c.History.RecentRuns(ctx, sync, lookedRuns)
	if err != nil {
		return nil, fmt.Errorf("list the runs of sync %q: %w", sync, err)
	}
	if len(all) == 0 {
		_, err := c.current(ctx, "runs", sync) // else a sync that there never was has no runs
		return nil, err
	}
	rest, err := c.rest(ctx, sync, all, c.Now(), c.tally)
	if err != nil {
		return nil, err
	}
	var out []RunStatus
	for _, r := range all {
		if len(out) == limit || run.IsRetry(r.ID) {
			continue
		}
		one, err := c.runStatus(ctx, r, rest, c.Now())
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}
