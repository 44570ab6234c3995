// Package worker wires a Deliver to SQS events: what the workers of all
// destinations and the dead-letter function have in common.
package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/wire/sqs"
)

// Handler is a worker function. It serves concurrent invocations.
type Handler struct {
	Deliver *pipeline.Deliver
	Log     *slog.Logger
}

// Invoke works on one SQS event and answers which messages stay in the queue. An
// error keeps all of them there.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	started := time.Now()
	deliveries, err := sqs.Decode(payload)
	var stay []string
	if err == nil {
		stay, err = h.Deliver.Handle(ctx, deliveries)
	}
	attrs := []slog.Attr{
		slog.String("queue", h.Deliver.Queue), slog.Int("messages", len(deliveries)),
		slog.Int("returned", len(stay)), slog.Int64("ms", time.Since(started).Milliseconds()),
	}
	if err != nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "deliver", append(attrs, slog.String("error", err.Error()))...)
		for _, d := range deliveries {
			stay = append(stay, d.ID)
		}
		if len(stay) == 0 {
			return nil, err
		}
		return sqs.EncodeFailures(stay), nil
	}
	h.Log.LogAttrs(ctx, slog.LevelInfo, "deliver", attrs...)
	return sqs.EncodeFailures(stay), nil
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
