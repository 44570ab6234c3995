// Package push wires the intake: a caller's requests in, one answer per row out.
// The rules stand in pipeline/intake, the caller's bytes in its wire.Protocol.
package push

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-data/penstock/shared/app/callers"
	"github.com/penstock-data/penstock/shared/app/metrics"
	"github.com/penstock-data/penstock/shared/app/telemetry"
	"github.com/penstock-data/penstock/shared/app/telemetry/lambdaid"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/gateway"
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

	warm     atomic.Bool
	decoders sync.Pool
}

// Invoke answers one API Gateway event. It never returns an error: whatever
// fails is answered with the status that makes the caller do the right thing.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, line := h.source().Begin(ctx, "push")
	d, ok := h.decoders.Get().(*gateway.Decoder)
	if !ok {
		d = new(gateway.Decoder)
	}
	defer h.decoders.Put(d)
	caller, response, err := h.answer(ctx, d, payload)
	line.Add(slog.String("caller", caller.Name), slog.Int("status", response.Status))
	line.Count(metrics.Storage(err))
	line.End(ctx, telemetry.Status(response.Status), err)
	return gateway.Encode(response), nil
}

func (h *Handler) source() telemetry.Source {
	return telemetry.Source{Log: h.Log, What: "push", Function: h.Function, Now: time.Now, Warm: &h.warm, Request: lambdaid.Of}
}

// answer is the response, good whatever the error says that is to be logged.
func (h *Handler) answer(ctx context.Context, d *gateway.Decoder, payload []byte) (caller wire.Protocol, r wire.Response, err error) {
	caller = callers.Unread
	request, err := d.Decode(payload)
	if err == nil {
		caller, err = callers.Of(&request)
	}
	if err != nil {
		r, err = caller.Fail(err)
		return caller, r, err
	}
	batch, err := caller.Decode(request.Wire())
	if err != nil {
		r, err = caller.Fail(err)
		return caller, r, err
	}
	r, err = h.Take(ctx, caller, batch)
	return caller, r, err
}

// Take answers a batch that a caller's protocol has read; see answer. The invocation's
// line tells its rows by what became of them.
func (h *Handler) Take(ctx context.Context, caller wire.Protocol, batch wire.Batch) (r wire.Response, err error) {
	switch {
	case batch.Function != wire.Push:
		err = row.Refuse("this address takes %s only: call the other functions at theirs", wire.Push)
	case batch.Poll:
		err = row.Refuse("no answer is waited for here: every batch is answered at once")
	case h.Person && batch.Caller.Role == "":
		batch.Caller.Owner = true
	}
	if err != nil {
		return caller.Fail(err)
	}
	answers, err := h.Intake.Push(ctx, batch.Batch)
	if err != nil {
		return caller.Fail(err)
	}
	tell(telemetry.From(ctx), answers)
	return caller.Answer(&batch, answers)
}

// tell counts the rows by status, and those whose errors are stored, of a request that
// comes again too.
func tell(line *telemetry.Line, answers []row.Answer) {
	counts, last, stored := map[row.AnswerStatus]int64{}, "", 0
	for i := range answers {
		a := &answers[i]
		counts[a.Status]++
		if a.Run != last {
			last = a.Run
			line.Run(a.Run)
		}
		if a.Run != "" && (a.Status == row.Rejected || a.Status == row.Blocked) { // without a run it is stored nowhere
			stored++
		}
	}
	for status, n := range counts {
		line.Rows(string(status), n)
	}
	line.Count(metrics.Count{Name: metrics.StoredErrors, N: stored})
}
