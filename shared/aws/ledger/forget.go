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

// ForgetEntries deletes the entries of the keys, and the claims that name them; what is
// not there is no error. Claims lie by record id, which is not known here, so that all of
// the target's are looked through.
func (s *Store) ForgetEntries(ctx context.Context, target string, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, key := range keys {
		g.Go(func() error { return s.delete(gctx, attr.Key(partition(target, key), sortKey(key))) })
	}
	for shard := range shards {
		g.Go(func() error { return s.forgetClaims(gctx, target+"#record#"+strconv.Itoa(shard), keys) })
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("forget %d ledger entries of %s: %w", len(keys), target, err)
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
