//go:build !cgo

package duckdb

import "testing"

// Without cgo the one line says what is missing.
func TestOpenWithoutCgo(t *testing.T) {
	_, err := Open(t.Context(), Config{})
	if err == nil || err.Error() != "the embedded warehouse needs cgo: install a C compiler and build with CGO_ENABLED=1" {
		t.Error(err)
	}
}
