// Package smtp sends email through a mail server, for one machine.
package smtp

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"github.com/wneessen/go-mail"
)

// A Mailer sends from one address through one server.
type Mailer struct {
	client *mail.Client
	from   string
	host   string
}

// New reads the server's address: smtp://USER:PASSWORD@HOST:PORT, with TLS by
// STARTTLS where the server has it, or smtps:// with TLS from the start. A password
// is sent over TLS only, or to this machine. It connects when something is sent.
func New(address, from string) (*Mailer, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, fmt.Errorf("the mail server's address is no smtp://HOST:PORT or smtps://HOST:PORT")
	}
	options := []mail.Option{mail.WithTLSPolicy(mail.TLSOpportunistic)}
	if u.Scheme == "smtps" {
		options = append(options, mail.WithSSL())
	}
	if port := u.Port(); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, fmt.Errorf("the mail server's port is no number")
		}
		options = append(options, mail.WithPort(n))
	}
	if password, has := u.User.Password(); has {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
		if u.Scheme == "smtp" {
			options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
		}
	}
	client, err := mail.NewClient(u.Hostname(), options...)
	if err != nil {
		return nil, fmt.Errorf("mail server %s: %w", u.Host, err)
	}
	m := mail.NewMsg()
	if err := m.From(from); err != nil {
		return nil, fmt.Errorf("the sender is no email address: write it as name@company.com")
	}
	return &Mailer{client: client, from: from, host: u.Host}, nil
}

// Send sends one message to all addresses.
func (m *Mailer) Send(ctx context.Context, to []string, subject, text string) error {
	msg := mail.NewMsg()
	if err := msg.From(m.from); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	if err := msg.To(to...); err != nil {
		return fmt.Errorf("recipients: %w", err)
	}
	msg.Subject(subject)
	msg.SetBodyString(mail.TypeTextPlain, text)
	if err := m.client.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("mail server %s: %w", m.host, err)
	}
	return nil
}
