package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// pin stores the batch before anything is sent, or finds what an earlier attempt
// pinned and packs its chunks again. It reopens an implicit run that was settled
// before this late batch.
func (in *Intake) pin(ctx context.Context, b row.Batch, c *check) (run.Batch, error) {
	stored, created, err := in.Runs.PinBatch(ctx, c.batch)
	if err != nil {
		return stored, fmt.Errorf("pin batch %q of run %q: %w", c.batch.ID, c.run.ID, err)
	}
	if !created {
		if stored.BodyHash != c.batch.BodyHash {
			return stored, badRequest("batch id %q came before with other rows; a batch id stands for one request only", b.ID)
		}
		c.batch.Place = stored.Place
		if err := c.pack(stored.Cut); err != nil {
			return stored, err
		}
	}
	if stored.Sent {
		return stored, nil
	}
	return stored, in.reopen(ctx, c.run) // a retry too: the attempt that pinned the batch may have died here
}

// reopen makes an implicit run that was closed take its late batch: one that is
// pinned before the run is read, so that the sweeper, which closes a run before
// it counts it for the last time, misses none.
func (in *Intake) reopen(ctx context.Context, r run.Run) error {
	if r.Bracketed {
		return nil
	}
	for range 10 {
		now, err := in.Runs.Run(ctx, r.ID)
		if err != nil {
			return fmt.Errorf("read run %q: %w", r.ID, err)
		}
		if now.Status == run.Open || now.Status == run.Cancelled {
			return nil
		}
		now.Status, now.Reason = run.Open, ""
		now.FinishedAt, now.EndedAt, now.Expected = time.Time{}, time.Time{}, -1
		err = in.Runs.UpdateRun(ctx, now, "")
		if err == nil {
			return nil
		}
		if !errors.Is(err, ErrConflict) { // another late batch, or the sweeper: look again
			return fmt.Errorf("reopen run %q for a late batch: %w", r.ID, err)
		}
	}
	return fmt.Errorf("reopen run %q for a late batch: %w", r.ID, ErrConflict)
}

// send queues the chunks that an earlier attempt did not, and notes that all are.
func (in *Intake) send(ctx context.Context, c *check, stored run.Batch) error {
	if stored.Sent {
		return nil
	}
	var msgs []Message
	for i, m := range c.chunks {
		if !stored.Chunks[i].Done {
			msgs = append(msgs, m)
		}
	}
	if len(msgs) > 0 {
		if _, err := in.Queue.Send(ctx, c.p.version.Connection.Type, msgs); err != nil {
			return fmt.Errorf("queue batch %q of run %q: %w", c.batch.ID, c.run.ID, err)
		}
	}
	if err := in.Runs.MarkSent(ctx, c.run.ID, c.batch.ID); err != nil {
		return fmt.Errorf("mark batch %q of run %q as sent: %w", c.batch.ID, c.run.ID, err)
	}
	return nil
}

// room answers 429 while the destination's queue is full.
func (in *Intake) room(ctx context.Context, queue string) error {
	n, err := in.depths.of(ctx, in, queue)
	if err != nil {
		return fmt.Errorf("read the depth of queue %q: %w", queue, err)
	}
	if n > MaxDepth {
		return &RequestError{Status: 429, Message: fmt.Sprintf("the queue to %s holds %d messages, more than %d: slow down", queue, n, MaxDepth)}
	}
	return nil
}

// depths remembers each queue's depth for a few seconds; it is approximate anyway.
type depths struct {
	mu   sync.Mutex
	seen map[string]depth
}

type depth struct {
	n  int
	at time.Time
}

func (d *depths) of(ctx context.Context, in *Intake, queue string) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := in.Now()
	if s, ok := d.seen[queue]; ok && now.Sub(s.at) < 5*time.Second {
		return s.n, nil
	}
	n, err := in.Queue.Depth(ctx, queue)
	if err != nil {
		return 0, err
	}
	if d.seen == nil {
		d.seen = map[string]depth{}
	}
	d.seen[queue] = depth{n, now}
	return n, nil
}

// packers keeps Packers between requests: each holds a few MB of zstd tables.
var packers packerPool

type packerPool struct{ pool sync.Pool }

func (p *packerPool) get() (*envelope.Packer, error) {
	if k, ok := p.pool.Get().(*envelope.Packer); ok {
		return k, nil
	}
	return envelope.NewPacker()
}

func (p *packerPool) put(k *envelope.Packer) { p.pool.Put(k) }
