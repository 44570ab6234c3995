package runs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Selection is which rows a run is to push.
type Selection string

// The selections.
const (
	Since Selection = "since" // those at or above the watermark
	All   Selection = "all"
	Wait  Selection = "wait" // none: the last run still settles, or a sync of after has to run first
)

// Begun answers penstock_begin. With Select wait there is no Run, and Reason says
// what is waited for.
type Begun struct {
	Run       string    `json:"run,omitempty"`
	Sync      string    `json:"sync"`
	Version   string    `json:"version"`
	Mode      run.Mode  `json:"mode"`
	Select    Selection `json:"select"`
	Watermark string    `json:"-"`                         // a raw JSON scalar; "" unless Select is since
	Type      string    `json:"watermark_type,omitempty"`  // number, timestamp or text: how its column's values compare
	Zoned     bool      `json:"watermark_zoned,omitempty"` // a timestamp that says its zone; one that does not compares with what says none
	Model     string    `json:"model"`                     // the table or view to read
	Cursor    string    `json:"cursor,omitempty"`          // its column that the watermark is of
	Gate      string    `json:"gate,omitempty"`            // the view of its quality gate, to be read before the first push
	GateOf    string    `json:"gate_definition,omitempty"` // the definition that the view must be of: quality.Gate.ID
	Reason    string    `json:"reason,omitempty"`
}

// Begin starts a bracketed run, unless the last one still goes on. token is the
// caller's batch id with the row's number: a retried call is answered with the run
// that the first one began.
func (c *Control) Begin(ctx context.Context, sync, mode, token string) (Begun, error) {
	if mode == "" {
		mode = string(run.Incremental)
	}
	if mode != string(run.Incremental) && mode != string(run.Full) {
		return Begun{}, row.Refuse("penstock_begin: this mode is not known: use incremental or full")
	}
	v, err := c.current(ctx, "penstock_begin", sync)
	if err != nil {
		return Begun{}, err
	}
	for range attempts {
		answer, err := c.begin(ctx, v, run.Mode(mode), run.BegunID(sync, token))
		if !errors.Is(err, run.ErrConflict) {
			return answer, err
		}
	}
	return Begun{}, fmt.Errorf("begin a run of sync %q: %w", sync, run.ErrConflict)
}

func (c *Control) begin(ctx context.Context, v syncdef.Version, mode run.Mode, id string) (Begun, error) {
	sync := v.Definition.Sync
	r, err := c.Runs.Run(ctx, id)
	if err == nil {
		return c.begun(ctx, r, v)
	}
	if !errors.Is(err, run.ErrNotFound) {
		return Begun{}, fmt.Errorf("read run %q: %w", id, err)
	}
	latest, err := c.Runs.Latest(ctx, sync)
	if err != nil {
		return Begun{}, fmt.Errorf("read the latest run of sync %q: %w", sync, err)
	}
	wait, err := c.awaits(ctx, &v.Definition, c.Now())
	if err == nil && wait == "" {
		wait, err = c.vacate(ctx, latest, id)
	}
	if err != nil {
		return Begun{}, err
	}
	if wait != "" {
		return Begun{Sync: sync, Version: v.ID, Mode: mode, Select: Wait, Model: v.Definition.Relation(), Reason: wait}, nil
	}
	r = run.Run{
		ID: id, Sync: sync, Version: v.ID, Mode: mode, Bracketed: true, Status: run.Open, BegunAt: c.Now(), Expected: -1,
	}
	if r, err = c.from(ctx, r, v); err != nil {
		return Begun{}, err
	}
	if mode == run.Full && v.Definition.Mirror != nil { // I8: what is accepted from here on is not removed
		if r.Sequence, err = c.Syncs.NextSequence(ctx, sync); err != nil {
			return Begun{}, fmt.Errorf("take the next sequence of sync %q: %w", sync, err)
		}
	}
	if err := c.Runs.BeginRun(ctx, r, latest); err != nil {
		return Begun{}, fmt.Errorf("begin a run of sync %q: %w", sync, err)
	}
	return c.begun(ctx, r, v)
}

