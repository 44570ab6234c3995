package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

type pauseCmd struct {
	Sync   string `arg:"" help:"The sync."`
	Reason string `help:"Why, for whoever looks at the sync or pushes to it." placeholder:"TEXT"`
	JSON   bool   `name:"json" help:"Print JSON."`
	somewhere
}

// Run pauses the sync.
func (c pauseCmd) Run(ctx context.Context, s program) (err error) {
	control, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	p, err := control.Pause(ctx, c.Sync, c.Reason)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, p)
	}
	if p.Before != nil {
		fmt.Fprintln(s.out, wrapped("", c.Sync+" was paused already, "+strings.TrimPrefix(s.clock.local(p.Before.Why()), "paused ")))
	} else {
		fmt.Fprintln(s.out, wrapped("", c.Sync+" is paused: its runs wait, rows pushed to it are blocked, its schedule skips, failed rows are not sent again, and nobody is alerted that it is late"))
	}
	s.tellRunning(p.Running, c.somewhere)
	fmt.Fprintf(s.out, "to go on:  %s resume %s%s\n", self(), c.Sync, c.flags())
	return nil
}

// tellRunning names runs that go on, each with the command that ends it.
func (s program) tellRunning(ids []string, at somewhere) {
	for _, id := range ids {
		fmt.Fprintf(s.out, "still delivering: %s\n  to end it:  %s cancel %s%s\n", id, self(), id, at.flags())
	}
}

type resumeCmd struct {
	Sync string `arg:"" help:"The sync."`
	JSON bool   `name:"json" help:"Print JSON."`
	somewhere
}

// Run ends the pause.
func (c resumeCmd) Run(ctx context.Context, s program) (err error) {
	control, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	p, err := control.Resume(ctx, c.Sync)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, p)
	}
	s.printResumed(p)
	return nil
}

func (s program) printResumed(p runs.PauseChange) {
	if p.Before == nil {
		fmt.Fprintln(s.out, p.Sync+" was not paused")
		return
	}
	fmt.Fprintln(s.out, wrapped("", p.Sync+" goes on; it was "+s.clock.local(p.Before.Why())))
	fmt.Fprintln(s.out, wrapped("", "its next run selects what the paused time left out; rows that were pushed meanwhile, outside of a run, were blocked and are pushed again by whoever pushed them"))
}

// flags are those that another command needs for the same state; "" for none.
func (c somewhere) flags() string {
	switch {
	case c.Stack != "":
		return " --stack " + c.Stack
	case c.Data != defaultData:
		return " --data " + c.Data
	}
	return ""
}
