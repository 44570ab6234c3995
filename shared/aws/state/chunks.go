package state

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
)

// A message's record is an item of its own, because an update is charged by the size
// of the whole item. Before it is done it holds mark (run.Start), most, tried and
// busy_until; done, the whole run.Chunk as its body.
func chunkKey(runID, batch string, index int) attr.Item {
	return attr.Key(batchPK(runID, batch), "CHUNK#"+batch+"#"+strconv.Itoa(index))
}

// Chunk reads a message's record; the zero Chunk when there is none.
func (s *Store) Chunk(ctx context.Context, runID, batch string, index int) (c run.Chunk, err error) {
	key := chunkKey(runID, batch, index)
	i, err := s.get(ctx, attr.String(key[attr.PK]), attr.String(key[attr.SK]))
	switch {
	case errors.Is(err, run.ErrNotFound):
		return run.Chunk{}, nil
	case err == nil:
		c, err = readChunk(i)
	}
	if err != nil {
		return run.Chunk{}, chunkError("read", runID, batch, index, err)
	}
	return c, nil
}

// StartChunk stores the start mark over whatever mark there is, unless the chunk is Done.
func (s *Store) StartChunk(ctx context.Context, runID, batch string, index int, start run.Start) error {
	mark, err := body(start)
	if err == nil {
		err = s.updateChunk(ctx, runID, batch, index, "SET mark = :mark, f = :f, expires_at = :expires", attr.Item{":mark": mark})
	}
	if err != nil {
		return chunkError("start", runID, batch, index, err)
	}
	return nil
}

// ReturnChunk notes that the message goes back on purpose, unless the chunk is Done.
func (s *Store) ReturnChunk(ctx context.Context, runID, batch string, index, most int, tried, busyUntil time.Time) error {
	at, err := body(tried)
	busy, bad := body(busyUntil)
	if err = errors.Join(err, bad); err == nil {
		err = s.updateChunk(ctx, runID, batch, index, "SET most = :most, tried = :tried, busy_until = :busy, f = :f, expires_at = :expires REMOVE mark",
			attr.Item{":most": attr.N(int64(most)), ":tried": at, ":busy": busy})
	}
	if err != nil {
		return chunkError("return", runID, batch, index, err)
	}
	return nil
}

const notDone = "attribute_not_exists(done)"

// updateChunk changes a record that is not done; one that is stays as it is.
func (s *Store) updateChunk(ctx context.Context, runID, batch string, index int, update string, values attr.Item) error {
	values[":f"], values[":expires"] = attr.Format(format), s.expiry()
	_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: s.table, Key: chunkKey(runID, batch, index), UpdateExpression: &update,
		ConditionExpression: aws.String(notDone), ExpressionAttributeValues: values,
	})
	if _, done := attr.Refused(err); done {
		return nil
	}
	return err
}

// RecordChunk stores a chunk's record, Done, unless one is stored: I2 by one
// conditional write. Where the SDK repeats a call whose answer was lost, it finds its
// own record: it is stored once, and first is false.
func (s *Store) RecordChunk(ctx context.Context, runID, batch string, index int, c run.Chunk) (first bool, err error) {
	c.Done = true
	content, err := body(c)
	if err == nil {
		i := chunkKey(runID, batch, index)
		i[attr.F], i["body"], i["done"], i[attr.Expires] = attr.Format(format), content, attr.Bool(true), s.expiry()
		_, err = s.put(ctx, i, notDone, nil)
	}
	if _, done := attr.Refused(err); done {
		return false, nil
	}
	if err != nil {
		return false, chunkError("record", runID, batch, index, err)
	}
	return true, nil
}

// ChunksDone tells which of a batch's chunks are recorded, by index.
func (s *Store) ChunksDone(ctx context.Context, runID, batch string, chunks int) (map[int]bool, error) {
	done := make(map[int]bool, chunks)
	err := s.query(ctx, prefix(batchPK(runID, batch), "CHUNK#"+batch+"#"), func(i attr.Item) error {
		_, index, err := placeOf(i)
		if attr.True(i["done"]) && index < chunks {
			done[index] = true
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("recorded chunks of batch %s of run %s: %w", batch, runID, err)
	}
	return done, nil
}

// Chunks calls each with every record of a run's messages, those that are not Done
// included, in no order. each may call the store.
func (s *Store) Chunks(ctx context.Context, runID string, each func(batch string, index int, c run.Chunk) error) error {
	for shard := range shards {
		var stop error
		err := s.query(ctx, prefix(shardPK(runID, shard), "CHUNK#"), func(i attr.Item) error {
			c, err := readChunk(i)
			if err != nil {
				return err
			}
			batch, index, err := placeOf(i)
			if err != nil {
				return err
			}
			stop = each(batch, index, c)
			return stop
		})
		switch {
		case stop != nil:
			return stop
		case err != nil:
			return fmt.Errorf("chunks of run %s: %w", runID, err)
		}
	}
	return nil
}

// placeOf is the batch and the index in a record's key.
func placeOf(i attr.Item) (batch string, index int, err error) {
	sk := strings.TrimPrefix(attr.String(i[attr.SK]), "CHUNK#")
	at := strings.LastIndexByte(sk, '#')
	if at < 0 {
		return "", 0, errors.New(nameOf(i) + " has no index")
	}
	index, err = strconv.Atoi(sk[at+1:])
	return sk[:at], index, err
}

func readChunk(i attr.Item) (c run.Chunk, err error) {
	if err := attr.Known(i, format, nameOf(i)); err != nil {
		return c, err
	}
	if attr.True(i["done"]) {
		return c, unmarshalBody(i, &c)
	}
	c.Most = int(attr.Int(i["most"]))
	if i["mark"] != nil {
		c.Start = &run.Start{}
		err = unmarshal(i, "mark", c.Start)
	}
	if err == nil && i["tried"] != nil {
		err = unmarshal(i, "tried", &c.Tried)
	}
	if err == nil && i["busy_until"] != nil {
		err = unmarshal(i, "busy_until", &c.BusyUntil)
	}
	return c, err
}

func chunkError(did, runID, batch string, index int, err error) error {
	return fmt.Errorf("%s chunk %d of batch %s of run %s: %w", did, index, batch, runID, err)
}
