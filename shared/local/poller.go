package local

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/wire/sqs"
)

// Source is the receiving side of a queue.
type Source interface {
	// Receive takes up to max messages and hides them for visibility; none from a
	// group that has messages in flight.
	Receive(ctx context.Context, queue string, max int, visibility time.Duration) ([]envelope.Delivery, error)
	// Delete acknowledges messages.
	Delete(ctx context.Context, queue string, receipts ...string) error
}

// Poller hands the messages of one FIFO queue to a worker, as Lambda's SQS event
// source mapping does: batches of up to 10, one batch per message group at a
// time, as many at once as there are groups with messages, partial batch failures
// stay in the queue.
type Poller struct {
	Source Source
	Queue  string
	Worker Invoker
	// Concurrency is how many invocations may run at once (ScalingConfig.MaximumConcurrency);
	// nil is 2.
	Concurrency func() int
	Batch       int           // messages an invocation gets at most (BatchSize); default and most 10
	Timeout     time.Duration // the function's; default 60 s
	Visibility  time.Duration // of a message in hand; default 6 × Timeout, as AWS advises
	Idle        time.Duration // wait after an empty receive, half as long again after each that follows, up to 100 ms; default 50 ms
	Log         *slog.Logger
}

const pollBatch = 10

// mostIdle bounds the wait of a queue that stays empty: asking costs 50 µs, and there is a
// queue for each type of destination.
const mostIdle = 100 * time.Millisecond

// Run polls until ctx ends. A message that is in hand then is finished first.
func (p *Poller) Run(ctx context.Context) error {
	if p.Timeout == 0 {
		p.Timeout = time.Minute
	}
	if p.Visibility == 0 {
		p.Visibility = 6 * p.Timeout
	}
	if p.Idle == 0 {
		p.Idle = 50 * time.Millisecond
	}
	var busy sync.WaitGroup
	var running atomic.Int64
	freed := make(chan struct{}, 1)
	idle := p.Idle
	for ctx.Err() == nil {
		if running.Load() >= int64(p.most()) {
			select {
			case <-freed:
			case <-ctx.Done():
			}
			continue
		}
		in := p.receive(ctx)
		if len(in) == 0 {
			pause(ctx, idle)
			idle = min(idle+idle/2, max(p.Idle, mostIdle))
			continue
		}
		idle = p.Idle
		running.Add(1)
		busy.Go(func() {
			p.work(ctx, in)
			running.Add(-1)
			select {
			case freed <- struct{}{}:
			default:
			}
		})
	}
	busy.Wait()
	return nil
}

func (p *Poller) most() int {
	if p.Concurrency == nil {
		return 2
	}
	return max(p.Concurrency(), 1)
}

// receive takes the next messages; none when there are none, or storage refuses.
func (p *Poller) receive(ctx context.Context) []envelope.Delivery {
	most := pollBatch
	if p.Batch > 0 {
		most = min(p.Batch, pollBatch)
	}
	in, err := p.Source.Receive(ctx, p.Queue, most, p.Visibility)
	if err != nil && ctx.Err() == nil {
		p.Log.Error("receive", "queue", p.Queue, "error", err)
	}
	if err != nil {
		return nil
	}
	return in
}

// once receives, invokes and acknowledges, and returns the number of messages
// that were acknowledged.
func (p *Poller) once(ctx context.Context) int {
	in := p.receive(ctx)
	if len(in) == 0 {
		return 0
	}
	return p.work(ctx, in)
}

// work invokes the worker and acknowledges what does not stay.
func (p *Poller) work(ctx context.Context, in []envelope.Delivery) int {
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.Timeout)
	defer cancel()
	answer, err := p.Worker.Invoke(work, sqs.EncodeEvent(in, "arn:aws:sqs:local:000000000000:"+p.Queue))
	if err != nil {
		p.Log.Error("worker", "queue", p.Queue, "error", err)
		return len(in) // all stay until their visibility ends
	}
	stay, err := sqs.DecodeFailures(answer)
	if err != nil {
		p.Log.Error("worker's answer", "queue", p.Queue, "error", err)
		return len(in)
	}
	var done []string
	for _, m := range in {
		if !slices.Contains(stay, m.ID) {
			done = append(done, m.Receipt)
		}
	}
	if len(done) == 0 {
		return 0
	}
	if err := p.Source.Delete(context.WithoutCancel(ctx), p.Queue, done...); err != nil {
		p.Log.Error("acknowledge", "queue", p.Queue, "error", err)
	}
	return len(done)
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Bounds of the rest behind a tick: idle times as long as it took, so that what looks
// at all of a large run takes a twentieth of one core, but no longer than people wait
// gladly, since it may have waited for others itself.
const (
	idle    = 19
	longest = time.Second
)

// Tick invokes f every interval, as EventBridge does, until ctx ends. A rest
// follows one that takes long for its interval.
func Tick(ctx context.Context, f Invoker, interval time.Duration, log *slog.Logger) error {
	for next := interval; ; {
		if pause(ctx, next); ctx.Err() != nil {
			return nil
		}
		begun := time.Now()
		if _, err := f.Invoke(context.WithoutCancel(ctx), []byte(`{"source":"aws.events","detail-type":"Scheduled Event"}`)); err != nil {
			log.Error("tick", "error", err)
		}
		took := time.Since(begun)
		next = max(interval-took, min(idle*took, longest))
	}
}
