package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

type removeCmd struct {
	Sync string `arg:"" help:"The sync."`
	Yes  bool   `short:"y" help:"Do not ask."`
	somewhere
}

// Help says what ends, and what stays.
func (removeCmd) Help() string {
	return `The sync takes no more rows, is not run when it is due, and what failed of it does not come back by itself; a stack's schedule of it is taken away. Take its file out of the folder of definitions, too: the next apply of the folder would apply it again.

What was delivered stays at the destination. What Penstock knows of it stays as well: applied again, the sync goes on where it was.`
}

// Run shows what ends, asks, and takes the sync away; its schedule first, so that the same
// command can be given again.
func (c removeCmd) Run(ctx context.Context, s program) (err error) {
	if c.Stack == "" {
		if err := haveState(c.Data); err != nil {
			return err
		}
	}
	at := applyCmd{Data: c.Data, Stack: c.Stack}
	control, done, err := at.state(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	running, err := control.MayRemove(ctx, c.Sync)
	if err != nil {
		return err
	}
	planned, err := at.unschedule(ctx, s, control, c.Sync)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, wrapped("", c.Sync+" is to take no more rows and to run no more; what it delivered stays at the destination"))
	s.tellRunning(running, c.somewhere)
	if !c.Yes {
		yes, err := agreed(ctx, s, "Remove? [y/N] ", "no terminal to ask on: pass --yes to remove")
		if err != nil {
			return err
		}
		if !yes {
			return errors.New("not removed: nothing was changed")
		}
	}
	if err := planned.make(ctx, s, control, at.schedules); err != nil {
		return err
	}
	if err := control.Remove(ctx, c.Sync); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "removed "+c.Sync)
	return nil
}

// unschedule prints which entries of a stack's schedules go with a sync.
func (c *applyCmd) unschedule(ctx context.Context, s program, control *runs.Control, sync string) (d due, err error) {
	if c.schedules == nil {
		return d, nil
	}
	applied, err := control.Syncs.List(ctx)
	if err != nil {
		return d, fmt.Errorf("list syncs: %w", err)
	}
	left := slices.DeleteFunc(applied, func(name string) bool { return name == sync })
	if d.changes, err = c.schedules.Changes(ctx, nil, left, false); err != nil {
		return d, err
	}
	for _, x := range d.changes {
		fmt.Fprintln(s.out, x)
	}
	return d, nil
}

// tellGone says which syncs are applied that a folder of definitions has no file of.
func (s program) tellGone(ctx context.Context, control *runs.Control, set yamlfile.Set, at somewhere) error {
	applied, err := control.Syncs.List(ctx)
	if err != nil {
		return fmt.Errorf("list syncs: %w", err)
	}
	for _, name := range applied {
		if !has(set, name) {
			fmt.Fprintf(s.out, "%s: applied, and has no file here: it goes on\n  to end it:  %s remove %s%s\n", name, self(), name, at.flags())
		}
	}
	return nil
}
