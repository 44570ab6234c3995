package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline"
)

// Lease implements pipeline.Pace. I7: the bucket is read and written in one
// transaction, so that no token is granted twice.
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

// Pause implements pipeline.Pace.
func (s *Store) Pause(ctx context.Context, bucket string, until time.Time) error {
	if err := s.bucket(ctx, bucket, func(b pace.Bucket) pace.Bucket { return pace.Paused(b, until) }); err != nil {
		return fmt.Errorf("pause bucket %s: %w", bucket, err)
	}
	return nil
}

func (s *Store) bucket(ctx context.Context, name string, change func(pace.Bucket) pace.Bucket) error {
	return s.write(ctx, func(c *conn) error {
		var b pace.Bucket
		if err := c.one(&b, "SELECT body FROM bucket WHERE name = ?1", name); err != nil && !errors.Is(err, pipeline.ErrNotFound) {
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
