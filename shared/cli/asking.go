package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/penstock-data/penstock/shared/app/inspect"
	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/app/remote"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/netguard"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/secretfile"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// asking are the flags of commands that ask the accounts of connections.
type asking struct {
	Data     string    `default:"penstock-data" help:"The folder of this machine's state: the accounts asked are those that its rows go to."`
	Endpoint endpoints `help:"Ask this address instead, or simulator, or connection for the connection's own." placeholder:"TYPE=URL"`
}

// asker opens the accounts that are asked; the function closes what was opened.
func (c asking) asker(s program) (*inspect.Asker, func() error, error) {
	for _, kind := range slices.Sorted(maps.Keys(c.Endpoint)) {
		if err := s.known.checkEndpoint(kind, c.Endpoint[kind]); err != nil {
			return nil, nil, err
		}
	}
	n, err := readNote(c.Data)
	if err != nil {
		return nil, nil, err
	}
	var boxes []*machine.Sandbox
	open := func(v dest.Vendor, connection syncdef.Connection) (dest.Account, error) {
		account, box, err := c.open(s, n, v, connection)
		if box != nil {
			boxes = append(boxes, box)
		}
		return account, err
	}
	return &inspect.Asker{Vendors: s.known.vendors(), Open: open}, func() error {
		var errs []error
		for _, box := range boxes {
			errs = append(errs, box.Close())
		}
		return errors.Join(errs...)
	}, nil
}

// worker is this machine's worker of a type, to read records back or remove them; the
// function closes what was opened for it.
func (c asking) worker(s program, v dest.Vendor) (*deliver.Deliver, func() error, error) {
	store, err := openState(c.Data)
	if err != nil {
		return nil, nil, err
	}
	asker, done, err := c.asker(s)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	worker := machine.Verifier(store, v.Name, func(conn syncdef.Connection) (dest.Account, error) { return asker.Open(v, conn) })
	worker.Guest = len(c.Endpoint) > 0 // another place is asked than the rows go to
	return worker, func() error { return errors.Join(done(), store.Close()) }, nil
}

// An inquiry is about one connection, and asker asks its account.
type inquiry struct {
	*connections
	of      syncdef.Connection
	asker   *inspect.Asker
	secrets *remote.Secrets // of a stack
}

// about opens what is known of the connection of that name, and who asks its account;
// the function closes both.
func (c asking) about(ctx context.Context, s program, syncs, stack, name string) (q inquiry, done func() error, err error) {
	if q.connections, err = knownConnections(ctx, s, syncs, somewhere{Data: c.Data, Stack: stack}); err != nil {
		return q, nil, err
	}
	closeAsker := func() error { return nil }
	q.of, err = q.find(name)
	switch {
	case err != nil:
	case q.place != nil:
		q.secrets = q.place.Secrets(ownSecret)
		q.asker = &inspect.Asker{Vendors: s.known.vendors(), Flags: somewhere{Stack: stack}.flags(), Open: func(v dest.Vendor, connection syncdef.Connection) (dest.Account, error) {
			return q.place.Open(v, nil, q.secrets)(connection)
		}}
	default:
		q.asker, closeAsker, err = c.asker(s)
	}
	if err != nil {
		return q, nil, errors.Join(err, q.close())
	}
	return q, func() error { return errors.Join(closeAsker(), q.close()) }, nil
}

// secretsOf are the secrets of a data folder's connections.
func secretsOf(data string) *secretfile.Reader {
	return &secretfile.Reader{Dir: filepath.Join(data, "secrets"), Getenv: os.Getenv}
}

// to is whom a type's questions go to: where a flag says, else where the folder's rows
// go, else the connection's own account, whose secret must be here. The error is that
// of the secret.
func (c asking) to(ctx context.Context, n note, connection syncdef.Connection) (string, error) {
	if to := c.Endpoint[connection.Type]; to != "" {
		return to, nil
	}
	if to := n.To[connection.Type]; to != "" {
		return to, nil
	}
	if _, err := secretsOf(c.Data).Secret(ctx, secretName(connection)); err != nil {
		return "", fmt.Errorf("%w; or ask the simulator with  --endpoint %s=%s", err, connection.Type, ownSimulator)
	}
	return ownURL, nil
}

func secretName(c syncdef.Connection) string { return dest.Config{Connection: c}.SecretName() }

// open opens the account of a connection, and the simulator that it may need.
func (c asking) open(s program, n note, v dest.Vendor, connection syncdef.Connection) (dest.Account, *machine.Sandbox, error) {
	to, err := c.to(context.Background(), n, connection)
	if err != nil {
		return nil, nil, err
	}
	files := secretsOf(c.Data)
	simulators := func(context.Context, string) (map[string]string, error) { return s.known.secret(v.Name), nil }
	switch to {
	case ownURL:
		account, err := openAccount(v, connection, nil, false, files.Secret)
		return account, nil, err
	case ownSimulator:
		box, url, err := applyCmd{Data: c.Data}.simulator(s, n, v.Name)
		if err != nil {
			return nil, nil, err
		}
		connection.URL = url
		var client *http.Client
		if box != nil {
			client = box.Client(v.Name)
		}
		account, err := openAccount(v, connection, client, true, simulators)
		return account, box, err
	}
	connection.URL = to
	secret := files.Secret
	if _, err := secret(context.Background(), secretName(connection)); errors.Is(err, secretfile.ErrAbsent) && onLoopback(to) {
		secret = simulators // which guard nothing
	}
	account, err := openAccount(v, connection, nil, true, secret)
	return account, nil, err
}

func onLoopback(address string) bool {
	u, err := url.Parse(address)
	return err == nil && netguard.LoopbackHost(u.Hostname())
}

// ownSecret reads a secret that this machine has of a stack's connection: from the
// environment alone, as the files are of a folder.
func ownSecret(ctx context.Context, name string) (map[string]string, error) {
	return (&secretfile.Reader{Getenv: os.Getenv}).Secret(ctx, name)
}
