package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/penstock-data/penstock/shared/app/apply"
	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

type applyCmd struct {
	definitions
	Data       string `default:"penstock-data" help:"The folder of this machine's state."`
	StateTable string `help:"Apply to this DynamoDB table (stack output StateTable) instead of this machine." placeholder:"NAME"`
	Yes        bool   `short:"y" help:"Do not ask."`
}

// Run shows what would change, asks, and stores the versions.
func (c applyCmd) Run(ctx context.Context, s program) (err error) {
	set, err := c.load(s)
	if err != nil {
		return err
	}
	syncs, closeState, err := c.state(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeState()) }()
	changed, err := difference(ctx, s, syncs, set)
	if err != nil || len(changed) == 0 {
		return err
	}
	for _, v := range changed {
		if err := pipeline.MayApply(ctx, syncs, syncs, v); err != nil {
			return err
		}
	}
	if !c.Yes {
		yes, err := confirmed(ctx, s)
		if err != nil {
			return err
		}
		if !yes {
			return errors.New("not applied: nothing was changed")
		}
	}
	for _, v := range changed {
		if err := syncs.Apply(ctx, v); err != nil {
			return fmt.Errorf("apply sync %q: %w", v.Definition.Sync, err)
		}
		fmt.Fprintf(s.out, "applied %s as %s\n", v.Definition.Sync, v.ID)
	}
	return nil
}

// A versionStore keeps the versions, and the runs that may hold one back.
type versionStore interface {
	pipeline.Syncs
	pipeline.Runs
}

// state opens where the versions are stored.
func (c applyCmd) state(ctx context.Context) (versionStore, func() error, error) {
	if c.StateTable != "" {
		syncs, err := apply.FromAWS(ctx, c.StateTable)
		return syncs, func() error { return nil }, err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, nil, fmt.Errorf("make the data folder: %w", err)
	}
	store, err := sqlite.Open(filepath.Join(c.Data, "penstock.db"), time.Now)
	if err != nil {
		return nil, nil, err
	}
	return store, store.Close, nil
}

// difference prints what each definition changes and returns the new versions.
func difference(ctx context.Context, s program, syncs pipeline.Syncs, set yamlfile.Set) ([]syncdef.Version, error) {
	var changed []syncdef.Version
	for _, y := range set.Syncs {
		v := syncdef.NewVersion(y.Definition, y.Connection, time.Now())
		old, err := syncs.Current(ctx, y.Definition.Sync)
		switch {
		case errors.Is(err, pipeline.ErrNotFound):
			fmt.Fprintf(s.out, "%s: new, %s\n", y.Definition.Sync, v.ID)
		case err != nil:
			return nil, fmt.Errorf("read sync %q: %w", y.Definition.Sync, err)
		case old.ID == v.ID:
			fmt.Fprintf(s.out, "%s: unchanged, %s\n", y.Definition.Sync, v.ID)
			continue
		default:
			fmt.Fprintf(s.out, "%s: %s -> %s\n%s", y.Definition.Sync, old.ID, v.ID, syncdef.FormatChanges(syncdef.Diff(old, v)))
		}
		changed = append(changed, v)
	}
	return changed, nil
}

// confirmed asks on a terminal; elsewhere --yes has to be given.
func confirmed(ctx context.Context, s program) (bool, error) {
	if !isatty.IsTerminal(s.in.Fd()) {
		fmt.Fprintln(s.err, "no terminal to ask on: pass --yes to apply")
		return false, nil
	}
	fmt.Fprint(s.out, "Apply? [y/N] ")
	answers := make(chan string, 1)
	go func() { // outlives an interrupt: nothing can end the read
		answer, _ := bufio.NewReader(s.in).ReadString('\n') // at its end: no answer
		answers <- answer
	}()
	select {
	case answer := <-answers:
		return strings.EqualFold(strings.TrimSpace(answer), "y"), nil
	case <-ctx.Done():
		fmt.Fprintln(s.out)
		return false, ctx.Err()
	}
}
