// Package tell sends what people are to be told: by email, by webhooks, and
// through the connections of destination types that post messages.
package tell

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Mailer sends an email without markup to all of these addresses.
type Mailer interface {
	Send(ctx context.Context, to []string, subject, text string) error
}

// Connections reads stored connections.
type Connections interface {
	Connection(ctx context.Context, name string) (syncdef.Stored, error)
}

// Tokens lease calls, so that a notice stays inside the vendor's quota too (I7).
type Tokens interface {
	Lease(ctx context.Context, bucket string, limits []pace.Window, want int, now time.Time) (granted int, wait time.Duration, err error)
}

// A Teller implements runs.Teller.
type Teller struct {
	Mail        Mailer // nil where no mail can be sent
	NoMail      string // then: how to mend that, for people
	Connections Connections
	Tokens      Tokens
	Open        func(syncdef.Connection) (dest.Account, error) // makes no call
	Now         func() time.Time
	Sleep       func(ctx context.Context, d time.Duration) error
	// Secret reads a webhook's secret by its name; nil where none can be read.
	Secret func(ctx context.Context, name string) (map[string]string, error)
	// Loopback lets webhooks go to this machine, and there without TLS.
	Loopback bool
	// HTTP is for tests; nil is a client that calls the public internet only.
	HTTP *http.Client
}

// Tell sends one notice. Its error is for people, and holds no row's value.
func (t *Teller) Tell(ctx context.Context, to alert.Recipient, n alert.Notice) error {
	if to.Type == syncdef.NotifyEmail {
		if t.Mail == nil {
			return errors.New("no email can be sent: " + t.NoMail)
		}
		return t.Mail.Send(ctx, to.Addresses, n.Subject(), n.Text())
	}
	if to.Type == syncdef.NotifyWebhook {
		return t.call(ctx, to.Secret, n)
	}
	return t.post(ctx, to, n.Text())
}

// post sends a text through a connection.
func (t *Teller) post(ctx context.Context, to alert.Recipient, text string) error {
	c, err := t.Connections.Connection(ctx, to.Connection)
	if err != nil {
		return fmt.Errorf("read connection %q: %w", to.Connection, err)
	}
	account, err := t.Open(c.Connection)
	if err != nil {
		return err
	}
	poster, ok := account.(dest.Poster)
	if !ok {
		return fmt.Errorf("connection %q is of type %s, which posts no messages", to.Connection, c.Connection.Type)
	}
	var limits []pace.Window
	if windows := account.Limits().Windows; windows != nil {
		limits = windows(to.Channel)
	}
	if err := t.lease(ctx, to, limits); err != nil {
		return err
	}
	return poster.Post(ctx, to.Channel, text)
}

// longestWait is how long a token is waited for (I5).
const longestWait = 2 * time.Second

// lease takes a token of the channel, and waits for one that comes soon.
func (t *Teller) lease(ctx context.Context, to alert.Recipient, limits []pace.Window) error {
	for waited := time.Duration(0); ; {
		granted, wait, err := t.Tokens.Lease(ctx, to.Connection+"/"+to.Channel, limits, 1, t.Now())
		if err != nil {
			return fmt.Errorf("lease a call of connection %q: %w", to.Connection, err)
		}
		if granted > 0 {
			return nil
		}
		wait = max(wait, time.Millisecond)
		if waited += wait; waited > longestWait {
			return fmt.Errorf("the quota of %s in connection %q is spent for %s", to.Channel, to.Connection, wait.Round(time.Second))
		}
		if err := t.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}
