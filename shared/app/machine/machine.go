// Package machine wires everything for one machine: the gateway, the queue's
// pollers, the workers and the sweeper over one SQLite file, and the simulated
// destinations. It constructs; the rules stand in pipeline, and the stand-ins for
// the cloud in local. Which vendors it delivers to is an argument.
package machine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/app/push"
	"github.com/penstock-data/penstock/shared/app/sweep"
	"github.com/penstock-data/penstock/shared/app/tell"
	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/local"
	"github.com/penstock-data/penstock/shared/netguard"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Config says where a Machine keeps its state and what it talks to.
type Config struct {
	// Dir holds penstock.db; it must exist.
	Dir string
	// Listen is the gateway's address; "" is a free port of 127.0.0.1. One that others
	// than this machine can reach needs a Token, of netguard.MinToken characters at least.
	Listen string
	// Token lets in who sends it (netguard.Door), and nobody else; "" lets in this machine.
	Token string
	// Vendors are the destination types that it delivers to.
	Vendors []dest.Vendor
	// Endpoints replaces the URL of connections by type, for simulators; may be nil.
	Endpoints map[string]string
	// Secret reads a connection's secret, by the connection's type and the secret's name.
	Secret func(ctx context.Context, kind, name string) (map[string]string, error)
	// Tells says that people are told of what is wrong: for a process that stays. Mail
	// sends alerts by email; nil sends none, and NoMail says how to mend that.
	Tells  bool
	Mail   tell.Mailer
	NoMail string
	// Warehouse runs the syncs that have a frequency, at their due times; nil runs none.
	Warehouse runs.Warehouse
	// Quiet is how long after its last batch an implicit run is closed; 0 is 2 min.
	Quiet time.Duration
	// Sweep is the sweeper's interval; 0 is a second.
	Sweep time.Duration
	// Faster is how many times faster the windows of the vendors' limits go by, for
	// simulators that were opened so; 0 and 1 are the vendors' own.
	Faster int
	// Count is how often it is looked whose turn it is that its data's age is counted; 0 is
	// a minute.
	Count time.Duration
	// Log takes one line per invocation.
	Log *slog.Logger
}

// A worker here gives back what it cannot do in timeout; what a killed process
// had in hand comes back after visibility.
const (
	timeout    = 20 * time.Second
	visibility = 25 * time.Second
)

// A Machine is a running Penstock on one machine.
type Machine struct {
	Store  *sqlite.Store
	Runs   *runs.Control
	Intake *intake.Intake
	URL    string // the gateway's base URL

	cfg      Config
	id       string // of this Machine and no other (HeaderHolder)
	door     netguard.Door
	listener net.Listener
	lock     *os.File
	grace    time.Duration            // for the requests in hand when the gateway ends
	lanes    map[string]*atomic.Int64 // most lanes of the applied syncs, by type
	// workers are the vendors' workers, by type. One has the only accounts that this process
	// delivers through and counts by, so that there is one login, one meter and one set of
	// limits for each connection.
	workers map[string]*worker.Handler
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
	if cfg.Count == 0 {
		cfg.Count = time.Minute
	}
	m := &Machine{cfg: cfg, id: rand.Text(), grace: timeout, lanes: map[string]*atomic.Int64{}, workers: map[string]*worker.Handler{}}
	if m.door, err = netguard.Open("the gateway", cfg.Listen, cfg.Token); err != nil {
		return nil, fmt.Errorf("listen for the gateway: %w", err)
	}
	if m.lock, err = lock(cfg.Dir, machineLock, m.id); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Close())
		}
	}()
	if m.Store, err = sqlite.Open(filepath.Join(cfg.Dir, "penstock.db"), time.Now); err != nil {
		return nil, fmt.Errorf("open the state: %w", err)
	}
	if err := m.Store.Release(context.Background()); err != nil {
		return nil, err
	}
	if m.listener, err = net.Listen("tcp", cfg.Listen); err != nil {
		return nil, fmt.Errorf("listen for the gateway: %w", err)
	}
	m.URL = "http://" + reachable(m.listener.Addr())
	s := m.Store
	m.Intake = taking(s)
	m.Runs = &runs.Control{Stores: stores(s), Replayer: m.Intake, Checker: m.Intake, Policy: m.policy(), Now: time.Now}
	tokens := hasten(s, cfg.Faster, time.Now())
	for _, v := range cfg.Vendors {
		m.lanes[v.Name] = new(atomic.Int64)
		m.workers[v.Name] = m.worker(v, tokens)
	}
	return m, nil
}

