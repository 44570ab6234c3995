// Package ledger keeps what was delivered in the DynamoDB table "ledger". What the
// methods promise is written at deliver.Ledger. An item's partition is
// target#shard, its sort key the ledger's key; see item.go for the rest.
package ledger

import (
	"context"
	"fmt"
	"hash/fnv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/ledger"
)

const (
	parallel = 32  // requests at once; writes are single items, as only these take conditions
	pageSize = 100 // keys that BatchGetItem takes
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

// Entries reads the entries of the keys that have one, strongly consistent.
func (s *Store) Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error) {
	wanted := make(map[string]string, len(keys)) // the ledger's key by sort key; BatchGetItem refuses repeated keys
	var asked []attr.Item
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
			pages[p], err = attr.GetAll(gctx, s.db, *s.table, asked[p*pageSize:min((p+1)*pageSize, len(asked))])
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

// Commit stores entries, each over the one with its Revision; where another one is
// stored, what ledger.Merge says is stored instead, and where that was deleted since, what
// ledger.Orphan says; lost holds the entry's position if they say that it lost. A key stands
// in entries once.
func (s *Store) Commit(ctx context.Context, target string, entries []ledger.Entry) (lost []int, err error) {
	losers := make([]bool, len(entries))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i := range entries {
		g.Go(func() (err error) {
			losers[i], err = s.commit(gctx, target, &entries[i])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("commit %d ledger entries of %s: %w", len(entries), target, err)
	}
	for i, l := range losers {
		if l {
			lost = append(lost, i)
		}
	}
	return lost, nil
}

// commit writes one entry over what was read, or what ledger.Merge makes of it and of
// what others wrote since (I3), or ledger.Orphan of it where that was deleted.
func (s *Store) commit(ctx context.Context, target string, mine *ledger.Entry) (lost bool, err error) {
	if mine.Claim != "" {
		if err := s.claim(ctx, target, mine.Claim, mine.Key); err != nil {
			return false, err
		}
	}
	write := *mine
	for attempt := 1; ; attempt++ {
		found, err := s.over(ctx, target, &write)
		if _, other := attr.Refused(err); !other {
			return lost, err
		}
		if len(found) == 0 { // deleted since it was read
			if write, lost = ledger.Orphan(*mine); lost {
				return true, nil
			}
		} else {
			stored, err := readItem(mine.Key, found)
			if err != nil {
				return false, err
			}
			write, lost = ledger.Merge(stored, *mine)
		}
		if attempt > 1 {
			if err := attr.Backoff(ctx, attempt-1); err != nil {
				return false, err
			}
		}
	}
}

// over writes an entry over the one with its Revision; found is what is stored
// instead, with attr.Refused's error.
func (s *Store) over(ctx context.Context, target string, e *ledger.Entry) (found attr.Item, err error) {
	next := e.Revision + 1
	if e.Revision == 0 {
		next = firstRevision(e)
	}
	in := &dynamodb.PutItemInput{
		TableName: s.table, Item: writeItem(target, e, next), ConditionExpression: aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if e.Revision != 0 {
		in.ConditionExpression, in.ExpressionAttributeValues = aws.String("r = :read"), attr.Item{":read": attr.N(e.Revision)}
	}
	_, err = s.db.PutItem(ctx, in)
	found, _ = attr.Refused(err)
	return found, err
}

// firstRevision is that of an entry where nothing is stored: one per row, and step of it, so
// that whoever read an entry that was deleted since does not take another one, made anew,
// for it.
func firstRevision(e *ledger.Entry) int64 {
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%s#%d#%s#%x", e.Last.Run, e.Last.Sequence, e.Last.Intent, e.Held.Fingerprint) // never fails
	return 1 + int64(h.Sum32())
}
