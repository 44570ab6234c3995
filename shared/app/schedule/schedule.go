// Package schedule wires the function that a scheduler calls at a sync's due times, and
// every minute for what is open of them: by EventBridge Scheduler on AWS, by package
// local on one machine.
package schedule

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/penstock-data/penstock/shared/app/metrics"
	"github.com/penstock-data/penstock/shared/app/telemetry"
	"github.com/penstock-data/penstock/shared/app/telemetry/lambdaid"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// Handler is the schedule function.
type Handler struct {
	Schedules *runs.Schedules
	Log       *slog.Logger
	// Function is the name that metrics go under, as Lambda knows it; "" is schedule.
	Function string

	warm atomic.Bool
}

// Invoke takes the event of a due time, {"sync", "mode", "scheduled_time"}; any other
// event is the minute's tick. An error lets the caller try again: nothing that cannot be
// mended so is one.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var e struct {
		Sync *string  `json:"sync"`
		Mode run.Mode `json:"mode"`
		At   string   `json:"scheduled_time"`
	}
	ctx, line := telemetry.Source{Log: h.Log, What: "schedule", Function: h.Function, Now: h.Schedules.Now, Warm: &h.warm, Request: lambdaid.Of}.Begin(ctx, "due")
	if err := json.Unmarshal(payload, &e); err != nil || e.Sync == nil {
		line.Message("schedule")
		line.Tick()
		return done(ctx, line, h.Schedules.Sweep(ctx))
	}
	due, err := runs.ParseEvent(*e.Sync, e.Mode, e.At)
	var refused *row.Refusal
	if errors.As(err, &refused) { // said once: it would be refused again
		line.Message("schedule")
		line.End(ctx, telemetry.Refused, refused)
		return []byte("null"), nil
	}
	f, err := h.Schedules.Fire(ctx, due)
	if errors.Is(err, run.ErrConflict) { // another process takes it on
		err = nil
	}
	line.Add(slog.String("sync", due.Sync), slog.Time("due_at", due.At), slog.String("status", cmp.Or(string(f.Status), "not applied")))
	if f.Run != "" {
		line.Run(f.Run)
		line.Add(slog.String("run", f.Run))
	}
	if f.Reason != "" {
		line.Add(slog.String("reason", f.Reason))
	}
	return done(ctx, line, err)
}

// done writes the line, and the metric of a failure of storage.
func done(ctx context.Context, line *telemetry.Line, err error) ([]byte, error) {
	if err != nil {
		line.Count(metrics.Storage(err))
		line.End(ctx, telemetry.Failed, err)
		return nil, err
	}
	line.End(ctx, telemetry.OK, nil)
	return []byte("null"), nil
}