// reachable is how this machine calls a listener: one of every address by 127.0.0.1.
func reachable(at net.Addr) string {
	tcp, ok := at.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return at.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
}

// Run serves until ctx ends, finishes what is in hand, and closes the state.
func (m *Machine) Run(ctx context.Context) error {
	gateway := map[string]local.Invoker{"/push": &push.Handler{Intake: m.Intake, Log: m.cfg.Log, Person: true}}
	c := &control.Handler{Control: m.Runs, Log: m.cfg.Log, Person: true, Login: Login()}
	for _, path := range control.Paths() {
		gateway[path] = c
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: named(m.id, m.door.Wrap(local.Gateway(gateway)))}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := server.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the gateway: %w", err)
		}
		return nil
	})
	scheduled := make(chan struct{}) // a run that is interrupted is closed over the gateway
	g.Go(func() error {
		defer close(scheduled)
		return m.schedule(ctx)
	})
	g.Go(func() error {
		<-ctx.Done()
		<-scheduled
		return m.end(context.WithoutCancel(ctx), server)
	})
	m.countLanes(ctx)
	for _, v := range m.cfg.Vendors {
		lanes, w := m.lanes[v.Name], m.workers[v.Name]
		poller := &local.Poller{
			Source: m.Store, Queue: v.Name, Worker: w, Concurrency: func() int { return int(lanes.Load()) },
			Timeout: timeout, Visibility: visibility, Idle: 10 * time.Millisecond, Log: m.cfg.Log,
		}
		dead := &local.Poller{Source: m.Store, Queue: v.Name + "-dlq", Worker: m.deadLetters(v), Timeout: timeout, Visibility: visibility, Idle: time.Second, Log: m.cfg.Log}
		g.Go(func() error { return poller.Run(ctx) })
		g.Go(func() error { return local.Tick(ctx, counts{w}, m.cfg.Count, m.cfg.Log) })
		g.Go(func() error { return dead.Run(ctx) })
	}
	g.Go(func() error {
		sweeper := &runs.Sweep{Stores: stores(m.Store), Replayer: m.Intake, Remover: m.Intake, Policy: m.policy(), Now: time.Now}
		if m.cfg.Tells {
			sweeper.Alerts, sweeper.Teller, sweeper.Quotas = m.Store, m.teller(), m.Store
		}
		s := &sweep.Handler{Log: m.cfg.Log, Sweep: sweeper}
		return local.Tick(ctx, ticks{s, m}, m.cfg.Sweep, m.cfg.Log)
	})
	return errors.Join(g.Wait(), m.Store.Close(), m.lock.Close())
}

// end answers what the gateway was asked, and then cuts off who is still asking: a client
// that never sends the rest of its request would hold the folder for ever.
func (m *Machine) end(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, m.grace)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		m.cfg.Log.Warn("the gateway ended before a client had sent its request or read its answer", "waited", m.grace.String())
		return server.Close()
	}
	return err
}

// Control is for commands over a state in which a Machine may work at the same time. What
// it queues is delivered by the Machine that works in the folder, now or next.
func Control(s *sqlite.Store) *runs.Control {
	in := taking(s)
	return &runs.Control{Stores: stores(s), Replayer: in, Checker: in, Policy: run.DefaultPolicy(), Now: time.Now}
}

// taking is the intake over a state.
func taking(s *sqlite.Store) *intake.Intake {
	return &intake.Intake{Syncs: s, Connections: s, Runs: s, Batches: s, Chunks: s, Errors: s, Queue: s, Ledger: s, Seen: s, Pauses: s, Now: time.Now}
}

