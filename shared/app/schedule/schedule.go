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

	"github.com/penstock-data/penstock/shared/app/metrics"
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
	if err := json.Unmarshal(payload, &e); err != nil || e.Sync == nil {
		return h.done(ctx, "schedule", h.Schedules.Sweep(ctx))
	}
	due, err := runs.ParseEvent(*e.Sync, e.Mode, e.At)
	var refused *row.Refusal
	if errors.As(err, &refused) { // said once: it would be refused again
		h.Log.LogAttrs(ctx, slog.LevelError, "schedule", slog.String("error", refused.Message))
		return []byte("null"), nil
	}
	f, err := h.Schedules.Fire(ctx, due)
	if errors.Is(err, run.ErrConflict) { // another process takes it on
		err = nil
	}
	attrs := []slog.Attr{slog.String("sync", due.Sync), slog.Time("due_at", due.At), slog.String("status", cmp.Or(string(f.Status), "not applied"))}
	if f.Run != "" {
		attrs = append(attrs, slog.String("run", f.Run))
	}
	if f.Reason != "" {
		attrs = append(attrs, slog.String("reason", f.Reason))
	}
	return h.done(ctx, "due", err, attrs...)
}

// done logs one line, and the metric of a failure of storage.
func (h *Handler) done(ctx context.Context, what string, err error, attrs ...slog.Attr) ([]byte, error) {
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
		attrs = append(attrs, metrics.Attrs(h.Schedules.Now(), cmp.Or(h.Function, "schedule"), metrics.Storage(err))...)
		h.Log.LogAttrs(ctx, slog.LevelError, what, attrs...)
		return nil, err
	}
	if len(attrs) > 0 {
		h.Log.LogAttrs(ctx, slog.LevelInfo, what, attrs...)
	}
	return []byte("null"), nil
}
