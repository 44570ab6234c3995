// Package control wires begin, finish, status and errors: API Gateway events in
// Snowflake's protocol, one JSON object per row as the answer.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/wire/gateway"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// MaxErrors is how many errors one call of penstock_errors answers; a second
// argument, the previous answer's "next", goes on after them.
const MaxErrors = 1000

// Handler is the control function. It serves concurrent invocations.
type Handler struct {
	Control *pipeline.Control
	Log     *slog.Logger
}

// Invoke answers one API Gateway event, never with an error of its own.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	started := time.Now()
	request, err := gateway.Decode(payload)
	var response gateway.Response
	if err == nil {
		response, err = h.answer(ctx, request)
	}
	var refused *pipeline.RequestError
	if refusal, ok := snowflake.Refusal(err); ok {
		response, err = refusal, nil
	} else if errors.As(err, &refused) {
		response, err = snowflake.ErrorResponse(refused.Status, refused.Message), nil
	}
	attrs := []slog.Attr{slog.String("path", request.Path), slog.Int64("ms", time.Since(started).Milliseconds())}
	level := slog.LevelInfo
	if err != nil {
		response = snowflake.ErrorResponse(500, "Penstock could not answer; the warehouse retries. If it goes on, see the control function's log")
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	h.Log.LogAttrs(ctx, level, "control", append(attrs, slog.Int("status", response.Status))...)
	return gateway.Encode(response), nil
}

func (h *Handler) answer(ctx context.Context, request gateway.Request) (gateway.Response, error) {
	batch, err := snowflake.DecodeRequest(request)
	if err != nil {
		return gateway.Response{}, err
	}
	var body snowflake.Reply
	for _, r := range batch.Rows {
		value, err := h.call(ctx, path.Base(request.Path), batch, r)
		if err != nil {
			return gateway.Response{}, err
		}
		answer, err := json.Marshal(value)
		if err != nil {
			return gateway.Response{}, fmt.Errorf("encode the answer of %s: %w", request.Path, err)
		}
		body.Append(r.Number, answer)
		if body.Size() > snowflake.MaxReply {
			return gateway.Response{}, &pipeline.RequestError{Status: 400, Message: "the answer would pass 6 MB: ask for fewer runs in one statement"}
		}
	}
	return snowflake.Response(200, body.Bytes()), nil
}

// call makes one row's call.
func (h *Handler) call(ctx context.Context, name string, b row.Batch, r row.Row) (any, error) {
	if r.Fault != nil {
		return nil, &pipeline.RequestError{Status: 400, Message: r.Fault.Message}
	}
	switch name {
	case "begin":
		begun, err := h.Control.Begin(ctx, text(r, 0), text(r, 1), b.ID+"#"+strconv.Itoa(r.Number))
		return struct {
			pipeline.Begun
			Watermark json.RawMessage `json:"watermark"`
		}{begun, raw(begun.Watermark)}, err
	case "finish":
		rows, err := strconv.ParseInt(text(r, 1), 10, 64)
		if err != nil {
			return nil, &pipeline.RequestError{Status: 400, Message: fmt.Sprintf("penstock_finish(run, rows): rows is %q, no whole number", text(r, 1))}
		}
		return h.Control.Finish(ctx, text(r, 0), rows)
	case "status":
		s, err := h.Control.Status(ctx, text(r, 0))
		return struct {
			pipeline.SyncStatus
			Watermark json.RawMessage `json:"watermark"`
		}{s, raw(s.Watermark)}, err
	case "errors":
		errs, next, err := h.Control.RunErrors(ctx, text(r, 0), MaxErrors, text(r, 1))
		return errorList(errs, next), err
	}
	return nil, &pipeline.RequestError{Status: 400, Message: fmt.Sprintf("there is no function %q: the control API answers begin, finish, status and errors", name)}
}

// An Errors page answers penstock_errors.
type page struct {
	Errors []rowError `json:"errors"`
	Next   string     `json:"next,omitempty"` // pass it as second argument to go on
}

// rowError is a stored error with its source row as JSON instead of bytes.
type rowError struct {
	run.RowError
	Source json.RawMessage `json:"source_data,omitempty"`
}

func errorList(errs []run.RowError, next string) page {
	p := page{Errors: make([]rowError, len(errs)), Next: next}
	for i, e := range errs {
		p.Errors[i] = rowError{RowError: e, Source: e.Source}
		if len(e.Source) > 0 && !jsontext.Value(e.Source).IsValid() {
			p.Errors[i].Source = nil
		}
	}
	return p
}

// text is an argument as text: a string's content, a number's digits, "" for
// null or absent.
func text(r row.Row, i int) string {
	if i >= len(r.Args) {
		return ""
	}
	switch v := r.Args[i]; v.Kind() {
	case 'n':
		return ""
	case '"':
		s, _ := jsontext.AppendUnquote(nil, v)
		return string(s)
	default:
		return string(v)
	}
}

// raw is a stored JSON scalar, null when there is none.
func raw(s string) json.RawMessage {
	if s == "" {
		return json.RawMessage("null")
	}
	return json.RawMessage(s)
}
