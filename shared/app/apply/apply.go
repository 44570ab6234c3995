// Package apply wires penstock apply to a deployed Penstock: the definitions in
// the DynamoDB table that the functions read.
package apply

import (
	"context"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/penstock-data/penstock/shared/app/remote"
	"github.com/penstock-data/penstock/shared/aws"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// FromAWS is over the definitions, connections and runs in the table of that name,
// with the credentials and the region of the environment. It calls nothing yet.
func FromAWS(ctx context.Context, stateTable string) (*runs.Control, error) {
	cfg, err := aws.Load(ctx)
	if err != nil {
		return nil, err
	}
	return over(cfg, stateTable), nil
}

// FromStack is over the table of a stack, and over its schedules; these are nil where
// the stack was deployed from a template that had none.
func FromStack(ctx context.Context, stack string) (*runs.Control, *Schedules, error) {
	cfg, out, err := remote.Stack(ctx, stack)
	if err != nil {
		return nil, nil, err
	}
	return over(cfg, out["StateTable"]), schedules(cfg, out), nil
}

func over(cfg sdk.Config, stateTable string) *runs.Control {
	s := state.New(cfg, state.Config{Table: stateTable, Now: time.Now})
	return &runs.Control{
		Stores: runs.Stores{Syncs: s, Definitions: s, Connections: s, Runs: s, History: s, Recorded: s, Marks: s, Halts: s, Firings: s, Pauses: s, Audit: s},
		Policy: run.DefaultPolicy(), Now: time.Now,
	}
}
