package control

import (
	"log/slog"
	"os"
	"time"

	"github.com/penstock-data/penstock/shared/app/env"
	"github.com/penstock-data/penstock/shared/app/stores"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// FromEnvironment is the control function on AWS.
func FromEnvironment() (*Handler, error) {
	s, in, _, err := stores.FromEnvironment("control")
	if err != nil {
		return nil, err
	}
	return &Handler{
		Function: os.Getenv(env.FunctionName), Log: slog.New(slog.NewJSONHandler(os.Stdout, nil)),
		Control: &runs.Control{Stores: s, Replayer: in, Checker: in, Policy: run.DefaultPolicy(), Now: time.Now},
	}, nil
}
