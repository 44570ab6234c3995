package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/lesson"
	"github.com/penstock-data/penstock/shared/secretfile"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

type sandboxCmd struct {
	Data       string `help:"Keep the records in this folder; without it they are forgotten." placeholder:"DIR"`
	Salesforce string `default:"127.0.0.1:8788" help:"Address of the simulated Salesforce." placeholder:"ADDR"`
	Slack      string `default:"127.0.0.1:8789" help:"Address of the simulated Slack." placeholder:"ADDR"`
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

func printSandbox(ctx context.Context, w io.Writer, box *machine.Sandbox) {
	secret, _ := box.Secret(ctx, "")
	fmt.Fprintf(w, "Salesforce  %s  client_id %s, client_secret %s\n", box.Endpoints["salesforce"], secret["client_id"], secret["client_secret"])
	fmt.Fprintf(w, "Slack       %s  token %s\n", box.Endpoints["slack"], secret["token"])
	fmt.Fprintf(w, "Both list their records at /_sandbox/records, count calls at /_sandbox/calls, and take faults at /_sandbox/faults:\n")
	fmt.Fprintf(w, "  curl %s/_sandbox/faults -d '{\"match\":\"PATCH\",\"count\":3,\"status\":503}'\n", box.Endpoints["salesforce"])
}

type localCmd struct {
	Data     string            `default:"penstock-data" help:"The folder of this machine's state." placeholder:"DIR"`
	Listen   string            `default:"127.0.0.1:8787" help:"The gateway's address." placeholder:"ADDR"`
	Syncs    string            `default:"sql/syncs" help:"The folder of definitions to apply at the start; none: apply nothing." placeholder:"DIR"`
	Rows     int               `default:"1000" help:"Generated customers, when the warehouse is made."`
	Seed     uint64            `default:"1" help:"Of the generated customers."`
	Quiet    time.Duration     `default:"2s" help:"How long after its last batch a query's run is closed."`
	Endpoint map[string]string `help:"TYPE=URL: talk to this instead of a simulator of our own, with secrets from the environment or a file." placeholder:"TYPE=URL"`
	Bare     bool              `help:"Only gateway, queue, workers and state: no simulators, no warehouse."`
}

// Run starts everything and stays up.
func (c localCmd) Run(ctx context.Context, s streams) error {
	p, err := c.start(ctx)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	p.run(ctx, g)
	if err := os.WriteFile(filepath.Join(c.Data, gatewayFile), []byte(p.machine.URL+"\n"), 0o600); err != nil {
		return errors.Join(fmt.Errorf("note the gateway's address: %w", err), stop(g, p))
	}
	fmt.Fprintf(s.out, "Gateway     %s  (push, begin, finish, status, errors)\n", p.machine.URL)
	if p.box != nil {
		printSandbox(ctx, s.out, p.box)
	}
	fmt.Fprintf(s.out, "State       %s\n", c.Data)
	if !c.Bare {
		if err := c.warehouse(ctx, s, p); err != nil {
			fmt.Fprintln(s.err, "no embedded warehouse:", err)
		}
	}
	fmt.Fprintln(s.out, "Up. Ctrl-C ends it; nothing that was queued is lost.")
	return g.Wait()
}

// warehouse makes the lesson's tables and rows where there are none, and closes
// the file again for penstock sql.
func (c localCmd) warehouse(ctx context.Context, s streams, p *place) error {
	path := filepath.Join(c.Data, warehouseFile)
	w, err := duckdb.Open(ctx, duckdb.Config{Path: path})
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := teach(ctx, w, p.box, lesson.Options{Rows: c.Rows, Seed: c.Seed, Now: time.Now()}); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Warehouse   %s\n  penstock sql --data %s \"SELECT penstock_push('sf_health', to_json(m)) FROM salesforce_customer_health_sync m\"\n", path, c.Data)
	return nil
}

// place is a machine with its simulators.
type place struct {
	machine *machine.Machine
	box     *machine.Sandbox
	log     io.Closer
	cancel  context.CancelFunc
}

// start opens the simulators, unless it is told to do without, the state and the
// gateway.
func (c localCmd) start(ctx context.Context) (*place, error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	if len(c.Endpoint) > 0 || c.Bare {
		return c.startWith(ctx, c.Endpoint, (&secretfile.Reader{Dir: filepath.Join(c.Data, "secrets"), Getenv: os.Getenv}).Secret)
	}
	box, err := machine.NewSandbox(c.Data, nil)
	if err != nil {
		return nil, err
	}
	p, err := c.startWith(ctx, box.Endpoints, box.Secret)
	if err == nil {
		p.box = box
	}
	return p, err
}

// startWith opens the state and the gateway over the given endpoints.
func (c localCmd) startWith(ctx context.Context, endpoints map[string]string, secret secret) (*place, error) {
	logFile, err := os.OpenFile(filepath.Join(c.Data, "penstock.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	m, err := machine.New(machine.Config{
		Dir: c.Data, Listen: c.Listen, Endpoints: endpoints, Secret: secret, Quiet: c.Quiet, Sweep: 200 * time.Millisecond,
		Log: slog.New(slog.NewJSONHandler(logFile, nil)),
	})
	if err != nil {
		return nil, errors.Join(err, logFile.Close())
	}
	p := &place{machine: m, log: logFile}
	return p, c.apply(ctx, p)
}

type secret = func(ctx context.Context, name string) (map[string]string, error)

// apply stores the folder's definitions, as penstock apply --yes does.
func (c localCmd) apply(ctx context.Context, p *place) error {
	if c.Syncs == "none" {
		return nil
	}
	set, err := yamlfile.Load(c.Syncs)
	if err != nil {
		return fmt.Errorf("read the syncs (run this in the repository, or pass --syncs DIR): %w", err)
	}
	for _, y := range set.Syncs {
		if err := p.machine.Store.Apply(ctx, syncdef.NewVersion(y.Definition, y.Connection, time.Now())); err != nil {
			return fmt.Errorf("apply sync %q: %w", y.Definition.Sync, err)
		}
	}
	return nil
}

// run serves in g until ctx, or stop, ends it.
func (p *place) run(ctx context.Context, g *errgroup.Group) {
	ctx, p.cancel = context.WithCancel(ctx)
	g.Go(func() error { return p.machine.Run(ctx) })
	if p.box != nil {
		g.Go(func() error { return p.box.Run(ctx) })
	}
}

// stop ends what run started.
func stop(g *errgroup.Group, p *place) error {
	p.cancel()
	return errors.Join(g.Wait(), p.log.Close())
}
