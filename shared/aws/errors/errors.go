// Package errors keeps rows that were not delivered in the DynamoDB table
// "errors". What the methods promise is written at pipeline.Errors. An item's
// partition is the sync, its sort key run#batch#row with the row in 12 digits, so
// that it sorts as a number; body is the error as JSON, source the row's raw JSON.
// The table encrypts at rest, and its TTL removes an item 90 days after it was
// stored.
package errors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/run"
)

const (
	keep      = 90 * 24 * time.Hour
	maxSource = 256 << 10 // bytes, as run.RowError says
	maxBody   = 128 << 10 // bytes; with the source below DynamoDB's 400 KB an item
	pageSize  = 25        // items that BatchWriteItem takes
	parallel  = 8         // requests at once
	attempts  = 10        // tries of what the table left unprocessed
)

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

// StoreErrors implements pipeline.Errors.
func (s *Store) StoreErrors(ctx context.Context, errs []run.RowError) error {
	at := make(map[string]int, len(errs)) // BatchWriteItem refuses repeated keys
	var writes []types.WriteRequest
	for _, e := range errs {
		item, err := writeItem(e)
		if err != nil {
			return fmt.Errorf("store the error of row %s: %w", e.Ref(), err)
		}
		item[attr.Expires] = attr.N(s.now().Add(keep).Unix())
		write := types.WriteRequest{PutRequest: &types.PutRequest{Item: item}}
		if i, twice := at[e.Ref()]; twice {
			writes[i] = write
			continue
		}
		at[e.Ref()] = len(writes)
		writes = append(writes, write)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for from := 0; from < len(writes); from += pageSize {
		g.Go(func() error { return s.page(gctx, writes[from:min(from+pageSize, len(writes))]) })
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("store %d row errors: %w", len(errs), err)
	}
	return nil
}

// page writes up to 25 items, and again what the table left unprocessed.
func (s *Store) page(ctx context.Context, writes []types.WriteRequest) error {
	for attempt := 1; ; attempt++ {
		out, err := s.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*s.table: writes}})
		if err != nil {
			return err
		}
		if writes = out.UnprocessedItems[*s.table]; len(writes) == 0 {
			return nil
		}
		if attempt == attempts {
			return errors.New("the table is throttled: it left items unprocessed again and again")
		}
		if err := attr.Backoff(ctx, attempt); err != nil {
			return err
		}
	}
}

// RunErrors implements pipeline.Errors. The token is batch#row.
func (s *Store) RunErrors(ctx context.Context, runID string, limit int, after string) (errs []run.RowError, next string, err error) {
	in := &dynamodb.QueryInput{
		TableName: s.table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk AND begins_with(sk, :run)"),
		ExpressionAttributeValues: attr.Item{":pk": attr.S(run.SyncOf(runID)), ":run": attr.S(runID + "#")},
		Limit:                     aws.Int32(int32(min(limit+1, 1000))),
	}
	if after != "" {
		if !strings.Contains(after, "#") {
			return nil, "", fmt.Errorf("errors of run %s: the token %q is not one that this call returned", runID, after)
		}
		in.ExclusiveStartKey = attr.Key(run.SyncOf(runID), runID+"#"+after)
	}
	last, size := "", 0
	for {
		out, err := s.db.Query(ctx, in)
		if err != nil {
			return nil, "", fmt.Errorf("errors of run %s: %w", runID, err)
		}
		for _, item := range out.Items {
			if len(errs) == limit || size > pipeline.ErrorPage {
				return errs, last, nil
			}
			var e run.RowError
			if err := json.Unmarshal([]byte(attr.String(item["body"])), &e); err != nil {
				return nil, "", fmt.Errorf("errors of run %s: an item cannot be read: %w", runID, err)
			}
			e.Source = attr.Bytes(item["source"])
			errs = append(errs, e)
			size += len(attr.String(item["body"])) + len(e.Source)
			last = strings.TrimPrefix(attr.String(item[attr.SK]), runID+"#")
		}
		if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
			return errs, "", nil
		}
	}
}

// writeItem lays an error out. A source over 256 KiB is cut off, and so are the
// message, the key and the record id where they would make the item too large.
func writeItem(e run.RowError) (attr.Item, error) {
	item := attr.Key(e.Sync, fmt.Sprintf("%s#%s#%012d", e.Run, e.Batch, e.Row))
	if len(e.Source) > 0 {
		item["source"] = attr.B(e.Source[:min(len(e.Source), maxSource)])
	}
	e.Source = nil // beside the body, where it need not be base64
	body, err := json.Marshal(e)
	if err == nil && len(body) > maxBody {
		for _, s := range []*string{&e.Message, &e.Key, &e.RecordID} {
			*s = strings.ToValidUTF8((*s)[:min(len(*s), 4096)], "")
		}
		body, err = json.Marshal(e)
	}
	item["body"] = attr.S(string(body))
	return item, err
}
