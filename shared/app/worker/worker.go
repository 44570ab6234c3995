// Package worker wires a Deliver to SQS events: one wiring for the workers of all
// destination types, each of which links the one vendor that it is given, and for
// the dead-letter function, which links none.
package worker

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/penstock-data/penstock/shared/app/metrics"
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
}

// Invoke works on one SQS event and answers which messages stay in the queue. A
// failure of our own storage is each message's own and counted in the metric
// StorageFailures, which has an alarm, as FailedRows, StoredErrors and OldMessages
// have: an error of the invocation would send the others back too.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	started := h.Deliver.Now()
	if string(bytes.TrimSpace(payload)) == Freshness {
		return h.freshen(ctx, started)
	}
	in, err := sqs.Decode(payload)
	if err != nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "deliver", slog.String("queue", h.Deliver.Queue), slog.String("error", err.Error()))
		return nil, err
	}
	result := h.Deliver.Handle(ctx, in)
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("queue", h.Deliver.Queue), slog.Int("messages", len(in)),
		slog.Int("returned", len(result.Stay)), slog.Int64("ms", h.Deliver.Now().Sub(started).Milliseconds()),
	}
	if n := len(result.Storage); n > 0 {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", errors.Join(result.Storage[:min(n, 3)]...).Error()))
	}
	attrs = append(attrs, metrics.Attrs(started, cmp.Or(h.Function, h.Deliver.Queue),
		metrics.Count{Name: metrics.StorageFailures, N: len(result.Storage)}, metrics.Count{Name: metrics.FailedRows, N: result.Failed},
		metrics.Count{Name: metrics.StoredErrors, N: result.Stored}, metrics.Count{Name: metrics.OldMessages, N: old(in, started)})...)
	h.Log.LogAttrs(ctx, level, "deliver", attrs...)
	return sqs.EncodeFailures(result.Stay), nil
}

// Freshness is the event that makes a worker count, for the syncs whose turn it is, how
// old the data at its destination is. A rule sends it every 5 minutes.
const Freshness = `{"penstock":"freshness"}`

// freshen answers the event. Its error is our storage's: the next event tries again.
func (h *Handler) freshen(ctx context.Context, started time.Time) ([]byte, error) {
	n, err := h.Deliver.Freshen(ctx)
	attrs := []slog.Attr{slog.String("queue", h.Deliver.Queue), slog.Int("counted", n), slog.Int64("ms", h.Deliver.Now().Sub(started).Milliseconds())}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
		attrs = append(attrs, metrics.Attrs(started, cmp.Or(h.Function, h.Deliver.Queue), metrics.Storage(err))...)
		h.Log.LogAttrs(ctx, slog.LevelError, "freshness", attrs...)
		return nil, err
	}
	if n > 0 {
		h.Log.LogAttrs(ctx, slog.LevelInfo, "freshness", attrs...)
	}
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
