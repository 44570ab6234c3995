package cli

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

	"github.com/penstock-data/penstock/shared/app/apply"
	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/secretfile"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// place is a machine with its simulators.
type place struct {
	dir     string // of its state
	machine *machine.Machine
	box     *machine.Sandbox
	to      where
	log     io.Closer
	post    post
	due     *dueRunner   // runs due syncs; nil where none are run
	set     yamlfile.Set // that was applied; empty where nothing was
	page    *consolePage // nil where none is served
	cancel  context.CancelFunc
	ended   <-chan struct{} // is closed when the machine has ended
}

// start opens the simulators of the types whose rows go to them, the state and the
// gateway.
func (c localCmd) start(ctx context.Context, s program) (*place, error) {
	if err := errors.Join(c.checkEndpoints(s.known), c.check(s.known)); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	if err := keepPrivate(c.Data); err != nil {
		return nil, fmt.Errorf("keep the data folder private: %w", err)
	}
	n, err := c.note(s.known)
	if err != nil {
		return nil, err
	}
	listen := c.addresses(s.known)
	off := 0
	for kind, to := range n.To {
		if to != ownSimulator {
			listen[kind] = machine.Off
			off++
		}
	}
	if off == len(s.known) {
		return c.startWith(ctx, s, n, nil)
	}
	box, err := machine.NewSandbox(machine.SandboxConfig{
		Simulators: s.known.simulators(), Dir: c.Data, Listen: listen, Names: n.Names, Accept: n.AcceptNames,
		Notice: func(line string) { fmt.Fprintln(s.err, line) },
	})
	if err != nil {
		return nil, err
	}
	p, err := c.startWith(ctx, s, n, box)
	if err != nil {
		return nil, errors.Join(err, box.Close())
	}
	p.box = box
	return p, nil
}

// startWith opens the state and the gateway; box has the simulators that are needed.
func (c localCmd) startWith(ctx context.Context, s program, n note, box *machine.Sandbox) (*place, error) {
	logFile, err := os.OpenFile(filepath.Join(c.Data, "penstock.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	endpoints := map[string]string{}
	for kind, to := range n.To {
		switch {
		case to == ownSimulator && box != nil:
			endpoints[kind] = box.Endpoints[kind]
		case to != ownURL:
			endpoints[kind] = to
		}
	}
	if c.Leash { // the parent's are this folder's simulators, at ports of their own
		for kind := range c.Endpoint {
			n.To[kind] = ownSimulator
		}
	}
	post, err := c.post(s)
	if err != nil {
		return nil, errors.Join(err, logFile.Close())
	}
	warehouse, due := c.scheduled()
	m, err := machine.New(machine.Config{
		Warehouse: warehouse,
		Tells:     c.tells, Mail: post.mailer, NoMail: noMail,
		Dir: c.Data, Listen: c.Listen, Token: c.Token, Vendors: s.known.vendors(), Endpoints: endpoints, Secret: c.secrets(box), Quiet: c.Quiet, Faster: c.Faster,
		Sweep: 200 * time.Millisecond, Log: slog.New(slog.NewJSONHandler(logFile, nil)),
	})
	if err != nil {
		return nil, errors.Join(err, post.Close(), logFile.Close())
	}
	p := &place{dir: c.Data, machine: m, to: n.To, log: logFile, post: post}
	if p.due = due; due != nil {
		due.place = p
	}
	if err = unnote(c.Data, gatewayFile, tokenFile); err == nil { // which a killed process left
		err = n.keep(ctx, c.Data, m.Store)
	}
	if err == nil {
		err = c.apply(ctx, s, p, c.accounts(s, p, box, endpoints))
	}
	if err != nil {
		return nil, errors.Join(err, m.Close(), post.Close(), logFile.Close())
	}
	return p, nil
}

// secrets reads a connection's secret, by the connection's type and the secret's
// name: a simulator's own, or from the environment and the folder's files.
func (c localCmd) secrets(box *machine.Sandbox) func(context.Context, string, string) (map[string]string, error) {
	files := &secretfile.Reader{Dir: filepath.Join(c.Data, "secrets"), Getenv: os.Getenv}
	return func(ctx context.Context, kind, name string) (map[string]string, error) {
		if box != nil && box.Endpoints[kind] != "" {
			return box.Secret(kind), nil
		}
		return files.Secret(ctx, name)
	}
}

// apply stores the folder's definitions, as penstock apply --yes does.
func (c localCmd) apply(ctx context.Context, s program, p *place, accounts *apply.Accounts) error {
	if c.Syncs == "none" {
		return nil
	}
	dir := c.Syncs
	if dir == "" {
		if dir = syncsFolder(); dir == "" {
			dir = sampleFolder
		}
	}
	set, err := loadFolder(dir, s.known.kinds())
	if err != nil {
		return err
	}
	if err := s.checkColumns(ctx, set); err != nil {
		return err
	}
	p.set = set
	for _, y := range set.Syncs {
		rules, told, err := accounts.Rules(ctx, y.Definition, y.Rules, y.Connection)
		if err != nil {
			return err
		}
		if told != "" {
			fmt.Fprintln(s.err, told)
		}
		notes, err := p.machine.Runs.Apply(ctx, syncdef.NewVersion(y.Definition, rules, s.clock.now()), set.Used(y)...)
		if err != nil {
			return err
		}
		for _, n := range notes {
			fmt.Fprintln(s.out, n)
		}
	}
	if !c.tells {
		return nil
	}
	return s.tellGone(ctx, p.machine.Runs, set, somewhere{Data: c.Data})
}

// run serves in g until ctx, or stop, ends it. What is noted of the gateway and of the
// simulators goes while the folder is still this process's. The simulators and the mailbox
// end after the machine, which finishes what is in hand by calling them.
func (p *place) run(ctx context.Context, g *errgroup.Group) {
	ctx, p.cancel = context.WithCancel(ctx)
	atWork, end := context.WithCancel(context.WithoutCancel(ctx))
	g.Go(func() error {
		defer end()
		<-ctx.Done()
		files := []string{gatewayFile, tokenFile}
		if p.box != nil {
			files = append(files, simulatorsFile)
		}
		return unnote(p.dir, files...)
	})
	called, ended := context.WithCancel(context.WithoutCancel(ctx))
	p.ended = called.Done()
	g.Go(func() error {
		defer ended()
		return p.machine.Run(atWork)
	})
	p.post.run(called, g)
	if p.box != nil {
		g.Go(func() error { return p.box.Run(called) })
	}
}

// stop ends what run started.
func stop(g *errgroup.Group, p *place) error {
	p.cancel()
	return errors.Join(g.Wait(), p.log.Close())
}
