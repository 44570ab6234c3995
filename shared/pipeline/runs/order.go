package runs

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// CheckAfter refuses versions that, applied together over what is applied, would wait for
// a sync that there is not, or for each other in a circle.
func (c *Control) CheckAfter(ctx context.Context, next []syncdef.Version) error {
	after, err := c.afters(ctx)
	if err != nil {
		return err
	}
	for _, v := range next {
		after[v.Definition.Sync] = v.Definition.After
	}
	for _, v := range next {
		for _, name := range v.Definition.After {
			if _, there := after[name]; !there {
				return row.Refuse("sync %q comes after %q, which is not applied: apply it too, or take it out of after", v.Definition.Sync, name)
			}
		}
	}
	if cycle := syncdef.Cycle(after); cycle != "" {
		return row.Refuse("%s", syncdef.CycleMessage(cycle))
	}
	return nil
}

// afters are, by the applied sync, those that it comes after.
func (c *Control) afters(ctx context.Context) (map[string][]string, error) {
	names, err := c.Syncs.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list syncs: %w", err)
	}
	after := map[string][]string{}
	for _, name := range names {
		v, err := c.Syncs.Current(ctx, name)
		if errors.Is(err, run.ErrNotFound) {
			continue // removed since
		}
		if err != nil {
			return nil, fmt.Errorf("read sync %q: %w", name, err)
		}
		after[name] = v.Definition.After
	}
	return after, nil
}
