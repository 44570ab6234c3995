// Package push wires the intake: API Gateway events in Snowflake's protocol in,
// one answer per row out. The rules stand in pipeline and wire.
package push

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire/gateway"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// Handler is the push function. It serves concurrent invocations.
type Handler struct {
	Intake *pipeline.Intake
	Log    *slog.Logger

	decoders sync.Pool
}

// Invoke answers one API Gateway event. It never returns an error: whatever
// fails is answered with the status that makes the warehouse do the right thing.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	started := time.Now()
	d, ok := h.decoders.Get().(*gateway.Decoder)
	if !ok {
		d = new(gateway.Decoder)
	}
	defer h.decoders.Put(d)
	rows, response, err := h.answer(ctx, d, payload)
	level := slog.LevelInfo
	attrs := []slog.Attr{slog.Int("rows", rows), slog.Int("status", response.Status), slog.Int64("ms", time.Since(started).Milliseconds())}
	if err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	h.Log.LogAttrs(ctx, level, "push", attrs...)
	return gateway.Encode(response), nil
}

func (h *Handler) answer(ctx context.Context, d *gateway.Decoder, payload []byte) (rows int, r gateway.Response, err error) {
	batch, err := decode(d, payload)
	if err != nil {
		if refusal, ok := snowflake.Refusal(err); ok {
			return 0, refusal, nil
		}
		return 0, snowflake.ErrorResponse(400, err.Error()), nil
	}
	answers, err := h.Intake.Push(ctx, batch)
	var refused *pipeline.RequestError
	switch {
	case errors.As(err, &refused):
		return len(batch.Rows), snowflake.ErrorResponse(refused.Status, refused.Message), nil
	case err != nil:
		return len(batch.Rows), snowflake.ErrorResponse(500, "Penstock could not take this batch; the warehouse retries it. If it goes on, see the push function's log"), err
	}
	return len(batch.Rows), reply(batch.Rows, answers), nil
}

// decode reads the batch and unwraps every row's object.
func decode(d *gateway.Decoder, payload []byte) (row.Batch, error) {
	request, err := d.Decode(payload)
	if err != nil {
		return row.Batch{}, err
	}
	batch, err := snowflake.DecodeRequest(request)
	if err != nil {
		return batch, err
	}
	for i := range batch.Rows {
		r := &batch.Rows[i]
		if r.Fault != nil || len(r.Args) != 2 {
			continue
		}
		object, _, fault := snowflake.Object(r.Args[1], nil)
		if fault != nil {
			r.Fault = fault
			continue
		}
		r.Args[1] = object
	}
	return batch, nil
}

// reply keeps within the 6 MB that a Lambda may answer: where full answers would
// pass them, rows are answered without their run and record id.
func reply(rows []row.Row, answers []pipeline.Answer) gateway.Response {
	for _, write := range []func(pipeline.Answer, []byte) []byte{pipeline.Answer.AppendJSON, pipeline.Answer.AppendShort} {
		var body snowflake.Reply
		body.Grow(128 * len(rows))
		var answer []byte
		for i, a := range answers {
			answer = write(a, answer[:0])
			body.Append(rows[i].Number, answer)
			if body.Size() > snowflake.MaxReply {
				break
			}
		}
		if body.Size() <= snowflake.MaxReply {
			return snowflake.Response(200, body.Bytes())
		}
	}
	return snowflake.ErrorResponse(413, "the batch has too many rows to answer within 6 MB: set MAX_BATCH_ROWS = 4096 on the external function")
}
