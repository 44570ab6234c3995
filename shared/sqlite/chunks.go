package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// Chunk reads a message's record; the zero Chunk when there is none.
func (s *Store) Chunk(ctx context.Context, runID, batch string, index int) (chunk run.Chunk, err error) {
	err = s.read(ctx, func(c *conn) error { chunk, err = c.chunk(runID, batch, index); return err })
	if err != nil {
		return run.Chunk{}, chunkError("read", runID, batch, index, err)
	}
	return chunk, nil
}

// StartChunk stores the start mark over whatever mark there is, unless the chunk is Done.
func (s *Store) StartChunk(ctx context.Context, runID, batch string, index int, start run.Start) error {
	err := s.changeChunk(ctx, runID, batch, index, func(chunk *run.Chunk) { chunk.Start = &start })
	if err != nil {
		return chunkError("start", runID, batch, index, err)
	}
	return nil
}

// ReturnChunk notes that the message goes back on purpose, unless the chunk is Done.
func (s *Store) ReturnChunk(ctx context.Context, runID, batch string, index, most int, tried, busyUntil time.Time) error {
	err := s.changeChunk(ctx, runID, batch, index, func(chunk *run.Chunk) {
		chunk.Start, chunk.Most, chunk.Tried, chunk.BusyUntil = nil, most, tried, busyUntil
	})
	if err != nil {
		return chunkError("return", runID, batch, index, err)
	}
	return nil
}

// RecordChunk stores a chunk's record, Done, unless one is stored.
func (s *Store) RecordChunk(ctx context.Context, runID, batch string, index int, chunk run.Chunk) (first bool, err error) {
	err = s.changeChunk(ctx, runID, batch, index, func(stored *run.Chunk) {
		*stored = chunk
		stored.Done = true
		first = true // I2: only where changeChunk found none that is Done
	})
	if err != nil {
		return false, chunkError("record", runID, batch, index, err)
	}
	return first, nil
}

// changeChunk stores what change makes of a record, unless that is Done.
func (s *Store) changeChunk(ctx context.Context, runID, batch string, index int, change func(*run.Chunk)) error {
	return s.write(ctx, func(c *conn) error {
		chunk, err := c.chunk(runID, batch, index)
		if err != nil || chunk.Done {
			return err
		}
		change(&chunk)
		body, err := json.Marshal(chunk)
		if err != nil {
			return err
		}
		_, err = c.exec("INSERT OR REPLACE INTO chunk (run, batch, idx, done, body) VALUES (?1, ?2, ?3, ?4, ?5)",
			runID, batch, index, chunk.Done, string(body))
		return err
	})
}

func (c *conn) chunk(runID, batch string, index int) (chunk run.Chunk, err error) {
	err = c.one(&chunk, "SELECT body FROM chunk WHERE run = ?1 AND batch = ?2 AND idx = ?3", runID, batch, index)
	if errors.Is(err, run.ErrNotFound) {
		err = nil
	}
	return chunk, err
}

// ChunksDone tells which of a batch's chunks are recorded, by index.
func (s *Store) ChunksDone(ctx context.Context, runID, batch string, chunks int) (map[int]bool, error) {
	done := make(map[int]bool, chunks)
	err := s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error { done[int(q.int(0))] = true; return nil },
			"SELECT idx FROM chunk WHERE run = ?1 AND batch = ?2 AND done AND idx < ?3", runID, batch, chunks)
	})
	if err != nil {
		return nil, fmt.Errorf("recorded chunks of batch %s of run %s: %w", batch, runID, err)
	}
	return done, nil
}

// chunkPage is how many records are read at once, about 3 MB.
const chunkPage = 1000

// Chunks calls each with every record of a run's messages, those that are not Done
// included, in the order of batch and index. each may call the store.
func (s *Store) Chunks(ctx context.Context, runID string, each func(batch string, index int, c run.Chunk) error) error {
	type record struct {
		batch string
		index int
		chunk run.Chunk
	}
	last := record{index: -1}
	for page := []record{}; ; page = page[:0] {
		err := s.read(ctx, func(c *conn) error {
			return c.query(func(q *stmt) error {
				r := record{batch: q.text(0), index: int(q.int(1))}
				err := decode(q.view(2), &r.chunk)
				page = append(page, r)
				return err
			}, "SELECT batch, idx, body FROM chunk WHERE run = ?1 AND (batch, idx) > (?2, ?3) ORDER BY batch, idx LIMIT ?4",
				runID, last.batch, last.index, chunkPage)
		})
		if err != nil {
			return fmt.Errorf("chunks of run %s: %w", runID, err)
		}
		for _, r := range page {
			if err := each(r.batch, r.index, r.chunk); err != nil {
				return err
			}
		}
		if len(page) < chunkPage {
			return nil
		}
		last = page[len(page)-1]
	}
}

func chunkError(did, runID, batch string, index int, err error) error {
	return fmt.Errorf("%s chunk %d of batch %s of run %s: %w", did, index, batch, runID, err)
}
