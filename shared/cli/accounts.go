package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/penstock-data/penstock/shared/app/apply"
	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/secretfile"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// simulatorsFile holds the URLs of a running penstock local's simulators, by type, and
// of its mailbox.
const simulatorsFile = "simulators.json"

// accounts asks the accounts of a starting place, whose simulators are not served yet.
func (c localCmd) accounts(s program, p *place, box *machine.Sandbox, endpoints map[string]string) *apply.Accounts {
	secrets := c.secrets(box)
	return &apply.Accounts{
		Vendors: s.known.vendors(), Current: p.machine.Store.Current,
		Open: func(v dest.Vendor, connection syncdef.Connection) (dest.Account, error) {
			var client *http.Client
			if box != nil {
				client = box.Client(v.Name)
			}
			connection.URL = cmp.Or(endpoints[v.Name], connection.URL)
			return openAccount(v, connection, client, endpoints[v.Name] != "", func(ctx context.Context, name string) (map[string]string, error) {
				return secrets(ctx, v.Name, name)
			})
		},
	}
}

// accounts asks the accounts that a data folder's rows go to, or the connections' own
// where versions are applied to AWS; with their secrets from the environment or a file.
// The function closes what was opened for that.
func (c applyCmd) accounts(s program, current func(context.Context, string) (syncdef.Version, error)) (*apply.Accounts, func() error) {
	var boxes []*machine.Sandbox
	files := &secretfile.Reader{Getenv: os.Getenv}
	if !c.remote() {
		files.Dir = filepath.Join(c.Data, "secrets")
	}
	a := &apply.Accounts{Vendors: s.known.vendors(), Current: current}
	a.Open = func(v dest.Vendor, connection syncdef.Connection) (dest.Account, error) {
		if c.remote() {
			return openAccount(v, connection, nil, false, files.Secret)
		}
		n, err := readNote(c.Data)
		if err != nil {
			return nil, err
		}
		switch to := cmp.Or(n.To[v.Name], ownSimulator); to {
		case ownSimulator:
		case ownURL:
			return openAccount(v, connection, nil, false, files.Secret)
		default:
			connection.URL = to
			return openAccount(v, connection, nil, true, files.Secret)
		}
		box, url, err := c.simulator(s, n, v.Name)
		if err != nil {
			return nil, err
		}
		connection.URL = url
		var client *http.Client
		if box != nil {
			boxes = append(boxes, box)
			client = box.Client(v.Name)
		}
		return openAccount(v, connection, client, true, func(context.Context, string) (map[string]string, error) {
			return s.known.secret(v.Name), nil
		})
	}
	return a, func() error {
		var errs []error
		for _, box := range boxes {
			errs = append(errs, box.Close())
		}
		return errors.Join(errs...)
	}
}

// simulator is the data folder's simulator of a type: opened for the question, or, as
// a running penstock local has it, the address of that one.
func (c applyCmd) simulator(s program, n note, kind string) (*machine.Sandbox, string, error) {
	box, urls, err := simulatorsOf(s, c.Data, n, kind)
	return box, urls[kind], err
}

// simulatorsOf are the data folder's simulators of these types, opened in this process,
// and their addresses by type; without a Sandbox those of the process that has them.
func simulatorsOf(s program, data string, n note, kinds ...string) (*machine.Sandbox, map[string]string, error) {
	cfg := machine.SandboxConfig{Simulators: s.known.simulators(), Listen: map[string]string{}, Names: n.Names, Accept: n.AcceptNames}
	for _, other := range s.known.names() {
		if !slices.Contains(kinds, other) {
			cfg.Listen[other] = machine.Off
		}
	}
	if journals, err := filepath.Glob(filepath.Join(data, "sandbox-*")); err == nil && len(journals) > 0 {
		cfg.Dir = data // else there are no records that it could lose
	}
	box, err := machine.NewSandbox(cfg)
	if err == nil {
		return box, box.Endpoints, nil
	}
	if !errors.Is(err, machine.ErrInUse) {
		return nil, nil, err
	}
	urls := notedSimulators(context.Background(), data)
	if slices.ContainsFunc(kinds, func(k string) bool { return urls[k] == "" }) {
		return nil, nil, fmt.Errorf("another process works in %s, and does not say where its simulators are", data)
	}
	return nil, urls, nil
}

// notedSimulators are the addresses of the simulators that work in the folder now, by
// type, and of their mailbox; none where these are not what is noted there: at an address
// of an earlier process another folder's simulator may answer by now.
func notedSimulators(ctx context.Context, dir string) map[string]string {
	holder := machine.SandboxHolder(dir)
	text, err := os.ReadFile(filepath.Join(dir, simulatorsFile))
	var urls map[string]string
	if holder == "" || err != nil || json.Unmarshal(text, &urls) != nil {
		return nil
	}
	for kind, url := range urls {
		if kind == syncdef.NotifyEmail {
			continue
		}
		if by, there := holderAt(ctx, url+sandbox.Prefix+"calls"); !there || by != holder {
			return nil
		}
	}
	return urls
}

// noteSimulators notes where the simulators of a running place are.
func (p *place) noteSimulators(dir string) error {
	if p.box == nil {
		return nil
	}
	urls := maps.Clone(p.box.Endpoints)
	if address := p.post.address(); address != "" {
		urls[syncdef.NotifyEmail] = address
	}
	text, err := json.Marshal(urls)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, simulatorsFile), append(text, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("note the simulators' addresses: %w", err)
	}
	return nil
}

// openAccount opens the account of a connection; loopback says that its url was replaced
// by an endpoint or a simulator.
func openAccount(v dest.Vendor, c syncdef.Connection, client *http.Client, loopback bool, secret func(ctx context.Context, name string) (map[string]string, error)) (dest.Account, error) {
	open := worker.Open(v, dest.Config{HTTP: client, Loopback: loopback}, func(ctx context.Context, _ syncdef.Connection, name string) (map[string]string, error) {
		return secret(ctx, name)
	})
	return open(c)
}
