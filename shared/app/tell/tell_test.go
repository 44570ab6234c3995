package tell_test

import (
	"context"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/app/tell"
	awsmail "github.com/penstock-data/penstock/shared/aws/mail"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/slack"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/mail"
	slacksim "github.com/penstock-data/penstock/shared/sandbox/slack"
	"github.com/penstock-data/penstock/shared/smtp"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

var notice = alert.Notice{Sync: "sf_health", Connection: "crm", Kind: alert.RunFailed, Step: alert.Raised, At: noon, Since: noon,
	Run: "sf_health.r1", Rows: 3, Of: 3, Why: "the last run failed: <no such field> & more", Mend: "penstock errors sf_health.r1"}

func mailbox(t *testing.T, cfg mail.Config) *mail.Mailbox {
	t.Helper()
	cfg.Now = now
	box, err := mail.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func ses(t *testing.T, box *mail.Mailbox, from string) *awsmail.Mailer {
	t.Helper()
	server := httptest.NewServer(box)
	t.Cleanup(server.Close)
	return awsmail.New(aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}, from)
}

func byEmail(to ...string) alert.Recipient {
	return alert.Recipient{Type: syncdef.NotifyEmail, Addresses: to}
}

// An email goes out through SES, and what SES refuses is told without an address.
func TestSES(t *testing.T) {
	for _, c := range []struct {
		name, from string
		cfg        mail.Config
		to         []string
		fault      *sandbox.Fault
		want       string // of the error; "" sends
	}{
		{"sent", "alerts@acme.com", mail.Config{Verified: []string{"acme.com"}}, []string{"a@b.co", "c@b.co"}, nil, ""},
		{"sender not verified", "alerts@other.com", mail.Config{Verified: []string{"acme.com"}}, []string{"a@b.co"}, nil, "MessageRejected: verify the sender"},
		{"sandboxed", "alerts@acme.com", mail.Config{Verified: []string{"acme.com"}, Sandboxed: true}, []string{"a@b.co"}, nil, "MessageRejected"},
		{"throttled", "alerts@acme.com", mail.Config{Verified: []string{"acme.com"}}, []string{"a@b.co"},
			&sandbox.Fault{Status: 429, Headers: map[string]string{"x-amzn-ErrorType": "TooManyRequestsException"}, Body: `{"message":"Maximum sending rate exceeded."}`}, "tried again"},
		{"no answer", "alerts@acme.com", mail.Config{Verified: []string{"acme.com"}}, []string{"a@b.co"}, &sandbox.Fault{DropAfterCommit: true}, "not reached"},
	} {
		box := mailbox(t, c.cfg)
		if c.fault != nil {
			if err := box.Core().AddFault(*c.fault); err != nil {
				t.Fatal(err)
			}
		}
		err := (&tell.Teller{Mail: ses(t, box, c.from), Now: now}).Tell(t.Context(), byEmail(c.to...), notice)
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		case err != nil && strings.Contains(err.Error(), "@"):
			t.Errorf("%s: the error names an address: %v", c.name, err)
		}
		if c.want != "" {
			continue
		}
		got := box.Messages()
		if len(got) != 1 || len(got[0].To) != len(c.to) || got[0].Subject != notice.Subject() || got[0].Text != notice.Text() {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// More recipients than one call takes are several calls.
func TestSESTakesFiftyAtATime(t *testing.T) {
	box := mailbox(t, mail.Config{Verified: []string{"acme.com"}})
	to := make([]string, awsmail.MaxRecipients+1)
	for i := range to {
		to[i] = "a@b.co"
	}
	if err := ses(t, box, "alerts@acme.com").Send(t.Context(), to, "s", "t"); err != nil {
		t.Fatal(err)
	}
	if got := box.Messages(); len(got) != 2 || len(got[0].To) != 50 || len(got[1].To) != 1 {
		t.Errorf("%d messages", len(got))
	}
}

func TestSMTP(t *testing.T) {
	box := mailbox(t, mail.Config{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- box.ServeSMTP(l) }()
	m, err := smtp.New("smtp://"+l.Addr().String(), "alerts@acme.com")
	if err != nil {
		t.Fatal(err)
	}
	if err := (&tell.Teller{Mail: m, Now: now}).Tell(t.Context(), byEmail("a@b.co"), notice); err != nil {
		t.Fatal(err)
	}
	got := box.Messages()
	if len(got) != 1 || got[0].From != "alerts@acme.com" || got[0].Subject != notice.Subject() || strings.TrimSpace(got[0].Text) != strings.TrimSpace(notice.Text()) {
		t.Errorf("%+v", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := m.Send(t.Context(), []string{"a@b.co"}, "s", "t"); err == nil {
		t.Error("a server that is gone takes no mail")
	}
}

func TestSMTPAddresses(t *testing.T) {
	for _, c := range []struct{ address, from string }{
		{"", "a@b.co"}, {"localhost:25", "a@b.co"}, {"http://localhost", "a@b.co"}, {"smtp://", "a@b.co"}, {"smtp://localhost:25", "nobody"},
	} {
		if _, err := smtp.New(c.address, c.from); err == nil {
			t.Errorf("%q from %q is taken", c.address, c.from)
		}
	}
	if _, err := smtp.New("smtps://user:secret@mail.acme.com:465", "a@b.co"); err != nil {
		t.Error(err)
	}
}

func TestWithoutMail(t *testing.T) {
	err := (&tell.Teller{NoMail: "set PENSTOCK_SMTP", Now: now}).Tell(t.Context(), byEmail("a@b.co"), notice)
	if err == nil || !strings.Contains(err.Error(), "set PENSTOCK_SMTP") {
		t.Error(err)
	}
}

// A connection posts, within its quota; what it refuses is told.
func TestPost(t *testing.T) {
	clock := noon
	sim, err := slacksim.New(slacksim.Config{Token: "xoxb-1", TeamID: "T1", Now: func() time.Time { return clock }, Channels: []slacksim.Channel{{ID: "C1", Name: "data-alerts"}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	store, err := sqlite.Open("", now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if err := store.PutConnection(t.Context(), syncdef.Connection{Name: "chat", Type: "slack", URL: server.URL + "/api/"}); err != nil {
		t.Fatal(err)
	}
	sleeps := func(_ context.Context, d time.Duration) error {
		clock = clock.Add(d)
		return nil
	}
	teller := &tell.Teller{Connections: store, Tokens: store, Now: func() time.Time { return clock }, Sleep: sleeps, Open: func(c syncdef.Connection) (dest.Account, error) {
		return slack.Vendor.Open(dest.Config{Connection: c, Now: now, HTTP: server.Client(), Loopback: true,
			Secret: func(context.Context) (map[string]string, error) { return map[string]string{"token": "xoxb-1"}, nil }})
	}}
	to := alert.Recipient{Type: "slack", Connection: "chat", Channel: "#data-alerts"}
	if err := teller.Tell(t.Context(), to, notice); err != nil {
		t.Fatal(err)
	}
	if err := teller.Tell(t.Context(), to, notice); err != nil || clock.Sub(noon) < time.Second {
		t.Errorf("a second one within the second waits: %v at %s", err, clock)
	}
	stuck := *teller
	stuck.Tokens = spent{}
	if err := stuck.Tell(t.Context(), to, notice); err == nil || !strings.Contains(err.Error(), "quota") {
		t.Errorf("a quota that is spent for long: %v", err)
	}
	to.Channel = "#nowhere"
	if err := teller.Tell(t.Context(), to, notice); err == nil || !strings.Contains(err.Error(), "#nowhere") {
		t.Errorf("no such channel: %v", err)
	}
	to.Connection = "nobody"
	if err := teller.Tell(t.Context(), to, notice); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("no such connection: %v", err)
	}
	if n := sim.Core().Calls().By["chat.postMessage"]; n < 1 {
		t.Errorf("calls: %+v", sim.Core().Calls().By)
	}
}

// spent has no token for an hour.
type spent struct{}

func (spent) Lease(context.Context, string, []pace.Window, int, time.Time) (int, time.Duration, error) {
	return 0, time.Hour, nil
}
