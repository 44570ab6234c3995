package intake

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

func replayOf(r run.ReplayRow) *envelope.Replay {
	return &envelope.Replay{Ref: r.Ref, Sequence: r.Sequence, Attempts: r.Attempts, Halted: r.Halted}
}

// Replay queues rows that failed before, each through its own lane, and answers
// each: queued; rejected, with the fault that ends its being due; superseded, by
// another row of the batch or, with a fault, because its target is not today's.
// run.ErrNotFound, wrapped, when the sync is not applied. After another error the
// same batch may be handed in again, and is answered alike; with other rows, where it was
// asked for, it is an error.
func (in *Intake) Replay(ctx context.Context, b run.Replay) ([]row.Answer, error) {
	if len(b.Rows) > run.MaxRows {
		return nil, fmt.Errorf("replay %q of run %q has %d rows, at most %d are taken", b.ID, b.Original, len(b.Rows), run.MaxRows)
	}
	rows := make([]row.Row, len(b.Rows))
	for n := range rows {
		rows[n] = row.Row{Number: n, Object: b.Rows[n].Object}
	}
	stored, err := in.Batches.Batch(ctx, b.Run, b.ID)
	if err == nil {
		return in.replayAgain(ctx, stored, b, rows)
	}
	if !errors.Is(err, run.ErrNotFound) {
		return nil, fmt.Errorf("read batch %q of run %q: %w", b.ID, b.Run, err)
	}
	c, err := in.checkReplay(ctx, b, rows)
	if err != nil {
		return nil, err
	}
	stored, created, err := in.Batches.PinBatch(ctx, c.batch)
	if err != nil {
		return nil, fmt.Errorf("pin batch %q of run %q: %w", b.ID, b.Run, err)
	}
	if !created {
		return in.replayAgain(ctx, stored, b, rows)
	}
	if err := in.reopen(ctx, b.Run); err != nil {
		return nil, err
	}
	if err := in.send(ctx, &c.batch, c.v.Version.Rules.Type, c.messages); err != nil {
		return nil, err
	}
	answers := make([]row.Answer, len(rows))
	for n := range answers {
		answers[n] = ended(c.answer(n))
	}
	return answers, nil
}

// checkReplay judges the rows of a new batch.
func (in *Intake) checkReplay(ctx context.Context, b run.Replay, rows []row.Row) (*check, error) {
	current, err := in.Syncs.Current(ctx, b.Sync)
	if err != nil {
		return nil, fmt.Errorf("read sync %q: %w", b.Sync, err)
	}
	v, err := in.compiled(current)
	if err != nil {
		return nil, err
	}
	epoch, err := in.epoch(ctx, current.Definition.Connection)
	if err != nil {
		return nil, err
	}
	r, err := in.Runs.EnsureRun(ctx, run.Run{
		ID: b.Run, Sync: b.Sync, Original: b.Original, Version: current.ID, Target: v.Target(epoch),
		Mode: run.Incremental, Status: run.Open, BegunAt: in.Now(), Expected: -1,
	})
	if err != nil {
		return nil, fmt.Errorf("start run %q: %w", b.Run, err)
	}
	c := newCheck(v, r, len(rows), in.Now())
	c.replays, c.batch.ID, c.batch.Version, c.batch.Asked = b.Rows, b.ID, current.ID, b.Asked
	c.mapRows(func(n int) *row.Row { return &rows[n] })
	target := v.Target(epoch)
	for n := range c.fates {
		switch f := &c.fates[n]; {
		case rows[n].Object == nil:
			f.status, f.fault = row.Superseded, nil
		case b.Rows[n].Target != target:
			f.status, f.fault = row.Rejected, targetChanged()
		case b.Rows[n].Delete != (f.action == row.Delete) && f.status == row.Queued:
			f.status, f.fault = row.Rejected, actionChanged(b.Rows[n].Delete)
		}
	}
	if err := in.find(ctx, c); err != nil {
		return nil, err
	}
	return c, c.place()
}

// replayAgain answers a batch that was handed in before, and sends what was not.
func (in *Intake) replayAgain(ctx context.Context, stored run.Batch, b run.Replay, rows []row.Row) ([]row.Answer, error) {
	if !reflect.DeepEqual(stored.Asked, b.Asked) {
		return nil, fmt.Errorf("batch %q of run %q was pinned with other rows, by the same call made at the same time", stored.ID, stored.Run)
	}
	if codes, err := run.UnpackCodes(stored.Rows); err == nil && len(codes) != len(rows) && stored.Sent {
		// A message that was settled twice found fewer of its rows due the second time:
		// they went out with the first.
		return slices.Repeat([]row.Answer{{Status: row.Queued, Run: stored.Run}}, len(rows)), nil
	}
	rep, err := in.repeat(ctx, stored, len(rows), func(n int) *row.Row { return &rows[n] })
	if err != nil {
		return nil, err
	}
	rep.replay = func(n int) *envelope.Replay { return replayOf(b.Rows[n]) }
	answers := make([]row.Answer, len(rows))
	for n, code := range rep.codes {
		status, _, fault, ok := stored.Placed(code)
		if !ok {
			return nil, fmt.Errorf("batch %q of run %q: code %d names no answer", stored.ID, stored.Run, code)
		}
		answers[n] = ended(row.Answer{Status: status, Run: stored.Run, Fault: fault})
	}
	if stored.Sent {
		return answers, nil
	}
	if err := rep.derive(ctx, in); err != nil {
		return nil, err
	}
	return answers, in.sendAgain(ctx, rep)
}

// ended is the answer of a replay: a row of another target is no fault of its own.
func ended(a row.Answer) row.Answer {
	a.RecordID = ""
	if a.Fault != nil && a.Fault.Rule == ruleTarget {
		a.Status = row.Superseded
	}
	return a
}
