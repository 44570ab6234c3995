package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
)

// Lease takes up to want tokens of a bucket, or says how long to wait. I7: the
// bucket is read and written in one transaction, so that no token is granted twice.
func (s *Store) Lease(ctx context.Context, bucket string, limits []pace.Window, want int, now time.Time) (granted int, wait time.Duration, err error) {
	err = s.bucket(ctx, bucket, func(b pace.Bucket) (next pace.Bucket) {
		granted, next, wait = pace.Lease(b, limits, want, now)
		return next
	})
	if err != nil {
		return 0, 0, fmt.Errorf("lease %d of bucket %s: %w", want, bucket, err)
	}
	return granted, wait, nil
}

// Slow halves what the bucket grants from now on.
func (s *Store) Slow(ctx context.Context, bucket string, now time.Time) error {
	if err := s.bucket(ctx, bucket, func(b pace.Bucket) pace.Bucket { return pace.Slow(b, now) }); err != nil {
		return fmt.Errorf("slow bucket %s: %w", bucket, err)
	}
	return nil
}

// Bucket reads a bucket and takes nothing; the zero value where none is stored.
func (s *Store) Bucket(ctx context.Context, bucket string) (b pace.Bucket, err error) {
	err = s.one(ctx, &b, "SELECT body FROM bucket WHERE name = ?1", bucket)
	if err != nil && !errors.Is(err, run.ErrNotFound) {
		return b, fmt.Errorf("read bucket %s: %w", bucket, err)
	}
	return b, nil
}

func (s *Store) bucket(ctx context.Context, name string, change func(pace.Bucket) pace.Bucket) error {
	return s.write(ctx, func(c *conn) error {
		var b pace.Bucket
		if err := c.one(&b, "SELECT body FROM bucket WHERE name = ?1", name); err != nil && !errors.Is(err, run.ErrNotFound) {
			return err
		}
		body, err := json.Marshal(change(b))
		if err != nil {
			return err
		}
		_, err = c.exec("INSERT OR REPLACE INTO bucket (name, body) VALUES (?1, ?2)", name, string(body))
		return err
	})
}
