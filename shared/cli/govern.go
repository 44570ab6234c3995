package cli

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/penstock-data/penstock/shared/app/remote"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/wire"
)

// governing are the flags of commands that govern runs: on this machine, at a gateway, or
// in a stack.
type governing struct {
	Stack string `help:"This stack in AWS, with your own credentials, instead of this machine; its workers deliver." placeholder:"NAME"`
	gated
}

// control enters the gate of a folder that has a state, or a stack's.
func (c governing) control(ctx context.Context, s program) (*gate, error) {
	if c.Stack != "" {
		control, err := remote.Open(ctx, c.Stack)
		if err != nil {
			return nil, err
		}
		return &gate{wait: c.Wait, at: somewhere{Stack: c.Stack}, control: control, token: rand.Text()}, nil
	}
	return c.gated.control(ctx, s)
}

// control enters the gate of a folder that has a state.
func (c gated) control(ctx context.Context, s program) (*gate, error) {
	if c.Gateway == "" {
		if err := haveState(c.Data); err != nil {
			return nil, err
		}
	}
	return c.enter(ctx, s)
}

// retry sends a page of a run's errors again.
//
// Each command has a token of its own, as a person may ask again for what failed again. One
// that dies after it has queued, and is given once more, queues the same rows twice, and the
// second ones are dropped: a row sent again names the attempt that it makes, and goes
// through the lane of its key, behind the first.
func (g *gate) retry(ctx context.Context, run string, s runs.Selector) (r runs.Retried, err error) {
	if g.control != nil {
		return g.control.Retry(ctx, run, s, fmt.Sprint("cli:", g.token, ":", s.After))
	}
	err = g.call(ctx, wire.Retry, &r, run, s)
	return r, err
}

// cancel ends a run.
func (g *gate) cancel(ctx context.Context, run, reason string) (r runs.RunStatus, err error) {
	if g.control != nil {
		return g.control.Cancel(ctx, run, reason)
	}
	err = g.call(ctx, wire.Cancel, &r, run, reason)
	return r, err
}

// A cleared watermark is what reset prints as JSON.
type cleared struct {
	Sync    string `json:"sync"`
	Message string `json:"message"`
}

// reset clears a sync's watermark.
func (g *gate) reset(ctx context.Context, sync string) (r cleared, err error) {
	if g.control != nil {
		return cleared{Sync: sync, Message: runs.ResetMessage}, g.control.Reset(ctx, sync)
	}
	err = g.call(ctx, wire.Reset, &r, sync)
	return r, err
}
