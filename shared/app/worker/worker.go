// Package worker wires a Deliver to SQS events: one wiring for the workers of all
// destination types, each of which links the one vendor that it is given, and for
// the dead-letter function, which links none.
package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/wire/sqs"
)

// Handler is a worker function. It serves concurrent invocations.
type Handler struct {
	Deliver *deliver.Deliver
	Log     *slog.Logger
}

// Invoke works on one SQS event and answers which messages stay in the queue. A
// failure of our own storage is each message's own and counted in the metric
// StorageFailures, which has an alarm: an error of the invocation would send the
// others back too.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	started := h.Deliver.Now()
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
		attrs = append(attrs, metric(started, "StorageFailures", n)...)
	}
	h.Log.LogAttrs(ctx, level, "deliver", attrs...)
	return sqs.EncodeFailures(result.Stay), nil
}

// metric makes a log line a metric as well (CloudWatch, "Embedded metric format").
func metric(at time.Time, name string, n int) []slog.Attr {
	return []slog.Attr{slog.Int(name, n), slog.Any("_aws", map[string]any{
		"Timestamp": at.UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": "Penstock", "Dimensions": [][]string{{"queue"}}, "Metrics": []any{map[string]string{"Name": name, "Unit": "Count"}},
		}},
	})}
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
