package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/run"
)

// PinBatch implements pipeline.Runs.
func (s *Store) PinBatch(ctx context.Context, b run.Batch) (stored run.Batch, created bool, err error) {
	pinned := b
	pinned.Sent, pinned.Chunks = false, nil
	body, err := json.Marshal(pinned)
	if err == nil {
		err = s.write(ctx, func(c *conn) error {
			n, err := c.exec("INSERT INTO batch (run, id, sent, body) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING", b.Run, b.ID, b.Sent, string(body))
			if err != nil {
				return err
			}
			created = n == 1
			stored, err = c.batch(b.Run, b.ID)
			return err
		})
	}
	if err != nil {
		return run.Batch{}, false, fmt.Errorf("pin batch %s of run %s: %w", b.ID, b.Run, err)
	}
	return stored, created, nil
}

// MarkSent implements pipeline.Runs.
func (s *Store) MarkSent(ctx context.Context, runID, batch string) error {
	err := s.write(ctx, func(c *conn) error {
		n, err := c.exec("UPDATE batch SET sent = 1 WHERE run = ?1 AND id = ?2", runID, batch)
		if err == nil && n == 0 {
			err = pipeline.ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("mark batch %s of run %s as sent: %w", batch, runID, err)
	}
	return nil
}

// Batch implements pipeline.Runs.
func (s *Store) Batch(ctx context.Context, runID, batch string) (b run.Batch, err error) {
	err = s.read(ctx, func(c *conn) (err error) { b, err = c.batch(runID, batch); return err })
	if err != nil {
		return run.Batch{}, fmt.Errorf("batch %s of run %s: %w", batch, runID, err)
	}
	return b, nil
}

// Batches implements pipeline.Runs, in the order of their ids.
func (s *Store) Batches(ctx context.Context, runID string) (all []run.Batch, err error) {
	err = s.read(ctx, func(c *conn) error {
		if err := c.query(func(q *stmt) error {
			var b run.Batch
			err := json.Unmarshal(q.view(0), &b)
			b.Sent = q.bool(1)
			all = append(all, b)
			return err
		}, "SELECT body, sent FROM batch WHERE run = ?1 ORDER BY id", runID); err != nil {
			return err
		}
		at := 0
		return c.query(func(q *stmt) error {
			for id := q.text(0); at < len(all)-1 && all[at].ID != id; {
				at++
			}
			return addChunk(&all[at], q, 1)
		}, "SELECT batch, idx, body, deferrals, attempts FROM chunk WHERE run = ?1 ORDER BY batch", runID)
	})
	if err != nil {
		return nil, fmt.Errorf("batches of run %s: %w", runID, err)
	}
	return all, nil
}

// RecordChunk implements pipeline.Runs.
func (s *Store) RecordChunk(ctx context.Context, runID, batch string, index int, chunk run.Chunk) (first bool, err error) {
	chunk.Done, chunk.Deferrals, chunk.Attempts = true, 0, 0
	body, err := json.Marshal(chunk)
	if err == nil {
		err = s.write(ctx, func(c *conn) error {
			if err := c.pinned(runID, batch); err != nil {
				return err
			}
			// I2: only the first result of a chunk is stored.
			n, err := c.exec(`INSERT INTO chunk (run, batch, idx, body) VALUES (?1, ?2, ?3, ?4)
				ON CONFLICT DO UPDATE SET body = excluded.body WHERE body = ''`, runID, batch, index, string(body))
			first = n == 1
			return err
		})
	}
	if err != nil {
		return false, fmt.Errorf("record chunk %d of batch %s of run %s: %w", index, batch, runID, err)
	}
	return first, nil
}

// DeferChunk implements pipeline.Runs.
func (s *Store) DeferChunk(ctx context.Context, runID, batch string, index, attempts int) error {
	err := s.write(ctx, func(c *conn) error {
		if err := c.pinned(runID, batch); err != nil {
			return err
		}
		_, err := c.exec(`INSERT INTO chunk (run, batch, idx, deferrals, attempts) VALUES (?1, ?2, ?3, 1, ?4)
			ON CONFLICT DO UPDATE SET deferrals = deferrals + 1, attempts = attempts + excluded.attempts`, runID, batch, index, attempts)
		return err
	})
	if err != nil {
		return fmt.Errorf("defer chunk %d of batch %s of run %s: %w", index, batch, runID, err)
	}
	return nil
}

// pinned returns pipeline.ErrNotFound unless the batch is stored.
func (c *conn) pinned(runID, batch string) error {
	found := false
	err := c.query(func(*stmt) error { found = true; return nil },
		"SELECT 1 FROM batch WHERE run = ?1 AND id = ?2", runID, batch)
	if err == nil && !found {
		err = pipeline.ErrNotFound
	}
	return err
}

func (c *conn) batch(runID, id string) (b run.Batch, err error) {
	found := false
	err = c.query(func(q *stmt) error {
		found = true
		err := json.Unmarshal(q.view(0), &b)
		b.Sent = q.bool(1)
		return err
	}, "SELECT body, sent FROM batch WHERE run = ?1 AND id = ?2", runID, id)
	if err != nil {
		return b, err
	}
	if !found {
		return b, pipeline.ErrNotFound
	}
	err = c.query(func(q *stmt) error { return addChunk(&b, q, 0) },
		"SELECT idx, body, deferrals, attempts FROM chunk WHERE run = ?1 AND batch = ?2", runID, id)
	return b, err
}

// addChunk adds the chunk of a row whose columns from i on are idx, body,
// deferrals and attempts.
func addChunk(b *run.Batch, q *stmt, i int) error {
	var chunk run.Chunk
	if body := q.view(i + 1); len(body) > 0 {
		if err := json.Unmarshal(body, &chunk); err != nil {
			return err
		}
	}
	chunk.Deferrals, chunk.Attempts = int(q.int(i+2)), int(q.int(i+3))
	if b.Chunks == nil {
		b.Chunks = map[int]run.Chunk{}
	}
	b.Chunks[int(q.int(i))] = chunk
	return nil
}
