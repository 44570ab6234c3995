//go:build !cgo

package modelcheck

import (
	"context"
	"errors"

	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// A Checker checks models; there is none without cgo.
type Checker struct{}

// Open fails and says what is missing.
func Open(ctx context.Context, _ Source) (*Checker, error) {
	w, err := duckdb.Open(ctx, duckdb.Config{})
	if err == nil {
		err = errors.Join(errors.New("the embedded warehouse needs cgo"), w.Close())
	}
	return nil, err
}

// Close has nothing to close.
func (*Checker) Close() error { return nil }

// Check fails: Open did.
func (*Checker) Check(context.Context, string) (Result, error) {
	return Result{}, errors.New("the embedded warehouse needs cgo")
}
