package state

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
)

// StoreSeen stores the hashes of the keys of one part of a batch's rows, in an item beside
// the batch's; keys (B) is absent when there are none.
func (s *Store) StoreSeen(ctx context.Context, runID, batch string, part int, hashes []byte) error {
	if err := s.storeHashes(ctx, "SEEN#", runID, batch, part, hashes, keep); err != nil {
		return fmt.Errorf("store the keys of batch %s of run %s: %w", batch, runID, err)
	}
	return nil
}

// Seen calls each for every part of keys that is stored of a run, one at a time.
func (s *Store) Seen(ctx context.Context, runID string, each func(batch string, part int, hashes []byte) error) error {
	if err := s.hashes(ctx, "SEEN#", runID, each); err != nil {
		return fmt.Errorf("read the keys that run %s saw: %w", runID, err)
	}
	return nil
}

// StoreUnchanged stores the hashes of the keys that a message left unchanged, in an item
// like those of StoreSeen, beside its record.
func (s *Store) StoreUnchanged(ctx context.Context, runID, batch string, index int, hashes []byte) error {
	if err := s.storeHashes(ctx, "SAME#", runID, batch, index, hashes, run.KeepUnchanged); err != nil {
		return fmt.Errorf("store the keys that batch %s of run %s left unchanged: %w", batch, runID, err)
	}
	return nil
}

// Unchanged calls each for every message of a run of which some are stored, one at a time.
func (s *Store) Unchanged(ctx context.Context, runID string, each func(batch string, index int, hashes []byte) error) error {
	if err := s.hashes(ctx, "SAME#", runID, each); err != nil {
		return fmt.Errorf("read the keys that run %s left unchanged: %w", runID, err)
	}
	return nil
}

func (s *Store) storeHashes(ctx context.Context, kind, runID, batch string, part int, hashes []byte, life time.Duration) error {
	i := item(batchPK(runID, batch), kind+batch+"#"+strconv.Itoa(part), attr.Item{attr.Expires: attr.N(s.now().Add(life).Unix())})
	if len(hashes) > 0 {
		i["keys"] = attr.B(hashes)
	}
	if err := attr.Fits(i, nameOf(i)); err != nil {
		return err
	}
	_, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: s.table, Item: i})
	return err
}

func (s *Store) hashes(ctx context.Context, kind, runID string, each func(batch string, part int, hashes []byte) error) error {
	var one sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	for shard := range shards {
		g.Go(func() error {
			return s.query(gctx, prefix(shardPK(runID, shard), kind), func(i attr.Item) error {
				name := strings.Split(attr.String(i[attr.SK]), "#")
				if len(name) != 3 {
					return fmt.Errorf("%s is no item of keys", nameOf(i))
				}
				part, err := strconv.Atoi(name[2])
				if err != nil {
					return fmt.Errorf("%s is no item of keys", nameOf(i))
				}
				one.Lock()
				defer one.Unlock()
				return each(name[1], part, attr.Bytes(i["keys"]))
			})
		})
	}
	return g.Wait()
}

// leftKey is where a page of removals is.
func leftKey(runID string, page int) (pk, sk string) {
	return shardPK(runID, page%shards), "LEFT#" + strconv.Itoa(page)
}

// StoreLeft stores a page of the keys that left the model, over what is there: a list (L)
// of keys (B).
func (s *Store) StoreLeft(ctx context.Context, runID string, page int, keys []string) error {
	pk, sk := leftKey(runID, page)
	content, err := body(raw(keys))
	if err == nil {
		i := item(pk, sk, attr.Item{"body": content, attr.Expires: s.expiry()})
		if err = attr.Fits(i, nameOf(i)); err == nil {
			_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: s.table, Item: i})
		}
	}
	if err != nil {
		return fmt.Errorf("store page %d of what left the model of run %s: %w", page, runID, err)
	}
	return nil
}

// raw are keys as JSON keeps them: one need not be UTF-8.
func raw(keys []string) [][]byte {
	out := make([][]byte, len(keys))
	for n, k := range keys {
		out[n] = []byte(k)
	}
	return out
}

// Left reads a page; run.ErrNotFound.
func (s *Store) Left(ctx context.Context, runID string, page int) (keys []string, err error) {
	pk, sk := leftKey(runID, page)
	i, err := s.get(ctx, pk, sk)
	var stored [][]byte
	if err == nil {
		if err = attr.Known(i, format, nameOf(i)); err == nil {
			err = unmarshalBody(i, &stored)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("page %d of what left the model of run %s: %w", page, runID, err)
	}
	for _, k := range stored {
		keys = append(keys, string(k))
	}
	return keys, nil
}
