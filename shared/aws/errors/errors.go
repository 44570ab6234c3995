// Package errors keeps rows that were not delivered in the DynamoDB table "errors".
// What the methods promise is written at the interfaces called Errors in the packages
// of pipeline. An item's partition is sync#shard, its sort key run#batch#row; see
// item.go for the rest. The table encrypts at rest, and its TTL removes an item 30
// days after it was stored.
package errors

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
)

const (
	keep     = run.KeepErrors
	pageSize = 100 // keys that BatchGetItem takes
	parallel = 32  // requests at once; writes are single items, as only these take conditions
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

// StoreErrors stores each error under its Ref, unless what is stored there counts as
// many attempts or more. All or an error; after an error some may be stored.
func (s *Store) StoreErrors(ctx context.Context, errs []run.RowError) error {
	return s.store(ctx, errs, "attribute_not_exists(pk) OR attempts < :new")
}

// ReplaceErrors stores each error under its Ref, unless what is stored there counts more
// attempts. All or an error; after an error some may be stored.
func (s *Store) ReplaceErrors(ctx context.Context, errs []run.RowError) error {
	return s.store(ctx, errs, "attribute_not_exists(pk) OR attempts <= :new")
}

// store stores each error where the condition holds.
func (s *Store) store(ctx context.Context, errs []run.RowError, condition string) error {
	expires := attr.N(s.now().Add(keep).Unix())
	if err := s.list(ctx, errs, expires); err != nil {
		return fmt.Errorf("list %d row errors: %w", len(errs), err)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, e := range errs {
		g.Go(func() error {
			item, err := writeItem(e)
			if err != nil {
				return err
			}
			item[attr.Expires] = expires
			_, err = s.db.PutItem(gctx, &dynamodb.PutItemInput{
				TableName: s.table, Item: item, ConditionExpression: aws.String(condition),
				ExpressionAttributeValues: attr.Item{":new": item["attempts"]},
			})
			if _, further := attr.Refused(err); further {
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("store %d row errors: %w", len(errs), err)
	}
	return nil
}

// ErrorsByRef reads the errors of one sync that exist among refs, by Ref.
func (s *Store) ErrorsByRef(ctx context.Context, sync string, refs []string) (map[string]run.RowError, error) {
	found, err := s.byRef(ctx, func(e *run.RowError) bool { return e.Sync == sync }, refs)
	if err != nil {
		return nil, fmt.Errorf("read %d errors of sync %q: %w", len(refs), sync, err)
	}
	return found, nil
}

// SomeErrors reads the errors that exist among refs, at most 100 of any syncs, by Ref,
// without their Source.
func (s *Store) SomeErrors(ctx context.Context, refs []string) (map[string]run.RowError, error) {
	found, err := s.byRef(ctx, func(e *run.RowError) bool { e.Source = nil; return true }, refs)
	if err != nil {
		return nil, fmt.Errorf("read %d errors: %w", len(refs), err)
	}
	return found, nil
}

func (s *Store) byRef(ctx context.Context, wanted func(*run.RowError) bool, refs []string) (map[string]run.RowError, error) {
	var keys []attr.Item
	seen := make(map[string]bool, len(refs)) // BatchGetItem refuses repeated keys
	for _, ref := range refs {
		runID, batch, row, err := run.ParseRef(ref)
		if err != nil {
			return nil, err
		}
		if k := key(runID, batch, row); !seen[attr.String(k[attr.SK])] {
			seen[attr.String(k[attr.SK])] = true
			keys = append(keys, k)
		}
	}
	pages := make([][]attr.Item, (len(keys)+pageSize-1)/pageSize)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for p := range pages {
		g.Go(func() (err error) {
			pages[p], err = attr.GetAll(gctx, s.db, *s.table, keys[p*pageSize:min((p+1)*pageSize, len(keys))])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	found := map[string]run.RowError{}
	for _, page := range pages {
		for _, item := range page {
			e, err := readItem(item)
			if err != nil {
				return nil, err
			}
			if wanted(&e) {
				found[e.Ref()] = e
			}
		}
	}
	return found, nil
}

// EndDue says in errors that they are not sent again by themselves any more, and
// why: run.RowError.Ended. Attempts stay. An error that counts another attempt
// meanwhile was ended before that.
func (s *Store) EndDue(ctx context.Context, sync string, refs []string, why string) error {
	found, err := s.byRef(ctx, func(e *run.RowError) bool { return e.Sync == sync }, refs)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, e := range found {
		g.Go(func() error { return s.end(gctx, e.Ended(why)) })
	}
	if late := g.Wait(); err == nil {
		err = late
	}
	if err != nil {
		return fmt.Errorf("end the due of %d errors of sync %q: %w", len(refs), sync, err)
	}
	return nil
}

// end stores the body of an error unless it counts another number of attempts.
func (s *Store) end(ctx context.Context, e run.RowError) error {
	item, err := writeItem(e)
	if err != nil {
		return err
	}
	_, err = s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: s.table, Key: key(e.Run, e.Batch, e.Row),
		UpdateExpression: aws.String("SET body = :body"), ConditionExpression: aws.String("attempts = :read"),
		ExpressionAttributeValues: attr.Item{":body": item["body"], ":read": item["attempts"]},
	})
	if _, further := attr.Refused(err); further {
		return nil
	}
	return err
}