func stores(s *sqlite.Store) runs.Stores {
	return runs.Stores{Syncs: s, Definitions: s, Connections: s, Runs: s, History: s, Recorded: s, Marks: s, Errors: s, Due: s, Ledger: s, Halts: s, Depths: s, Mirrors: s, Firings: s, Freshness: s, Verifications: s, Pauses: s, Audit: s, Overviews: s, Some: s, Told: s, Lists: s, Places: s, Versions: s, Entries: s, Sources: s, Shredder: s}
}

func (m *Machine) policy() run.Policy {
	p := run.DefaultPolicy()
	p.Quiet = m.cfg.Quiet
	return p
}

// Close gives up a Machine that is not run.
func (m *Machine) Close() error {
	var errs []error
	if m.listener != nil {
		errs = append(errs, m.listener.Close())
	}
	if m.Store != nil {
		errs = append(errs, m.Store.Close())
	}
	return errors.Join(append(errs, m.lock.Close())...)
}

// leastWorkers is how many invocations run at once however few lanes there are.
const leastWorkers = 2

// countLanes notes how many lanes the applied syncs of each type have at most: that
// many workers run at once, as on AWS.
func (m *Machine) countLanes(ctx context.Context) {
	most := map[string]int64{}
	names, err := m.Store.List(ctx)
	for _, name := range names {
		if v, err := m.Store.Current(ctx, name); err == nil {
			most[v.Rules.Type] = max(most[v.Rules.Type], int64(v.Definition.Lanes))
		}
	}
	if err != nil {
		return // the numbers of a moment ago serve
	}
	for kind, lanes := range m.lanes {
		lanes.Store(max(most[kind], leastWorkers))
	}
}

// ticks counts the lanes at each tick of the sweeper: another process may have
// applied a sync.
type ticks struct {
	sweeper *sweep.Handler
	m       *Machine
}

// Invoke sweeps once.
func (t ticks) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	t.m.countLanes(ctx)
	return t.sweeper.Invoke(ctx, payload)
}

// counts has a worker count how old the data at its destination is.
type counts struct{ *worker.Handler }

// Invoke counts once.
func (c counts) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return c.Handler.Invoke(ctx, []byte(worker.Freshness))
}

// worker delivers a vendor's rows and counts how old the data there is.
func (m *Machine) worker(v dest.Vendor, tokens deliver.Tokens) *worker.Handler {
	d := delivering(m.Store, v.Name, func(c syncdef.Connection) (dest.Account, error) { return m.open(v, c) })
	d.Tokens, d.LeaseLife, d.Timeout = tokens, pace.LeaseLife/time.Duration(max(1, m.cfg.Faster)), timeout/5
	return &worker.Handler{Log: m.cfg.Log, Deliver: d}
}

// deadLetters stores the rows of a vendor's dead letters as errors, and calls nobody.
func (m *Machine) deadLetters(v dest.Vendor) *worker.Handler {
	d := delivering(m.Store, v.Name, worker.Undelivered)
	d.Dead = true
	return &worker.Handler{Log: m.cfg.Log, Deliver: d}
}

// open makes the account of a connection of the vendor's, at the endpoint that takes
// its place.
func (m *Machine) open(v dest.Vendor, c syncdef.Connection) (dest.Account, error) {
	url := m.cfg.Endpoints[c.Type]
	if url != "" {
		c.URL = url
	}
	return worker.Open(v, dest.Config{Now: time.Now, Loopback: url != ""}, func(ctx context.Context, c syncdef.Connection, name string) (map[string]string, error) {
		return m.cfg.Secret(ctx, c.Type, name)
	})(c)
}

// teller sends alerts.
func (m *Machine) teller() *tell.Teller {
	secret := func(ctx context.Context, name string) (map[string]string, error) {
		return m.cfg.Secret(ctx, syncdef.NotifyWebhook, name)
	}
	return &tell.Teller{Mail: m.cfg.Mail, NoMail: m.cfg.NoMail, Connections: m.Store, Tokens: m.Store, Now: time.Now, Sleep: worker.Sleep, Secret: secret, Loopback: true, Open: func(c syncdef.Connection) (dest.Account, error) {
		for _, v := range m.cfg.Vendors {
			if v.Name == c.Type {
				return m.open(v, c)
			}
		}
		return nil, fmt.Errorf("there is no destination type %q", c.Type)
	}}
}
