package intake

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/pipeline/version"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// resolve finds a part's run, and stores the implicit one of a query. A
// *row.Fault says that the name leads nowhere.
func (in *Intake) resolve(ctx context.Context, id string, b row.Batch, name string) (run.Run, *version.Compiled, error) {
	r, err := in.Runs.Run(ctx, id)
	switch {
	case errors.Is(err, run.ErrNotFound) && !run.IsID(name):
		return in.begin(ctx, run.Run{ID: id, Sync: name, Mode: run.Incremental, Query: b.Query}, b.Caller)
	case errors.Is(err, run.ErrNotFound):
		if _, err := in.Syncs.Current(ctx, run.SyncOf(name)); errors.Is(err, run.ErrNotFound) {
			return r, nil, in.unknown(ctx, b.Caller, name) // as of a sync that is hidden from the caller
		}
		return r, nil, nowhere("unknown_run", "there is no run %q: pass what penstock_begin answered, or the name of a sync", name)
	case err != nil:
		return r, nil, fmt.Errorf("read run %q: %w", id, err)
	}
	if run.IsID(name) {
		if err := takes(r, name); err != nil {
			return r, nil, err
		}
	}
	v, err := in.load(ctx, r.Sync, r.Version)
	return r, v, err
}

// takes says why a run that was named takes no rows. One that was cancelled takes
// them: they are answered blocked.
func takes(r run.Run, name string) error {
	switch {
	case r.Sync != run.SyncOf(name):
		return nowhere("unknown_run", "the run %q is not of the sync that its name says: pass what penstock_begin answered", name)
	case run.IsRetry(name):
		return nowhere("run_ended", "the run %q is a retry's and takes no pushed rows: push to the sync %q, or begin a run", name, r.Sync)
	case r.TakenBy != "":
		return nowhere("run_taken_over", "the run %q was taken over by run %q, because no request had named it for long: begin a new one", name, r.TakenBy)
	case r.Status != run.Open && !r.Status.Dead():
		return nowhere("run_ended", "the run %q is %s and takes no more rows: begin a new one", name, r.Status)
	}
	return nil
}

func nowhere(rule, format string, args ...any) error {
	return &row.Fault{Field: "sync", Rule: rule, Message: fmt.Sprintf(format, args...)}
}

// begin stores an implicit run at its sync's current version, unless it exists.
func (in *Intake) begin(ctx context.Context, r run.Run, c row.Caller) (run.Run, *version.Compiled, error) {
	current, err := in.Syncs.Current(ctx, r.Sync)
	if errors.Is(err, run.ErrNotFound) {
		return r, nil, in.unknown(ctx, c, r.Sync)
	}
	if err != nil {
		return r, nil, fmt.Errorf("read sync %q: %w", r.Sync, err)
	}
	v, err := in.compiled(current)
	if err != nil {
		return r, nil, err
	}
	epoch, err := in.epoch(ctx, current.Definition.Connection)
	if err != nil {
		return r, nil, err
	}
	r.Version, r.Target = current.ID, v.Target(epoch)
	r.Status, r.BegunAt, r.Expected = run.Open, in.Now(), -1
	stored, err := in.Runs.EnsureRun(ctx, r)
	if err != nil {
		return r, nil, fmt.Errorf("start a run of sync %q: %w", r.Sync, err)
	}
	if stored.Version != v.Version.ID { // another batch of the query was first, before an apply
		v, err = in.load(ctx, stored.Sync, stored.Version)
	}
	return stored, v, err
}

// load is a run's version, compiled.
func (in *Intake) load(ctx context.Context, sync, id string) (*version.Compiled, error) {
	if v, ok := in.versions.Known(sync, id); ok {
		return v, nil
	}
	v, err := in.Syncs.Version(ctx, sync, id)
	if err != nil {
		return nil, fmt.Errorf("read sync %q version %s: %w", sync, id, err)
	}
	return in.compiled(v)
}

// compiled refuses the request where this program cannot carry out the version.
func (in *Intake) compiled(v syncdef.Version) (*version.Compiled, error) {
	c, err := in.versions.Of(v)
	if err != nil {
		return nil, &row.Refusal{Message: fmt.Sprintf("sync %q cannot be carried out by this Penstock: %v; mend the definition and run penstock apply", v.Definition.Sync, err), Err: err}
	}
	return c, nil
}

// unusable is a sync that cannot be carried out, as the fault of the rows that name it: those
// of other syncs in the request go on.
func unusable(err error) error {
	var refusal *row.Refusal
	if errors.As(err, &refusal) && refusal.Kind == row.Mistake {
		return nowhere("unusable_sync", "%s", refusal.Message)
	}
	return err
}

// unknown says which syncs there are, of those that the caller may know of. What cannot be a
// name is not repeated: a column, or the row, may stand in its place (I6).
func (in *Intake) unknown(ctx context.Context, c row.Caller, name string) error {
	names, err := in.visible(ctx, c)
	if err != nil {
		return err
	}
	there := "none is applied yet: run penstock apply"
	if len(names) > 0 {
		there = fmt.Sprintf("applied are %q; to add one, run penstock apply", names)
	}
	if !run.IsName(strings.ToLower(name)) {
		return nowhere("unknown_sync", "there is no sync of such a name (the first argument is a text of %d bytes): pass a sync's name first, and the row second; %s%s", len(name), there, syncdef.Unseen(c))
	}
	return nowhere("unknown_sync", "there is no sync %q: %s%s", name, there, syncdef.Unseen(c))
}
