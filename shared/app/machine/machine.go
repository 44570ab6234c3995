// Package machine wires everything for one machine: the gateway, the queue's
// pollers, the workers and the sweeper over one SQLite file, and the simulated
// destinations. It constructs; the rules stand in pipeline, and the stand-ins for
// the cloud in local.
package machine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/app/push"
	"github.com/penstock-data/penstock/shared/app/sweep"
	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/dest/slack"
	"github.com/penstock-data/penstock/shared/local"
	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Config says where a Machine keeps its state and what it talks to.
type Config struct {
	// Dir holds penstock.db; it must exist.
	Dir string
	// Listen is the gateway's address; "" is a free port of 127.0.0.1.
	Listen string
	// Endpoints replaces the URL of connections by type, for simulators; may be nil.
	Endpoints map[string]string
	// Secret reads a connection's secret, by the connection's type and the secret's name.
	Secret func(ctx context.Context, kind, name string) (map[string]string, error)
	// Quiet is how long after its last batch an implicit run is closed; 0 is 2 min.
	Quiet time.Duration
	// Sweep is the sweeper's interval; 0 is a second.
	Sweep time.Duration
	// Log takes one line per invocation.
	Log *slog.Logger
}

// A worker here gives back what it cannot do in timeout; what a killed process
// had in hand comes back after visibility.
const (
	timeout    = 20 * time.Second
	visibility = 25 * time.Second
)

// Queues are the destination types that a machine has workers for.
var Queues = []string{"salesforce", "slack"}

// A Machine is a running Penstock on one machine.
type Machine struct {
	Store   *sqlite.Store
	Control *pipeline.Control
	URL     string // the gateway's base URL

	cfg      Config
	listener net.Listener
	push     *push.Handler
	lock     *os.File
}

// New opens the state and the gateway's port; Run does the work. Only one Machine
// works in a folder: a second one gets ErrInUse. So what a killed one had in hand
// is in nobody's hands, and goes on at once.
func New(cfg Config) (_ *Machine, err error) {
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.Quiet == 0 {
		cfg.Quiet = 2 * time.Minute
	}
	if cfg.Sweep == 0 {
		cfg.Sweep = time.Second
	}
	locked, err := lock(cfg.Dir, "penstock.lock")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, locked.Close())
		}
	}()
	store, err := sqlite.Open(filepath.Join(cfg.Dir, "penstock.db"), time.Now)
	if err != nil {
		return nil, fmt.Errorf("open the state: %w", err)
	}
	if err := store.Release(context.Background()); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for the gateway: %w", err), store.Close())
	}
	return &Machine{
		Store: store, lock: locked, URL: "http://" + listener.Addr().String(), cfg: cfg, listener: listener,
		Control: &pipeline.Control{Syncs: store, Runs: store, Errors: store, Now: time.Now},
		push:    &push.Handler{Intake: &pipeline.Intake{Syncs: store, Runs: store, Errors: store, Queue: store, Now: time.Now}, Log: cfg.Log},
	}, nil
}

// Run serves until ctx ends, finishes what is in hand, and closes the state.
func (m *Machine) Run(ctx context.Context) error {
	c := &control.Handler{Control: m.Control, Log: m.cfg.Log}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: local.Gateway(map[string]local.Invoker{
		"/push": m.push, "/begin": c, "/finish": c, "/status": c, "/errors": c,
	})}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := server.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the gateway: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		return server.Shutdown(context.WithoutCancel(ctx))
	})
	for _, queue := range Queues {
		poller := &local.Poller{Source: m.Store, Queue: queue, Worker: m.worker(queue, false), Timeout: timeout, Visibility: visibility, Idle: 10 * time.Millisecond, Log: m.cfg.Log}
		dead := &local.Poller{Source: m.Store, Queue: queue + "-dlq", Worker: m.worker(queue, true), Timeout: timeout, Visibility: visibility, Idle: time.Second, Log: m.cfg.Log}
		g.Go(func() error { return poller.Run(ctx) })
		g.Go(func() error { return dead.Run(ctx) })
	}
	g.Go(func() error {
		s := &sweep.Handler{Log: m.cfg.Log, Sweep: &pipeline.Sweep{
			Runs: m.Store, Now: time.Now, Policy: run.Policy{Quiet: m.cfg.Quiet, GiveUp: time.Hour},
		}}
		return local.Tick(ctx, s, m.cfg.Sweep, m.cfg.Log)
	})
	return errors.Join(g.Wait(), m.Store.Close(), m.lock.Close())
}

// Close gives up a Machine that is not run.
func (m *Machine) Close() error {
	return errors.Join(m.listener.Close(), m.Store.Close(), m.lock.Close())
}

func (m *Machine) worker(queue string, dead bool) *worker.Handler {
	s := m.Store
	return &worker.Handler{Log: m.cfg.Log, Deliver: &pipeline.Deliver{
		Queue: queue, Syncs: s, Runs: s, Ledger: s, Errors: s, Pace: s, Visibility: s, Dead: dead,
		Open: m.open, Now: time.Now, Sleep: worker.Sleep, Rand: rand.Float64,
	}}
}

// open makes the destination of a version: one explicit list of vendors.
func (m *Machine) open(_ context.Context, v syncdef.Version) (pipeline.Destination, error) {
	conn := v.Connection
	if url := m.cfg.Endpoints[conn.Type]; url != "" {
		conn.URL = url
	}
	secret := func(ctx context.Context) (map[string]string, error) {
		name := conn.Secret
		if name == "" {
			name = conn.Name
		}
		return m.cfg.Secret(ctx, conn.Type, name)
	}
	switch conn.Type {
	case "salesforce":
		return salesforce.New(salesforce.Config{Connection: conn, Definition: v.Definition, Secret: secret, Now: time.Now})
	case "slack":
		return slack.New(slack.Config{Connection: conn, Definition: v.Definition, Secret: secret, Now: time.Now}), nil
	}
	return nil, fmt.Errorf("connection %q has type %q: this version delivers to %q", conn.Name, conn.Type, Queues)
}
