//go:build !cgo

package cli

import "testing"

// TestScriptWithout runs what must be said where there is no embedded warehouse.
func TestScriptWithout(t *testing.T) { runScripts(t, "nocgo") }
