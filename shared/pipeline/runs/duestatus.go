package runs

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

// A ScheduleStatus is how a sync's schedule stands.
type ScheduleStatus struct {
	Frequency string    `json:"sync_frequency"`
	TimeZone  string    `json:"time_zone"`
	Mode      string    `json:"mode"`
	Next      time.Time `json:"next,omitzero"` // when it is due next; jitter comes on top
	// Missed is the last due time, where no run began at it and nothing says why.
	Missed time.Time   `json:"missed,omitzero"`
	After  string      `json:"waits_for,omitempty"` // the syncs of after that a run would wait for now
	Last   *run.Firing `json:"last,omitempty"`      // the due time that was acted on last; nil where nothing schedules
}

// grace is how late after its due time, jitter aside, a run may begin before the due
// time counts as missed: the scheduler's minute, a retry of it, a warehouse that has to
// wake up.
const grace = 5 * time.Minute

// schedule is how a sync's schedule stands; nil without a frequency. recent are its runs,
// newest first.
func (s *Stores) schedule(ctx context.Context, v syncdef.Version, recent []run.Run, now time.Time) (*ScheduleStatus, error) {
	d := &v.Definition
	after, err := s.awaits(ctx, d, now)
	if err != nil {
		return nil, err
	}
	p, err := frequency.Of(d)
	if err != nil { // none, or one that this program cannot read
		if after == "" {
			return nil, nil
		}
		return &ScheduleStatus{After: after}, nil
	}
	set := d.Scheduled()
	out := &ScheduleStatus{Frequency: d.Frequency, TimeZone: set.TimeZone, Mode: string(set.Mode), Next: p.Next(now), After: after}
	if s.Firings == nil {
		return out, nil
	}
	fired, err := s.Firings.RecentFirings(ctx, d.Sync, 1)
	if err != nil {
		return nil, fmt.Errorf("read the due times of sync %q: %w", d.Sync, err)
	}
	if len(fired) > 0 {
		out.Last = &fired[0]
	}
	if _, paused, err := s.pause(ctx, d.Sync); err != nil || paused {
		return out, err
	}
	out.Missed = missed(p, v.AppliedAt, out.Last, recent, now)
	return out, nil
}

// missed is the last due time at which a run should have begun by now and none has; zero
// where one has, or where the firing says what became of it.
func missed(p frequency.Plan, applied time.Time, last *run.Firing, recent []run.Run, now time.Time) time.Time {
	due := p.Last(now.Add(-p.Jitter - grace))
	if due.IsZero() || due.Before(applied) {
		return time.Time{}
	}
	from := due.Add(-early)
	if p.Interval() > 0 { // a scheduler may count intervals from another moment
		from = due.Add(-p.Interval())
	}
	if last != nil && !last.At.Before(from) {
		return time.Time{}
	}
	if begunSince(recent, from) {
		return time.Time{}
	}
	return due
}
