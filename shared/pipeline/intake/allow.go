package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// allowLife is how long a role that was taken off a list may still push.
const allowLife = 10 * time.Second

// may refuses the rows of a caller that may not push to what they name. It comes
// before the pinned batch: a batch's id is no proof of who sends it.
func (in *Intake) may(ctx context.Context, c row.Caller, name string) error {
	if !run.IsName(name) {
		return in.unknown(ctx, c, name)
	}
	if c.Owner {
		return nil
	}
	allow, err := in.allow(ctx, name)
	switch {
	case errors.Is(err, run.ErrNotFound):
		return nil // resolve says that there is none
	case err != nil:
		return err
	case allow.MayPush(c):
		return nil
	case !allow.MaySee(c):
		return in.unknown(ctx, c, name)
	}
	return nowhere("not_allowed", "%s", syncdef.Denied(c, run.SyncOf(name), "push to it", "push"))
}

// allow is who may do what, by the version that is applied now, or by the run's where
// its sync was removed.
func (in *Intake) allow(ctx context.Context, name string) (*syncdef.Allow, error) {
	sync := run.SyncOf(name)
	allow, err := in.allows.of(sync, allowLife, in.Now(), func() (*syncdef.Allow, error) {
		v, err := in.Syncs.Current(ctx, sync)
		return v.Definition.Allow, err
	})
	if errors.Is(err, run.ErrNotFound) && run.IsID(name) {
		var r run.Run
		if r, err = in.Runs.Run(ctx, name); err == nil {
			var v syncdef.Version
			v, err = in.Syncs.Version(ctx, sync, r.Version)
			allow = v.Definition.Allow
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read who may push to %q: %w", name, err)
	}
	return allow, nil
}

// visible are the syncs that a caller may know of.
func (in *Intake) visible(ctx context.Context, c row.Caller) ([]string, error) {
	names, err := in.Syncs.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list syncs: %w", err)
	}
	if c.Owner {
		return names, nil
	}
	var out []string
	for _, name := range names {
		allow, err := in.allow(ctx, name)
		if errors.Is(err, run.ErrNotFound) {
			continue // removed since
		}
		if err != nil {
			return nil, err
		}
		if allow.MaySee(c) {
			out = append(out, name)
		}
	}
	return out, nil
}
