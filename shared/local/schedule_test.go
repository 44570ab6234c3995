package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/local"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

// A scheduler calls at due times, after their jitter; after a sleep it calls once, and
// what failed it calls again.
func TestScheduler(t *testing.T) {
	plan := func(often, jitter string) frequency.Plan {
		p, err := frequency.Of(&syncdef.Definition{Frequency: often, Schedule: &syncdef.Schedule{TimeZone: "Europe/Berlin", Jitter: jitter}})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	now := time.Date(2026, 1, 5, 10, 0, 30, 0, time.UTC)
	applied := now
	after := map[string]time.Time{"hourly": applied, "daily": applied, "late": applied}
	plans := map[string]frequency.Plan{"hourly": plan("hourly", ""), "daily": plan("daily", ""), "late": plan("hourly", "20m")}
	var calls []string
	var down error
	s := &local.Scheduler{
		Now: func() time.Time { return now },
		Entries: func(context.Context) (all []local.Entry, err error) {
			for _, name := range []string{"daily", "hourly", "late"} {
				all = append(all, local.Entry{Sync: name, Mode: "full", Plan: plans[name], After: after[name]})
			}
			return all, nil
		},
		Target: invoked(func(_ context.Context, payload []byte) ([]byte, error) {
			var e struct {
				Sync, Mode string
				At         time.Time `json:"scheduled_time"`
			}
			if err := json.Unmarshal(payload, &e); err != nil || e.Mode != "full" {
				t.Fatalf("%s: %v", payload, err)
			}
			calls = append(calls, e.Sync+" "+e.At.Format("02T15:04"))
			if down == nil {
				after[e.Sync] = e.At // as the target stores it
			}
			return nil, down
		}),
	}
	late := plans["late"].Delay("late", time.Date(2026, 1, 5, 11, 0, 0, 0, time.UTC)) // the same whenever it is asked for
	if late <= 0 || late >= 20*time.Minute {
		t.Fatalf("the delay is %s", late)
	}
	for _, step := range []struct {
		name string
		at   time.Time
		down error
		want []string
	}{
		{"before any is due", now, nil, nil},
		{"a second before", time.Date(2026, 1, 5, 10, 59, 59, 0, time.UTC), nil, nil},
		{"due", time.Date(2026, 1, 5, 11, 0, 0, 0, time.UTC), errors.New("down"), []string{"hourly 05T11:00"}},
		{"again, since it failed", time.Date(2026, 1, 5, 11, 0, 0, 0, time.UTC), nil, []string{"hourly 05T11:00"}},
		{"not twice", time.Date(2026, 1, 5, 11, 0, 0, 0, time.UTC), nil, nil},
		{"the jitter is over", time.Date(2026, 1, 5, 11, 0, 0, 0, time.UTC).Add(late), nil, []string{"late 05T11:00"}},
		{"after two days of sleep", time.Date(2026, 1, 7, 9, 30, 0, 0, time.UTC), nil, []string{"daily 06T23:00", "hourly 07T09:00", "late 07T09:00"}},
		{"all is made good", time.Date(2026, 1, 7, 9, 31, 0, 0, time.UTC), nil, nil},
	} {
		calls, now, down = nil, step.at, step.down
		if _, err := s.Invoke(t.Context(), nil); (err != nil) != (step.down != nil) {
			t.Errorf("%s: %v", step.name, err)
		}
		if len(calls) != len(step.want) {
			t.Errorf("%s: %v, want %v", step.name, calls, step.want)
			continue
		}
		for i := range calls {
			if calls[i] != step.want[i] {
				t.Errorf("%s: %v, want %v", step.name, calls, step.want)
			}
		}
	}
}

// A schedule that cannot be read keeps no other one from being called.
func TestSchedulerWithoutOne(t *testing.T) {
	p, err := frequency.Of(&syncdef.Definition{Frequency: "hourly"})
	if err != nil {
		t.Fatal(err)
	}
	noon, calls := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC), 0
	s := &local.Scheduler{
		Now: func() time.Time { return noon },
		Entries: func(context.Context) ([]local.Entry, error) {
			return []local.Entry{{Sync: "good", Plan: p, After: noon.Add(-time.Hour)}}, errors.New("the sync \"bad\": no such zone")
		},
		Target: invoked(func(context.Context, []byte) ([]byte, error) { calls++; return nil, nil }),
	}
	if _, err := s.Invoke(t.Context(), nil); err == nil || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}
