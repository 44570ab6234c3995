package state

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// shards is over how many partitions a run's batches and records are spread: at
// 1,000 write units each, room for 8,000 a second. It is part of the keys: never
// change it.
const shards = 8

func batchPK(runID, batch string) string {
	h := fnv.New32a()
	h.Write([]byte(batch))
	return shardPK(runID, int(h.Sum32()%shards))
}

func shardPK(runID string, shard int) string { return "RUN#" + runID + "#" + strconv.Itoa(shard) }

// PinBatch stores a batch unless it exists, and returns what is stored. Where the SDK
// repeats a call whose answer was lost, the batch is found, as a retry's is.
func (s *Store) PinBatch(ctx context.Context, b run.Batch) (stored run.Batch, created bool, err error) {
	i, err := batchItem(b)
	if err == nil {
		i[attr.Expires] = s.expiry()
		var found attr.Item
		found, err = s.put(ctx, i, absent, nil)
		if _, exists := attr.Refused(err); exists {
			i, err = found, nil
		} else {
			created = err == nil
		}
	}
	if err == nil {
		stored, err = readBatch(i)
	}
	if errors.Is(err, attr.ErrTooLarge) { // what the request holds makes it so
		return run.Batch{}, false, &row.Refusal{Kind: row.TooLarge, Message: "the request's rows have too many different faults and groups for one request: send fewer rows at a time", Err: err}
	}
	if err != nil {
		return run.Batch{}, false, fmt.Errorf("pin batch %s of run %s: %w", b.ID, b.Run, err)
	}
	return stored, created, nil
}

// MarkSent notes that every chunk of the batch was accepted by the queue; run.ErrNotFound.
func (s *Store) MarkSent(ctx context.Context, runID, batch string) error {
	_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: s.table, Key: attr.Key(batchPK(runID, batch), "BATCH#"+batch), UpdateExpression: aws.String("SET sent = :sent"),
		ConditionExpression: aws.String("attribute_exists(pk)"), ExpressionAttributeValues: attr.Item{":sent": attr.Bool(true)},
	})
	if _, none := attr.Refused(err); none {
		err = run.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("mark batch %s of run %s as sent: %w", batch, runID, err)
	}
	return nil
}

// Batch reads one batch; run.ErrNotFound.
func (s *Store) Batch(ctx context.Context, runID, batch string) (run.Batch, error) {
	i, err := s.get(ctx, batchPK(runID, batch), "BATCH#"+batch)
	var b run.Batch
	if err == nil {
		b, err = readBatch(i)
	}
	if err != nil {
		return run.Batch{}, fmt.Errorf("batch %s of run %s: %w", batch, runID, err)
	}
	return b, nil
}

// Batches lists a run's batches, in no order.
func (s *Store) Batches(ctx context.Context, runID string) ([]run.Batch, error) {
	var parts [shards][]run.Batch
	g, gctx := errgroup.WithContext(ctx)
	for shard := range parts {
		g.Go(func() error {
			return s.query(gctx, prefix(shardPK(runID, shard), "BATCH#"), func(i attr.Item) error {
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

// batchItem lays a batch out: body, the packed JSON of what is neither in the key nor
// below; codes, its rows; lanes and groups as they are; and sent, which changes.
func batchItem(b run.Batch) (attr.Item, error) {
	rest := b
	rest.Run, rest.ID, rest.Sync, rest.Sent, rest.Rows, rest.Lanes, rest.Groups = "", "", "", false, nil, nil, nil
	if b.Sync != run.SyncOf(b.Run) {
		rest.Sync = b.Sync
	}
	content, err := packBody(rest)
	i := item(batchPK(b.Run, b.ID), "BATCH#"+b.ID, attr.Item{"body": attr.B(content), "sent": attr.Bool(b.Sent)})
	for name, packed := range map[string][]byte{"codes": packCodes(b.Rows), "lanes": b.Lanes, "groups": b.Groups} {
		if len(packed) > 0 {
			i[name] = attr.B(packed)
		}
	}
	return i, err
}

func readBatch(i attr.Item) (b run.Batch, err error) {
	if err := attr.Known(i, format, nameOf(i)); err != nil {
		return b, err
	}
	b, err = unpackBody(attr.Bytes(i["body"]))
	if err == nil {
		b.Rows, err = unpackCodes(attr.Bytes(i["codes"]))
	}
	if err != nil {
		return run.Batch{}, fmt.Errorf("%s cannot be read: %w", nameOf(i), err)
	}
	pk := attr.String(i[attr.PK])
	b.Run = strings.TrimPrefix(pk[:max(strings.LastIndexByte(pk, '#'), 0)], "RUN#")
	b.ID = strings.TrimPrefix(attr.String(i[attr.SK]), "BATCH#")
	if b.Sync == "" {
		b.Sync = run.SyncOf(b.Run)
	}
	b.Sent = attr.True(i["sent"])
	b.Lanes, b.Groups = attr.Bytes(i["lanes"]), attr.Bytes(i["groups"])
	return b, nil
}
