// Package stores opens what control and sweep need on AWS: the tables, the queues,
// and the intake that takes rows that are sent again.
package stores

import (
	"os"
	"time"

	"github.com/penstock-data/penstock/shared/app/awsenv"
	"github.com/penstock-data/penstock/shared/app/env"
	awserrors "github.com/penstock-data/penstock/shared/aws/errors"
	"github.com/penstock-data/penstock/shared/aws/ledger"
	"github.com/penstock-data/penstock/shared/aws/queue"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

// FromEnvironment opens the stores of a function, and answers its other variables.
func FromEnvironment(function string) (s runs.Stores, in *intake.Intake, vars map[string]string, err error) {
	if vars, err = env.Load(function, env.Functions[function], os.LookupEnv); err != nil {
		return s, nil, nil, err
	}
	urls, err := env.Queues(os.Environ())
	if err != nil {
		return s, nil, nil, err
	}
	cfg, err := awsenv.Load(os.LookupEnv)
	if err != nil {
		return s, nil, nil, err
	}
	table := state.New(cfg, state.Config{Table: vars[env.StateTable], Now: time.Now})
	errs := awserrors.New(cfg, awserrors.Config{Table: vars[env.ErrorsTable], Now: time.Now})
	queues := queue.New(cfg, queue.Config{URLs: urls})
	held := ledger.New(cfg, ledger.Config{Table: vars[env.LedgerTable]})
	s = runs.Stores{
		Syncs: table, Definitions: table, Connections: table, Runs: table, History: table, Recorded: table, Marks: table, Due: table, Halts: table,
		Errors: errs, Depths: queues, Ledger: held, Mirrors: table, Firings: table, Freshness: table, Verifications: table, Pauses: table, Audit: table,
		Overviews: table, Some: table, Told: table, Lists: errs, Places: held, Versions: table, Entries: held, Sources: errs,
	}
	in = &intake.Intake{Syncs: table, Connections: table, Runs: table, Batches: table, Chunks: table, Errors: errs, Queue: queues, Ledger: held, Seen: table, Pauses: table, Now: time.Now}
	return s, in, vars, nil
}
