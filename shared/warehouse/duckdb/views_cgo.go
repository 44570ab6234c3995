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
	if err := w.refuseReserved(ctx, d.Relation()); err != nil {
		return err
	}
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

// refuseReserved refuses a model that has a column by a name of Penstock's own: DuckDB
// would rename one of the two, and read the other in its place. A relation that cannot
// be described is told by who reads it.
func (w *Warehouse) refuseReserved(ctx context.Context, relation string) error {
	rows, err := w.db.QueryContext(ctx, "SELECT column_name FROM (DESCRIBE SELECT * FROM "+quoteRelation(relation)+")")
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	defer rows.Close()
	var columns []string
	for rows.Next() {
		var c string
		if err := rows.Scan(&c); err != nil {
			return err
		}
		columns = append(columns, c)
	}
	if why := syncdef.ReservedAmong(columns); why != "" {
		return fmt.Errorf("model %s: %s", relation, why)
	}
	return rows.Err()
}
