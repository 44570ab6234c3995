package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/run"
)

// send queues messages, and notes that the batch is sent.
func (in *Intake) send(ctx context.Context, b *run.Batch, queue string, messages []envelope.Message) error {
	if len(messages) > 0 {
		if _, err := in.Queue.Send(ctx, queue, messages); err != nil {
			return fmt.Errorf("queue batch %q of run %q: %w", b.ID, b.Run, err)
		}
	}
	if err := in.Batches.MarkSent(ctx, b.Run, b.ID); err != nil {
		return fmt.Errorf("mark batch %q of run %q as sent: %w", b.ID, b.Run, err)
	}
	return nil
}

// sendAgain sends what is neither sent nor recorded, under the same ids; of a
// cancelled run it is stored as errors.
func (in *Intake) sendAgain(ctx context.Context, rep *repetition) error {
	b := &rep.batch
	r, err := in.Runs.Run(ctx, b.Run)
	if err != nil {
		return fmt.Errorf("read run %q: %w", b.Run, err)
	}
	done, err := in.Chunks.ChunksDone(ctx, b.Run, b.ID, b.Chunks)
	if err != nil {
		return fmt.Errorf("read the chunks of batch %q of run %q: %w", b.ID, b.Run, err)
	}
	if err := in.reopen(ctx, b.Run); err != nil {
		return err
	}
	if r.Status.Dead() {
		return in.endAgain(ctx, rep, r, done)
	}
	if err := in.endGone(ctx, rep, done); err != nil {
		return err
	}
	messages, err := rep.pack(r.Mode, done)
	if err != nil {
		return err
	}
	return in.send(ctx, b, rep.queue, messages)
}

// pack cuts the rows into the messages that were pinned.
func (rep *repetition) pack(mode run.Mode, done map[int]bool) ([]envelope.Message, error) {
	k := packers.Get().(*envelope.Packer)
	defer packers.Put(k)
	b := &rep.batch
	var messages []envelope.Message
	for index, at := range rep.chunks() {
		rows := rep.envelopeRows(at)
		if done[index] || len(rows) == 0 {
			continue
		}
		if index >= len(b.Lanes) {
			return nil, fmt.Errorf("batch %q of run %q: no lane is pinned for chunk %d", b.ID, b.Run, index)
		}
		lane := int(b.Lanes[index])
		c := chunk(b, mode, lane, index, rows)
		c.Late = rep.replay == nil
		messages = append(messages, message(b, lane, index, k.Pack(c)))
	}
	return messages, nil
}

// chunks are the positions of the rows by chunk.
func (rep *repetition) chunks() [][]int {
	out := make([][]int, rep.batch.Chunks)
	for n, code := range rep.codes {
		if _, at, _, ok := rep.batch.Placed(code); ok && at >= 0 {
			out[at] = append(out[at], n)
		}
	}
	return out
}

// envelopeRows are the rows at some positions. Which of them superseded others is
// not known any more, so that the first holds for all of the batch.
func (rep *repetition) envelopeRows(at []int) []envelope.Row {
	out := make([]envelope.Row, 0, len(at))
	for _, n := range at {
		r := rep.rows(n)
		if r.Object == nil {
			continue // a replay whose error is closed by now
		}
		e := envelope.Row{Number: r.Number, Object: r.Object, Delete: rep.texts[n].deletes, Key: rep.texts[n].found}
		if rep.replay != nil {
			e.Replay = rep.replay(n)
		}
		out = append(out, e)
	}
	if rep.batch.Least != "" && len(out) > 0 {
		out[0].Least = []byte(rep.batch.Least)
	}
	return out
}

// endAgain stores the rows of the chunks that were not recorded as errors: their
// run was ended before they were queued. A worker that has one of the messages after
// all counts them alike, and stores those of a run that does not select again under
// the same names. Rows of a replay have their errors.
func (in *Intake) endAgain(ctx context.Context, rep *repetition, r run.Run, done map[int]bool) error {
	b, why := &rep.batch, blocked(r)
	for index, at := range rep.chunks() {
		if done[index] {
			continue
		}
		var errs []run.RowError
		if rep.replay == nil {
			for _, n := range at {
				errs = append(errs, rep.error(n, why, in.Now()))
			}
		}
		if err := in.Errors.StoreErrors(ctx, errs); err != nil {
			return fmt.Errorf("store the unsent rows of run %q: %w", b.Run, err)
		}
		c, fate := run.Chunk{Done: true, At: in.Now()}, run.FateFailed
		if rows := int64(len(at)); r.Selects() {
			fate, c.Counts.Cancelled = run.FateCancelled, rows
		} else {
			c.Counts.Failed, c.Groups = rows, []run.Group{{Stage: stage, Type: why.Rule, Rows: rows}}
		}
		c.Outcomes = run.PackFates(slices.Repeat([]run.Fate{fate}, len(at)))
		if _, err := in.Chunks.RecordChunk(ctx, b.Run, b.ID, index, c); err != nil {
			return fmt.Errorf("record chunk %d of batch %q of run %q: %w", index, b.ID, b.Run, err)
		}
	}
	return in.send(ctx, b, rep.queue, nil)
}

// endGone records the chunks of which no row is left to be sent: their errors are
// gone.
func (in *Intake) endGone(ctx context.Context, rep *repetition, done map[int]bool) error {
	b := &rep.batch
	for index, at := range rep.chunks() {
		if done[index] || len(at) == 0 || len(rep.envelopeRows(at)) > 0 {
			continue
		}
		fates := make([]run.Fate, len(at))
		for i := range fates {
			fates[i] = run.FateSuperseded
		}
		c := run.Chunk{Done: true, At: in.Now(), Counts: run.Counts{Superseded: int64(len(at))}, Outcomes: run.PackFates(fates)}
		if _, err := in.Chunks.RecordChunk(ctx, b.Run, b.ID, index, c); err != nil {
			return fmt.Errorf("record chunk %d of batch %q of run %q: %w", index, b.ID, b.Run, err)
		}
	}
	return nil
}

// reopen makes a run that was closed take its late batch: one that is pinned
// before the run is read, so that the sweeper, which closes a run before it counts
// it for the last time, misses none.
func (in *Intake) reopen(ctx context.Context, id string) error {
	for range 10 {
		r, err := in.Runs.Run(ctx, id)
		if err != nil {
			return fmt.Errorf("read run %q: %w", id, err)
		}
		next, ok := run.Reopen(r)
		if !ok {
			return nil
		}
		err = in.Runs.UpdateRun(ctx, next)
		if err == nil {
			return nil
		}
		if !errors.Is(err, run.ErrConflict) { // another late batch, or the sweeper: look again
			return fmt.Errorf("reopen run %q for a late batch: %w", id, err)
		}
	}
	return fmt.Errorf("reopen run %q for a late batch: %w", id, run.ErrConflict)
}

// packers keeps Packers between requests: each holds the memory of a message.
var packers = sync.Pool{New: func() any { return &envelope.Packer{} }}
