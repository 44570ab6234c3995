// Package control wires everything but push that SQL calls: requests in a caller's
// protocol, one JSON object per row as the answer.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/app/callers"
	"github.com/penstock-data/penstock/shared/app/metrics"
	"github.com/penstock-data/penstock/shared/app/telemetry"
	"github.com/penstock-data/penstock/shared/app/telemetry/lambdaid"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/gateway"
)

// MaxErrors is how many errors one call of penstock_errors answers; a second
// argument, the previous answer's "next", goes on after them.
const MaxErrors = 1000

// MaxCalls is how many rows a request may have: what DuckDB sends at once, which no
// setting makes less.
const MaxCalls = 2048

// Paths are the addresses at which a gateway calls the function.
func Paths() []string {
	return []string{"/plan", "/begin", "/gate", "/finish", "/cancel", "/retry", "/reset", "/status", "/errors", "/freshness", "/syncs"}
}

// Handler is the control function. It serves concurrent invocations.
type Handler struct {
	Control *runs.Control
	Log     *slog.Logger
	// Person says that all runs on somebody's own machine: a request that tells no
	// role is theirs, and nothing is closed to it. On AWS it is false.
	Person bool
	// Login is that person's login name, for the audit log.
	Login string
	// Function is the name that metrics go under, as Lambda knows it; "" is control.
	Function string

	warm atomic.Bool
}

// Invoke answers one API Gateway event, never with an error of its own.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, line := telemetry.Source{Log: h.Log, What: "control", Function: h.Function, Now: h.Control.Now, Warm: &h.warm, Request: lambdaid.Of}.Begin(ctx, "control")
	caller, function, response, err := h.answer(ctx, payload)
	line.Add(slog.String("caller", caller.Name), slog.String("function", function), slog.Int("status", response.Status))
	line.Count(metrics.Storage(err))
	line.End(ctx, telemetry.Status(response.Status), err)
	return gateway.Encode(response), nil
}

// answer is the response, good whatever the error says that is to be logged.
func (h *Handler) answer(ctx context.Context, payload []byte) (caller wire.Protocol, function string, r wire.Response, err error) {
	caller = callers.Unread
	request, err := gateway.Decode(payload)
	if err == nil {
		caller, err = callers.Of(&request)
	}
	if err != nil {
		r, err = caller.Fail(err)
		return caller, "", r, err
	}
	batch, err := caller.Decode(request.Wire())
	if err != nil {
		r, err = caller.Fail(err)
		return caller, "", r, err
	}
	r, err = h.Take(ctx, caller, batch)
	return caller, batch.Function, r, err
}

// Take answers a batch that a caller's protocol has read; the response is good whatever
// the error says that is to be logged.
func (h *Handler) Take(ctx context.Context, caller wire.Protocol, batch wire.Batch) (r wire.Response, err error) {
	switch {
	case batch.Function == wire.Push:
		err = row.Refuse("this address does not take rows: push them with penstock_push")
	case batch.Poll:
		err = row.Refuse("no answer is waited for here: every call is answered at once")
	case batch.Function == wire.Plan && len(batch.Rows) > run.MaxRows:
		err = &row.Refusal{Kind: row.TooLarge, Message: fmt.Sprintf("the request has %d rows, at most %d are taken: send fewer at a time", len(batch.Rows), run.MaxRows)}
	case len(batch.Calls) > MaxCalls:
		err = &row.Refusal{Kind: row.TooLarge, Message: fmt.Sprintf("the request has %d calls, at most %d are taken: set MAX_BATCH_ROWS = 10 on the function", len(batch.Calls), MaxCalls)}
	}
	if err != nil {
		return caller.Fail(err)
	}
	if h.Person && batch.Caller.Role == "" {
		batch.Caller.Owner = true
	}
	ctx = runs.As(ctx, h.actor(batch.Caller))
	if batch.Function == wire.Plan {
		planned, err := h.plans(ctx, &batch)
		if err != nil {
			return caller.Fail(err)
		}
		return replyPlans(caller, &batch, planned)
	}
	values := make([]jsontext.Value, len(batch.Calls))
	for n, c := range batch.Calls {
		token, err := h.token(ctx, &batch, c)
		if err != nil {
			return caller.Fail(err)
		}
		if values[n], err = h.call(ctx, batch.Caller, batch.Function, token, c, caller.MaxValue); err != nil {
			return caller.Fail(err)
		}
	}
	return caller.Reply(&batch, values)
}

// actor is who a caller is in the audit log.
func (h *Handler) actor(c row.Caller) string {
	switch {
	case c.Role == "" && c.Owner:
		return h.Login
	case c.User != "":
		return c.Role + " (" + c.User + ")"
	}
	return c.Role
}

