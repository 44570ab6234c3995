package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/sandbox"
)

type sandboxCmd struct {
	Data string `help:"Keep the records in this folder; without it they are forgotten." placeholder:"DIR"`
	simulated
}

// Run serves the simulators until interrupted.
func (c sandboxCmd) Run(ctx context.Context, s program) error {
	if err := c.check(s.known); err != nil {
		return err
	}
	if c.Data != "" {
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return fmt.Errorf("make the data folder: %w", err)
		}
	}
	box, err := machine.NewSandbox(machine.SandboxConfig{
		Simulators: s.known.simulators(), Dir: c.Data, Listen: c.addresses(s.known), Names: c.Names, Accept: c.AcceptNames,
		Notice: func(line string) { fmt.Fprintln(s.err, line) },
	})
	if err != nil {
		return err
	}
	printSandbox(s.out, box)
	return box.Run(ctx)
}

// printSandbox prints the simulators that are on, and how to look into them.
func printSandbox(w io.Writer, box *machine.Sandbox) {
	first := ""
	var hints []string
	box.Each(func(sim sandbox.Simulator, url string) {
		var secret []string
		for _, key := range slices.Sorted(maps.Keys(sim.Secret)) {
			if value := sim.Secret[key]; !strings.Contains(value, "\n") { // a private key is for programs
				secret = append(secret, key+" "+value)
			}
		}
		fmt.Fprintf(w, "%-11s %s  %s\n", sim.Title, url, strings.Join(secret, ", "))
		for _, h := range sim.Hints {
			hints = append(hints, strings.ReplaceAll(h, "URL", url))
		}
		if first == "" {
			first = url
		}
	})
	if first == "" {
		return
	}
	fmt.Fprintln(w, "Simulators list their records, count calls at /_sandbox/calls, and take faults:")
	for _, h := range append(hints, "curl "+first+"/_sandbox/faults -d '{\"match\":\"PATCH\",\"count\":3,\"status\":503}'") {
		fmt.Fprintln(w, "  "+h)
	}
}
