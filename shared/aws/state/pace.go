package state

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline"
)

// errBusy says that other workers changed a bucket faster than this one could.
var errBusy = errors.New("the bucket is changed too often by others")

// Lease implements pipeline.Pace. I7: a bucket is only written over the one that
// was read, so that no token is granted twice. A bucket that others change all
// the time grants nothing for a moment.
func (s *Store) Lease(ctx context.Context, bucket string, limits []pace.Window, want int, now time.Time) (granted int, wait time.Duration, err error) {
	err = s.bucket(ctx, bucket, func(b pace.Bucket) (next pace.Bucket, store bool) {
		granted, next, wait = pace.Lease(b, limits, want, now)
		return next, granted > 0
	})
	if errors.Is(err, errBusy) {
		return 0, 100*time.Millisecond + rand.N(100*time.Millisecond), nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("lease %d of bucket %s: %w", want, bucket, err)
	}
	return granted, wait, nil
}

// Pause implements pipeline.Pace.
func (s *Store) Pause(ctx context.Context, bucket string, until time.Time) error {
	err := s.bucket(ctx, bucket, func(b pace.Bucket) (pace.Bucket, bool) {
		return pace.Paused(b, until), until.After(b.Pause)
	})
	if err != nil {
		return fmt.Errorf("pause bucket %s: %w", bucket, err)
	}
	return nil
}

func (s *Store) bucket(ctx context.Context, name string, change func(pace.Bucket) (next pace.Bucket, store bool)) error {
	pk := "PACE#" + name
	for attempt := 1; attempt <= attempts; attempt++ {
		var b pace.Bucket
		old, err := s.get(ctx, pk, "BUCKET")
		switch {
		case errors.Is(err, pipeline.ErrNotFound):
		case err != nil:
			return err
		default:
			if err := unmarshalBody(old, &b); err != nil {
				return err
			}
		}
		next, store := change(b)
		if !store {
			return nil
		}
		content, err := body(next)
		if err != nil {
			return err
		}
		revision := attr.Int(old["revision"])
		_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{
			TableName:                 s.table,
			Item:                      item(pk, "BUCKET", attr.Item{"body": content, "revision": attr.N(revision + 1), attr.Expires: s.expiry()}),
			ConditionExpression:       aws.String("attribute_not_exists(pk) OR revision = :old"),
			ExpressionAttributeValues: attr.Item{":old": attr.N(revision)},
		})
		if _, refused := attr.Refused(err); !refused {
			return err
		}
		if err := attr.Backoff(ctx, attempt); err != nil {
			return err
		}
	}
	return errBusy
}
