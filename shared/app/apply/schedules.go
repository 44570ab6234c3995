package apply

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/penstock-data/penstock/shared/aws/scheduler"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

// Schedules are the entries of a stack in EventBridge Scheduler.
type Schedules struct {
	store *scheduler.Store
	now   func() time.Time
}

// The outputs of template.yaml that entries use.
const (
	groupOutput    = "ScheduleGroup"
	functionOutput = "ScheduleFunctionArn"
	roleOutput     = "ScheduleRoleArn"
	deadOutput     = "ScheduleDeadLettersArn"
)

func schedules(cfg sdk.Config, out map[string]string) *Schedules {
	c := scheduler.Config{Group: out[groupOutput], Function: out[functionOutput], Role: out[roleOutput], DeadLetters: out[deadOutput]}
	if c.Group == "" || c.Function == "" || c.Role == "" || c.DeadLetters == "" {
		return nil
	}
	return &Schedules{scheduler.New(cfg, c), time.Now}
}

// Changes says what is to be done so that these definitions run when they are due, and
// no others of the folder do: runs is false where its connections.yaml names no
// warehouse. Syncs that are applied, and not among the definitions, keep what they have.
func (s *Schedules) Changes(ctx context.Context, definitions []syncdef.Definition, applied []string, runs bool) ([]scheduler.Change, error) {
	var want []scheduler.Entry
	ours := map[string]bool{}
	for i := range definitions {
		d := &definitions[i]
		ours[d.Sync] = true
		if !runs || d.Frequency == "" {
			continue
		}
		entries, err := entriesOf(d, s.now())
		if err != nil {
			return nil, fmt.Errorf("the schedule of sync %q: %w", d.Sync, err)
		}
		want = append(want, entries...)
	}
	return s.store.Changes(ctx, want, func(sync string) bool { return !ours[sync] && slices.Contains(applied, sync) })
}

// Make does a change.
func (s *Schedules) Make(ctx context.Context, c scheduler.Change) error {
	return s.store.Make(ctx, c, s.now())
}

// entriesOf are a sync's entries: one, or two where its cron expression names days of
// the month and of the week both. A time that both have is one due time to the function.
func entriesOf(d *syncdef.Definition, now time.Time) ([]scheduler.Entry, error) {
	p, err := frequency.Of(d)
	if err != nil {
		return nil, err
	}
	set := d.Scheduled()
	var out []scheduler.Entry
	for i, expression := range p.Expressions() {
		e := scheduler.Entry{Name: nameOf(d.Sync, i), Sync: d.Sync, Mode: string(set.Mode), Expression: expression, TimeZone: set.TimeZone,
			Window: int((p.Jitter + time.Minute - 1) / time.Minute), Least: p.Least()}
		if p.Interval() > 0 { // so that all count from the same moment; Scheduler takes none that has passed
			e.Start = p.Next(now.Add(time.Minute))
		}
		out = append(out, e)
	}
	return out, nil
}

// maxName is how long a schedule's name may be (API reference, CreateSchedule).
const maxName = 64

// nameOf is the name of a sync's nth entry.
func nameOf(sync string, n int) string {
	if n == 0 {
		return sync
	}
	name := fmt.Sprintf("%s-%d", sync, n+1)
	if len(name) > maxName {
		h := sha256.Sum256([]byte(sync))
		name = fmt.Sprintf("%s-%s-%d", sync[:maxName-12], hex.EncodeToString(h[:4]), n+1)
	}
	return name
}
