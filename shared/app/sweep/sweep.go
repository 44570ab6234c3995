// Package sweep wires the sweeper to its minute tick; the event's content does
// not matter.
package sweep

import (
	"cmp"
	"context"
	"log/slog"

	"github.com/penstock-data/penstock/shared/app/metrics"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

// Handler is the sweep function.
type Handler struct {
	Sweep *runs.Sweep
	Log   *slog.Logger
	// Function is the name that metrics go under, as Lambda knows it; "" is sweep.
	Function string
}

// Invoke sweeps once.
func (h *Handler) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	started := h.Sweep.Now()
	err := h.Sweep.Run(ctx)
	attrs := []slog.Attr{slog.Int64("ms", h.Sweep.Now().Sub(started).Milliseconds())}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
		attrs = append(attrs, metrics.Attrs(started, cmp.Or(h.Function, "sweep"), metrics.Storage(err))...)
		h.Log.LogAttrs(ctx, slog.LevelError, "sweep", attrs...)
		return nil, err
	}
	h.Log.LogAttrs(ctx, slog.LevelInfo, "sweep", attrs...)
	return []byte("null"), nil
}
