package worker

import (
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/penstock-data/penstock/shared/app/awsenv"
	"github.com/penstock-data/penstock/shared/app/env"
	awserrors "github.com/penstock-data/penstock/shared/aws/errors"
	"github.com/penstock-data/penstock/shared/aws/ledger"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/pipeline"
)

// FromEnvironment is what all workers have in common on AWS: a Handler over the
// tables, and the variables and the configuration it was made from. The caller
// adds Visibility and Open, which not every worker needs: what is set here is
// linked into all of them.
func FromEnvironment(function string) (*Handler, map[string]string, aws.Config, error) {
	vars, err := env.Load(function, os.LookupEnv)
	if err != nil {
		return nil, nil, aws.Config{}, err
	}
	cfg, err := awsenv.Load(os.LookupEnv)
	if err != nil {
		return nil, nil, aws.Config{}, err
	}
	store := state.New(cfg, state.Config{Table: vars[env.StateTable], Now: time.Now})
	return &Handler{Log: slog.New(slog.NewJSONHandler(os.Stdout, nil)), Deliver: &pipeline.Deliver{
		Queue: function, Syncs: store, Runs: store, Pace: store,
		Ledger: ledger.New(cfg, ledger.Config{Table: vars[env.LedgerTable]}),
		Errors: awserrors.New(cfg, awserrors.Config{Table: vars[env.ErrorsTable], Now: time.Now}),
		Now:    time.Now, Sleep: Sleep, Rand: rand.Float64,
	}}, vars, cfg, nil
}
