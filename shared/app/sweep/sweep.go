// Package sweep wires the sweeper to its minute tick; the event's content does
// not matter.
package sweep

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/penstock-data/penstock/shared/app/metrics"
	"github.com/penstock-data/penstock/shared/app/telemetry"
	"github.com/penstock-data/penstock/shared/app/telemetry/lambdaid"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

// Handler is the sweep function.
type Handler struct {
	Sweep *runs.Sweep
	Log   *slog.Logger
	// Function is the name that metrics go under, as Lambda knows it; "" is sweep.
	Function string

	warm atomic.Bool
}

// Invoke sweeps once.
func (h *Handler) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	ctx, line := telemetry.Source{Log: h.Log, What: "sweep", Function: h.Function, Now: h.Sweep.Now, Warm: &h.warm, Request: lambdaid.Of}.Begin(ctx, "sweep")
	line.Tick()
	if err := h.Sweep.Run(ctx); err != nil {
		line.Count(metrics.Storage(err))
		line.End(ctx, telemetry.Failed, err)
		return nil, err
	}
	h.figures(ctx, line)
	line.End(ctx, telemetry.OK, nil)
	return []byte("null"), nil
}
