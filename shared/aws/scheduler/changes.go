package scheduler

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

// A Change is what would be done to one entry.
type Change struct {
	Name string
	Sync string
	Old  string // the expression with its zone and window, "" of a new one
	New  string // likewise, "" of one that goes
	Note string // what else differs, "" for nothing

	entry Entry
	was   stored
}

// String prints the change on one line.
func (c Change) String() string {
	text := "schedule " + c.Name + ": "
	switch {
	case c.Old == "":
		text += "new, " + c.New
	case c.New == "":
		text += "removed, it was " + c.Old
	case c.Old == c.New:
		text += c.New
	default:
		text += c.Old + " -> " + c.New
	}
	if c.Note != "" {
		text += "  (" + c.Note + ")"
	}
	return text
}

// Changes compares the group with the entries that there should be: of the syncs that
// keep names, which this apply does not decide on, entries stay as they are.
func (s *Store) Changes(ctx context.Context, want []Entry, keep func(sync string) bool) ([]Change, error) {
	there, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	var out []Change
	for _, e := range want {
		f, err := s.form(e)
		if err != nil {
			return nil, err
		}
		was, found := there[e.Name]
		delete(there, e.Name)
		switch {
		case !found:
			out = append(out, Change{Name: e.Name, Sync: e.Sync, New: f.when(), entry: e})
		case was.form != f:
			c := Change{Name: e.Name, Sync: e.Sync, Old: was.form.when(), New: f.when(), entry: e, was: was}
			if c.Old == c.New {
				c.Note = "its mode, its function, role, dead letters or repeats differ"
			}
			out = append(out, c)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(there)) {
		if was := there[name]; !keep(was.sync) {
			out = append(out, Change{Name: name, Sync: was.sync, Old: was.form.when(), was: was})
		}
	}
	return out, nil
}

func (f form) when() string {
	text := f.Expression
	if !strings.HasPrefix(text, "rate(") {
		text += " " + f.Zone
	}
	if f.Window > 0 {
		text += fmt.Sprintf(", within %d min", f.Window)
	}
	return text
}

// Make does a change. Done again it changes nothing; what somebody else did meanwhile is
// written over. now tells one making of an entry from a later one.
func (s *Store) Make(ctx context.Context, c Change, now time.Time) error {
	var err error
	switch {
	case c.New == "":
		err = s.remove(ctx, c)
	case c.Old == "":
		err = s.create(ctx, c.entry, now)
	default:
		err = s.update(ctx, c.entry, c.was.modified)
	}
	if err != nil {
		return fmt.Errorf("schedule %s: %w", c.Name, err)
	}
	return nil
}

func (s *Store) create(ctx context.Context, e Entry, now time.Time) error {
	f, err := s.form(e)
	if err != nil {
		return err
	}
	_, err = s.api.CreateSchedule(ctx, &scheduler.CreateScheduleInput{
		ClientToken: token("create", e.Name, f, now.Unix()), GroupName: &s.cfg.Group, Name: &e.Name, Description: describe(e),
		ScheduleExpression: &f.Expression, ScheduleExpressionTimezone: &f.Zone, StartDate: start(e), State: types.ScheduleStateEnabled,
		FlexibleTimeWindow: f.window(), Target: f.target(),
	})
	var exists *types.ConflictException
	if !errors.As(err, &exists) {
		return err
	}
	was, err := s.get(ctx, e.Name)
	if err != nil || was.form == f {
		return err
	}
	return s.update(ctx, e, was.modified)
}

// update replaces all fields, as Scheduler does: none may be left out.
func (s *Store) update(ctx context.Context, e Entry, read time.Time) error {
	f, err := s.form(e)
	if err != nil {
		return err
	}
	_, err = s.api.UpdateSchedule(ctx, &scheduler.UpdateScheduleInput{
		ClientToken: token("update", e.Name, f, read.UnixNano()), GroupName: &s.cfg.Group, Name: &e.Name, Description: describe(e),
		ScheduleExpression: &f.Expression, ScheduleExpressionTimezone: &f.Zone, StartDate: start(e), State: types.ScheduleStateEnabled,
		FlexibleTimeWindow: f.window(), Target: f.target(),
	})
	return err
}

func (s *Store) remove(ctx context.Context, c Change) error {
	_, err := s.api.DeleteSchedule(ctx, &scheduler.DeleteScheduleInput{ClientToken: token("delete", c.Name, c.was.modified.UnixNano()), GroupName: &s.cfg.Group, Name: &c.Name})
	var gone *types.ResourceNotFoundException
	if errors.As(err, &gone) {
		return nil
	}
	return err
}

func describe(e Entry) *string { return aws.String("Penstock runs the sync " + e.Sync) }

func start(e Entry) *time.Time {
	if e.Start.IsZero() {
		return nil
	}
	return &e.Start
}
