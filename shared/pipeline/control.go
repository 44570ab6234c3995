package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// Control begins, finishes and reports on runs, for SQL, the CLI and schedules.
// Its errors of type *RequestError are the caller's, with the remedy.
type Control struct {
	Syncs  Syncs
	Runs   Runs
	Errors Errors
	Now    func() time.Time
}

// Begun answers penstock_begin.
type Begun struct {
	Run       string   `json:"run"`
	Sync      string   `json:"sync"`
	Version   string   `json:"version"`
	Mode      run.Mode `json:"mode"`
	Watermark string   `json:"-"` // a raw JSON scalar, "" when none was set
}

// Begin starts a bracketed run. token is the warehouse's batch id with the row's
// number: a retried call is answered with the run that the first one began.
func (c *Control) Begin(ctx context.Context, sync, mode, token string) (Begun, error) {
	if mode == "" {
		mode = string(run.Incremental)
	}
	if mode != string(run.Incremental) && mode != string(run.Full) {
		return Begun{}, badRequest("penstock_begin: mode %q is not known: use incremental or full", mode)
	}
	v, err := c.Syncs.Current(ctx, sync)
	if errors.Is(err, ErrNotFound) {
		return Begun{}, badRequest("penstock_begin: there is no sync %q, or it is not applied: run penstock apply", sync)
	}
	if err != nil {
		return Begun{}, fmt.Errorf("read sync %q: %w", sync, err)
	}
	mark, err := c.Runs.Watermark(ctx, sync)
	if err != nil {
		return Begun{}, fmt.Errorf("read the watermark of sync %q: %w", sync, err)
	}
	sum := sha256.Sum256([]byte(token))
	r := run.Run{
		ID: sync + ".r" + hex.EncodeToString(sum[:8]), Sync: sync, Version: v.ID, Mode: run.Mode(mode), Bracketed: true,
		Status: run.Open, BegunAt: c.Now(), Expected: -1, From: mark,
	}
	active, err := c.Runs.Run(ctx, r.ID)
	if errors.Is(err, ErrNotFound) {
		active, err = c.Runs.BeginRun(ctx, r)
	}
	if errors.Is(err, ErrActive) && active.ID != r.ID {
		return Begun{}, badRequest("penstock_begin: run %q of sync %q is active since %s: finish it with penstock_finish, or wait until it is given up after a quiet hour",
			active.ID, sync, active.BegunAt.UTC().Format(time.RFC3339))
	}
	if err != nil && !errors.Is(err, ErrActive) {
		return Begun{}, fmt.Errorf("begin a run of sync %q: %w", sync, err)
	}
	return Begun{Run: active.ID, Sync: sync, Version: active.Version, Mode: active.Mode, Watermark: active.From}, nil
}

// Finish says that all rows of a run were pushed. Twice is the same as once; with
// another number, while the run waits, it corrects the first.
func (c *Control) Finish(ctx context.Context, id string, rows int64) (run.Run, error) {
	if rows < 0 {
		return run.Run{}, badRequest("penstock_finish: %d rows cannot be: pass the number of rows that were pushed", rows)
	}
	for range 5 {
		r, err := c.Runs.Run(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return r, badRequest("penstock_finish: there is no run %q: pass what penstock_begin answered", id)
		}
		if err != nil {
			return r, fmt.Errorf("read run %q: %w", id, err)
		}
		// A run that waits for rows of a wrong count takes the right one: it would
		// wait for an hour otherwise, and refuse the next begin.
		if mend := r.Bracketed && r.Status == run.Finishing && r.Expected != rows; r.Status != run.Open && !mend {
			return c.live(ctx, r)
		}
		r.Status, r.FinishedAt, r.Expected = run.Finishing, c.Now(), rows
		err = c.Runs.UpdateRun(ctx, r, "")
		if err == nil {
			r.Revision++
			return c.live(ctx, r)
		}
		if !errors.Is(err, ErrConflict) {
			return r, fmt.Errorf("finish run %q: %w", id, err)
		}
	}
	return run.Run{}, fmt.Errorf("finish run %q: %w", id, ErrConflict)
}

// SyncStatus answers penstock_status.
type SyncStatus struct {
	Sync      string    `json:"sync"`
	Version   string    `json:"version"`
	AppliedAt time.Time `json:"applied_at"`
	Watermark string    `json:"watermark,omitempty"` // a raw JSON scalar
	Runs      []run.Run `json:"runs"`                // newest first, with the counts of now
}

// Status reports a sync and its last runs, or the one run whose id is given.
func (c *Control) Status(ctx context.Context, syncOrRun string) (SyncStatus, error) {
	name := run.SyncOf(syncOrRun)
	v, err := c.Syncs.Current(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return SyncStatus{}, badRequest("penstock_status: there is no sync %q, or it is not applied: run penstock apply", name)
	}
	if err != nil {
		return SyncStatus{}, fmt.Errorf("read sync %q: %w", name, err)
	}
	s := SyncStatus{Sync: name, Version: v.ID, AppliedAt: v.AppliedAt}
	if s.Watermark, err = c.Runs.Watermark(ctx, name); err != nil {
		return s, fmt.Errorf("read the watermark of sync %q: %w", name, err)
	}
	var runs []run.Run
	if run.IsID(syncOrRun) {
		r, err := c.Runs.Run(ctx, syncOrRun)
		if errors.Is(err, ErrNotFound) {
			return s, badRequest("penstock_status: there is no run %q", syncOrRun)
		}
		if err != nil {
			return s, fmt.Errorf("read run %q: %w", syncOrRun, err)
		}
		runs = []run.Run{r}
	} else if runs, err = c.Runs.RecentRuns(ctx, name, 10); err != nil {
		return s, fmt.Errorf("list the runs of sync %q: %w", name, err)
	}
	for _, r := range runs {
		r, err := c.live(ctx, r)
		if err != nil {
			return s, err
		}
		s.Runs = append(s.Runs, r)
	}
	return s, nil
}

// live gives a run that goes on the counts of this moment.
func (c *Control) live(ctx context.Context, r run.Run) (run.Run, error) {
	if r.Status == run.Complete {
		return r, nil
	}
	batches, err := c.Runs.Batches(ctx, r.ID)
	if err != nil {
		return r, fmt.Errorf("read the batches of run %q: %w", r.ID, err)
	}
	r.Counts, _, _ = run.Total(batches)
	return r, nil
}

// RunErrors answers penstock_errors: up to limit of a run's errors, and where to
// go on.
func (c *Control) RunErrors(ctx context.Context, id string, limit int, after string) ([]run.RowError, string, error) {
	if !run.IsID(id) {
		return nil, "", badRequest("penstock_errors takes a run, and %q is none: penstock_status(%q) lists the sync's runs", id, id)
	}
	errs, next, err := c.Errors.RunErrors(ctx, id, limit, after)
	if err != nil {
		return nil, "", fmt.Errorf("list the errors of run %q: %w", id, err)
	}
	if len(errs) == 0 && after == "" && run.SyncOf(id) != unreadableSync { // whose messages belong to no run
		_, err := c.Runs.Run(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return nil, "", badRequest("penstock_errors: there is no run %q: penstock_status(%q) lists the sync's runs", id, run.SyncOf(id))
		}
		if err != nil {
			return nil, "", fmt.Errorf("read run %q: %w", id, err)
		}
	}
	return errs, next, nil
}
