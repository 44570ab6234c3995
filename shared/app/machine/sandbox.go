package machine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/netguard"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// Off stands for an address: this simulator is not wanted.
const Off = "off"

// Sandbox is the simulated destinations, each on a port of its own. One that is
// off is absent.
type Sandbox struct {
	Simulated map[string]sandbox.Simulated // by type
	Endpoints map[string]string            // base URL by type

	id        string // of this Sandbox and no other (HeaderHolder)
	known     []sandbox.Simulator
	listeners map[string]net.Listener
	lock      *os.File // nil without a folder
}

// SandboxConfig says which simulators run, and where.
type SandboxConfig struct {
	Simulators []sandbox.Simulator
	// Dir keeps their records, so that these survive a killed process; "" keeps them
	// in memory only. A folder that another process works in gives ErrInUse.
	Dir    string
	Listen map[string]string // an address by type, or Off; absent ones get a free port
	Names  map[string]string // a file with names of one's own by type
	Accept bool              // names that are not known are made when they are first used
	Notice func(line string) // is told so
	Faster int               // how many times faster the windows of their limits go by; 0 and 1 are the vendors' own
}

// NewSandbox opens the simulators.
func NewSandbox(cfg SandboxConfig) (_ *Sandbox, err error) {
	s := &Sandbox{Simulated: map[string]sandbox.Simulated{}, Endpoints: map[string]string{}, id: rand.Text(), known: cfg.Simulators, listeners: map[string]net.Listener{}}
	if cfg.Dir != "" {
		if s.lock, err = lock(cfg.Dir, sandboxLock, s.id); err != nil {
			return nil, err
		}
	}
	for _, sim := range cfg.Simulators {
		if cfg.Listen[sim.Type] == Off {
			continue
		}
		if err := s.open(sim, cfg); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func (s *Sandbox) open(sim sandbox.Simulator, cfg SandboxConfig) error {
	settings := sandbox.Settings{Names: cfg.Names[sim.Type], Accept: cfg.Accept, Notice: cfg.Notice, Faster: cfg.Faster}
	if cfg.Dir != "" {
		settings.Journal = filepath.Join(cfg.Dir, "sandbox-"+sim.Type+".journal")
	}
	opened, err := sim.Open(settings)
	if err != nil {
		return fmt.Errorf("start the simulated %s: %w", sim.Title, err)
	}
	s.Simulated[sim.Type] = opened
	address := cfg.Listen[sim.Type]
	if address == "" {
		address = "127.0.0.1:0"
	}
	if !netguard.LoopbackHost(address) {
		return fmt.Errorf("listen for the simulated %s at %s: a simulator answers on this machine only: give it an address such as 127.0.0.1:8788", sim.Title, address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen for the simulated %s: %w", sim.Title, err)
	}
	s.listeners[sim.Type] = l
	s.Endpoints[sim.Type] = "http://" + l.Addr().String()
	return nil
}

// Secret gives the credentials of a type's simulator, whatever the secret's name.
func (s *Sandbox) Secret(kind string) map[string]string {
	for _, sim := range s.known {
		if sim.Type == kind {
			return sim.Secret
		}
	}
	return nil
}

// Each calls f with every simulator that is on, and its base URL.
func (s *Sandbox) Each(f func(sim sandbox.Simulator, url string)) {
	for _, sim := range s.known {
		if url := s.Endpoints[sim.Type]; url != "" {
			f(sim, url)
		}
	}
}

// Run serves until ctx ends.
func (s *Sandbox) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for kind, l := range s.listeners {
		server := &http.Server{Handler: named(s.id, netguard.Door{What: "a simulator"}.Wrap(s.Simulated[kind])), ReadHeaderTimeout: time.Minute}
		g.Go(func() error {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve the simulated %s: %w", kind, err)
			}
			return nil
		})
		g.Go(func() error {
			<-ctx.Done()
			return server.Close()
		})
	}
	return errors.Join(g.Wait(), s.Close())
}

// Close gives up a Sandbox that is not run.
func (s *Sandbox) Close() error {
	var errs []error
	for _, l := range s.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	for _, sim := range s.Simulated {
		errs = append(errs, sim.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}
