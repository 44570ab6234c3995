package redshift

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/app/env"
	"github.com/penstock-data/penstock/shared/app/push"
	"github.com/penstock-data/penstock/shared/app/stores"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// FromEnvironment is the redshift function on AWS.
func FromEnvironment() (*Handler, error) {
	s, in, _, err := stores.FromEnvironment("redshift")
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	return &Handler{
		Push:    &push.Handler{Intake: in, Log: log},
		Control: &control.Handler{Log: log, Control: &runs.Control{Stores: s, Replayer: in, Checker: in, Policy: run.DefaultPolicy(), Now: time.Now}},
		Log:     log, Now: time.Now, Wait: wait, Function: os.Getenv(env.FunctionName),
	}, nil
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
