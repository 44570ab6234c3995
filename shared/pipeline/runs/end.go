package runs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// maxReason is how many bytes of a person's reason are kept.
const maxReason = 500

// cut keeps a reason to what is kept of reasons.
func cut(reason string) string {
	const mark = "…"
	if len(reason) <= maxReason {
		return reason
	}
	return strings.ToValidUTF8(reason[:maxReason-len(mark)], "") + mark
}

// Finish says that all rows of a run were pushed. Twice is the same as once; with
// another number it corrects the first.
func (c *Control) Finish(ctx context.Context, id string, rows int64) (RunStatus, error) {
	if rows < 0 {
		return RunStatus{}, row.Refuse("penstock_finish: %d rows cannot be: pass the number of rows that were pushed", rows)
	}
	r, err := c.run(ctx, "penstock_finish", id)
	if err != nil {
		return RunStatus{}, err
	}
	if !r.Bracketed {
		return RunStatus{}, row.Refuse("penstock_finish: the run %q was not begun by penstock_begin and ends by itself", id)
	}
	if r, err = c.update(ctx, r, func(r *run.Run) bool { return c.finish(r, rows) }); err != nil {
		return RunStatus{}, err
	}
	return c.runStatus(ctx, r, nil, c.Now())
}

// finish reports whether the call changes the run.
func (c *Control) finish(r *run.Run, rows int64) bool {
	rows += r.Mirror.Expects()
	switch r.Status {
	case run.Open:
	case run.Finishing, run.Incomplete: // one that has another number than its rows
		if r.Expected == rows {
			return false
		}
	case run.Complete: // with more rows than announced: its mark stayed
		if r.Expected == rows || r.Counts.Received <= r.Expected || rows > r.Counts.Received {
			return false
		}
	default:
		return false
	}
	r.Status, r.FinishedAt, r.Expected = run.Finishing, c.Now(), rows
	r.Reason, r.Outcome, r.EndedAt, r.Final = "", "", time.Time{}, false
	return true
}

// Ended reports whether there is a run of that id that has ended.
func (c *Control) Ended(ctx context.Context, id string) (bool, error) {
	r, err := c.Runs.Run(ctx, id)
	if errors.Is(err, run.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read run %q: %w", id, err)
	}
	return r.Status.Ended(), nil
}

// Cancel ends a run: its rows that are not delivered yet are not sent. Twice is the
// same as once.
func (c *Control) Cancel(ctx context.Context, id, reason string) (out RunStatus, err error) {
	err = c.act(ctx, "cancel", named(id), func() (string, error) {
		out, err = c.cancel(ctx, id, reason)
		return out.Reason, err
	})
	return out, err
}

func (c *Control) cancel(ctx context.Context, id, reason string) (RunStatus, error) {
	r, err := c.run(ctx, "penstock_cancel", id)
	if err != nil {
		return RunStatus{}, err
	}
	if len(reason) > maxReason {
		return RunStatus{}, row.Refuse("penstock_cancel: the reason has %d bytes, at most %d are kept", len(reason), maxReason)
	}
	if reason == "" {
		reason = "cancelled by penstock_cancel"
	}
	r, err = c.update(ctx, r, func(r *run.Run) bool {
		if r.Status.Ended() {
			return false
		}
		r.Status, r.Reason, r.EndedAt = run.Cancelled, reason, c.Now()
		return true
	})
	if err != nil {
		return RunStatus{}, err
	}
	if r.Status != run.Cancelled {
		return RunStatus{}, row.Refuse("penstock_cancel: the run %q is %s already", id, r.Status)
	}
	return c.runStatus(ctx, r, nil, c.Now())
}

// ResetMessage says what Reset did.
const ResetMessage = "the watermark is cleared: the next penstock_begin answers select: all"

// Reset clears a sync's watermarks: the next run selects all rows. It begins none,
// and a run that goes on does not set the watermark unless it selected all rows.
func (c *Control) Reset(ctx context.Context, sync string) error {
	return c.act(ctx, "reset", named(sync), func() (string, error) { return "", c.reset(ctx, sync) })
}

func (c *Control) reset(ctx context.Context, sync string) error {
	if _, err := c.current(ctx, "penstock_reset", sync); err != nil {
		return err
	}
	if err := c.Marks.ResetMarks(ctx, sync); err != nil {
		return fmt.Errorf("reset the watermarks of sync %q: %w", sync, err)
	}
	return nil
}
