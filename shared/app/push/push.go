// Package push wires the intake: a caller's requests in, one answer per row out.
// The rules stand in pipeline/intake, the caller's bytes in its wire.Protocol.
package push

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/app/callers"
	"github.com/penstock-data/penstock/shared/app/metrics"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/gateway"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// Handler is the push function. It serves concurrent invocations.
type Handler struct {
	Intake *intake.Intake
	Log    *slog.Logger
	// Function is the name that metrics go under, as Lambda knows it; "" is push.
	Function string
	// Person says that all runs on somebody's own machine: a request that tells no
	// role is theirs, and nothing is closed to it. On AWS it is false.
	Person bool

	decoders sync.Pool
}

// Invoke answers one API Gateway event. It never returns an error: whatever
// fails is answered with the status that makes the caller do the right thing.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	started := time.Now()
	d, ok := h.decoders.Get().(*gateway.Decoder)
	if !ok {
		d = new(gateway.Decoder)
	}
	defer h.decoders.Put(d)
	caller, rows, stored, response, err := h.answer(ctx, d, payload)
	level := slog.LevelInfo
	attrs := []slog.Attr{slog.String("caller", caller.Name), slog.Int("rows", rows), slog.Int("status", response.Status), slog.Int64("ms", time.Since(started).Milliseconds())}
	if err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	attrs = append(attrs, metrics.Attrs(started, cmp.Or(h.Function, "push"), metrics.Count{Name: metrics.StoredErrors, N: stored}, metrics.Storage(err))...)
	h.Log.LogAttrs(ctx, level, "push", attrs...)
	return gateway.Encode(response), nil
}

// answer is the response, good whatever the error says that is to be logged. stored
// counts the rows whose errors are stored, those of a request that comes again too.
func (h *Handler) answer(ctx context.Context, d *gateway.Decoder, payload []byte) (caller wire.Protocol, rows, stored int, r wire.Response, err error) {
	caller = snowflake.Protocol // whose refusals are plain text
	request, err := d.Decode(payload)
	if err == nil {
		caller, err = callers.Of(&request)
	}
	if err != nil {
		r, err = caller.Fail(err)
		return caller, 0, 0, r, err
	}
	batch, err := caller.Decode(request.Wire())
	if err != nil {
		r, err = caller.Fail(err)
		return caller, 0, 0, r, err
	}
	stored, r, err = h.Take(ctx, caller, batch)
	return caller, len(batch.Rows), stored, r, err
}

// Take answers a batch that a caller's protocol has read; see answer.
func (h *Handler) Take(ctx context.Context, caller wire.Protocol, batch wire.Batch) (stored int, r wire.Response, err error) {
	switch {
	case batch.Function != wire.Push:
		err = row.Refuse("this address takes %s only: call the other functions at theirs", wire.Push)
	case batch.Poll:
		err = row.Refuse("no answer is waited for here: every batch is answered at once")
	case h.Person && batch.Caller.Role == "":
		batch.Caller.Owner = true
	}
	if err != nil {
		r, err = caller.Fail(err)
		return 0, r, err
	}
	answers, err := h.Intake.Push(ctx, batch.Batch)
	if err != nil {
		r, err = caller.Fail(err)
		return 0, r, err
	}
	for _, a := range answers {
		if a.Run != "" && (a.Status == row.Rejected || a.Status == row.Blocked) { // without a run it is stored nowhere
			stored++
		}
	}
	r, err = caller.Answer(&batch, answers)
	return stored, r, err
}
