// Package sweep wires the sweeper to its minute tick; the event's content does
// not matter.
package sweep

import (
	"context"
	"log/slog"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline"
)

// Handler is the sweep function.
type Handler struct {
	Sweep *pipeline.Sweep
	Log   *slog.Logger
}

// Invoke sweeps once.
func (h *Handler) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	started := time.Now()
	err := h.Sweep.Run(ctx)
	attrs := []slog.Attr{slog.Int64("ms", time.Since(started).Milliseconds())}
	if err != nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "sweep", append(attrs, slog.String("error", err.Error()))...)
		return nil, err
	}
	h.Log.LogAttrs(ctx, slog.LevelInfo, "sweep", attrs...)
	return []byte("null"), nil
}
