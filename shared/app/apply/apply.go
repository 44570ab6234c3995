// Package apply wires penstock apply to a deployed Penstock: the definitions in
// the DynamoDB table that the functions read.
package apply

import (
	"context"
	"time"

	"github.com/penstock-data/penstock/shared/aws"
	"github.com/penstock-data/penstock/shared/aws/state"
)

// FromAWS opens the definitions and the runs in the table of that name, with the credentials
// and the region of the environment. It calls nothing yet.
func FromAWS(ctx context.Context, stateTable string) (*state.Store, error) {
	cfg, err := aws.Load(ctx)
	if err != nil {
		return nil, err
	}
	return state.New(cfg, state.Config{Table: stateTable, Now: time.Now}), nil
}