// begun tells of a run what its pushing needs; v is the current version, which a
// retried call's run need not be of.
func (c *Control) begun(ctx context.Context, r run.Run, v syncdef.Version) (Begun, error) {
	if r.Version != v.ID {
		var err error
		if v, err = c.Syncs.Version(ctx, r.Sync, r.Version); err != nil {
			return Begun{}, fmt.Errorf("read sync %q version %s: %w", r.Sync, r.Version, err)
		}
	}
	b := Begun{Run: r.ID, Sync: r.Sync, Version: r.Version, Mode: r.Mode, Select: All, Model: v.Definition.Relation(), Cursor: cursorColumn(&v.Definition)}
	if mark, ok := run.ReadCursor(r.From); ok && !r.SelectAll {
		b.Select, b.Watermark, b.Type, b.Zoned = Since, r.From, string(mark.Type), mark.Zoned()
	}
	g, err := quality.Compile(&v.Definition)
	if err != nil {
		return b, row.Refuse("penstock_begin: sync %q: %v; mend the definition and run penstock apply", r.Sync, err)
	}
	if g != nil {
		b.Gate, b.GateOf = quality.ViewName(r.Sync), g.ID()
	}
	return b, nil
}

// from fills in where the run begins: the mark of today's target and column, or
// all rows.
func (c *Control) from(ctx context.Context, r run.Run, v syncdef.Version) (run.Run, error) {
	var err error
	if r.Target, err = c.target(ctx, v); err != nil {
		return r, err
	}
	column := cursorColumn(&v.Definition)
	if column != "" {
		if err := c.holdForDead(ctx, r.Sync, r.Target, column, includeFailed(&v.Definition), c.Now()); err != nil {
			return r, err
		}
	}
	m, err := c.mark(ctx, r.Sync, r.Target, column)
	if err != nil {
		return r, err
	}
	r.From, r.MarkRevision = m.Value, m.Revision
	r.SelectAll = r.Mode == run.Full || m.Value == ""
	if !r.SelectAll {
		r.SelectAll, err = c.remapped(ctx, m, v)
	}
	return r, err
}

// remapped reports whether the mapping differs from the one with which all rows
// were selected last. Of inserts nothing is selected anew.
func (c *Control) remapped(ctx context.Context, m run.Mark, v syncdef.Version) (bool, error) {
	if v.Rules.Once || m.Version == v.ID {
		return false, nil
	}
	if m.Version == "" {
		return true, nil
	}
	old, err := c.Syncs.Version(ctx, m.Sync, m.Version)
	if errors.Is(err, run.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("read sync %q version %s: %w", m.Sync, m.Version, err)
	}
	return mappingOf(old) != mappingOf(v), nil
}

// vacate says what the next begin waits for: the last begun run, unless it has
// ended. One that nobody has named for long is taken over by the run next.
func (c *Control) vacate(ctx context.Context, latest, next string) (wait string, err error) {
	r, wait, err := c.goesOn(ctx, latest, c.Policy, c.Now())
	if err != nil || wait != "" || r.ID == "" {
		return wait, err
	}
	r, err = c.update(ctx, r, func(r *run.Run) bool {
		if r.Status != run.Open {
			return false
		}
		r.Status, r.TakenBy, r.EndedAt = run.Cancelled, next, c.Now()
		r.Reason = fmt.Sprintf("taken over by run %q, because no request had named it for long", next)
		return true
	})
	if err == nil && r.TakenBy != next { // finish was faster: look again
		err = fmt.Errorf("take run %q over: %w", latest, run.ErrConflict)
	}
	return "", err
}

// goesOn says how the last begun run goes on; "" where it has ended, or may be taken
// over: then it is r.
func (s *Stores) goesOn(ctx context.Context, latest string, p run.Policy, now time.Time) (r run.Run, how string, err error) {
	if latest == "" {
		return run.Run{}, "", nil
	}
	r, err = s.Runs.Run(ctx, latest)
	if errors.Is(err, run.ErrNotFound) {
		return run.Run{}, "", nil // it has expired
	}
	if err != nil {
		return run.Run{}, "", fmt.Errorf("read run %q: %w", latest, err)
	}
	if r.Status.Ended() {
		return run.Run{}, "", nil
	}
	t, err := s.tally(ctx, latest)
	if err != nil {
		return run.Run{}, "", err
	}
	if p.Abandoned(r, t, now) {
		return r, "", nil
	}
	waits, err := s.waits(ctx, r, t)
	return r, fmt.Sprintf("run %q, begun %s, is %s and waits for %s", r.ID, r.BegunAt.UTC().Format(time.RFC3339), r.Status, waits), err
}
