// Package scheduler keeps the entries of EventBridge Scheduler that call a stack's
// schedule function at its syncs' due times: in a group of the stack's own, whose other
// entries it leaves alone (AWS documentation, "EventBridge Scheduler API Reference"). It
// compares and writes; which entries there should be is said by shared/app/apply.
package scheduler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

// Config names what of the stack its entries use, as its outputs do.
type Config struct {
	Group       string // the schedule group's name
	Function    string // ARN of the function that is called
	Role        string // ARN of the role that may call it
	DeadLetters string // ARN of the queue that takes what could not be handed over
}

// An Entry is one schedule.
type Entry struct {
	Name       string // in the group, at most 64 characters of Scheduler's alphabet
	Sync       string
	Mode       string
	Expression string        // rate(...) or cron(...)
	TimeZone   string        // that a cron expression is in
	Window     int           // minutes within which it fires; 0 is at the minute
	Start      time.Time     // a rate is counted from it; zero for cron
	Least      time.Duration // the shortest time between two firings: repeats end before the next
}

// A Store reads and writes the entries of a group.
type Store struct {
	api *scheduler.Client
	cfg Config
}

// New makes a Store; it calls nothing yet.
func New(cfg aws.Config, c Config) *Store { return &Store{scheduler.NewFromConfig(cfg), c} }

// Scheduled is the text that Scheduler puts the due time in the place of (its user guide,
// "Adding context attributes").
const Scheduled = "<aws.scheduler.scheduled-time>"

// payload is what the function is called with.
type payload struct {
	Sync string `json:"sync"`
	Mode string `json:"mode"`
	At   string `json:"scheduled_time"`
}

// Scheduler's bounds of a retry policy (API reference, RetryPolicy), and ours: what is
// an hour late gives way to the sweep, which has the due time too.
const (
	leastAge = 60
	mostAge  = 3600
)

// retries repeat for less than the time to the next firing. Of a schedule of every
// minute nothing is repeated: a minute is the least age.
func retries(least time.Duration) *types.RetryPolicy {
	age := min(int32(least.Seconds())/2, mostAge)
	attempts := int32(20)
	if age < leastAge {
		age, attempts = leastAge, 2
	}
	if least <= leastAge*time.Second {
		attempts = 0
	}
	return &types.RetryPolicy{MaximumEventAgeInSeconds: &age, MaximumRetryAttempts: &attempts}
}

// A form is an entry as Scheduler stores it, but for its start: what is compared.
type form struct {
	Expression, Zone, Input, Function, Role, DeadLetters, State string
	Window, Age, Attempts                                       int32
}

func (s *Store) form(e Entry) (form, error) {
	input := fmt.Sprintf(`{"sync":%q,"mode":%q,"scheduled_time":%q}`, e.Sync, e.Mode, Scheduled) // json.Marshal would escape < and >
	r := retries(e.Least)
	f := form{Expression: e.Expression, Zone: e.TimeZone, Input: input, Function: s.cfg.Function, Role: s.cfg.Role, DeadLetters: s.cfg.DeadLetters,
		State: string(types.ScheduleStateEnabled), Window: int32(e.Window), Age: *r.MaximumEventAgeInSeconds, Attempts: *r.MaximumRetryAttempts}
	if !json.Valid([]byte(input)) {
		return f, fmt.Errorf("the payload of schedule %s cannot be written", e.Name)
	}
	return f, nil
}

func (f form) window() *types.FlexibleTimeWindow {
	if f.Window == 0 {
		return &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff}
	}
	return &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeFlexible, MaximumWindowInMinutes: &f.Window}
}

func (f form) target() *types.Target {
	return &types.Target{Arn: &f.Function, RoleArn: &f.Role, Input: &f.Input, DeadLetterConfig: &types.DeadLetterConfig{Arn: &f.DeadLetters},
		RetryPolicy: &types.RetryPolicy{MaximumEventAgeInSeconds: &f.Age, MaximumRetryAttempts: &f.Attempts}}
}

// stored is what is there.
type stored struct {
	name     string
	sync     string
	form     form
	modified time.Time
}

// list reads the group's entries that call for a sync.
func (s *Store) list(ctx context.Context) (map[string]stored, error) {
	all := map[string]stored{}
	pages := scheduler.NewListSchedulesPaginator(s.api, &scheduler.ListSchedulesInput{GroupName: &s.cfg.Group})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the schedules of group %s: %w", s.cfg.Group, err)
		}
		for _, one := range page.Schedules {
			found, err := s.get(ctx, aws.ToString(one.Name))
			if err != nil {
				return nil, err
			}
			if found.sync != "" {
				all[found.name] = found
			}
		}
	}
	return all, nil
}

// get reads one entry; without a sync where it is none of ours, or has gone.
func (s *Store) get(ctx context.Context, name string) (stored, error) {
	out, err := s.api.GetSchedule(ctx, &scheduler.GetScheduleInput{GroupName: &s.cfg.Group, Name: &name})
	var gone *types.ResourceNotFoundException
	if errors.As(err, &gone) {
		return stored{}, nil
	}
	if err != nil {
		return stored{}, fmt.Errorf("read the schedule %s: %w", name, err)
	}
	f := form{Expression: aws.ToString(out.ScheduleExpression), Zone: aws.ToString(out.ScheduleExpressionTimezone), State: string(out.State)}
	if w := out.FlexibleTimeWindow; w != nil {
		f.Window = aws.ToInt32(w.MaximumWindowInMinutes)
	}
	if t := out.Target; t != nil {
		f.Input, f.Function, f.Role = aws.ToString(t.Input), aws.ToString(t.Arn), aws.ToString(t.RoleArn)
		if t.DeadLetterConfig != nil {
			f.DeadLetters = aws.ToString(t.DeadLetterConfig.Arn)
		}
		if t.RetryPolicy != nil {
			f.Age, f.Attempts = aws.ToInt32(t.RetryPolicy.MaximumEventAgeInSeconds), aws.ToInt32(t.RetryPolicy.MaximumRetryAttempts)
		}
	}
	var p payload
	if json.Unmarshal([]byte(f.Input), &p) != nil {
		p.Sync = ""
	}
	return stored{name: name, sync: p.Sync, form: f, modified: aws.ToTime(out.LastModificationDate)}, nil
}

// token makes a write idempotent: the same write after the same state has the same one.
func token(parts ...any) *string {
	h := sha256.Sum256(fmt.Appendf(nil, "%+v", parts))
	return aws.String(hex.EncodeToString(h[:16]))
}
