// Package sweep wires the sweeper to its minute tick; the event's content does
// not matter.
package sweep

import (
	"context"
	"log/slog"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

// Handler is the sweep function.
type Handler struct {
	Sweep *runs.Sweep
	Log   *slog.Logger
}

// Invoke sweeps once.
func (h *Handler) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	started := h.Sweep.Now()
	err := h.Sweep.Run(ctx)
	attrs := []slog.Attr{slog.Int64("ms", h.Sweep.Now().Sub(started).Milliseconds())}
	if err != nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "sweep", append(attrs, slog.String("error", err.Error()))...)
		return nil, err
	}
	h.Log.LogAttrs(ctx, slog.LevelInfo, "sweep", attrs...)
	return []byte("null"), nil
}
