package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/app/telemetry"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// maxPlans is how many syncs the rows of one request may name.
const maxPlans = 100

// plans answers a batch of penstock_plan(sync, row): rows of one sync are judged
// together, as a push judges them, and one that names no sync is rejected alone.
func (h *Handler) plans(ctx context.Context, batch *wire.Batch) ([]runs.Planned, error) {
	planned := make([]runs.Planned, len(batch.Rows))
	bySync := map[string][]int{}
	var order []string
	for i, r := range batch.Rows {
		if r.Target == "" {
			planned[i] = runs.Planned{Action: runs.Refused, Field: r.Fault.Field, Type: r.Fault.Rule, Message: r.Fault.Message}
			continue
		}
		if bySync[r.Target] == nil {
			order = append(order, r.Target)
		}
		bySync[r.Target] = append(bySync[r.Target], i)
	}
	if len(order) > maxPlans {
		return nil, row.Refuse("the request's rows name %d syncs, at most %d are taken: the first argument of penstock_plan names a sync, and is the same for all rows of a statement", len(order), maxPlans)
	}
	for _, sync := range order {
		if err := h.mayPlan(ctx, batch.Caller, sync); err != nil {
			return nil, err
		}
		p := runs.PlanRequest{Sync: sync, Rows: make([]row.Row, 0, len(bySync[sync]))}
		for _, i := range bySync[sync] {
			p.Rows = append(p.Rows, batch.Rows[i])
		}
		got, err := h.Control.PlanParts(ctx, p)
		if err != nil {
			return nil, err
		}
		line := telemetry.From(ctx)
		line.Sync(sync)
		for n, i := range bySync[sync] {
			planned[i] = got[n]
			line.Rows(string(got[n].Action), 1)
		}
	}
	return planned, nil
}

// replyPlans writes the answers. Where they pass the caller's limit, all go without the
// values of what changes.
func replyPlans(caller wire.Protocol, batch *wire.Batch, planned []runs.Planned) (wire.Response, error) {
	values := make([]jsontext.Value, len(planned))
	for _, short := range []bool{false, true} {
		for i := range planned {
			if short {
				planned[i].Changes = nil
			}
			b, err := json.Marshal(&planned[i])
			if err != nil {
				return caller.Fail(fmt.Errorf("encode the plan of a row: %w", err))
			}
			values[i] = b
		}
		r, err := caller.Encode(batch, func(dst []byte, i int) []byte { return append(dst, values[i]...) })
		refused, large := errors.AsType[*row.Refusal](err)
		if large = large && refused.Kind == row.TooLarge; large && !short {
			continue
		}
		if err != nil {
			return caller.Fail(err)
		}
		return r, nil
	}
	return caller.Fail(errors.New("a plan was not answered")) // cannot be: the second round returns
}
