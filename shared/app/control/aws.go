package control

import (
	"log/slog"
	"os"
	"time"

	"github.com/penstock-data/penstock/shared/app/awsenv"
	"github.com/penstock-data/penstock/shared/app/env"
	awserrors "github.com/penstock-data/penstock/shared/aws/errors"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/pipeline"
)

// FromEnvironment is the control function on AWS.
func FromEnvironment() (*Handler, error) {
	vars, err := env.Load("control", os.LookupEnv)
	if err != nil {
		return nil, err
	}
	cfg, err := awsenv.Load(os.LookupEnv)
	if err != nil {
		return nil, err
	}
	store := state.New(cfg, state.Config{Table: vars[env.StateTable], Now: time.Now})
	return &Handler{Log: slog.New(slog.NewJSONHandler(os.Stdout, nil)), Control: &pipeline.Control{
		Syncs: store, Runs: store,
		Errors: awserrors.New(cfg, awserrors.Config{Table: vars[env.ErrorsTable], Now: time.Now}),
		Now:    time.Now,
	}}, nil
}
