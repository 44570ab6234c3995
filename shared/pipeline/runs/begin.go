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
	Since   Selection = "since" // those at or above the watermark
	All     Selection = "all"
	Changed Selection = "changed" // those that differ from what the warehouse remembers as pushed
	Stream  Selection = "stream"  // those of a stream of changes
	Wait    Selection = "wait"    // none: the last run still settles, or a sync of after has to run first
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
	Created   string    `json:"created,omitempty"`         // its column by which a row is new at or above the watermark
	Always    bool      `json:"always,omitempty"`          // rows are selected too that the source says penstock_always of
	// Source is the view to read in the model's place, and Definition what its column
	// penstock_definition must say; "" where the model itself is read.
	Source     string `json:"source,omitempty"`
	Definition string `json:"definition,omitempty"`
	// Stream is the relation that is consumed, where Select is stream, and Match its column
	// by which two of its rows are one record.
	Stream string `json:"stream,omitempty"`
	Match  string `json:"match,omitempty"`
	// ChangedOnly says that what is pushed is to be remembered: anew where Select is all.
	// StoreSource is how much of it, where not the whole row: none.
	ChangedOnly bool   `json:"changed_only,omitempty"`
	StoreSource string `json:"store_source,omitempty"`
	Reason      string `json:"reason,omitempty"`
}

// Begin starts a bracketed run, unless the last one still goes on. token is the
// caller's batch id with the row's number: a retried call is answered with the run
// that the first one began.
func (c *Control) Begin(ctx context.Context, sync, mode, token string) (Begun, error) {
	if mode == "" {
		mode = string(run.Incremental)
	}
	switch run.Mode(mode) {
	case run.Incremental, run.Full, run.CDC, run.DryRun:
	default:
		return Begun{}, row.Refuse("penstock_begin: this mode is not known: use incremental, full, cdc or dry_run")
	}
	v, err := c.current(ctx, "penstock_begin", sync)
	if err != nil {
		return Begun{}, err
	}
	if mode == string(run.CDC) && streamOf(&v.Definition) == "" {
		return Begun{}, row.Refuse("penstock_begin: mode cdc reads a stream of changes, and the sync %q names none: write incremental: {stream: NAME} into its definition, or use incremental or full", sync)
	}
	if mode == string(run.DryRun) {
		return c.dry(ctx, v)
	}
	for range attempts {
		answer, err := c.begin(ctx, v, run.Mode(mode), run.BegunID(sync, token))
		if !errors.Is(err, run.ErrConflict) {
			return answer, err
		}
	}
	return Begun{}, fmt.Errorf("begin a run of sync %q: %w", sync, run.ErrConflict)
}

// dry answers what an incremental run would select, and begins and stores nothing: it
// does not wait, has no run, and its rows go to penstock_plan.
func (c *Control) dry(ctx context.Context, v syncdef.Version) (Begun, error) {
	sync := v.Definition.Sync
	latest, err := c.Runs.Latest(ctx, sync)
	if err != nil {
		return Begun{}, fmt.Errorf("read the latest run of sync %q: %w", sync, err)
	}
	r, err := c.from(ctx, run.Run{Sync: sync, Version: v.ID, Mode: run.DryRun}, v, latest)
	if err != nil {
		return Begun{}, err
	}
	return c.begun(ctx, r, v)
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
	wait, err := c.heldBack(ctx, sync)
	if err == nil && wait == "" {
		wait, err = c.awaits(ctx, &v.Definition, c.Now())
	}
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
	if r, err = c.from(ctx, r, v, latest); err != nil {
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
	d := &v.Definition
	b := Begun{
		Run: r.ID, Sync: r.Sync, Version: r.Version, Mode: r.Mode, Select: All, Model: d.Relation(), Cursor: d.Cursor(),
		Source: d.SourceView(), Definition: d.SourceHash(), ChangedOnly: d.ChangedOnly(),
	}
	if d.ChangedOnly() && d.SourceStored() == syncdef.StoreNone {
		b.StoreSource = string(syncdef.StoreNone)
	}
	mark, marked := run.ReadCursor(r.From)
	switch {
	case r.Mode == run.CDC:
		b.Select, b.Stream, b.Match, b.Source, b.Definition = Stream, streamOf(d), d.Match.Source, "", ""
		if r.Remapped {
			b.Reason = "not all rows were pushed with this mapping yet, and a stream holds only changes: run mode full once"
		}
	case r.SelectAll:
		if r.Mode != run.Full && !d.ChangedOnly() && marked && mark.LooksDate() {
			b.Reason = notRead(d.Cursor())
		}
	case d.ChangedOnly():
		b.Select, b.Always = Changed, r.Always
	case marked:
		least, err := overlapped(d, mark)
		if err != nil {
			return Begun{}, err
		}
		mark, _ = run.ReadCursor(least)
		b.Select, b.Watermark, b.Type, b.Zoned = Since, mark.Watermark(), string(mark.Type), mark.Zoned()
		b.Created, b.Always = d.Incremental.Created, r.Always
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
	waits, err := s.waits(ctx, r, t, now)
	how = fmt.Sprintf("run %q, begun %s, is %s and waits for %s", r.ID, r.BegunAt.UTC().Format(time.RFC3339), r.Status, waits)
	if r.Status == run.Open { // what began it may have died
		how += fmt.Sprintf("; if nothing works on it any more, penstock_cancel('%[1]s') ends it, in a shell penstock cancel %[1]s", r.ID)
	}
	return r, how, err
}
