package sweep

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/penstock-data/penstock/shared/app/awsenv"
	"github.com/penstock-data/penstock/shared/app/env"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/run"
)

// GiveUp is how long a run may be quiet before it is called incomplete.
const GiveUp = time.Hour

// FromEnvironment is the sweep function on AWS.
func FromEnvironment() (*Handler, error) {
	vars, err := env.Load("sweep", os.LookupEnv)
	if err != nil {
		return nil, err
	}
	quiet, err := quietTime(vars[env.Quiet])
	if err != nil {
		return nil, err
	}
	cfg, err := awsenv.Load(os.LookupEnv)
	if err != nil {
		return nil, err
	}
	return &Handler{Log: slog.New(slog.NewJSONHandler(os.Stdout, nil)), Sweep: &pipeline.Sweep{
		Runs:   state.New(cfg, state.Config{Table: vars[env.StateTable], Now: time.Now}),
		Policy: run.Policy{Quiet: quiet, GiveUp: GiveUp},
		Now:    time.Now,
	}}, nil
}

// quietTime reads how long an implicit run is silent before it is closed. It
// must end before a run is given up for having been quiet.
func quietTime(text string) (time.Duration, error) {
	quiet, err := time.ParseDuration(text)
	if err != nil || quiet < time.Second || quiet >= GiveUp {
		return 0, fmt.Errorf("%s is %q: want a duration of at least 1s and less than %s, such as 2m", env.Quiet, text, GiveUp)
	}
	return quiet, nil
}
