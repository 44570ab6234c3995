//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
)

// Version is the version of the embedded DuckDB: v1.5.6. It is "" in a build without
// it.
func Version(ctx context.Context) string {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return "of an unknown version"
	}
	defer db.Close()
	var v string
	if db.QueryRowContext(ctx, "SELECT version()").Scan(&v) != nil {
		return "of an unknown version"
	}
	return v
}
