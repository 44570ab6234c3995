package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// Pauses reads which syncs a person has paused.
type Pauses interface {
	// Pause reads a sync's pause; run.ErrNotFound when it is not paused.
	Pause(ctx context.Context, sync string) (run.Pause, error)
}

// pauseLife is how long a sync that was paused may still take rows, and one that was
// resumed refuse them.
const pauseLife = 5 * time.Second

// paused says why a person's pause stops rows that are pushed to a sync by its name; nil
// where none does. The rows of a run that had begun before go on.
func (in *Intake) paused(ctx context.Context, name string) (*row.Fault, error) {
	if in.Pauses == nil || run.IsID(name) {
		return nil, nil
	}
	p, err := in.pauses.of(name, pauseLife, in.Now(), func() (run.Pause, error) {
		p, err := in.Pauses.Pause(ctx, name)
		if errors.Is(err, run.ErrNotFound) {
			return run.Pause{}, nil
		}
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("read whether sync %q is paused: %w", name, err)
	}
	if p.Sync == "" {
		return nil, nil
	}
	return &row.Fault{Rule: run.Paused, Message: fmt.Sprintf("the sync %q is %s; push the row again after  penstock resume %[1]s ", name, p.Why())}, nil
}
