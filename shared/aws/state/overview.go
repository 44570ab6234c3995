package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
)

// overviewPK has an item for each sync, so that all are one query. The body is packed: 50
// of them are one page.
const overviewPK = "OVERVIEW"

// SetOverview stores an overview over the one with its Revision (0: none is stored), with
// Revision+1; run.ErrConflict when another one is.
func (s *Store) SetOverview(ctx context.Context, o run.Overview) error {
	read := o.Revision
	o.Revision++
	text, err := json.Marshal(o)
	if err == nil {
		var packed []byte
		if packed, err = packText(text); err == nil {
			condition, values := over(read)
			_, err = s.put(ctx, item(overviewPK, o.Sync, attr.Item{"packed": attr.B(packed), "revision": attr.N(o.Revision), attr.Expires: s.expiry()}), condition, values)
		}
	}
	if _, refused := attr.Refused(err); refused {
		err = run.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("overview of sync %q: %w", o.Sync, err)
	}
	return nil
}

// DeleteOverview deletes one; nothing happens when there is none.
func (s *Store) DeleteOverview(ctx context.Context, sync string) error {
	if err := s.remove(ctx, overviewPK, sync); err != nil {
		return fmt.Errorf("overview of sync %q: %w", sync, err)
	}
	return nil
}

// Overview reads one sync's; run.ErrNotFound.
func (s *Store) Overview(ctx context.Context, sync string) (run.Overview, error) {
	i, err := s.get(ctx, overviewPK, sync)
	if err == nil {
		var o run.Overview
		if o, err = unpackOverview(i); err == nil {
			return o, nil
		}
	}
	return run.Overview{}, fmt.Errorf("overview of sync %q: %w", sync, err)
}

// Overviews reads those of all syncs, by name. One whose revision is known comes with its
// Sync and Revision alone; one that cannot be read says why, and the others are read.
func (s *Store) Overviews(ctx context.Context, known map[string]int64) ([]run.Overview, error) {
	ask := &dynamodb.QueryInput{
		TableName: s.table, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: aws.String("pk = :pk"), ExpressionAttributeValues: attr.Item{":pk": attr.S(overviewPK)},
	}
	var all []run.Overview
	for {
		out, err := s.db.Query(ctx, ask)
		if err != nil {
			return nil, fmt.Errorf("list overviews: %w", err)
		}
		for _, i := range out.Items {
			o := run.Overview{Sync: attr.String(i[attr.SK]), Revision: attr.Int(i["revision"])}
			if revision, ok := known[o.Sync]; !ok || revision != o.Revision {
				read, err := unpackOverview(i)
				if err == nil {
					o = read
				} else {
					o.Unreadable = err.Error()
				}
			}
			all = append(all, o)
		}
		if ask.ExclusiveStartKey = out.LastEvaluatedKey; ask.ExclusiveStartKey == nil {
			return all, nil
		}
	}
}

func unpackOverview(i attr.Item) (o run.Overview, err error) {
	if err := attr.Known(i, format, nameOf(i)); err != nil {
		return o, err
	}
	text, err := unpackText(attr.Bytes(i["packed"]))
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err != nil {
		return run.Overview{}, errors.New(nameOf(i) + " cannot be read: it is damaged")
	}
	o.Revision = attr.Int(i["revision"])
	return o, nil
}

// SomeRuns reads the runs that exist among the ids, at most 100, by id.
func (s *Store) SomeRuns(ctx context.Context, ids []string) (map[string]run.Run, error) {
	all, err := s.getRuns(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read %d runs: %w", len(ids), err)
	}
	found := make(map[string]run.Run, len(all))
	for _, r := range all {
		found[r.ID] = r
	}
	return found, nil
}

// SomeOpenRuns names runs that go on, at most limit, by id.
func (s *Store) SomeOpenRuns(ctx context.Context, limit int) (ids []string, err error) {
	if limit <= 0 {
		return nil, nil
	}
	open := prefix(livePK, listOpen)
	open.limit = limit
	err = s.query(ctx, open, func(i attr.Item) error {
		ids = append(ids, attr.String(i["run"]))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list open runs: %w", err)
	}
	return ids, nil
}
