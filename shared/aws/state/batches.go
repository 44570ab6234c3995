package state

import (
	"context"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/run"
)

// shards is over how many partitions a run's batches are spread: at 1,000 write
// units each, room for 8,000 batches and chunks a second.
const shards = 8

// A batch's item holds, besides body and sent, the map c with encodeChunk's text
// per recorded chunk, and the counters d0, d1, ... and a0, a1, ... of deferrals and
// attempts, which DynamoDB can only add to at the top level.
func batchKey(runID, batch string) attr.Item {
	h := fnv.New32a()
	h.Write([]byte(batch))
	return attr.Key(batchPK(runID, int(h.Sum32()%shards)), "BATCH#"+batch)
}

func batchPK(runID string, shard int) string { return "RUN#" + runID + "#" + strconv.Itoa(shard) }

// PinBatch implements pipeline.Runs.
func (s *Store) PinBatch(ctx context.Context, b run.Batch) (stored run.Batch, created bool, err error) {
	i, err := batchItem(b)
	if err == nil {
		i[attr.Expires] = s.expiry()
		_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: s.table, Item: i, ConditionExpression: aws.String("attribute_not_exists(pk)"),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
	}
	if old, exists := attr.Refused(err); exists {
		i, err = old, nil
	} else {
		created = err == nil
	}
	if err == nil {
		stored, err = readBatch(i)
	}
	if err != nil {
		return run.Batch{}, false, fmt.Errorf("pin batch %s of run %s: %w", b.ID, b.Run, err)
	}
	return stored, created, nil
}

// MarkSent implements pipeline.Runs.
func (s *Store) MarkSent(ctx context.Context, runID, batch string) error {
	_, err := s.updateBatch(ctx, runID, batch, "SET sent = :sent", "attribute_exists(pk)", nil, attr.Item{":sent": attr.Bool(true)})
	if err != nil {
		return fmt.Errorf("mark batch %s of run %s as sent: %w", batch, runID, err)
	}
	return nil
}

// Batch implements pipeline.Runs.
func (s *Store) Batch(ctx context.Context, runID, batch string) (run.Batch, error) {
	key := batchKey(runID, batch)
	i, err := s.get(ctx, attr.String(key[attr.PK]), attr.String(key[attr.SK]))
	var b run.Batch
	if err == nil {
		b, err = readBatch(i)
	}
	if err != nil {
		return run.Batch{}, fmt.Errorf("batch %s of run %s: %w", batch, runID, err)
	}
	return b, nil
}

// Batches implements pipeline.Runs, in no order.
func (s *Store) Batches(ctx context.Context, runID string) ([]run.Batch, error) {
	var parts [shards][]run.Batch
	g, ctx := errgroup.WithContext(ctx)
	for shard := range parts {
		g.Go(func() error {
			return s.query(ctx, batchPK(runID, shard), "BATCH#", false, 0, func(i attr.Item) error {
				b, err := readBatch(i)
				parts[shard] = append(parts[shard], b)
				return err
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("batches of run %s: %w", runID, err)
	}
	var all []run.Batch
	for _, p := range parts {
		all = append(all, p...)
	}
	return all, nil
}

// RecordChunk implements pipeline.Runs: I2 by one conditional update.
func (s *Store) RecordChunk(ctx context.Context, runID, batch string, index int, c run.Chunk) (first bool, err error) {
	first, err = s.updateBatch(ctx, runID, batch, "SET c.#i = :chunk", "attribute_exists(pk) AND attribute_not_exists(c.#i)",
		map[string]string{"#i": strconv.Itoa(index)}, attr.Item{":chunk": attr.S(encodeChunk(c))})
	if err != nil {
		return false, fmt.Errorf("record chunk %d of batch %s of run %s: %w", index, batch, runID, err)
	}
	return first, nil
}

// DeferChunk implements pipeline.Runs.
func (s *Store) DeferChunk(ctx context.Context, runID, batch string, index, attempts int) error {
	n := strconv.Itoa(index)
	_, err := s.updateBatch(ctx, runID, batch, "ADD #d :one, #a :attempts", "attribute_exists(pk)",
		map[string]string{"#d": "d" + n, "#a": "a" + n}, attr.Item{":one": attr.N(1), ":attempts": attr.N(int64(attempts))})
	if err != nil {
		return fmt.Errorf("defer chunk %d of batch %s of run %s: %w", index, batch, runID, err)
	}
	return nil
}

// updateBatch reports whether the condition held; pipeline.ErrNotFound when the
// batch does not exist.
func (s *Store) updateBatch(ctx context.Context, runID, batch, update, condition string, names map[string]string, values attr.Item) (bool, error) {
	_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: s.table, Key: batchKey(runID, batch), UpdateExpression: &update, ConditionExpression: &condition,
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	old, refused := attr.Refused(err)
	switch {
	case !refused:
		return err == nil, err
	case len(old) == 0:
		return false, pipeline.ErrNotFound
	}
	return false, nil
}

func batchItem(b run.Batch) (attr.Item, error) {
	pinned := b
	pinned.Sent, pinned.Chunks = false, nil
	content, err := body(pinned)
	i := batchKey(b.Run, b.ID)
	i["body"], i["sent"], i["c"] = content, attr.Bool(b.Sent), attr.Map(attr.Item{})
	return i, err
}

func readBatch(i attr.Item) (run.Batch, error) {
	var b run.Batch
	if err := unmarshalBody(i, &b); err != nil {
		return b, err
	}
	b.Sent = attr.True(i["sent"])
	set := func(index string, change func(*run.Chunk) error) error {
		n, err := strconv.Atoi(index)
		if err != nil {
			return err
		}
		if b.Chunks == nil {
			b.Chunks = map[int]run.Chunk{}
		}
		c := b.Chunks[n]
		err = change(&c)
		b.Chunks[n] = c
		return err
	}
	for index, v := range attr.Fields(i["c"]) {
		if err := set(index, func(c *run.Chunk) error { return decodeChunk(attr.String(v), c) }); err != nil {
			return b, fmt.Errorf("chunk %s of batch %s: %w", index, b.ID, err)
		}
	}
	for name, v := range i {
		if index, ok := strings.CutPrefix(name, "d"); ok {
			if err := set(index, func(c *run.Chunk) error { c.Deferrals = int(attr.Int(v)); return nil }); err != nil {
				return b, err
			}
		} else if index, ok := strings.CutPrefix(name, "a"); ok {
			if err := set(index, func(c *run.Chunk) error { c.Attempts = int(attr.Int(v)); return nil }); err != nil {
				return b, err
			}
		}
	}
	return b, nil
}
