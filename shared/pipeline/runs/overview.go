package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

// Told reads what the sweeper tells of.
type Told interface {
	// Alerts reads a sync's book; an empty one when nothing is stored.
	Alerts(ctx context.Context, sync string) (alert.Book, error)
	// Bucket reads a bucket as Lease stored it last; the zero value where none is stored.
	Bucket(ctx context.Context, bucket string) (pace.Bucket, error)
}

// Overview is how a sync stands now, put together from all that is stored of it.
func (s *Stores) Overview(ctx context.Context, sync string, now time.Time) (run.Overview, error) {
	v, err := s.Syncs.Current(ctx, sync)
	if err != nil {
		return run.Overview{}, fmt.Errorf("read sync %q: %w", sync, err)
	}
	all, err := s.History.RecentRuns(ctx, sync, seenRuns)
	if err != nil {
		return run.Overview{}, fmt.Errorf("list the runs of sync %q: %w", sync, err)
	}
	return s.overview(ctx, v, all, now, s.tally)
}

// A tallier adds up what is recorded of a run.
type tallier func(ctx context.Context, id string) (*run.Tally, error)

// overview is Overview of a version and its runs, the newest first.
func (s *Stores) overview(ctx context.Context, v syncdef.Version, all []run.Run, now time.Time, tally tallier) (run.Overview, error) {
	d := &v.Definition
	late := frequency.LatenessOf(d, now)
	o := run.Overview{
		Sync: d.Sync, AsOf: now, Version: v.ID, AppliedAt: v.AppliedAt, Connection: d.Connection, Type: v.Rules.Type, Object: d.Object,
		Operation: string(d.Operation), Model: d.Relation(), Identity: v.Rules.Identity, RecordLookup: string(d.RecordLookup()),
		Warn: late.Warn, Stale: late.Stale, Dashboard: late.Dashboard, PreviousRows: -1,
	}
	return o, errors.Join(
		s.overRuns(ctx, &o, all, tally),
		s.overSchedule(ctx, &o, v, all, now),
		s.overMark(ctx, &o, v),
		s.overAccount(ctx, &o, v, now),
		s.overRest(ctx, &o, d),
	)
}

// overRuns fills in what the runs tell.
func (s *Stores) overRuns(ctx context.Context, o *run.Overview, all []run.Run, tally tallier) error {
	rest, err := s.rest(ctx, o.Sync, all, o.AsOf, tally)
	if err != nil {
		return err
	}
	var lines []run.Line
	held := false
	for _, r := range all {
		switch {
		case run.IsRetry(r.ID):
			continue
		case !r.Status.Ended():
			if len(o.Running) < run.OverviewOpen {
				if err := s.overOpen(ctx, o, r, tally); err != nil {
					return err
				}
			}
			continue
		case r.Moves(o.AsOf):
			t, err := tally(ctx, r.ID)
			if err != nil {
				return err
			}
			r.Counts, r.Groups = t.Counts, t.Groups
		}
		l := run.LineOf(r)
		l.Due, l.Again, l.Retried = rest.due[r.ID], rest.again[r.ID], rest.retried[r.ID]
		l.Reason = cut(l.Reason)
		lines = append(lines, l)
		if o.GateRun == "" && r.Gate != nil {
			o.Gate, o.GateRun = r.Gate, r.ID
		}
		if !held && r.Bracketed { // what the last begun run left is what the next one begins with
			o.Hold, held = r.Hold, true
		}
	}
	for _, n := range rest.due {
		o.Due += n
	}
	run.Summarize(o, lines)
	if o.Success.IsZero() {
		last, err := s.remembered(ctx, o.Sync, len(all))
		if err != nil {
			return err
		}
		if last.SuccessRun != "" {
			o.Success, o.SuccessRun, o.SuccessRows, o.PreviousRows = last.Success, last.SuccessRun, last.SuccessRows, last.PreviousRows
		}
	}
	return nil
}

// overOpen adds a run that goes on.
func (s *Stores) overOpen(ctx context.Context, o *run.Overview, r run.Run, tally tallier) error {
	t, err := tally(ctx, r.ID)
	if err != nil {
		return err
	}
	p := run.ProgressOf(r, t, o.AsOf)
	if p.WaitsFor, err = s.waits(ctx, r, t, o.AsOf); err != nil {
		return err
	}
	o.Running = append(o.Running, p)
	return nil
}

