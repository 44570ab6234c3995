// Package worker wires a Deliver to SQS events: one wiring for the workers of all
// destination types, each of which links the one vendor that it is given, and for
// the dead-letter function, which links none.
package worker

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/penstock-data/penstock/shared/app/metrics"
	"github.com/penstock-data/penstock/shared/app/telemetry"
	"github.com/penstock-data/penstock/shared/app/telemetry/lambdaid"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/wire/sqs"
)

// Handler is a worker function. It serves concurrent invocations.
type Handler struct {
	Deliver *deliver.Deliver
	Log     *slog.Logger
	// Function is the name that metrics go under, as Lambda knows it; "" takes the
	// queue's.
	Function string

	warm atomic.Bool
}

// Invoke works on one SQS event and answers which messages stay in the queue. A
// failure of our own storage is each message's own and counted in the metric
// StorageFailures, which has an alarm, as FailedRows, StoredErrors and OldMessages
// have: an error of the invocation would send the others back too.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, line := telemetry.Source{Log: h.Log, What: h.Deliver.Queue, Function: h.Function, Now: h.Deliver.Now, Warm: &h.warm, Request: lambdaid.Of}.Begin(ctx, "deliver")
	line.Add(slog.String("queue", h.Deliver.Queue))
	if string(bytes.TrimSpace(payload)) == Freshness {
		return h.freshen(ctx, line)
	}
	in, err := sqs.Decode(payload)
	if err != nil {
		line.End(ctx, telemetry.Failed, err)
		return nil, err
	}
	started := h.Deliver.Now()
	result := h.Deliver.Handle(ctx, in)
	line.Add(slog.Int("messages", len(in)), slog.Int("returned", len(result.Stay)))
	line.Count(metrics.Count{Name: metrics.StorageFailures, N: len(result.Storage)}, metrics.Count{Name: metrics.FailedRows, N: result.Failed},
		metrics.Count{Name: metrics.StoredErrors, N: result.Stored}, metrics.Count{Name: metrics.OldMessages, N: old(in, started)})
	tell(line, result)
	outcome := telemetry.OK
	if len(result.Stay) > 0 {
		outcome = telemetry.Waiting
	}
	if len(result.Storage) > 0 {
		outcome, err = telemetry.Failed, errors.Join(result.Storage[:min(len(result.Storage), 3)]...)
	}
	line.End(ctx, outcome, err)
	return sqs.EncodeFailures(result.Stay), nil
}

// tell tells what became of the rows, and how long each part of the work took.
func tell(line *telemetry.Line, r deliver.Result) {
	var calls int64
	for _, d := range r.Done {
		line.Run(d.Run)
		line.Rows("delivered", d.Counts.Delivered)
		line.Rows("unchanged", d.Counts.Unchanged)
		line.Rows("superseded", d.Counts.Superseded)
		line.Rows("failed", d.Counts.Failed)
		line.Rows("cancelled", d.Counts.Cancelled)
		calls += d.Counts.Calls
		if d.Connection != "" {
			line.Of(d.Connection, metrics.Count{Name: metrics.RowsDelivered, N: int(d.Counts.Delivered)},
				metrics.Count{Name: metrics.RowsNotDelivered, N: int(d.Counts.Failed)}, metrics.Count{Name: metrics.Calls, N: int(d.Counts.Calls)})
		}
	}
	line.Add(slog.Int64("calls", calls), slog.Int64("read_ms", r.Took.Read.Milliseconds()), slog.Int64("deliver_ms", r.Took.Deliver.Milliseconds()), slog.Int64("record_ms", r.Took.Record.Milliseconds()))
}

// Freshness is the event that makes a worker count, for the syncs whose turn it is, how
// old the data at its destination is. A rule sends it every 5 minutes.
const Freshness = `{"penstock":"freshness"}`

// freshen answers the event. Its error is our storage's: the next event tries again.
func (h *Handler) freshen(ctx context.Context, line *telemetry.Line) ([]byte, error) {
	line.Message("freshness")
	n, err := h.Deliver.Freshen(ctx)
	line.Add(slog.Int("counted", n))
	if err != nil {
		line.Count(metrics.Storage(err))
		line.End(ctx, telemetry.Failed, err)
		return nil, err
	}
	outcome := telemetry.OK
	if n == 0 {
		outcome = telemetry.Idle
		line.Tick()
	}
	line.End(ctx, outcome, nil)
	return []byte("null"), nil
}

// old counts the messages in hand that have used up a quarter of their life.
func old(in []envelope.Delivery, now time.Time) (n int) {
	for _, m := range in {
		if !m.SentAt.IsZero() && now.Sub(m.SentAt) > metrics.OldAfter {
			n++
		}
	}
	return n
}

// Sleep waits for d or the end of ctx.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
