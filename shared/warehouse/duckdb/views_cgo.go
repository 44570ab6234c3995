//go:build cgo

package duckdb

import (
	"context"
	"fmt"

	statements "github.com/penstock-data/penstock/sql"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// SetViews makes the views that a sync's definition adds to the warehouse, in place of
// earlier ones. The model must be there, with the columns that the definition names.
func (w *Warehouse) SetViews(ctx context.Context, d *syncdef.Definition) error {
	views, err := statements.Views(statements.DuckDB, statements.Params{}, *d)
	if err != nil {
		return err
	}
	for _, v := range views {
		if _, err := w.db.ExecContext(ctx, v.Create(statements.DuckDB)); err != nil {
			return fmt.Errorf("the view %s: %w", v.Name, err)
		}
	}
	return nil
}
