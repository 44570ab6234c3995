package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/secretfile"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// place is a machine with its simulators.
type place struct {
	machine *machine.Machine
	box     *machine.Sandbox
	log     io.Closer
	cancel  context.CancelFunc
}

// start opens the simulators of the types that have no endpoint, unless it is told
// to do without, the state and the gateway.
func (c localCmd) start(ctx context.Context) (*place, error) {
	if err := c.checkEndpoints(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	files := &secretfile.Reader{Dir: filepath.Join(c.Data, "secrets"), Getenv: os.Getenv}
	read := func(ctx context.Context, _, name string) (map[string]string, error) { return files.Secret(ctx, name) }
	if c.Bare || len(c.Endpoint) == len(machine.Queues) {
		return c.startWith(ctx, c.Endpoint, read)
	}
	listen := map[string]string{"salesforce": c.Salesforce, "slack": c.Slack}
	for kind := range c.Endpoint {
		listen[kind] = machine.Off
	}
	box, err := machine.NewSandbox(c.Data, listen)
	if err != nil {
		return nil, err
	}
	endpoints := maps.Clone(box.Endpoints)
	maps.Copy(endpoints, c.Endpoint)
	p, err := c.startWith(ctx, endpoints, func(ctx context.Context, kind, name string) (map[string]string, error) {
		if box.Endpoints[kind] != "" {
			return box.Secret(ctx, kind, name)
		}
		return read(ctx, kind, name)
	})
	if err != nil {
		return nil, errors.Join(err, box.Close())
	}
	p.box = box
	return p, nil
}

// checkEndpoints refuses an endpoint that no worker would use.
func (c localCmd) checkEndpoints() error {
	for _, kind := range slices.Sorted(maps.Keys(c.Endpoint)) {
		if !slices.Contains(machine.Queues, kind) {
			return fmt.Errorf("--endpoint %s=%s: there is no destination type %q: known are %s", kind, c.Endpoint[kind], kind, strings.Join(machine.Queues, " and "))
		}
		if u, err := url.Parse(c.Endpoint[kind]); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return fmt.Errorf("--endpoint %s=%s: write a URL with its host, as %s=http://127.0.0.1:8788", kind, c.Endpoint[kind], kind)
		}
	}
	return nil
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
	if err := c.apply(ctx, p); err != nil {
		return nil, errors.Join(err, m.Close(), logFile.Close())
	}
	return p, nil
}

// secret reads a connection's secret, by the connection's type and the secret's name.
type secret = func(ctx context.Context, kind, name string) (map[string]string, error)

// apply stores the folder's definitions, as penstock apply --yes does.
func (c localCmd) apply(ctx context.Context, p *place) error {
	if c.Syncs == "none" {
		return nil
	}
	set, err := loadFolder(c.Syncs)
	if err != nil {
		return err
	}
	for _, y := range set.Syncs {
		v := syncdef.NewVersion(y.Definition, y.Connection, time.Now())
		if err := pipeline.MayApply(ctx, p.machine.Store, p.machine.Store, v); err != nil {
			return err
		}
		if err := p.machine.Store.Apply(ctx, v); err != nil {
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
