package remote

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"

	"github.com/penstock-data/penstock/shared/app/awsenv"
	"github.com/penstock-data/penstock/shared/app/tell"
	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/aws/ledger"
	"github.com/penstock-data/penstock/shared/aws/mail"
	"github.com/penstock-data/penstock/shared/aws/secrets"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/secretfile"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Secrets are those of a stack's connections as a person's machine has them: own reads one
// here, and where it is absent, the stack's is read in Secrets Manager. It serves
// concurrent readers.
type Secrets struct {
	own    func(ctx context.Context, name string) (map[string]string, error)
	theirs *secrets.Reader
	prefix string

	mu   sync.Mutex
	here map[string]bool // names that were read on this machine
}

// Secrets are the stack's, and this machine's before them.
func (p *Place) Secrets(own func(ctx context.Context, name string) (map[string]string, error)) *Secrets {
	return &Secrets{own: own, theirs: secrets.New(p.cfg, secrets.Config{Prefix: p.prefix()}), prefix: p.prefix(), here: map[string]bool{}}
}

// prefix begins the names of the stack's secrets; a stack that was deployed by an older
// template does not tell it.
func (p *Place) prefix() string {
	if prefix, told := p.Outputs["SecretPrefix"]; told {
		return prefix
	}
	return p.name + "/"
}

// Secret reads one; ErrLacking, with the remedy, where the credentials may not.
func (s *Secrets) Secret(ctx context.Context, name string) (map[string]string, error) {
	values, err := s.own(ctx, name)
	if !errors.Is(err, secretfile.ErrAbsent) {
		s.mu.Lock()
		s.here[name] = true
		s.mu.Unlock()
		return values, err
	}
	values, err = s.theirs.Secret(ctx, name)
	if errors.Is(err, secrets.ErrDenied) {
		return nil, fmt.Errorf("%w: they lack secretsmanager:GetSecretValue on the secret %q, or kms:Decrypt with its key: set AWS_PROFILE to one that may, or put the secret into %s here", ErrLacking, s.prefix+name, secretfile.Variable(name))
	}
	return values, err
}

// Here reports whether a secret was read on this machine: what it opened says nothing of
// the stack's own.
func (s *Secrets) Here(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.here[name]
}

// Open makes the accounts of a vendor's connections; client is nil for one that calls the
// public internet alone.
func (p *Place) Open(v dest.Vendor, client *http.Client, s *Secrets) func(syncdef.Connection) (dest.Account, error) {
	cfg := dest.Config{HTTP: client, Now: p.now, Loopback: awsenv.OneMachine(os.LookupEnv)}
	return worker.Open(v, cfg, func(ctx context.Context, _ syncdef.Connection, name string) (map[string]string, error) {
		return s.Secret(ctx, name)
	})
}

// Worker is one of a destination type over the stack's tables, on a person's machine with
// that person's credentials: it reads records back, and removes them, within the share of
// the quota that the stack's own workers keep to.
func (p *Place) Worker(v dest.Vendor, s *Secrets) *deliver.Deliver {
	table, held := p.State, ledger.New(p.cfg, ledger.Config{Table: p.Outputs[ledgerTable]})
	return &deliver.Deliver{
		Queue: v.Name, Syncs: table, Connections: table, Tokens: table, Runs: table, Chunks: table, Unchanged: table, Halts: table, Ledger: held, Listing: held, Freshness: table, Verifications: table,
		Open: p.Open(v, nil, s), Guest: true,
		Now: p.now, Sleep: worker.Sleep, Rand: rand.Float64,
	}
}

// alertFrom is the template's parameter of the sender of alerts; empty where none is.
const alertFrom = "AlertFrom"

// Teller sends as the stack's sweeper does, with the person's credentials, which then need
// ses:SendEmail. Open is left to the caller, who knows the destination types.
func (p *Place) Teller(s *Secrets) *tell.Teller {
	t := &tell.Teller{
		NoMail:      "deploy the stack with AlertFrom, an address that Amazon SES has verified",
		Connections: p.State, Tokens: p.State, Now: p.now, Sleep: worker.Sleep,
		Secret: s.Secret, Loopback: awsenv.OneMachine(os.LookupEnv),
	}
	if from := p.Parameters[alertFrom]; from != "" {
		t.Mail = mail.New(p.cfg, from)
	}
	return t
}
