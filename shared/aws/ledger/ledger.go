// Package ledger keeps what was delivered in the DynamoDB table "ledger". What the
// methods promise is written at pipeline.Ledger. An item's partition is
// target#shard, its sort key the ledger's key; see item.go for the rest.
package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
)

const (
	parallel = 32  // requests at once; writes are single items, as only these take conditions
	pageSize = 100 // keys that BatchGetItem takes
	attempts = 10  // tries of what the table left unprocessed, or somebody else changed
)

// Config says which table.
type Config struct {
	Table string // required: its name
}

// A Store is the table.
type Store struct {
	db    *dynamodb.Client
	table *string
}

// New makes a Store; it calls nothing yet.
func New(cfg aws.Config, c Config) *Store {
	return &Store{db: attr.Client(cfg), table: aws.String(c.Table)}
}

// Entries implements pipeline.Ledger.
func (s *Store) Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error) {
	wanted := make(map[string]string, len(keys)) // the ledger's key by sort key; BatchGetItem refuses repeated keys
	var asked []map[string]types.AttributeValue
	for _, key := range keys {
		sk := sortKey(key)
		if _, twice := wanted[sk]; !twice {
			wanted[sk] = key
			asked = append(asked, attr.Key(partition(target, key), sk))
		}
	}
	pages := make([][]attr.Item, (len(asked)+pageSize-1)/pageSize)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for p := range pages {
		g.Go(func() (err error) {
			pages[p], err = s.page(gctx, asked[p*pageSize:min((p+1)*pageSize, len(asked))])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("read %d ledger entries of %s: %w", len(keys), target, err)
	}
	found := make(map[string]ledger.Entry, len(asked))
	for _, page := range pages {
		for _, item := range page {
			key := wanted[attr.String(item[attr.SK])]
			e, err := readItem(key, item)
			if err != nil {
				return nil, fmt.Errorf("read ledger entries of %s: %w", target, err)
			}
			found[key] = e
		}
	}
	return found, nil
}

// page reads up to 100 items, and again what the answer had no room for.
func (s *Store) page(ctx context.Context, keys []map[string]types.AttributeValue) ([]attr.Item, error) {
	var items []attr.Item
	ask := map[string]types.KeysAndAttributes{*s.table: {Keys: keys, ConsistentRead: aws.Bool(true)}}
	for attempt := 1; len(ask) > 0; attempt++ {
		out, err := s.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: ask})
		if err != nil {
			return nil, err
		}
		got := out.Responses[*s.table]
		items = append(items, got...)
		ask = out.UnprocessedKeys
		switch {
		case len(ask) == 0:
		case len(got) > 0: // the answer was full: ask on at once
			attempt = 0
		case attempt == attempts:
			return nil, errors.New("the table is throttled: it left keys unprocessed again and again")
		default:
			if err := attr.Backoff(ctx, attempt); err != nil {
				return nil, err
			}
		}
	}
	return items, nil
}

// Commit implements pipeline.Ledger.
func (s *Store) Commit(ctx context.Context, target string, entries []ledger.Entry) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, e := range fold(entries) {
		g.Go(func() error { return s.commit(gctx, target, e) })
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("commit %d ledger entries of %s: %w", len(entries), target, err)
	}
	return nil
}

// commit stores one entry unless a newer one is stored, which then loses its
// fingerprint (I3).
func (s *Store) commit(ctx context.Context, target string, e ledger.Entry) error {
	key := attr.Key(partition(target, e.Key), sortKey(e.Key))
	place := attr.Item{":place": attr.N(e.Place)}
	for range attempts {
		_, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: s.table, Item: writeItem(key, e),
			ConditionExpression: aws.String("attribute_not_exists(pk) OR place <= :place"), ExpressionAttributeValues: place,
		})
		if _, refused := attr.Refused(err); !refused {
			return err
		}
		_, err = s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: s.table, Key: key, UpdateExpression: aws.String("REMOVE print, hashes"),
			ConditionExpression: aws.String("place > :place"), ExpressionAttributeValues: place,
		})
		if _, refused := attr.Refused(err); !refused {
			return err
		} // deleted in between: from the start
	}
	return errors.New("an entry is changed too often by others")
}

// fold brings the entries of one key down to one, by the rule that Commit has for
// a stored one, because the writes of one call are made in no order.
func fold(entries []ledger.Entry) []ledger.Entry {
	at := make(map[string]int, len(entries))
	folded := make([]ledger.Entry, 0, len(entries))
	for _, e := range entries {
		i, twice := at[e.Key]
		switch {
		case !twice:
			at[e.Key] = len(folded)
			folded = append(folded, e)
		case folded[i].Place > e.Place:
			folded[i].Fingerprint, folded[i].Fields = row.Fingerprint{}, nil
		default:
			folded[i] = e
		}
	}
	return folded
}
