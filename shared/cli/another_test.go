package cli

import (
	"os"
	"testing"

	"github.com/penstock-data/penstock/shared/app/apptest/cardfile"
	"github.com/penstock-data/penstock/shared/app/apptest/cardfile/sim"
)

// another is a program with a list of its own: one destination type, which nothing
// but its tests knows.
func another() {
	os.Exit(Main(os.Args[1:], []Destination{{Vendor: cardfile.Vendor, Simulator: sim.Sandbox}}))
}

// TestAnotherList runs the command line of that program.
func TestAnotherList(t *testing.T) {
	runScripts(t, "another")
}
