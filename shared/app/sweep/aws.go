package sweep

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/penstock-data/penstock/shared/app/env"
	"github.com/penstock-data/penstock/shared/app/stores"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// FromEnvironment is the sweep function on AWS.
func FromEnvironment() (*Handler, error) {
	s, in, vars, err := stores.FromEnvironment("sweep")
	if err != nil {
		return nil, err
	}
	p := run.DefaultPolicy()
	if p.Quiet, err = quietTime(vars[env.Quiet], p.GiveUp); err != nil {
		return nil, err
	}
	return &Handler{
		Function: os.Getenv(env.FunctionName), Log: slog.New(slog.NewJSONHandler(os.Stdout, nil)),
		Sweep: &runs.Sweep{Stores: s, Replayer: in, Policy: p, Now: time.Now},
	}, nil
}

// quietTime reads how long an implicit run is silent before it is closed. It
// must end before a run is given up for having been quiet.
func quietTime(text string, giveUp time.Duration) (time.Duration, error) {
	quiet, err := time.ParseDuration(text)
	if err != nil || quiet < time.Second || quiet >= giveUp {
		return 0, fmt.Errorf("%s is %q: want a duration of at least 1s and less than %s, such as 2m", env.Quiet, text, giveUp)
	}
	return quiet, nil
}
