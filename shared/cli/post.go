package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/tell"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/mail"
	"github.com/penstock-data/penstock/shared/smtp"
)

// The environment of alerts by email.
const (
	mailServer = "PENSTOCK_SMTP"       // smtp://USER:PASSWORD@HOST:PORT, or smtps://
	mailFrom   = "PENSTOCK_ALERT_FROM" // the sender's address
	noMail     = "set " + mailServer + "=smtp://USER:PASSWORD@HOST:PORT and " + mailFrom + "=NAME@COMPANY.COM"
)

// A post is how a machine's email leaves: through a server of the person's own, or
// into a simulated mailbox. The zero post sends nothing.
type post struct {
	mailer tell.Mailer
	box    *mail.Mailbox // nil where a server of one's own has it
	smtp   net.Listener  // of the mailbox
	web    net.Listener  // that shows what is in it
}

// post opens the way of a process that tells people what is wrong.
func (c localCmd) post(s program) (p post, err error) {
	if !c.tells {
		return p, nil
	}
	p.mailer, err = ownMail()
	if err != nil || p.mailer != nil || c.Bare {
		return p, err
	}
	if p.box, err = mail.New(mail.Config{Notice: func(line string) { fmt.Fprintln(s.err, line) }}); err != nil {
		return p, err
	}
	if p.smtp, err = net.Listen("tcp", "127.0.0.1:0"); err == nil {
		p.web, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return p, errors.Join(fmt.Errorf("listen for the simulated mailbox: %w", err), p.Close())
	}
	p.mailer, err = smtp.New(p.address(), "penstock@localhost.localdomain")
	return p, err
}

// ownMail is the server that the environment names; nil where it names none.
func ownMail() (tell.Mailer, error) {
	address := os.Getenv(mailServer)
	if address == "" {
		return nil, nil
	}
	m, err := smtp.New(address, os.Getenv(mailFrom))
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", mailServer, mailFrom, err)
	}
	return m, nil
}

// address is the mailbox's, for other commands; "" without one.
func (p post) address() string {
	if p.smtp == nil {
		return ""
	}
	return "smtp://" + p.smtp.Addr().String()
}

// url is where the mailbox can be read; "" without one.
func (p post) url() string {
	if p.web == nil {
		return ""
	}
	return "http://" + p.web.Addr().String() + sandbox.Prefix + "records"
}

// run serves the mailbox until ctx ends.
func (p post) run(ctx context.Context, g *errgroup.Group) {
	if p.box == nil {
		return
	}
	server := &http.Server{Handler: p.box, ReadHeaderTimeout: time.Minute}
	g.Go(func() error { return p.box.ServeSMTP(p.smtp) })
	g.Go(func() error {
		if err := server.Serve(p.web); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the simulated mailbox: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		return errors.Join(server.Close(), p.Close())
	})
}

// Close gives up a mailbox.
func (p post) Close() error {
	var errs []error
	for _, l := range []net.Listener{p.smtp, p.web} {
		if l == nil {
			continue
		}
		if err := l.Close(); err != nil && !strings.Contains(err.Error(), "closed") {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
