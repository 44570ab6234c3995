package cli

import (
	"context"
	"fmt"
	"reflect"

	"github.com/penstock-data/penstock/shared/app/inspect"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// goOn adds to a test how the connection stands, and ends its pause where the test found
// nothing missing by what its rows go by. Else it says why the pause stays.
func (c connectTestCmd) goOn(ctx context.Context, s program, q *inquiry, stored syncdef.Stored, out *tested) error {
	line, err := q.line(ctx, q.of)
	if err != nil || line.State != connectionPaused {
		return err
	}
	since := fmt.Sprintf("its rows wait since %s: %s", s.clock.when(line.Since), line.Reason)
	stays, err := c.stays(q, stored, out)
	if err != nil {
		return err
	}
	var ended bool
	if out.OK && stays == "" {
		var before pace.State
		if before, ended, err = q.control.Tested(ctx, q.of.Name); before.Quota {
			stays = "its quota is waited out"
		}
	}
	step := inspect.Step{Name: "state", Verdict: inspect.Noticed, Detail: since}
	switch {
	case ended:
		step.Verdict, step.Detail = inspect.Granted, fmt.Sprintf("its rows waited since %s, and go on now", s.clock.when(line.Since))
	case out.OK && stays != "":
		step.Detail += "; " + stays
	}
	out.Steps = append(out.Steps, step)
	return err
}

// stays says why the test tells nothing of what the connection's rows go by; "" where it
// does.
func (c connectTestCmd) stays(q *inquiry, stored syncdef.Stored, out *tested) (string, error) {
	apply := fmt.Sprintf("what was tried is not applied yet: run  %s apply%s", self(), somewhere{Data: c.Data, Stack: c.Stack}.flags())
	switch {
	case !reflect.DeepEqual(q.of, stored.Connection):
		return apply, nil
	case q.place != nil && q.secrets.Here(secretName(q.of)):
		return "the secret of this machine was tried, and the stack has its own", nil
	case q.place != nil:
		return "", nil
	}
	n, err := readNote(c.Data)
	if err != nil {
		return "", err
	}
	if to := n.To[q.of.Type]; to != "" && to != out.Asked {
		return "its rows go to another address than was tried: " + to, nil
	}
	return "", nil
}
