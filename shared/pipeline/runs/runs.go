// Package runs begins, finishes, cancels, watches and settles runs, moves
// watermarks, sends again what failed, and applies versions. It reads what intake
// and deliver recorded; rows that are to be sent again it hands to a Replayer,
// which is intake.
package runs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/version"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Stores are what the package needs of storage.
type Stores struct {
	Syncs       Syncs
	Definitions Definitions // for Apply and Remove alone
	Connections Connections
	Runs        Runs
	History     History
	Recorded    Recorded
	Marks       Marks
	Errors      Errors
	Due         Due
	Ledger      Ledger
	Halts       Halts
	Depths      Depths
	Mirrors     Mirrors   // asked only for full runs of mirrors
	Firings     Firings   // of schedules; nil where nothing is scheduled
	Pauses      Pauses    // of people; nil where nothing is paused
	Audit       Audit     // nil where nobody's actions are kept
	Freshness   Freshness // nil where nothing is counted
	Overviews   Overviews // for pages; nil where none are stored
	Some        Some      // for pages, as are Lists and Places; nil where none are shown
	Lists       Lists
	Places      Places
	Told        Told // of alerts and quotas; nil where nobody is told of them
	// Verifications is nil where no daily check is made.
	Verifications Verifications
	Versions      Versions // for Forget alone, as are Sources
	Entries       Entries  // for Forget, and for the page of a record
	Sources       Sources
	Shredder      Shredder // nil where deleting leaves no copies
}

// A Replayer takes rows that failed before: package intake's Intake.
type Replayer interface {
	// Replay queues the rows and answers each: queued, rejected with the fault, or
	// superseded, with a fault where its target is not today's. Handed in again, the
	// same batch is answered alike. run.ErrNotFound when the sync is not applied.
	Replay(ctx context.Context, b run.Replay) ([]row.Answer, error)
}

// Control answers SQL, the command line and schedules. Its errors of type
// *row.Refusal are the caller's, with the remedy.
type Control struct {
	Stores
	Replayer Replayer
	Checker  Checker // for Plan alone
	Policy   run.Policy
	Now      func() time.Time

	versions version.Cache
}

// missing refuses what names nothing that is there: run.ErrNotFound to errors.Is, so
// that what only reads may answer that instead.
func missing(format string, args ...any) *row.Refusal {
	r := row.Refuse(format, args...)
	r.Err = run.ErrNotFound
	return r
}

func isMissing(err error) bool { return errors.Is(err, run.ErrNotFound) }

// current is a sync's applied version; a *row.Refusal when none is.
func (s *Stores) current(ctx context.Context, function, sync string) (syncdef.Version, error) {
	v, err := s.Syncs.Current(ctx, sync)
	if errors.Is(err, run.ErrNotFound) {
		return v, missing("%s: there is no sync %q, or it is not applied: run penstock apply", function, sync)
	}
	if err != nil {
		return v, fmt.Errorf("read sync %q: %w", sync, err)
	}
	return v, nil
}

// run is a stored run; a *row.Refusal when there is none.
func (s *Stores) run(ctx context.Context, function, id string) (run.Run, error) {
	if !run.IsID(id) {
		return run.Run{}, row.Refuse("%s takes a run, and %q is none:  SELECT penstock_status(%s)  lists the sync's runs", function, id, literal(id))
	}
	r, err := s.Runs.Run(ctx, id)
	if errors.Is(err, run.ErrNotFound) || err == nil && r.Sync != run.SyncOf(id) {
		return r, missing("%s: there is no run %q:  SELECT penstock_status(%s)  lists the sync's runs", function, id, literal(run.SyncOf(id)))
	}
	if err != nil {
		return r, fmt.Errorf("read run %q: %w", id, err)
	}
	return r, nil
}

// literal is a text as every dialect of SQL writes it, so that advice can be pasted.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// tally sums up what is recorded of a run.
func (s *Stores) tally(ctx context.Context, id string) (*run.Tally, error) {
	batches, err := s.Recorded.Batches(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read the batches of run %q: %w", id, err)
	}
	t := &run.Tally{}
	for i := range batches {
		t.AddBatch(&batches[i])
	}
	err = s.Recorded.Chunks(ctx, id, func(batch string, _ int, c run.Chunk) error {
		t.AddChunk(batch, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the messages of run %q: %w", id, err)
	}
	return t, nil
}

// target is a version's ledger as of now.
func (s *Stores) target(ctx context.Context, v syncdef.Version) (string, error) {
	c, err := s.Connections.Connection(ctx, v.Definition.Connection)
	if errors.Is(err, run.ErrNotFound) {
		return "", row.Refuse("connection %q is not stored: run penstock apply again", v.Definition.Connection)
	}
	if err != nil {
		return "", fmt.Errorf("read connection %q: %w", v.Definition.Connection, err)
	}
	return ledger.Target(&v.Definition, &v.Rules, c.Epoch), nil
}

// mark is the stored mark of a target and column, or the one to be stored first.
func (s *Stores) mark(ctx context.Context, sync, target, column string) (run.Mark, error) {
	m, err := s.Marks.Mark(ctx, sync, target, column)
	if errors.Is(err, run.ErrNotFound) {
		return run.Mark{Sync: sync, Target: target, Column: column}, nil
	}
	if err != nil {
		return m, fmt.Errorf("read the watermark of sync %q: %w", sync, err)
	}
	return m, nil
}

// attempts is how often an optimistic update is tried.
const attempts = 10

// update changes a run until nobody else did in between. change returns false to
// leave it as it is.
func (s *Stores) update(ctx context.Context, r run.Run, change func(r *run.Run) bool) (run.Run, error) {
	for range attempts {
		next := r
		if !change(&next) {
			return r, nil
		}
		err := s.Runs.UpdateRun(ctx, next)
		if err == nil {
			next.Revision++
			return next, nil
		}
		if !errors.Is(err, run.ErrConflict) {
			return r, fmt.Errorf("store run %q: %w", r.ID, err)
		}
		if r, err = s.Runs.Run(ctx, r.ID); err != nil {
			return r, fmt.Errorf("read run %q: %w", r.ID, err)
		}
	}
	return r, fmt.Errorf("store run %q: %w", r.ID, run.ErrConflict)
}
