package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/app/apply"
	"github.com/penstock-data/penstock/shared/aws/scheduler"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// due is what an apply to a stack changes so that syncs run when they are due.
type due struct {
	warehouse *syncdef.Connection // to be stored, nil where it is already
	changes   []scheduler.Change
}

func (d due) empty() bool { return d.warehouse == nil && len(d.changes) == 0 }

// due prints what the apply would change of the schedules.
func (c *applyCmd) due(ctx context.Context, s program, control *runs.Control, set yamlfile.Set) (d due, err error) {
	if c.Stack == "" {
		return d, nil
	}
	if set.Warehouse != nil {
		old, err := control.Connections.Connection(ctx, syncdef.StoredWarehouse)
		if err != nil && !errors.Is(err, run.ErrNotFound) {
			return d, fmt.Errorf("read the warehouse: %w", err)
		}
		if changes := syncdef.DiffConnection(old.Connection, *set.Warehouse); len(changes) > 0 {
			d.warehouse = set.Warehouse
			for i := range changes {
				changes[i].Note = ""
			}
			fmt.Fprintf(s.out, "warehouse: %s\n%s", map[bool]string{true: "new", false: "changed"}[old.Connection.Name == ""], syncdef.FormatChanges(changes))
		}
	}
	wanted := set.Warehouse != nil && frequent(set) > 0
	if c.schedules == nil {
		if wanted {
			return d, fmt.Errorf("the stack %q has no output ScheduleGroup: deploy it again from this release's template.yaml, or take warehouse out of connections.yaml", c.Stack)
		}
		return d, nil
	}
	if frequent(set) > 0 && set.Warehouse == nil {
		fmt.Fprintln(s.err, "nothing runs by sync_frequency: connections.yaml names no warehouse (docs/schedules.md)")
	}
	applied, err := control.Syncs.List(ctx)
	if err != nil {
		return d, fmt.Errorf("list syncs: %w", err)
	}
	definitions := make([]syncdef.Definition, len(set.Syncs))
	for i, y := range set.Syncs {
		definitions[i] = y.Definition
	}
	if d.changes, err = c.schedules.Changes(ctx, definitions, applied, wanted); err != nil {
		return d, err
	}
	for _, x := range d.changes {
		fmt.Fprintln(s.out, x)
	}
	return d, nil
}

// make stores the warehouse and makes the schedules: last, so that nothing runs that is
// not applied yet.
func (d due) make(ctx context.Context, s program, control *runs.Control, schedules *apply.Schedules) error {
	if d.warehouse != nil {
		if err := control.Connections.PutConnection(ctx, *d.warehouse); err != nil {
			return fmt.Errorf("store the warehouse: %w", err)
		}
		fmt.Fprintln(s.out, "stored the warehouse")
	}
	for _, x := range d.changes {
		if err := schedules.Make(ctx, x); err != nil {
			return fmt.Errorf("%w; what was applied stays: run penstock apply again", err)
		}
		verb := "scheduled "
		if x.New == "" {
			verb = "unscheduled "
		}
		fmt.Fprintln(s.out, verb+x.Name)
	}
	return nil
}
