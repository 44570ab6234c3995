package attr

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// GetAll reads up to 100 items, strongly consistent, in no order, and again what an
// answer had no room for.
func GetAll(ctx context.Context, db *dynamodb.Client, table string, keys []Item) ([]Item, error) {
	var items []Item
	ask := map[string]types.KeysAndAttributes{table: {Keys: keys, ConsistentRead: aws.Bool(true)}}
	for attempt := 1; len(ask) > 0; attempt++ {
		out, err := db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: ask})
		if err != nil {
			return nil, err
		}
		got := out.Responses[table]
		items = append(items, got...)
		if ask = out.UnprocessedKeys; len(ask) == 0 {
			break
		}
		if len(got) > 0 { // the answer was full: ask on at once
			attempt = 0
			continue
		}
		if err := Backoff(ctx, attempt); err != nil {
			return nil, err
		}
	}
	return items, nil
}
