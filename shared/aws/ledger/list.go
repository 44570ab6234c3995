package ledger

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/ledger"
)

// EntriesAfter lists a target's entries, partition by partition: a token is the
// partition's number, a "|", and the sort key of the last item. Keys that are kept as a
// hash only are left out.
func (s *Store) EntriesAfter(ctx context.Context, target, after string, limit int) (all []ledger.Entry, next string, err error) {
	shard, last := 0, ""
	if after != "" {
		number, key, ok := strings.Cut(after, "|")
		if shard, err = strconv.Atoi(number); err != nil || !ok || shard < 0 || shard >= shards {
			return nil, "", fmt.Errorf("list the ledger of %s: %q is no place to go on from", target, after)
		}
		last = key
	}
	pk := target + "#" + strconv.Itoa(shard)
	ask := &dynamodb.QueryInput{
		TableName: s.table, ConsistentRead: aws.Bool(true), Limit: aws.Int32(int32(max(min(limit, 10_000), 1))),
		KeyConditionExpression: aws.String("pk = :pk"), ExpressionAttributeValues: attr.Item{":pk": attr.S(pk)},
	}
	if last != "" {
		ask.ExclusiveStartKey = attr.Key(pk, last)
	}
	out, err := s.db.Query(ctx, ask)
	if err != nil {
		return nil, "", fmt.Errorf("list the ledger of %s: %w", target, err)
	}
	for _, item := range out.Items {
		key := attr.String(item[attr.SK])
		if strings.HasPrefix(key, hashed) {
			continue
		}
		e, err := readItem(key, item)
		if err != nil {
			return nil, "", fmt.Errorf("list the ledger of %s: %w", target, err)
		}
		all = append(all, e)
	}
	switch {
	case out.LastEvaluatedKey != nil:
		next = strconv.Itoa(shard) + "|" + attr.String(out.LastEvaluatedKey[attr.SK])
	case shard+1 < shards:
		next = strconv.Itoa(shard+1) + "|"
	}
	return all, next, nil
}
