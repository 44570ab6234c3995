package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/console"
)

// consolePort is where the console listens if nothing is said.
const consolePort = 8790

// How often a live page looks at a state: at one in AWS each look is paid for.
const (
	wakes      = time.Second
	wakesStack = 5 * time.Second
)

type consoleCmd struct {
	Port int `default:"8790" help:"The port of 127.0.0.1; 0 is any free one."`
	somewhere
}

// Run serves the pages until it is interrupted.
func (c consoleCmd) Run(ctx context.Context, s program) error {
	if c.Port < 0 || c.Port > 65535 {
		return usage("--port %d: a port is between 0 and 65535", c.Port)
	}
	control, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	acts := newActs(s, control, c.somewhere)
	acts.g, acts.ctx = g, ctx
	p, err := newConsole(acts)
	if err == nil {
		err = p.listen(c.Port, false)
	}
	if err != nil {
		return errors.Join(err, done())
	}
	fmt.Fprintf(s.out, "Console  %s\nIt answers this machine alone, and whoever has the address may act. Ctrl-C ends it.\n", p.url())
	g.Go(func() error { return p.serve(ctx) })
	return errors.Join(g.Wait(), done())
}

// A consolePage is a console at its address.
type consolePage struct {
	handler  *console.Console
	listener net.Listener
}

// newConsole makes the console of the state that is acted at.
func newConsole(acts *consoleActs) (*consolePage, error) {
	s, control, at := acts.s, acts.control, acts.place
	where, every := at.Data, wakes
	if at.Stack != "" {
		where, every = "stack "+at.Stack, wakesStack
	}
	reader := view.New(view.Config{Stores: control.Stores, Now: s.clock.now, Link: s.known.link})
	h, err := console.New(console.Config{
		Pages: reader, Errors: reader, Audit: control, Actions: &console.Actions{Runs: acts, Syncs: acts, Connections: acts}, Where: where, Flags: at.flags(), Program: self(),
		Wake: wake(every), Now: s.clock.now, Zone: s.clock.zone, Log: slog.New(slog.NewTextHandler(s.err, nil)),
	})
	if err != nil {
		return nil, err
	}
	return &consolePage{handler: h}, nil
}

// console serves the page of a place that stays up.
func (c localCmd) console(ctx context.Context, s program, p *place, g *errgroup.Group) (err error) {
	if c.Bare || c.Console < 0 {
		return nil
	}
	if c.Console > 65535 {
		return usage("--console %d: a port is between 0 and 65535, and -1 is none", c.Console)
	}
	p.page, err = p.machinePage(s, c.Data)
	if err == nil {
		err = p.page.listen(c.Console, true)
	}
	if err == nil {
		g.Go(func() error { return p.page.serve(ctx) })
	}
	return err
}

// machinePage is the console of a machine in this process.
func (p *place) machinePage(s program, dir string) (*consolePage, error) {
	return newConsole(newActs(s, p.machine.Runs, somewhere{Data: dir}))
}

// wake waits so long.
func wake(every time.Duration) func(context.Context) bool {
	return func(ctx context.Context) bool {
		t := time.NewTimer(every)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return false
		case <-t.C:
			return true
		}
	}
}

// listen takes the port; where it is another's and any will do, a free one.
func (p *consolePage) listen(port int, anyPort bool) (err error) {
	p.listener, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		if !anyPort {
			return fmt.Errorf("port %d of 127.0.0.1 is in use, by another console perhaps: stop it, or give another --port, 0 for any free one", port)
		}
		p.listener, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return fmt.Errorf("listen for the console: %w", err)
	}
	return nil
}

// url lets a browser in.
func (p *consolePage) url() string { return "http://" + p.listener.Addr().String() + p.handler.Open() }

// serve answers until ctx ends, which also ends the pages' streams.
func (p *consolePage) serve(ctx context.Context) error {
	server := &http.Server{
		Handler: p.handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	closed := make(chan error, 1)
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		closed <- server.Shutdown(end)
	}()
	if err := server.Serve(p.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the console: %w", err)
	}
	if err := <-closed; err != nil {
		return errors.Join(server.Close(), fmt.Errorf("end the console: %w", err))
	}
	return nil
}
