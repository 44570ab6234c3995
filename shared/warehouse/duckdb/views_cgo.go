//go:build cgo

package duckdb

import (
	"context"
	"fmt"

	"github.com/penstock-data/penstock/shared/syncdef"
	statements "github.com/penstock-data/penstock/sql"
)

// SetViews makes the views that a definition adds to its model, in place of older ones:
// what its rows are read from, what it shows of those that were pushed, and its gate. The
// model must be there, with the columns that the definition names.
func (w *Warehouse) SetViews(ctx context.Context, d *syncdef.Definition) error {
	views, err := statements.Views(statements.DuckDB, statements.Params{}, *d)
	if err != nil || len(views) == 0 {
		return err
	}
	if err := w.monitoring(ctx); err != nil {
		return fmt.Errorf("make the monitoring tables: %w", err)
	}
	for _, v := range views {
		if _, err := w.db.ExecContext(ctx, v.Create(statements.DuckDB)); err != nil {
			return fmt.Errorf("the view %s: %w", v.Name, err)
		}
	}
	return nil
}
