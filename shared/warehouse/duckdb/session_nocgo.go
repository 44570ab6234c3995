//go:build !cgo

package duckdb

import (
	"context"
	"database/sql"
)

// A Session is one connection; there is none without cgo.
type Session struct{}

// Session fails as Open does.
func (*Warehouse) Session(context.Context) (*Session, error) { return nil, errNoCgo }

// Close has nothing to close.
func (*Session) Close() error { return nil }

// Read fails as Open does.
func (*Session) Read(context.Context, string, bool, func([]Column, *sql.Rows) error) error {
	return errNoCgo
}

// Syntax finds no fault: nothing can be run.
func Syntax(context.Context, string) error { return nil }
