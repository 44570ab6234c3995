package ledger

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/aws/attr"
)

// ForgetEntries deletes the entries of the keys, and then the claims that name them, by
// which an entry that is left is found again; what is not there is no error. Claims lie by
// record id, which is not known here, so that all of the target's are looked through.
func (s *Store) ForgetEntries(ctx context.Context, target string, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	entries, gctx := errgroup.WithContext(ctx)
	entries.SetLimit(parallel)
	for _, key := range keys {
		entries.Go(func() error { return s.delete(gctx, attr.Key(partition(target, key), sortKey(key))) })
	}
	if err := entries.Wait(); err != nil {
		return fmt.Errorf("forget %d ledger entries of %s: %w", len(keys), target, err)
	}
	claims, gctx := errgroup.WithContext(ctx)
	claims.SetLimit(parallel)
	for shard := range shards {
		claims.Go(func() error { return s.forgetClaims(gctx, target+"#record#"+strconv.Itoa(shard), keys) })
	}
	if err := claims.Wait(); err != nil {
		return fmt.Errorf("forget the claims of %d ledger entries of %s: %w", len(keys), target, err)
	}
	return nil
}

// forgetClaims deletes the claims of a partition that name one of the keys.
func (s *Store) forgetClaims(ctx context.Context, pk string, keys []string) error {
	wanted := make(map[string]bool, len(keys))
	for _, key := range keys {
		wanted[key] = true
	}
	ask := &dynamodb.QueryInput{
		TableName: s.table, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: aws.String("pk = :pk"), ExpressionAttributeValues: attr.Item{":pk": attr.S(pk)},
	}
	for {
		out, err := s.db.Query(ctx, ask)
		if err != nil {
			return err
		}
		for _, item := range out.Items {
			if !wanted[string(attr.Bytes(item["key"]))] {
				continue
			}
			if err := s.delete(ctx, attr.Key(pk, attr.String(item[attr.SK]))); err != nil {
				return err
			}
		}
		if ask.ExclusiveStartKey = out.LastEvaluatedKey; ask.ExclusiveStartKey == nil {
			return nil
		}
	}
}

func (s *Store) delete(ctx context.Context, key attr.Item) error {
	_, err := s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: s.table, Key: key})
	return err
}
