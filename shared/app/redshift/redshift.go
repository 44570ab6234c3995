// Package redshift wires the function that Redshift's Lambda UDFs invoke: one for all
// SQL functions, told apart by the name that Redshift passes. Rows go to app/push, the
// rest to app/control; what Redshift sends and takes stands in wire/redshift.
package redshift

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/app/metrics"
	"github.com/penstock-data/penstock/shared/app/push"
	"github.com/penstock-data/penstock/shared/app/telemetry"
	"github.com/penstock-data/penstock/shared/app/telemetry/lambdaid"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/redshift"
)

// Handler is the function. It serves concurrent invocations.
type Handler struct {
	Push    *push.Handler
	Control *control.Handler
	Log     *slog.Logger
	Now     func() time.Time
	// Wait waits so long, or until ctx ends.
	Wait func(ctx context.Context, d time.Duration)
	// Function is the name that metrics go under, as Lambda knows it; "" is redshift.
	Function string

	warm atomic.Bool
}

// pauses are before the second and the third try of a batch that failed by our own
// storage: together less than the 2 s that a billed wait may take (I5). Nobody knows
// whether Redshift sends a batch again when its function fails.
var pauses = []time.Duration{300 * time.Millisecond, 1200 * time.Millisecond}

// patience is how long after its begin an invocation is tried again, so that it ends
// within the function's time.
const patience = 8 * time.Second

// Invoke answers one invocation of a UDF. A mistake of the caller's is a good answer
// that fails the query; what may be sent again is an error, of the type of those after
// which Redshift's documentation says that it tries again.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, line := telemetry.Source{Log: h.Log, What: "redshift", Function: h.Function, Now: h.Now, Warm: &h.warm, Request: lambdaid.Of}.Begin(ctx, "redshift")
	batch, response, err := h.answer(ctx, h.Now(), payload)
	line.Add(slog.String("caller", redshift.Protocol.Name), slog.String("function", batch.Function), slog.Int("received", batch.Len()), slog.Int("status", response.Status))
	line.Count(metrics.Storage(err))
	line.End(ctx, telemetry.Status(response.Status), err)
	if response.Status >= http.StatusInternalServerError {
		return nil, messages.InvokeResponse_Error{Message: string(response.Body), Type: kind(response.Status)}
	}
	return response.Body, nil
}

// kind is the type of an invocation's error.
func kind(status int) string {
	if status == http.StatusServiceUnavailable {
		return "TooManyRequestsException"
	}
	return "ServiceException"
}

// answer is the response, good whatever the error says that is to be logged.
func (h *Handler) answer(ctx context.Context, started time.Time, payload []byte) (b wire.Batch, r wire.Response, err error) {
	b, err = redshift.Protocol.Decode(wire.Request{Body: payload})
	if err != nil {
		r, err = redshift.Protocol.Fail(err)
		return b, r, err
	}
	for try := 0; ; try++ {
		if b.Function == wire.Push {
			r, err = h.Push.Take(ctx, redshift.Protocol, b)
		} else {
			r, err = h.Control.Take(ctx, redshift.Protocol, b)
		}
		if r.Status != http.StatusInternalServerError || try == len(pauses) || ctx.Err() != nil || h.Now().Sub(started) > patience {
			return b, r, err
		}
		h.Wait(ctx, pauses[try])
	}
}
