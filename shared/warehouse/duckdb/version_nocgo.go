//go:build !cgo

package duckdb

import "context"

// Version is "": there is no DuckDB in a build without cgo.
func Version(context.Context) string { return "" }
