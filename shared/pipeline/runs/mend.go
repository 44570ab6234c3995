package runs

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/row"
)

// Mend has void forget what the ledger holds of records that differ at the destination,
// and then clears the sync's watermark, so that the next run selects their rows, and sends
// these alone: what the ledger still holds is unchanged. In this order, so that a process
// that dies in between has selected nothing that is not sent; twice is the same as once.
//
// It is refused while a run goes on: one that selects all rows would set the watermark
// though it passed a record before it was voided. void answers how many records are
// void now, also beside an error, and where ctx has ended: of none the watermark stays.
func (c *Control) Mend(ctx context.Context, sync string, void func(context.Context) (int64, error)) (Mended, error) {
	out := Mended{Sync: sync}
	err := c.act(ctx, "verify --mend", named(sync), func() (string, error) {
		if _, err := c.current(ctx, "verify --mend", sync); err != nil {
			return "", err
		}
		if id, err := c.underWay(ctx, sync); err != nil || id != "" {
			if err == nil {
				err = row.Refuse("verify --mend: the run %s goes on: mend when it has ended, or end it with  penstock cancel %[1]s", id)
			}
			return "", err
		}
		n, failed := void(ctx)
		if out.Records = n; n == 0 {
			return "nothing differs", failed
		}
		ctx := context.WithoutCancel(ctx)
		if err := c.reset(ctx, sync); err != nil {
			return "", errors.Join(failed, err)
		}
		var err error
		out.Run, err = c.underWay(ctx, sync)
		return fmt.Sprintf("%d records", n), errors.Join(failed, err)
	})
	return out, err
}

// Mended says what Mend did.
type Mended struct {
	Sync    string `json:"sync"`
	Records int64  `json:"records"`
	// Run is one that was begun meanwhile: the watermark is to be cleared once more when it
	// has ended. "" is none.
	Run string `json:"run,omitempty"`
}

// underWay is the sync's bracketed run that was begun last, while it goes on; "" for none.
func (c *Control) underWay(ctx context.Context, sync string) (string, error) {
	id, err := c.Runs.Latest(ctx, sync)
	if err != nil || id == "" {
		return "", err
	}
	r, err := c.Runs.Run(ctx, id)
	if isMissing(err) || err == nil && r.Status.Ended() {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read run %q: %w", id, err)
	}
	return r.ID, nil
}
