package remote

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/aws/ledger"
	"github.com/penstock-data/penstock/shared/aws/secrets"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/secretfile"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Verifier makes the worker of a destination type that reads a stack's records back, from
// a person's machine with that person's credentials, within the share of the quota that
// the stack's own workers keep to. own reads a connection's secret on this machine; where
// it is absent there, the stack's is read in Secrets Manager.
func Verifier(ctx context.Context, stack string, own worker.Secrets) (func(v dest.Vendor) *deliver.Deliver, error) {
	cfg, tables, err := Stack(ctx, stack)
	if err != nil {
		return nil, err
	}
	table := state.New(cfg, state.Config{Table: tables[stateTable], Now: time.Now})
	held := ledger.New(cfg, ledger.Config{Table: tables[ledgerTable]})
	theirs := secrets.New(cfg, secrets.Config{Prefix: stack + "/"})
	secret := func(ctx context.Context, c syncdef.Connection, name string) (map[string]string, error) {
		values, err := own(ctx, c, name)
		if errors.Is(err, secretfile.ErrAbsent) {
			return theirs.Secret(ctx, name)
		}
		return values, err
	}
	return func(v dest.Vendor) *deliver.Deliver {
		return &deliver.Deliver{
			Queue: v.Name, Syncs: table, Connections: table, Tokens: table, Runs: table, Chunks: table, Halts: table, Ledger: held, Listing: held, Freshness: table, Verifications: table,
			Open: worker.Open(v, dest.Config{Now: time.Now}, secret),
			Now:  time.Now, Sleep: worker.Sleep, Rand: rand.Float64,
		}
	}, nil
}
