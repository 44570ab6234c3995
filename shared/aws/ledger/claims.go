package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/aws/attr"
)

// claimFormat is the number that every claim bears.
const claimFormat = 1

// A claim says that a key was written for a record id. Its partition is
// target#record#shard by the record id, its sort key the hashes of record id and key,
// each 32 hex digits, with a # between; key (B) holds the key.
func claimKey(target, record, key string) attr.Item {
	return attr.Key(partition(target+"#record", record), half(record)+"#"+half(key))
}

func half(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

// claim stores one; storing it again changes nothing.
func (s *Store) claim(ctx context.Context, target, record, key string) error {
	item := claimKey(target, record, key)
	item[attr.F], item["key"] = attr.Format(claimFormat), attr.B([]byte(key))
	_, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: s.table, Item: item})
	return err
}

// KeysOf reads the keys that Commit was told are written for record ids, strongly
// consistent.
func (s *Store) KeysOf(ctx context.Context, target string, records []string) (map[string][]string, error) {
	all := make([][]string, len(records))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for n, record := range records {
		g.Go(func() (err error) {
			all[n], err = s.keysOf(gctx, target, record)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("read the keys of %d records of %s: %w", len(records), target, err)
	}
	found := map[string][]string{}
	for n, record := range records {
		if len(all[n]) > 0 {
			found[record] = all[n]
		}
	}
	return found, nil
}

func (s *Store) keysOf(ctx context.Context, target, record string) (keys []string, err error) {
	begin := half(record)
	ask := &dynamodb.QueryInput{
		TableName: s.table, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: aws.String("pk = :pk AND sk BETWEEN :from AND :to"),
		ExpressionAttributeValues: attr.Item{
			":pk": attr.S(partition(target+"#record", record)), ":from": attr.S(begin + "#"), ":to": attr.S(begin + "$"), // "$" is the character after "#"
		},
	}
	for {
		out, err := s.db.Query(ctx, ask)
		if err != nil {
			return nil, err
		}
		for _, item := range out.Items {
			if err := attr.Known(item, claimFormat, "the ledger's claim"); err != nil {
				return nil, err
			}
			keys = append(keys, string(attr.Bytes(item["key"])))
		}
		if ask.ExclusiveStartKey = out.LastEvaluatedKey; ask.ExclusiveStartKey == nil {
			return keys, nil
		}
	}
}
