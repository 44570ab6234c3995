package runs

import (
	"context"
	"errors"
	"time"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// Audit keeps what people did.
type Audit interface {
	// StoreAction stores an action, over that of the same At and ID.
	StoreAction(ctx context.Context, a run.Action) error
	// Actions lists what was done since a moment, the newest first, at most limit.
	Actions(ctx context.Context, since time.Time, limit int) ([]run.Action, error)
}

type actorKey struct{}

// As names who acts, for the audit log: a role in SQL, a person's login name elsewhere.
func As(ctx context.Context, who string) context.Context {
	return context.WithValue(ctx, actorKey{}, who)
}

// actor is who acts; a caller of whom nothing is told is unknown.
func actor(ctx context.Context) string {
	if who, _ := ctx.Value(actorKey{}).(string); who != "" {
		return cut(who)
	}
	return "unknown"
}

// act carries an action out between two entries of the audit log: it stands there
// before anything is done, so that what a process did that died is known, and with its
// result after. do answers what came of it. Where the log takes no entry, nothing is done.
func (c *Control) act(ctx context.Context, what, on string, do func() (note string, err error)) error {
	defer c.reshow(ctx, what, on)
	if c.Audit == nil {
		_, err := do()
		return err
	}
	a := run.Action{At: c.Now(), Who: actor(ctx), What: what, On: on}.Begin()
	if err := c.Audit.StoreAction(ctx, a); err != nil {
		return err
	}
	note, err := do()
	var refused *row.Refusal
	switch a.Note, a.Result = cut(note), run.ActionDone; {
	case errors.As(err, &refused):
		a.Note, a.Result = cut(refused.Message), run.ActionRefused
	case err != nil:
		a.Note, a.Result = cut(err.Error()), run.ActionFailed
	}
	return errors.Join(err, c.Audit.StoreAction(context.WithoutCancel(ctx), a))
}

// named keeps what a caller wrote in the place of a sync or run, which may be a column's
// value, out of the log unless it can be a name (I6).
func named(name string) string {
	if run.IsName(name) {
		return name
	}
	return "(no name)"
}

// Actions lists what was done since a moment, the newest first, at most limit.
func (c *Control) Actions(ctx context.Context, since time.Time, limit int) ([]run.Action, error) {
	if c.Audit == nil {
		return nil, nil
	}
	if oldest := c.Now().Add(-run.KeepActions); since.Before(oldest) {
		since = oldest
	}
	if since.After(c.Now().Add(24 * time.Hour)) { // more than clocks differ, and more than storage can tell
		return nil, nil
	}
	return c.Audit.Actions(ctx, since, limit)
}
