package runs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// mappingOf is what of a version decides which rows there are, and what a record
// looks like at the destination: when it changes, all rows are selected once.
func mappingOf(v syncdef.Version) string {
	d := &v.Definition
	b, err := json.Marshal([]any{
		d.Model, d.Fields, d.Match, d.Strategy, d.Operation, d.OnMissing, d.RecordID, d.Options,
		v.Rules.Group, v.Rules.GroupDefault, v.Rules.LengthUnit, v.Rules.DateMin, v.Rules.DateMax,
	})
	if err != nil {
		return v.ID // cannot be: texts, numbers and lists
	}
	return string(b)
}

// selectionOf is mappingOf with what else makes all rows be selected once when it changes:
// where they go, and by what those are told that have changed.
func selectionOf(v syncdef.Version) string {
	d := &v.Definition
	return fmt.Sprintf("%s %s %q %q %t", mappingOf(v), ledger.Target(d, &v.Rules, 0), d.Cursor(), streamOf(d), d.ChangedOnly())
}

// leave notes in the mark of the current version that another one takes over, or none
// (nil). Of inserts nothing is selected anew.
func (c *Control) leave(ctx context.Context, old syncdef.Version, next *syncdef.Version) error {
	if old.Rules.Once || !marks(&old.Definition) || next != nil && selectionOf(old) == selectionOf(*next) {
		return nil
	}
	target, err := c.target(ctx, old)
	if err != nil {
		return err
	}
	for range attempts {
		var m run.Mark
		if m, err = c.mark(ctx, old.Definition.Sync, target, old.Definition.Cursor()); err != nil {
			return err
		}
		if err = c.Marks.SetMark(ctx, m.Leave()); !errors.Is(err, run.ErrConflict) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("store the watermark of sync %q: %w", old.Definition.Sync, err)
	}
	return nil
}