// call makes one row's call; token is the same when the caller repeats it. An answer
// has at most so many bytes, 0 is any number.
func (h *Handler) call(ctx context.Context, caller row.Caller, function, token string, c wire.Call, most int) (jsontext.Value, error) {
	if c.Fault != nil {
		return nil, row.Refuse("%s", c.Fault.Message)
	}
	if err := texts(function, c); err != nil {
		return nil, err
	}
	var value any
	err := h.may(ctx, caller, function, c)
	if err == nil {
		value, err = h.answers(ctx, caller, function, token, c, most)
	}
	if err == nil { // what it names is there
		name(telemetry.From(ctx), c)
	}
	if value, err = unknown(function, c, value, err); err != nil {
		return nil, err
	}
	b, err := json.Marshal(value)
	if err == nil && most > 0 && len(b) > most {
		if value, err = h.smaller(ctx, c, value, most); err != nil {
			return nil, err
		}
		b, err = json.Marshal(value)
	}
	if err != nil {
		return nil, fmt.Errorf("encode the answer of %s: %w", function, err)
	}
	return b, nil
}

// name tells the invocation's line which run or sync a good call was about.
func name(line *telemetry.Line, c wire.Call) {
	for _, named := range []string{c.Text(wire.Run), c.Text(wire.Target), c.Text(wire.Sync)} {
		if run.IsID(named) {
			line.Run(named)
		} else {
			line.Sync(named)
		}
	}
}

func (h *Handler) answers(ctx context.Context, caller row.Caller, function, token string, c wire.Call, most int) (any, error) {
	switch function {
	case wire.Begin:
		begun, err := h.Control.Begin(ctx, c.Text(wire.Sync), c.Text(wire.Mode), token)
		telemetry.From(ctx).Run(begun.Run)
		return struct {
			runs.Begun
			Watermark json.RawMessage `json:"watermark"`
		}{begun, raw(begun.Watermark)}, err
	case wire.Gate:
		return h.Control.Gate(ctx, c.Text(wire.Run), verdict(c.Value(wire.Verdict)))
	case wire.Finish:
		rows, ok := c.Int(wire.RowCount)
		if !ok {
			return nil, row.Refuse("penstock_finish(run, rows): rows is no whole number: pass how many rows were pushed")
		}
		return h.Control.Finish(ctx, c.Text(wire.Run), rows)
	case wire.Cancel:
		return h.Control.Cancel(ctx, c.Text(wire.Run), reason(c))
	case wire.Retry:
		s, err := selector(c.Value(wire.Selector))
		if err != nil {
			return nil, err
		}
		return h.Control.Retry(ctx, c.Text(wire.Run), s, token)
	case wire.Reset:
		sync := c.Text(wire.Sync)
		return map[string]string{"sync": sync, "message": runs.ResetMessage}, h.Control.Reset(ctx, sync)
	case wire.Status:
		since, err := runs.ParseSince(c.Text(wire.From))
		if err != nil {
			return nil, err
		}
		return h.Control.StatusPage(ctx, c.Text(wire.Target), runs.Page{Since: since, After: c.Text(wire.After)})
	case wire.Errors:
		after := c.Text(wire.After)
		if err := run.CheckPage(after); err != nil {
			return nil, err
		}
		since, err := runs.ParseSince(c.Text(wire.From))
		if err != nil {
			return nil, err
		}
		errs, next, err := h.Control.RunErrorsSince(ctx, c.Text(wire.Run), errorsWithin(most), after, since)
		return ErrorPage(errs, next), err
	case wire.Freshness:
		return h.Control.Freshness(ctx, c.Text(wire.Sync))
	case wire.Syncs:
		list, err := h.Control.ListSyncs(ctx)
		return SyncsPage{Syncs: seen(caller, list, c.Text(wire.After))}, err
	}
	return nil, wire.Unknown()
}

// unknown lets a query over many syncs read on past one that is not applied, or a run
// that is not there: what only reads answers so, with the message, and fails nothing.
func unknown(function string, c wire.Call, value any, err error) (any, error) {
	var refused *row.Refusal
	if !errors.As(err, &refused) || !errors.Is(refused, run.ErrNotFound) {
		return value, err
	}
	switch function {
	case wire.Status:
		return map[string]any{"sync": shorten(run.SyncOf(c.Text(wire.Target))), "runs": []any{}, "message": refused.Message}, nil
	case wire.Freshness:
		return map[string]any{"sync": shorten(c.Text(wire.Sync)), "as_of": nil, "message": refused.Message}, nil
	case wire.Errors:
		return map[string]any{"run": shorten(c.Text(wire.Run)), "errors": []any{}, "message": refused.Message}, nil
	}
	return value, err
}

// A Page answers penstock_errors.
type Page struct {
	Errors []rowError `json:"errors"`
	Next   string     `json:"next,omitempty"` // pass it as second argument to go on
}

// rowError is a stored error with its source row as JSON instead of bytes.
type rowError struct {
	run.RowError
	Source json.RawMessage `json:"source_data,omitempty"`
}

// ErrorPage is a page of errors as callers see it; next is "" at the end.
func ErrorPage(errs []run.RowError, next string) Page {
	p := Page{Errors: make([]rowError, len(errs)), Next: next}
	for i, e := range errs {
		p.Errors[i] = rowError{RowError: e, Source: e.Source}
		if len(e.Source) > 0 && !jsontext.Value(e.Source).IsValid() {
			p.Errors[i].Source = nil
		}
	}
	return p
}

// raw is a stored JSON scalar, null when there is none.
func raw(s string) json.RawMessage {
	if s == "" {
		return json.RawMessage("null")
	}
	return json.RawMessage(s)
}
