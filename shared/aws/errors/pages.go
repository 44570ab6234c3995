package errors

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
)

// RunErrors lists a run's errors in the order of batch and row, merged from all
// shards. The token is batch#row of the last one.
func (s *Store) RunErrors(ctx context.Context, runID string, limit int, after string) (errs []run.RowError, next string, err error) {
	from, err := start(runID, after)
	if err != nil {
		return nil, "", err
	}
	errs, next, err = s.merge(ctx, runID, limit, from)
	if err != nil {
		return nil, "", fmt.Errorf("errors of run %s: %w", runID, err)
	}
	return errs, next, nil
}

// start is the least sort key of a page.
func start(runID, after string) (string, error) {
	if err := run.CheckPage(after); err != nil || after == "" {
		return runID + "#", err
	}
	batch, number, _ := strings.Cut(after, "#")
	row, err := strconv.Atoi(number)
	if err != nil {
		return "", err // a page's token has a number
	}
	return sortKey(runID, batch, row) + "!", nil // the least key after it that sorts before all others
}

func (s *Store) merge(ctx context.Context, runID string, limit int, from string) (errs []run.RowError, next string, err error) {
	var streams [shards]*stream
	g, gctx := errgroup.WithContext(ctx)
	for shard := range streams {
		streams[shard] = s.stream(runID, shard, from, limit)
		g.Go(func() error { return streams[shard].fill(gctx) })
	}
	if err := g.Wait(); err != nil {
		return nil, "", err
	}
	for size := 0; ; {
		first := least(streams[:])
		if first == nil {
			return errs, "", nil
		}
		if len(errs) >= limit || size > run.ErrorPage {
			if len(errs) == 0 {
				return nil, "", nil
			}
			e := errs[len(errs)-1]
			return errs, e.Batch + "#" + strconv.Itoa(e.Row), nil
		}
		item := first.items[0]
		e, err := readItem(item)
		if err != nil {
			return nil, "", err
		}
		errs = append(errs, e)
		size += len(attr.String(item["body"])) + len(e.Source)
		first.items = first.items[1:]
		if err := first.fill(ctx); err != nil {
			return nil, "", err
		}
	}
}

// A stream is one shard's errors of a run, read page by page.
type stream struct {
	s     *Store
	ask   *dynamodb.QueryInput
	items []attr.Item
	ended bool
}

func (s *Store) stream(runID string, shard int, from string, limit int) *stream {
	return &stream{s: s, ask: &dynamodb.QueryInput{
		TableName: s.table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk AND sk BETWEEN :from AND :to"),
		ExpressionAttributeValues: attr.Item{
			":pk": attr.S(shardPK(runID, shard)), ":from": attr.S(from),
			":to": attr.S(runID + "$"), // "$" comes after the "#" of every error of the run
		},
		// A shard has about an eighth of a page; more comes when that is used up.
		Limit: aws.Int32(int32(min(limit, 1000)/shards + 8)),
	}}
}

// fill reads on until there is an item in hand, or none left.
func (st *stream) fill(ctx context.Context) error {
	for len(st.items) == 0 && !st.ended {
		out, err := st.s.db.Query(ctx, st.ask)
		if err != nil {
			return err
		}
		st.items, st.ask.ExclusiveStartKey = out.Items, out.LastEvaluatedKey
		st.ended = out.LastEvaluatedKey == nil
	}
	return nil
}

// least is the stream whose next error is the first; nil when none has one.
func least(streams []*stream) *stream {
	var first *stream
	for _, st := range streams {
		if len(st.items) > 0 && (first == nil || attr.String(st.items[0][attr.SK]) < attr.String(first.items[0][attr.SK])) {
			first = st
		}
	}
	return first
}
