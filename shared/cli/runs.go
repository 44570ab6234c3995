package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

type runsCmd struct {
	Sync  string `arg:"" optional:"" help:"The sync; all syncs when none is given."`
	Limit int    `default:"10" help:"How many runs of each sync." placeholder:"N"`
	JSON  bool   `name:"json" help:"Print JSON."`
	somewhere
}

// Run lists the runs.
func (c runsCmd) Run(ctx context.Context, s program) (err error) {
	if c.Limit < 1 || c.Limit > runs.MaxListed {
		return usage("--limit %d: between 1 and %d are listed", c.Limit, runs.MaxListed)
	}
	control, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	names, err := control.Syncs.List(ctx)
	if err != nil {
		return fmt.Errorf("list syncs: %w", err)
	}
	if c.Sync != "" {
		names = []string{c.Sync}
	}
	all := []runs.RunStatus{}
	var paused []string
	for _, name := range names {
		some, err := control.List(ctx, name, c.Limit)
		if err != nil {
			return err
		}
		all = append(all, some...)
		p, is, err := control.Paused(ctx, name)
		if err != nil {
			return err
		}
		if is {
			paused = append(paused, name+" is "+s.clock.local(p.Why()))
		}
	}
	slices.SortStableFunc(all, func(a, b runs.RunStatus) int {
		if n := b.BegunAt.Compare(a.BegunAt); n != 0 {
			return n
		}
		return strings.Compare(a.ID, b.ID)
	})
	if c.JSON {
		return printJSON(s.out, map[string]any{"runs": all})
	}
	for _, line := range paused {
		fmt.Fprintln(s.out, paint(s.out, warning, wrapped("", line)))
	}
	if len(all) == 0 {
		fmt.Fprintln(s.out, "no runs yet")
	}
	for _, r := range all {
		s.printRun("", r)
	}
	return nil
}
