package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/penstock-data/penstock/shared/app/machine"
)

type sandboxCmd struct {
	Data       string `help:"Keep the records in this folder; without it they are forgotten." placeholder:"DIR"`
	Salesforce string `default:"127.0.0.1:8788" help:"Address of the simulated Salesforce."`
	Slack      string `default:"127.0.0.1:8789" help:"Address of the simulated Slack."`
}

// Run serves the simulators until interrupted.
func (c sandboxCmd) Run(ctx context.Context, s streams) error {
	if c.Data != "" {
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return fmt.Errorf("make the data folder: %w", err)
		}
	}
	box, err := machine.NewSandbox(c.Data, map[string]string{"salesforce": c.Salesforce, "slack": c.Slack})
	if err != nil {
		return err
	}
	printSandbox(ctx, s.out, box)
	return box.Run(ctx)
}

// printSandbox prints the simulators that are on, and how to look into them.
func printSandbox(ctx context.Context, w io.Writer, box *machine.Sandbox) {
	secret, _ := box.Secret(ctx, "", "")
	sf, slack := box.Endpoints["salesforce"], box.Endpoints["slack"]
	if sf != "" {
		fmt.Fprintf(w, "Salesforce  %s  client_id %s, client_secret %s\n", sf, secret["client_id"], secret["client_secret"])
	}
	if slack != "" {
		fmt.Fprintf(w, "Slack       %s  token %s\n", slack, secret["token"])
	}
	fmt.Fprintln(w, "Simulators list their records, count calls at /_sandbox/calls, and take faults:")
	if sf != "" {
		fmt.Fprintf(w, "  curl '%s/_sandbox/records?limit=10'\n", sf)
		fmt.Fprintf(w, "  curl %s/_sandbox/faults -d '{\"match\":\"PATCH\",\"count\":3,\"status\":503}'\n", sf)
	}
	if slack != "" {
		fmt.Fprintf(w, "  curl %s/_sandbox/records\n", slack)
	}
}
