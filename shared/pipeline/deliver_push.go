package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// margin is what a worker keeps of its time to commit and give back the rest.
const margin = 5 * time.Second

// commitEvery is how many answered rows are committed at once while further calls
// go on: few enough for the rest to be committed within the margin.
const commitEvery = 1000

// stopped is the code of rows that were not sent because their run was stopped.
const stopped = "cancelled"

// A wave is one job's calls in one invocation.
type wave struct {
	d     *Deliver
	job   *job
	dst   Destination
	once  bool   // insert: an intent is stored before each call
	stage string // of errors: match while looking up, then deliver

	mu      sync.Mutex
	halts   map[string]time.Duration // buckets that grant no more now, and for how long
	stop    string                   // why no further call is made: stop_on_error
	success bool                     // some call was answered
	answers []*item                  // not yet committed
	outage  []*item                  // rows of calls that failed as a whole
}

// deliver looks up what must be, then pushes what is still open, unless stop says
// why nothing is sent any more.
func (d *Deliver) deliver(ctx context.Context, j *job, stop string) error {
	if len(j.open) == 0 {
		return nil
	}
	def := &j.program.version.Definition
	w := &wave{d: d, job: j, stop: stop, stage: "match", once: def.Operation == syncdef.Insert, halts: map[string]time.Duration{}}
	var err error
	if w.dst, err = d.destination(ctx, j.program.version); err != nil {
		w.failed(ctx, "", j.open, &dest.CallError{Op: "open the destination", Class: dest.Configuration, Message: err.Error()})
		return nil
	}
	b, items := j.batch()
	if calls := w.dst.Lookups(b); len(calls) > 0 {
		err := w.each(ctx, calls, func(ctx context.Context, c dest.Call) ([]dest.Outcome, error) {
			return w.dst.Lookup(ctx, b, c)
		}, b, items)
		if err != nil {
			return err
		}
		w.d.settleUp(ctx, w.dst, w.bucket(calls[0].Bucket), calls[0].Bucket)
		b, items = rest(b, items)
	}
	w.stage = "deliver"
	calls := w.dst.Calls(b)
	err = w.each(ctx, calls, func(ctx context.Context, c dest.Call) ([]dest.Outcome, error) {
		if err := w.intend(ctx, pick(items, c)); err != nil {
			return nil, err
		}
		return w.dst.Push(ctx, b, c)
	}, b, items)
	if len(calls) > 0 {
		w.d.settleUp(ctx, w.dst, w.bucket(calls[0].Bucket), calls[0].Bucket)
	}
	w.account()
	return err
}

// A send makes one call and answers one outcome per record of it.
type send func(context.Context, dest.Call) ([]dest.Outcome, error)

// each makes the calls, several at a time, and applies their outcomes.
func (w *wave) each(ctx context.Context, calls []dest.Call, s send, b dest.Batch, items []*item) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, w.dst.Limits().Concurrency))
	for n, c := range calls {
		g.Go(func() error { return w.call(ctx, c, len(calls)-n, s, b, items) })
	}
	return g.Wait()
}

// call makes one call, when its bucket grants it, and bisects one that is
// refused for a single row.
func (w *wave) call(ctx context.Context, c dest.Call, want int, s send, b dest.Batch, items []*item) error {
	mine := pick(items, c)
	wait, err := w.clear(ctx, c.Bucket, want)
	if err != nil {
		return err
	}
	if w.stopped(mine) {
		return nil
	}
	if wait > 0 {
		w.putOff(mine, wait, false)
		return nil
	}
	outcomes, err := w.send(ctx, c, s)
	var failed *dest.CallError
	switch {
	case err == nil && len(outcomes) == len(mine):
		return w.apply(ctx, b, c, mine, outcomes)
	case err == nil:
		return fmt.Errorf("destination %s answered %d outcomes for %d records", w.d.Queue, len(outcomes), len(mine))
	case !errors.As(err, &failed):
		return err
	case failed.Class == dest.Refused && len(mine) > 1:
		half := len(c.Records) / 2
		if err := w.call(ctx, dest.Call{Bucket: c.Bucket, Records: c.Records[:half]}, 2, s, b, items); err != nil {
			return err
		}
		return w.call(ctx, dest.Call{Bucket: c.Bucket, Records: c.Records[half:]}, 1, s, b, items)
	case failed.Class == dest.Refused:
		return w.apply(ctx, b, c, mine, []dest.Outcome{{Status: dest.Rejected, Code: failed.Code, Message: failed.Message}})
	}
	w.failed(ctx, c.Bucket, mine, failed)
	return nil
}

// send makes the call with time left to commit its outcome.
func (w *wave) send(ctx context.Context, c dest.Call, s send) ([]dest.Outcome, error) {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-margin/2))
		defer cancel()
	}
	return s(ctx, c)
}

// clear waits for a token of the bucket, at most maxWait at a time (I5), and
// says for how long to put the rows off when none is to be had.
func (w *wave) clear(ctx context.Context, bucket string, want int) (time.Duration, error) {
	for {
		w.mu.Lock()
		halt := w.halts[bucket]
		w.mu.Unlock()
		if halt > 0 {
			return halt, nil
		}
		if end, ok := ctx.Deadline(); ok && w.d.Now().Add(margin).After(end) {
			return time.Millisecond, nil
		}
		want = min(want, leasedPerCall*max(1, w.dst.Limits().Concurrency))
		wait, err := w.d.acquire(ctx, w.bucket(bucket), w.dst.Limits().Windows, bucket, want)
		if err == nil && wait == 0 {
			w.d.pay(w.dst)
		}
		if err != nil || wait == 0 {
			return 0, err
		}
		if wait > maxWait {
			w.halt(bucket, wait)
			return wait, nil
		}
		if err := w.d.Sleep(ctx, wait); err != nil {
			return 0, err
		}
	}
}

// bucket is the stored name of one of the connection's buckets.
func (w *wave) bucket(name string) string {
	return w.job.program.version.Connection.Name + "/" + name
}

func (w *wave) halt(bucket string, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.halts[bucket] = max(w.halts[bucket], wait)
}
