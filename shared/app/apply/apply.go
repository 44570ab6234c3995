// Package apply wires penstock apply to a deployed Penstock: the definitions in
// the DynamoDB table that the functions read.
package apply

import (
	"context"
	"time"

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
	s := state.New(cfg, state.Config{Table: stateTable, Now: time.Now})
	return &runs.Control{
		Stores: runs.Stores{Syncs: s, Connections: s, Runs: s, History: s, Marks: s, Halts: s, Firings: s},
		Policy: run.DefaultPolicy(), Now: time.Now,
	}, nil
}
