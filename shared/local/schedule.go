package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

// Scheduler does what EventBridge Scheduler does: at each entry's due times it calls the
// target with the entry's payload and the time. Due times that passed while the machine
// was off or asleep are one call, for the last of them. Each call of Invoke looks once.
type Scheduler struct {
	// Entries lists the schedules, each with the last due time that its target knows. With
	// an error it lists those that can be read.
	Entries func(ctx context.Context) ([]Entry, error)
	Target  Invoker
	Now     func() time.Time
}

// An Entry is the schedule of a sync.
type Entry struct {
	Sync  string
	Mode  string
	Plan  frequency.Plan
	After time.Time // due times up to here are done, or are from before the sync was applied
}

// Invoke calls the target for every entry that is due.
func (s *Scheduler) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	all, err := s.Entries(ctx)
	var errs []error
	if err != nil {
		errs = append(errs, fmt.Errorf("list schedules: %w", err))
	}
	for _, e := range all {
		due, is := e.due(s.Now())
		if !is {
			continue
		}
		payload, err := json.Marshal(map[string]string{"sync": e.Sync, "mode": e.Mode, "scheduled_time": due.Format(time.RFC3339)})
		if err == nil {
			_, err = s.Target.Invoke(ctx, payload)
		}
		if err != nil { // it is due still, and called again
			errs = append(errs, fmt.Errorf("the sync %q that was due at %s: %w", e.Sync, due.Format(time.RFC3339), err))
		}
	}
	return []byte("null"), errors.Join(errs...)
}

// due is the last due time, where it is to be acted on now.
func (e Entry) due(now time.Time) (time.Time, bool) {
	due := e.Plan.Last(now)
	if !due.After(e.After) { // zero is none
		return due, false
	}
	if now.Sub(due) >= e.Plan.Delay(e.Sync, due) {
		return due, true
	}
	// Its jitter is not over: the one before may have been missed, but this one comes soon.
	return due, false
}
