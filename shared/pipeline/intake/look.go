package intake

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// Check says of rows of one sync how Push would answer them as one batch, and stores,
// counts and sends nothing.
func (in *Intake) Check(ctx context.Context, sync string, rows []row.Row) ([]run.Checked, error) {
	if len(rows) > run.MaxRows {
		return nil, &row.Refusal{Kind: row.TooLarge, Message: fmt.Sprintf("the request has %d rows, at most %d are taken: send fewer at a time", len(rows), run.MaxRows)}
	}
	current, err := in.Syncs.Current(ctx, sync)
	if errors.Is(err, run.ErrNotFound) {
		return nil, row.Refuse("there is no sync %q, or it is not applied: run penstock apply", sync)
	}
	if err != nil {
		return nil, fmt.Errorf("read sync %q: %w", sync, err)
	}
	v, err := in.compiled(current)
	if err != nil {
		return nil, err
	}
	c := newCheck(v, run.Run{Sync: sync, Version: current.ID}, len(rows), in.Now())
	c.mapRows(func(n int) *row.Row { return &rows[n] })
	if err := in.find(ctx, c); err != nil {
		return nil, err
	}
	c.dropDuplicates()
	out := make([]run.Checked, len(rows))
	for n := range rows {
		f := &c.fates[n]
		out[n] = run.Checked{Status: f.status, Key: c.key(n), RecordID: c.recordID(n), Cursor: string(f.cursor), Created: string(f.created), Always: f.always, Delete: f.action == row.Delete, Fault: f.fault}
	}
	return out, nil
}
