// Command penstock runs Penstock on one machine, checks and applies sync
// definitions, and prints what a warehouse needs to call it.
package main

import (
	"os"

	"github.com/penstock-data/penstock/shared/cli"
	"github.com/penstock-data/penstock/shared/dest/vendors"
)

func main() {
	known := make([]cli.Destination, len(vendors.All))
	for i, d := range vendors.All {
		known[i] = cli.Destination(d)
	}
	os.Exit(cli.Main(os.Args[1:], known))
}
