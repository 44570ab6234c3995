// Package deadletter wires the function that empties the dead-letter queues of all
// destinations on AWS: every row of a message that no worker could settle becomes a
// stored error (I1). It calls no vendor and no queue.
package deadletter

import (
	"context"
	"errors"
	"time"

	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// FromEnvironment is the deadletter function.
func FromEnvironment() (*worker.Handler, error) {
	h, _, _, err := worker.FromEnvironment("deadletter")
	if err != nil {
		return nil, err
	}
	h.Deliver.Dead = true
	h.Deliver.Visibility = left{}
	h.Deliver.Open = func(context.Context, syncdef.Version) (pipeline.Destination, error) {
		return nil, errors.New("dead letters are stored as errors, not delivered")
	}
	return h, nil
}

// left leaves a message that stays to its queue's visibility timeout: nothing here
// waits for anything but storage, so no other time would be better.
type left struct{}

func (left) Hide(context.Context, string, string, time.Duration) error { return nil }
