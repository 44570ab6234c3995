package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
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

// news is the run's rows per group less those that turned out to need no sending:
// what a digest counts. Of a run over more messages than one invocation has in
// hand, the rows not yet compared count in full.
func (h *hand) news(j *job) map[string]int {
	if j.total == nil {
		return nil
	}
	total := maps.Clone(j.total)
	for _, i := range h.items {
		if i.parcel.job == j && (i.state == itemUnchanged || i.state == itemSuperseded) {
			total[i.group]--
		}
	}
	return total
}

// batch makes the destination's view of a job's open rows. A row whose fields
// all hold already is unchanged.
func (j *job) batch() (dest.Batch, []*item) {
	b := dest.Batch{Run: j.run.ID, Total: j.total, Records: make([]dest.Record, 0, len(j.open))}
	items := make([]*item, 0, len(j.open))
	fields := make([]dest.Field, 0, len(j.open)*len(j.program.mapping.Names()))
	for _, i := range j.open {
		var r dest.Record
		r, fields = i.record(fields)
		if len(r.Fields) == 0 && !i.entry.Fingerprint.Void() {
			i.state = itemUnchanged
			continue
		}
		b.Records = append(b.Records, r)
		items = append(items, i)
	}
	return b, items
}

// rest is the batch without what the lookups settled, put off or refused.
func rest(b dest.Batch, items []*item) (dest.Batch, []*item) {
	left := dest.Batch{Run: b.Run, Total: b.Total, Records: make([]dest.Record, 0, len(items))}
	var open []*item
	for n, i := range items {
		if i.state == itemOpen {
			left.Records = append(left.Records, b.Records[n])
			open = append(open, i)
		}
	}
	return left, open
}

func pick(items []*item, c dest.Call) []*item {
	picked := make([]*item, len(c.Records))
	for n, k := range c.Records {
		picked[n] = items[k]
	}
	return picked
}

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

// stopped fails rows that come after the first failure of a stop_on_error sync.
func (w *wave) stopped(items []*item) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop == "" {
		return false
	}
	for _, i := range items {
		i.fail(stopped, "", "the run was stopped before this row was sent: "+w.stop)
	}
	return true
}

// apply takes over a call's outcomes, one per row.
func (w *wave) apply(ctx context.Context, b dest.Batch, c dest.Call, items []*item, outcomes []dest.Outcome) error {
	w.mu.Lock()
	w.success = true
	w.mu.Unlock()
	for n, i := range items {
		o := outcomes[n]
		i.outcome = o
		switch o.Status {
		case dest.Pending:
		case dest.Found:
			b.Records[c.Records[n]].ID = o.ID
			i.entry.ID = o.ID
		case dest.Delivered:
			i.state = itemDelivered
		case dest.Rejected:
			i.state, i.stage = itemFailed, w.stage
			w.cancel(i)
		case dest.Retry, dest.Unknown:
			w.retry(i)
		}
	}
	w.mu.Lock()
	for _, i := range items {
		if i.state != itemOpen { // what a lookup found is still to be pushed
			w.answers = append(w.answers, i)
		}
	}
	var due []*item
	if w.once || len(w.answers) >= commitEvery { // once: before the next message is sent
		due, w.answers = w.answers, nil
	}
	w.mu.Unlock()
	return w.d.commitItems(ctx, w.job.program.target, due)
}

// cancel stops further calls of a stop_on_error sync.
func (w *wave) cancel(i *item) {
	if w.job.program.version.Definition.OnError != syncdef.Stop {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop == "" {
		w.stop = fmt.Sprintf("error_handling is stop_on_error and record %q failed: %s", i.recordID, i.outcome.Message)
	}
}

// retry puts one row off, or ends it after too many attempts.
func (w *wave) retry(i *item) {
	attempts := i.parcel.state.Attempts + 1
	if attempts < maxAttempts {
		w.putOff([]*item{i}, max(i.outcome.After, w.d.backoff(attempts)), true)
		return
	}
	i.state = itemFailed
	if i.outcome.Code == "" {
		i.outcome.Code = "no_answer"
	}
	i.outcome.Message = fmt.Sprintf("given up after %d attempts: %s", attempts, i.outcome.Message)
}

func (w *wave) putOff(items []*item, wait time.Duration, attempt bool) {
	for _, i := range items {
		i.state = itemLater
		i.hide, i.attempt = wait, attempt
	}
}

// failed pauses the connection after a call that failed as a whole, and puts its
// rows off. It is waited out, not turned into errors.
func (w *wave) failed(ctx context.Context, bucket string, items []*item, e *dest.CallError) {
	wait := max(e.After, w.d.patience(items[0].parcel))
	w.halt(bucket, wait)
	w.putOff(items, wait, false)
	w.mu.Lock()
	w.outage = append(w.outage, items...)
	w.mu.Unlock()
	name := w.bucket(bucket)
	// Best effort: a pause that is not stored costs one more failed call.
	_ = w.d.Pace.Pause(ctx, name, w.d.Now().Add(wait))
	w.d.explain(ctx, w.job.run.ID, e)
}

// account notes the API calls, and lets an outage count as an attempt only when
// other calls were answered meanwhile.
func (w *wave) account() {
	if w.success {
		for _, i := range w.outage {
			if i.state == itemLater {
				i.attempt = true
			}
		}
	}
	w.d.spend(w.job.run.ID, w.dst)
}

// intend stores, before a message is sent, that it is about to be: a worker that
// finds the intent looks before it sends again.
func (w *wave) intend(ctx context.Context, items []*item) error {
	if !w.once {
		return nil
	}
	entries := make([]ledger.Entry, len(items))
	for n, i := range items {
		i.entry.Intent = i.ref()
		entries[n] = ledger.Entry{Key: i.key, Run: i.parcel.run.ID, Place: i.parcel.chunk.Place, Intent: i.entry.Intent}
	}
	if err := w.d.Ledger.Commit(ctx, w.job.program.target, entries); err != nil {
		return fmt.Errorf("store the intent to send: %w", err)
	}
	return nil
}
