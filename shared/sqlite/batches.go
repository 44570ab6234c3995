package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/penstock-data/penstock/shared/run"
)

// PinBatch stores a batch unless it exists, and returns what is stored.
func (s *Store) PinBatch(ctx context.Context, b run.Batch) (stored run.Batch, created bool, err error) {
	pinned := b
	pinned.Sent = false
	body, err := json.Marshal(pinned)
	if err == nil {
		err = s.write(ctx, func(c *conn) error {
			n, err := c.exec("INSERT INTO batch (run, id, sent, body) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING", b.Run, b.ID, b.Sent, string(body))
			if err != nil {
				return err
			}
			if created = n == 1; created {
				stored = b
				return nil
			}
			stored, err = c.batch(b.Run, b.ID)
			return err
		})
	}
	if err != nil {
		return run.Batch{}, false, fmt.Errorf("pin batch %s of run %s: %w", b.ID, b.Run, err)
	}
	return stored, created, nil
}

// MarkSent notes that every chunk of the batch was accepted by the queue; run.ErrNotFound.
func (s *Store) MarkSent(ctx context.Context, runID, batch string) error {
	err := s.write(ctx, func(c *conn) error {
		n, err := c.exec("UPDATE batch SET sent = 1 WHERE run = ?1 AND id = ?2", runID, batch)
		if err == nil && n == 0 {
			err = run.ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("mark batch %s of run %s as sent: %w", batch, runID, err)
	}
	return nil
}

// Batch reads one batch; run.ErrNotFound.
func (s *Store) Batch(ctx context.Context, runID, batch string) (b run.Batch, err error) {
	err = s.read(ctx, func(c *conn) (err error) { b, err = c.batch(runID, batch); return err })
	if err != nil {
		return run.Batch{}, fmt.Errorf("batch %s of run %s: %w", batch, runID, err)
	}
	return b, nil
}

// Batches lists a run's batches, in the order of their ids.
func (s *Store) Batches(ctx context.Context, runID string) (all []run.Batch, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error {
			b, err := readBatch(q)
			all = append(all, b)
			return err
		}, "SELECT body, sent FROM batch WHERE run = ?1 ORDER BY id", runID)
	})
	if err != nil {
		return nil, fmt.Errorf("batches of run %s: %w", runID, err)
	}
	return all, nil
}

func (c *conn) batch(runID, id string) (b run.Batch, err error) {
	found := false
	err = c.query(func(q *stmt) error {
		found = true
		b, err = readBatch(q)
		return err
	}, "SELECT body, sent FROM batch WHERE run = ?1 AND id = ?2", runID, id)
	if err == nil && !found {
		err = run.ErrNotFound
	}
	return b, err
}

// readBatch reads the columns body and sent.
func readBatch(q *stmt) (b run.Batch, err error) {
	err = decode(q.view(0), &b)
	b.Sent = q.bool(1)
	return b, err
}
