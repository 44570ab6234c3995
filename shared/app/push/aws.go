package push

import (
	"log/slog"
	"os"
	"time"

	"github.com/penstock-data/penstock/shared/app/awsenv"
	"github.com/penstock-data/penstock/shared/app/env"
	awserrors "github.com/penstock-data/penstock/shared/aws/errors"
	"github.com/penstock-data/penstock/shared/aws/ledger"
	"github.com/penstock-data/penstock/shared/aws/queue"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
)

// FromEnvironment is the push function on AWS.
func FromEnvironment() (*Handler, error) {
	vars, err := env.Load("push", env.Functions["push"], os.LookupEnv)
	if err != nil {
		return nil, err
	}
	urls, err := env.Queues(os.Environ())
	if err != nil {
		return nil, err
	}
	cfg, err := awsenv.Load(os.LookupEnv)
	if err != nil {
		return nil, err
	}
	store := state.New(cfg, state.Config{Table: vars[env.StateTable], Now: time.Now})
	return &Handler{Function: os.Getenv(env.FunctionName), Log: slog.New(slog.NewJSONHandler(os.Stdout, nil)), Intake: &intake.Intake{
		Syncs: store, Connections: store, Runs: store, Batches: store, Chunks: store,
		Errors: awserrors.New(cfg, awserrors.Config{Table: vars[env.ErrorsTable], Now: time.Now}),
		Queue:  queue.New(cfg, queue.Config{URLs: urls}),
		Ledger: ledger.New(cfg, ledger.Config{Table: vars[env.LedgerTable]}),
		Seen:   store,
		Pauses: store,
		Now:    time.Now,
	}}, nil
}
