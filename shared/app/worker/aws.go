package worker

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/penstock-data/penstock/shared/app/awsenv"
	"github.com/penstock-data/penstock/shared/app/env"
	awserrors "github.com/penstock-data/penstock/shared/aws/errors"
	"github.com/penstock-data/penstock/shared/aws/ledger"
	"github.com/penstock-data/penstock/shared/aws/queue"
	"github.com/penstock-data/penstock/shared/aws/secrets"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// FromEnvironment is the worker of a destination type on AWS: the tables, the queue
// whose messages it hides, the secrets, and its one vendor.
func FromEnvironment(v dest.Vendor) (*Handler, error) {
	h, vars, cfg, err := overTables(v.Name, env.Worker(v.Name))
	if err != nil {
		return nil, err
	}
	if h.Deliver.Hidden, err = time.ParseDuration(vars[env.Visibility]); err != nil || h.Deliver.Hidden <= 0 {
		return nil, fmt.Errorf("%s is %q: want the queue's visibility timeout as a duration, such as 360s", env.Visibility, vars[env.Visibility])
	}
	h.Deliver.Visibility = queue.New(cfg, queue.Config{URLs: map[string]string{v.Name: vars[env.QueueOf(v.Name)]}})
	store := secrets.New(cfg, secrets.Config{Prefix: vars[env.SecretPrefix]})
	h.Deliver.Open = Open(v, dest.Config{Now: time.Now, Loopback: awsenv.OneMachine(os.LookupEnv)}, func(ctx context.Context, _ syncdef.Connection, name string) (map[string]string, error) {
		return store.Secret(ctx, name)
	})
	return h, nil
}

// DeadLetters is the function that empties the dead-letter queues of all
// destination types: every row of a message that no worker could settle becomes a
// stored error (I1). It calls no vendor and no queue.
func DeadLetters() (*Handler, error) {
	h, _, _, err := overTables("deadletter", env.Functions["deadletter"])
	if err != nil {
		return nil, err
	}
	h.Deliver.Dead = true
	h.Deliver.Visibility = left{}
	h.Deliver.Open = Undelivered
	return h, nil
}

// left leaves a message that stays to its queue's visibility timeout: nothing here
// waits for anything but storage, so that no other time would be better.
type left struct{}

func (left) Hide(context.Context, string, string, time.Duration) error { return nil }

// dueErrors are the errors in their table, and when they are due in the state's.
type dueErrors struct {
	*awserrors.Store
	due interface {
		StoreDue(ctx context.Context, due []run.Due) error
	}
}

// StoreDue implements deliver.Errors.
func (d dueErrors) StoreDue(ctx context.Context, due []run.Due) error {
	return d.due.StoreDue(ctx, due)
}

func overTables(function string, names []string) (*Handler, map[string]string, aws.Config, error) {
	vars, err := env.Load(function, names, os.LookupEnv)
	if err != nil {
		return nil, nil, aws.Config{}, err
	}
	cfg, err := awsenv.Load(os.LookupEnv)
	if err != nil {
		return nil, nil, aws.Config{}, err
	}
	useMemory(os.LookupEnv)
	store := state.New(cfg, state.Config{Table: vars[env.StateTable], Now: time.Now})
	held := ledger.New(cfg, ledger.Config{Table: vars[env.LedgerTable]})
	return &Handler{Function: os.Getenv(env.FunctionName), Log: slog.New(slog.NewJSONHandler(os.Stdout, nil)), Deliver: &deliver.Deliver{
		Queue: function, Syncs: store, Connections: store, Tokens: store, Runs: store, Chunks: store, Unchanged: store, Halts: store, Freshness: store,
		Ledger: held, Listing: held, Verifications: store,
		Errors: dueErrors{awserrors.New(cfg, awserrors.Config{Table: vars[env.ErrorsTable], Now: time.Now}), store},
		Now:    time.Now, Sleep: Sleep, Rand: rand.Float64, Timeout: deliver.Timeout,
	}}, vars, cfg, nil
}
