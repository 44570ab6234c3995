package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/penstock-data/penstock/shared/app/remote"
	"github.com/penstock-data/penstock/shared/app/tell"
	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/secretfile"
	"github.com/penstock-data/penstock/shared/smtp"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// open opens where the sync is applied, and what sends; the function closes both.
func (c alertTestCmd) open(ctx context.Context, s program) (runs.Syncs, *tell.Teller, func() error, error) {
	if c.Stack != "" {
		return c.stack(ctx, s)
	}
	store, err := openState(c.Data)
	if err != nil {
		return nil, nil, nil, err
	}
	mailer, err := c.mailer(ctx)
	if err != nil {
		return nil, nil, nil, errors.Join(err, store.Close())
	}
	accounts, closeAll := applyCmd{Data: c.Data}.accounts(s, store.Current)
	teller := &tell.Teller{Mail: mailer, NoMail: noMail + ", or start penstock local, whose mailbox shows it", Connections: store, Tokens: store, Now: s.clock.now, Sleep: worker.Sleep,
		Secret: (&secretfile.Reader{Dir: filepath.Join(c.Data, "secrets"), Getenv: os.Getenv}).Secret, Loopback: true, Open: s.opens(accounts.Open)}
	return store, teller, func() error { return errors.Join(closeAll(), store.Close()) }, nil
}

// stack is open for a stack: what its sweeper sends by, with the person's credentials.
func (c alertTestCmd) stack(ctx context.Context, s program) (runs.Syncs, *tell.Teller, func() error, error) {
	place, err := remote.Look(ctx, c.Stack, s.clock.now)
	if err != nil {
		return nil, nil, nil, err
	}
	secrets := place.Secrets(ownSecret)
	teller := place.Teller(secrets)
	if teller.Mail == nil {
		if teller.Mail, err = ownMail(); err != nil {
			return nil, nil, nil, err
		}
	}
	teller.Open = s.opens(func(v dest.Vendor, connection syncdef.Connection) (dest.Account, error) {
		return place.Open(v, nil, secrets)(connection)
	})
	return place.State, teller, func() error { return nil }, nil
}

// opens gives accounts by the types of their connections.
func (s program) opens(open func(dest.Vendor, syncdef.Connection) (dest.Account, error)) func(syncdef.Connection) (dest.Account, error) {
	return func(connection syncdef.Connection) (dest.Account, error) {
		for _, v := range s.known.vendors() {
			if v.Name == connection.Type {
				return open(v, connection)
			}
		}
		return nil, fmt.Errorf("there is no destination type %q", connection.Type)
	}
}

// mailer is the environment's server, or the mailbox of a running penstock local.
func (c alertTestCmd) mailer(ctx context.Context) (tell.Mailer, error) {
	m, err := ownMail()
	if m != nil || err != nil {
		return m, err
	}
	address := notedSimulators(ctx, c.Data)[syncdef.NotifyEmail]
	if address == "" {
		return nil, nil
	}
	return smtp.New(address, "penstock@localhost.localdomain")
}