// overSchedule fills in when the sync is due, and what was missed.
func (s *Stores) overSchedule(ctx context.Context, o *run.Overview, v syncdef.Version, all []run.Run, now time.Time) error {
	sch, err := s.schedule(ctx, v, all, now)
	if err != nil || sch == nil {
		return err
	}
	o.Frequency, o.Next, o.Missed, o.WaitsFor = sch.Frequency, sch.Next, sch.Missed, sch.After
	if f := sch.Last; f != nil && f.Status == run.FiringFailed && !carriedOut(all, *f) {
		o.Missed, o.MissedReason = f.At, f.Reason
	}
	return nil
}

// overMark fills in the watermark and the target.
func (s *Stores) overMark(ctx context.Context, o *run.Overview, v syncdef.Version) error {
	c, err := s.Connections.Connection(ctx, o.Connection)
	if errors.Is(err, run.ErrNotFound) {
		return nil // whoever runs it is told to apply again
	}
	if err != nil {
		return fmt.Errorf("read connection %q: %w", o.Connection, err)
	}
	o.Target = ledger.Target(&v.Definition, &v.Rules, c.Epoch)
	o.Account.URL, o.Account.ID = c.Connection.URL, c.Account
	m, err := s.mark(ctx, o.Sync, o.Target, v.Definition.Cursor())
	o.Watermark, o.MarkType, o.MarkAt = m.Value, m.Type, m.At
	if m.Low != "" {
		o.Hold = run.Least(o.Hold, m.Low)
	}
	return err
}

// overAccount fills in how the connection stands.
func (s *Stores) overAccount(ctx context.Context, o *run.Overview, v syncdef.Version, now time.Time) error {
	p, err := s.Connections.Pace(ctx, o.Connection)
	if err != nil {
		return fmt.Errorf("read the state of connection %q: %w", o.Connection, err)
	}
	if p.Failing() {
		o.Account.Since, o.Account.Until, o.Account.Reason, o.Account.SetUp = p.Since, p.Until, p.Reason, p.SetUp
	}
	if s.Told == nil {
		return nil
	}
	b, err := s.Told.Bucket(ctx, o.Connection+"/")
	if err != nil {
		return fmt.Errorf("read the quota of connection %q: %w", o.Connection, err)
	}
	limits, err := s.granted(ctx, v, b)
	if err != nil {
		return err
	}
	w, spent, share := b.Spent(limits, now)
	o.Account.Calls, o.Account.Per, o.Account.Spent, o.Account.Share, o.Account.Rate = w.Calls, int64(w.Per.Seconds()), spent, share, b.Pace(now)
	return nil
}

// granted is what a version's connection grants of a day now, as far as its bucket counts
// anything and its type counts days: what granted last may be of a share that was changed since.
func (s *Stores) granted(ctx context.Context, v syncdef.Version, b pace.Bucket) ([]pace.Window, error) {
	if v.Rules.Effort == nil || len(b.Levels) == 0 {
		return nil, nil
	}
	c, err := s.Connections.Connection(ctx, v.Definition.Connection)
	if errors.Is(err, run.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read connection %q: %w", v.Definition.Connection, err)
	}
	account, granted := v.Rules.Effort.PerDay(&c.Connection)
	if account == 0 {
		return nil, nil
	}
	return []pace.Window{{Calls: max(1, granted), Per: 24 * time.Hour}}, nil
}

// overRest fills in what else holds the sync up or is known of it.
func (s *Stores) overRest(ctx context.Context, o *run.Overview, d *syncdef.Definition) error {
	h, halted, err := s.halt(ctx, o.Sync, o.Version)
	if err != nil {
		return err
	}
	if halted {
		h.Runs = nil
		o.Halt = &h
	}
	p, paused, err := s.pause(ctx, o.Sync)
	if err != nil {
		return err
	}
	if paused {
		o.Pause = &p
	}
	if s.Freshness != nil {
		r, err := s.Freshness.Freshness(ctx, o.Sync)
		if err != nil {
			return fmt.Errorf("read the freshness of sync %q: %w", o.Sync, err)
		}
		if r = r.Of(o.Sync, d.Connection, d.Object, d.FreshnessField()); r.Known() || r.Failure != "" {
			o.Freshness = &r
		}
	}
	if s.Told == nil {
		return nil
	}
	book, err := s.Told.Alerts(ctx, o.Sync)
	if err != nil {
		return fmt.Errorf("read the alerts of sync %q: %w", o.Sync, err)
	}
	for _, a := range book.Open {
		o.Alerts = append(o.Alerts, run.OpenAlert{Kind: string(a.Kind), Since: a.Since})
	}
	slices.SortFunc(o.Alerts, func(a, b run.OpenAlert) int {
		return slices.Index(alert.Kinds, alert.Kind(a.Kind)) - slices.Index(alert.Kinds, alert.Kind(b.Kind))
	})
	return nil
}
