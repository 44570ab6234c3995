package state

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

func dueSK(d run.Due) string { return "DUE#" + number(d.At) + "#" + d.ID() }

// StoreDue stores due items; of one ID and time the first stays.
func (s *Store) StoreDue(ctx context.Context, due []run.Due) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	first := make(map[string]run.Due, len(due)) // of one ID and time
	for _, d := range due {
		if name := d.Sync + "/" + dueSK(d); first[name].Sync == "" {
			first[name] = d
		}
	}
	for _, d := range first {
		g.Go(func() error { return s.storeDue(gctx, d) })
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("store %d due items: %w", len(due), err)
	}
	return nil
}

func (s *Store) storeDue(ctx context.Context, d run.Due) error {
	content, err := body(d)
	if err != nil {
		return err
	}
	i := item(syncPK(d.Sync), dueSK(d), attr.Item{"body": content, attr.Expires: s.expiry()})
	if err := attr.Fits(i, nameOf(i)); err != nil {
		return err
	}
	_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: s.table, Item: i, ConditionExpression: aws.String("attribute_not_exists(pk)")})
	if _, there := attr.Refused(err); there {
		return nil
	}
	return err
}

// DueItems lists a sync's due items whose time is not after now, oldest first, at
// most limit; with now zero all of them.
func (s *Store) DueItems(ctx context.Context, sync string, now time.Time, limit int) ([]run.Due, error) {
	if limit <= 0 {
		return nil, nil
	}
	in := prefix(syncPK(sync), "DUE#")
	in.limit = limit
	if !now.IsZero() {
		in.to = "DUE#" + number(now) + "$" // "$" comes after the "#" of every id
	}
	var due []run.Due
	err := s.query(ctx, in, func(i attr.Item) error {
		var d run.Due
		err := unmarshalBody(i, &d)
		due = append(due, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("due items of sync %q: %w", sync, err)
	}
	return due, nil
}

// DeleteDue deletes one; nothing happens when it is gone.
func (s *Store) DeleteDue(ctx context.Context, d run.Due) error {
	if err := s.remove(ctx, syncPK(d.Sync), dueSK(d)); err != nil {
		return fmt.Errorf("delete a due item of sync %q: %w", d.Sync, err)
	}
	return nil
}
