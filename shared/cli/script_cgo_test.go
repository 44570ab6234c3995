//go:build cgo

package cli

import "testing"

// TestScriptWarehouse runs what needs the embedded warehouse.
func TestScriptWarehouse(t *testing.T) { runScripts(t, "cgo") }
