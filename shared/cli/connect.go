package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/run"
)

type connectCmd struct {
	Show connectShowCmd `cmd:"" default:"withargs" help:"Show which account a connection delivers to, or let it deliver to another one."`
	List connectListCmd `cmd:"" help:"List the connections: which account each delivers to, and whether it is paused."`
	Test connectTestCmd `cmd:"" help:"Try a connection: the login, the account, the permissions, and the objects of its syncs."`
}

type connectShowCmd struct {
	Name          string `arg:"" help:"The connection's name in connections.yaml."`
	AcceptAccount bool   `help:"Deliver to whichever account answers next: its syncs start with an empty ledger and select all rows."`
	JSON          bool   `name:"json" help:"Print JSON."`
	somewhere
}

// connected is what connect --json prints.
type connected struct {
	Connection string `json:"connection"`
	Type       string `json:"type"`
	Account    string `json:"account,omitempty"`    // that its rows go to, once one has answered
	Epoch      int64  `json:"epoch"`                // grows with each account that was accepted
	RowsGo     string `json:"rows_go_to,omitempty"` // on this machine: simulator, connection or a URL
}

// Run shows the connection, or accepts another account for it.
func (c connectShowCmd) Run(ctx context.Context, s program) (err error) {
	control, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	stored, err := control.Connections.Connection(ctx, c.Name)
	if errors.Is(err, run.ErrNotFound) {
		return fmt.Errorf("there is no connection %q: run penstock apply", c.Name)
	}
	if err != nil {
		return fmt.Errorf("read connection %q: %w", c.Name, err)
	}
	kind := stored.Connection.Type
	if c.AcceptAccount {
		if _, err := control.AcceptAccount(ctx, c.Name, ""); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, connected{Connection: c.Name, Type: kind, Epoch: stored.Epoch + 1})
		}
		fmt.Fprintln(s.out, accepted(c.Name))
		return nil
	}
	n, err := c.note()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, connected{c.Name, kind, stored.Account, stored.Epoch, n.To[kind]})
	}
	fmt.Fprintf(s.out, "%s  %s, account %s, epoch %d", c.Name, kind, s.known.account(kind, stored.Account), stored.Epoch)
	if to := n.To[kind]; to != "" {
		fmt.Fprintf(s.out, ", rows go to %s", to)
	}
	fmt.Fprintln(s.out)
	return nil
}
