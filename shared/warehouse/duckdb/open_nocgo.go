//go:build !cgo

package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Warehouse is an open DuckDB database; there is none without cgo.
type Warehouse struct{}

var errNoCgo = errors.New("the embedded warehouse needs cgo: install a C compiler and build with CGO_ENABLED=1")

// Open fails and says what is missing.
func Open(context.Context, Config) (*Warehouse, error) { return nil, errNoCgo }

// DB is nil: there is no database without cgo.
func (*Warehouse) DB() *sql.DB { return nil }

// Query fails as Open does.
func (*Warehouse) Query(context.Context, string, ...any) (*sql.Rows, error) { return nil, errNoCgo }

// Show fails as Open does.
func (*Warehouse) Show(context.Context, string, func(*sql.Rows) error) error { return errNoCgo }

// Exec fails as Open does.
func (*Warehouse) Exec(context.Context, string, ...any) (sql.Result, error) { return nil, errNoCgo }

// SetModel fails as Open does.
func (*Warehouse) SetModel(context.Context, string, string) error { return errNoCgo }

// SetViews fails as Open does.
func (*Warehouse) SetViews(context.Context, *syncdef.Definition) error { return errNoCgo }

// Close has nothing to close.
func (*Warehouse) Close() error { return nil }

// Subquery fails as Open does.
func (*Warehouse) Subquery(context.Context, string, string) (string, error) { return "", errNoCgo }

// Exact is the relation itself.
func (*Warehouse) Exact(_ context.Context, from string) string { return from }

// Append fails as Open does.
func Append(context.Context, *sql.DB, string, string, func(add func(values ...driver.Value) error) error) error {
	return errNoCgo
}
