package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/app/remote"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

type alertCmd struct {
	Test alertTestCmd `cmd:"" help:"Send a test notice to everybody whom a sync's notifications name."`
	List alertListCmd `cmd:"" help:"Show a sync's open alerts, and what was sent of late."`
}

type alertTestCmd struct {
	Sync  string `arg:"" help:"The sync's name."`
	Data  string `default:"penstock-data" help:"The folder of this machine's state."`
	Stack string `help:"This stack in AWS, with your own credentials, instead of this machine; secrets are read here, or else in the stack." placeholder:"NAME"`
	JSON  bool   `name:"json" help:"Print JSON."`
}

// trial is what alert test says of one recipient.
type trial struct {
	Type    string `json:"type"`
	To      string `json:"to"`
	Sent    bool   `json:"sent"`
	Failure string `json:"failure,omitempty"`
}

// Run sends, at once and to all, and fails when one was not reached.
func (c alertTestCmd) Run(ctx context.Context, s program) (err error) {
	syncs, teller, done, err := c.open(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	v, err := syncs.Current(ctx, c.Sync)
	if errors.Is(err, run.ErrNotFound) {
		return fmt.Errorf("there is no sync %q: run penstock apply", c.Sync)
	}
	if err != nil {
		return fmt.Errorf("read sync %q: %w", c.Sync, err)
	}
	if len(v.Definition.Notifications) == 0 {
		return fmt.Errorf("sync %q has no notifications: name somebody in its definition, and run penstock apply", c.Sync)
	}
	var out []trial
	failed := 0
	for _, n := range v.Definition.Notifications {
		to := alert.Recipient{Type: n.Type, Addresses: n.Recipients, Connection: n.Connection, Channel: n.Channel, Secret: n.Secret}
		one := trial{Type: n.Type, To: strings.Join(n.Recipients, ", "), Sent: true}
		switch n.Type {
		case syncdef.NotifyEmail:
		case syncdef.NotifyWebhook:
			one.To = "the url in the secret " + n.Secret
		default:
			one.To = n.Channel + " of " + n.Connection
		}
		if err := teller.Tell(ctx, to, alert.Test(c.Sync, v.Definition.Connection, s.clock.now())); err != nil {
			one.Sent, one.Failure = false, err.Error()
			failed++
		}
		out = append(out, one)
	}
	if c.JSON {
		err = printJSON(s.out, map[string]any{"sync": c.Sync, "told": out})
	} else {
		for _, one := range out {
			verdict := "sent"
			if !one.Sent {
				verdict = "NOT SENT: " + one.Failure
			}
			fmt.Fprintf(s.out, "%s to %s: %s\n", one.Type, one.To, verdict)
		}
	}
	if err == nil && failed > 0 {
		return fmt.Errorf("%d of %d were not reached", failed, len(out))
	}
	return err
}

type alertListCmd struct {
	Sync string `arg:"" help:"The sync's name."`
	JSON bool   `name:"json" help:"Print JSON."`
	somewhere
}

// Run shows the sync's book.
func (c alertListCmd) Run(ctx context.Context, s program) error {
	book, err := c.book(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, book)
	}
	if len(book.Open)+len(book.Sent)+len(book.Outbox) == 0 {
		fmt.Fprintln(s.out, "no alerts")
	}
	for _, o := range book.Open {
		fmt.Fprintf(s.out, "open     %s since %s, told %d times\n", o.Kind, s.clock.when(o.Since), o.Times)
	}
	for _, l := range book.Outbox {
		fmt.Fprintf(s.out, "waiting  %s %s by %s, tried %d times\n", l.Notice.Kind, l.Notice.Step, l.To.Type, l.Attempts)
	}
	for _, d := range book.Sent {
		verdict := "sent    "
		if d.Failure != "" {
			verdict = "given up"
		}
		fmt.Fprintf(s.out, "%s %s %s by %s, %s\n", verdict, d.Kind, d.Step, d.Type, s.clock.when(d.At))
	}
	return nil
}

// book is what is stored of the sync's alerts.
func (c alertListCmd) book(ctx context.Context) (_ alert.Book, err error) {
	if c.Stack != "" {
		return remote.Alerts(ctx, c.Stack, c.Sync)
	}
	store, err := openState(c.Data)
	if err != nil {
		return alert.Book{}, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return store.Alerts(ctx, c.Sync)
}
