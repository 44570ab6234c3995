package state

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
)

// errBusy says that other workers changed a bucket faster than this one could.
var errBusy = errors.New("the bucket is changed too often by others")

// races bounds what is tried again because others were faster.
const races = 10

// Lease takes up to want tokens of a bucket, or says how long to wait. I7: a bucket
// is only written over the one that was read, so that no token is granted twice. A
// bucket that others change all the time grants nothing for a moment.
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

// Slow halves what the bucket grants from now on. One that others change all the
// time is slowed by them.
func (s *Store) Slow(ctx context.Context, bucket string, now time.Time) error {
	err := s.bucket(ctx, bucket, func(b pace.Bucket) (pace.Bucket, bool) { return pace.Slow(b, now), true })
	if err != nil {
		return fmt.Errorf("slow bucket %s: %w", bucket, err)
	}
	return nil
}

func (s *Store) bucket(ctx context.Context, name string, change func(pace.Bucket) (next pace.Bucket, store bool)) error {
	pk := "PACE#" + name
	for attempt := 1; attempt <= races; attempt++ {
		var b pace.Bucket
		old, err := s.get(ctx, pk, "BUCKET")
		switch {
		case errors.Is(err, run.ErrNotFound):
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
		err = s.swap(ctx, pk, "BUCKET", attr.Int(old["revision"]), next, attr.Item{attr.Expires: s.expiry()})
		if !errors.Is(err, run.ErrConflict) {
			return err
		}
		if err := attr.Backoff(ctx, attempt); err != nil {
			return err
		}
	}
	return errBusy
}
