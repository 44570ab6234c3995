package machine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/sandbox"
	salesforcesim "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	slacksim "github.com/penstock-data/penstock/shared/sandbox/slack"
)

// The simulators' credentials. They guard nothing.
const (
	sandboxClientID = "penstock-sandbox"
	sandboxSecret   = "penstock-sandbox-secret"
	sandboxToken    = "xoxb-penstock-sandbox"
)

// Off stands for an address: this simulator is not wanted.
const Off = "off"

// Sandbox is the simulated Salesforce and Slack, each on a port of its own. One
// that is off is nil.
type Sandbox struct {
	Salesforce *salesforcesim.Simulator
	Slack      *slacksim.Server
	Endpoints  map[string]string // base URL per connection type

	listeners map[string]net.Listener
	lock      *os.File // nil without a folder
}

// NewSandbox opens the simulators; with dir not "" their records survive a
// killed process. listen names an address per type, or Off; absent ones get a free port.
// A folder that another process works in gives ErrInUse.
func NewSandbox(dir string, listen map[string]string) (_ *Sandbox, err error) {
	var locked *os.File
	if dir != "" {
		if locked, err = lock(dir, "sandbox.lock"); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, locked.Close())
			}
		}()
	}
	journal := func(name string) string {
		if dir == "" {
			return ""
		}
		return filepath.Join(dir, "sandbox-"+name+".journal")
	}
	s := &Sandbox{Endpoints: map[string]string{}, listeners: map[string]net.Listener{}, lock: locked}
	if listen["salesforce"] != Off {
		s.Salesforce, err = salesforcesim.New(salesforcesim.Options{
			Core:        sandbox.Options{Journal: journal("salesforce"), ThreadCPU: true},
			Credentials: salesforcesim.Credentials{ClientID: sandboxClientID, ClientSecret: sandboxSecret},
		})
	}
	if err == nil && listen["slack"] != Off {
		s.Slack, err = slacksim.New(slacksim.Config{
			Token: sandboxToken, Journal: journal("slack"),
			Channels: []slacksim.Channel{{ID: "C0000000001", Name: "customer-health"}, {ID: "C0000000002", Name: "general"}},
		})
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	for _, name := range Queues {
		address := listen[name]
		if address == Off {
			continue
		}
		if address == "" {
			address = "127.0.0.1:0"
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen for the simulated %s: %w", name, err), s.close())
		}
		s.listeners[name] = l
		s.Endpoints[name] = "http://" + l.Addr().String()
	}
	return s, nil
}

// Secret gives the simulators' credentials, whatever the connection's type and the
// secret's name.
func (s *Sandbox) Secret(context.Context, string, string) (map[string]string, error) {
	return map[string]string{"client_id": sandboxClientID, "client_secret": sandboxSecret, "token": sandboxToken}, nil
}

// Run serves until ctx ends.
func (s *Sandbox) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for name, handler := range map[string]http.Handler{"salesforce": s.Salesforce, "slack": s.Slack} {
		if s.listeners[name] == nil {
			continue
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
		g.Go(func() error {
			if err := server.Serve(s.listeners[name]); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve the simulated %s: %w", name, err)
			}
			return nil
		})
		g.Go(func() error {
			<-ctx.Done()
			return server.Close()
		})
	}
	err := errors.Join(g.Wait(), s.close())
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

// Close gives up a Sandbox that is not run.
func (s *Sandbox) Close() error {
	err := s.close()
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

func (s *Sandbox) close() error {
	var errs []error
	for _, l := range s.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.Salesforce != nil {
		errs = append(errs, s.Salesforce.Close())
	}
	if s.Slack != nil {
		errs = append(errs, s.Slack.Close())
	}
	return errors.Join(errs...)
}
