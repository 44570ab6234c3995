package sqlite

import (
	"context"
	"fmt"

	"github.com/penstock-data/penstock/shared/run"
)

// StoreUnchanged stores the hashes of the keys that a message left unchanged, and deletes
// those that were kept for long enough.
func (s *Store) StoreUnchanged(ctx context.Context, runID, batch string, index int, hashes []byte) error {
	err := s.write(ctx, func(c *conn) error {
		now := s.now()
		if _, err := c.exec("DELETE FROM unchanged WHERE at < ?1", now.Add(-run.KeepUnchanged).UnixNano()); err != nil {
			return err
		}
		_, err := c.exec("INSERT OR REPLACE INTO unchanged (run, batch, idx, at, hashes) VALUES (?1, ?2, ?3, ?4, ?5)",
			runID, batch, int64(index), now.UnixNano(), append([]byte{}, hashes...))
		return err
	})
	if err != nil {
		return fmt.Errorf("store the keys that batch %s of run %s left unchanged: %w", batch, runID, err)
	}
	return nil
}

// Unchanged calls each for every message of a run of which some are stored.
func (s *Store) Unchanged(ctx context.Context, runID string, each func(batch string, index int, hashes []byte) error) error {
	err := s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error { return each(q.text(0), int(q.int(1)), q.bytes(2)) },
			"SELECT batch, idx, hashes FROM unchanged WHERE run = ?1", runID)
	})
	if err != nil {
		return fmt.Errorf("read the keys that run %s left unchanged: %w", runID, err)
	}
	return nil
}
