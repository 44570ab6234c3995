// Package state keeps syncs, runs, batches and token buckets in the DynamoDB table
// "state". What the methods promise is written at pipeline.Syncs, pipeline.Runs and
// pipeline.Pace. The items:
//
//	SYNC#name / V#version      a definition           SYNCS / name         a sync that has one
//	SYNC#name / CURRENT        its applied version    SYNC#name / WATERMARK
//	SYNC#name / RUN#run        a run                  SYNC#name / BEGUN#nanoseconds#run  the order of runs
//	SYNC#name / ACTIVE         its bracketed run      OPEN / run           a run that has not ended
//	RUN#run#shard / BATCH#id   a batch and its chunks PACE#bucket / BUCKET
//
// All reads are strongly consistent.
package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/pipeline"
)

// keep is how long runs, batches and buckets stay after their last write.
const keep = 90 * 24 * time.Hour

// attempts bounds what is tried again after a conflict with another writer.
const attempts = 10

// Config says which table, and what time it is.
type Config struct {
	Table string           // required: its name
	Now   func() time.Time // required: for the expiry of items
}

// A Store is the table.
type Store struct {
	db    *dynamodb.Client
	table *string
	now   func() time.Time
}

// New makes a Store; it calls nothing yet.
func New(cfg aws.Config, c Config) *Store {
	return &Store{db: attr.Client(cfg), table: aws.String(c.Table), now: c.Now}
}

func (s *Store) expiry() types.AttributeValue { return attr.N(s.now().Add(keep).Unix()) }

// get reads one item; pipeline.ErrNotFound when there is none.
func (s *Store) get(ctx context.Context, pk, sk string) (attr.Item, error) {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: s.table, Key: attr.Key(pk, sk), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	if len(out.Item) == 0 {
		return nil, pipeline.ErrNotFound
	}
	return out.Item, nil
}

// getJSON reads the body of one item into to.
func (s *Store) getJSON(ctx context.Context, pk, sk string, to any) error {
	item, err := s.get(ctx, pk, sk)
	if err != nil {
		return err
	}
	return unmarshalBody(item, to)
}

// query calls each for the items of a partition whose sort keys have the prefix;
// newest first when descending, and at most limit of them unless that is 0.
func (s *Store) query(ctx context.Context, pk, prefix string, descending bool, limit int, each func(attr.Item) error) error {
	in := &dynamodb.QueryInput{
		TableName: s.table, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(!descending),
		KeyConditionExpression:    aws.String("pk = :pk"),
		ExpressionAttributeValues: attr.Item{":pk": attr.S(pk)},
	}
	if prefix != "" {
		in.KeyConditionExpression = aws.String("pk = :pk AND begins_with(sk, :prefix)")
		in.ExpressionAttributeValues[":prefix"] = attr.S(prefix)
	}
	if limit > 0 {
		in.Limit = aws.Int32(int32(min(limit, 1000)))
	}
	seen := 0
	for {
		out, err := s.db.Query(ctx, in)
		if err != nil {
			return err
		}
		for _, item := range out.Items {
			if err := each(item); err != nil {
				return err
			}
			if seen++; seen == limit {
				return nil
			}
		}
		if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
			return nil
		}
	}
}

// refusedError says which writes of a transaction found their condition false.
type refusedError struct{ at []int }

func (e *refusedError) Error() string {
	return fmt.Sprintf("conditions %v of the transaction were false", e.at)
}

// transact makes all writes or none; a *refusedError when a condition is false.
// Conflicts with other transactions, which the SDK does not retry, are tried again.
func (s *Store) transact(ctx context.Context, writes []types.TransactWriteItem) error {
	for attempt := 1; ; attempt++ {
		_, err := s.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes})
		var canceled *types.TransactionCanceledException
		if !errors.As(err, &canceled) {
			return err
		}
		refused := &refusedError{}
		for i, reason := range canceled.CancellationReasons {
			switch aws.ToString(reason.Code) {
			case "ConditionalCheckFailed":
				refused.at = append(refused.at, i)
			case "ValidationError", "ItemCollectionSizeLimitExceeded":
				return fmt.Errorf("%s: %w", aws.ToString(reason.Message), err)
			}
		}
		if len(refused.at) > 0 {
			return refused
		}
		if attempt == attempts {
			return err
		}
		if err := attr.Backoff(ctx, attempt); err != nil {
			return err
		}
	}
}

// put is an unconditional write in a transaction.
func (s *Store) put(item attr.Item) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: s.table, Item: item}}
}

// create is a write that is refused when the item exists.
func (s *Store) create(item attr.Item) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: s.table, Item: item, ConditionExpression: aws.String("attribute_not_exists(pk)")}}
}

// item is a key with attributes; expires_at unless it stays for ever.
func item(pk, sk string, fields attr.Item) attr.Item {
	all := attr.Key(pk, sk)
	for name, v := range fields {
		all[name] = v
	}
	return all
}

func body(v any) (types.AttributeValue, error) {
	b, err := json.Marshal(v)
	return attr.S(string(b)), err
}

func unmarshalBody(item attr.Item, to any) error {
	if err := json.Unmarshal([]byte(attr.String(item["body"])), to); err != nil {
		return fmt.Errorf("the item %s / %s cannot be read: %w", attr.String(item[attr.PK]), attr.String(item[attr.SK]), err)
	}
	return nil
}
