package state

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
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

// Bucket reads a bucket and takes nothing; the zero value where none is stored.
func (s *Store) Bucket(ctx context.Context, bucket string) (pace.Bucket, error) {
	b, err := s.readBucket(ctx, "PACE#"+bucket)
	if err != nil {
		return pace.Bucket{}, fmt.Errorf("read bucket %s: %w", bucket, err)
	}
	return b.bucket, nil
}

// bucket changes a bucket. The first try is over what this process stored last, which
// spares a read where it is alone; a bucket that others have taken from since grants
// no more than that.
func (s *Store) bucket(ctx context.Context, name string, change func(pace.Bucket) (next pace.Bucket, store bool)) error {
	pk := "PACE#" + name
	b, known := s.buckets.take(name)
	for attempt := 1; attempt <= races; attempt++ {
		if !known {
			var err error
			if b, err = s.readBucket(ctx, pk); err != nil {
				return err
			}
		}
		next, store := change(b.bucket)
		if !store {
			if known || attempt == 1 {
				s.buckets.keep(name, b)
			}
			return nil
		}
		err := s.swap(ctx, pk, "BUCKET", b.revision, next, attr.Item{attr.Expires: s.expiry()})
		if err == nil && attempt == 1 { // else others are at it: the next one reads
			s.buckets.keep(name, stored{next, b.revision + 1})
		}
		if !errors.Is(err, run.ErrConflict) {
			return err
		}
		known = false
		if err := attr.Backoff(ctx, attempt); err != nil {
			return err
		}
	}
	return errBusy
}

func (s *Store) readBucket(ctx context.Context, pk string) (b stored, err error) {
	i, err := s.get(ctx, pk, "BUCKET")
	if errors.Is(err, run.ErrNotFound) {
		return stored{}, nil
	}
	if err != nil {
		return stored{}, err
	}
	b.revision = attr.Int(i["revision"])
	return b, unmarshalBody(i, &b.bucket)
}

// stored is a bucket and the revision of its item, 0 where there is none.
type stored struct {
	bucket   pace.Bucket
	revision int64
}

// buckets are those that this process stored last.
type buckets struct {
	mu  sync.Mutex
	all map[string]stored
}

// take hands out a bucket to one caller.
func (b *buckets) take(name string) (stored, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.all[name]
	delete(b.all, name)
	return s, ok
}

func (b *buckets) keep(name string, s stored) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = map[string]stored{}
	}
	b.all[name] = s
}
