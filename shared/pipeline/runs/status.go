package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// How much penstock_status shows, and among how many runs it looks for retries'.
const (
	shownRuns  = 10
	lookedRuns = 200
	countedDue = 10_000 // due items that are counted; more are not
	openDue    = 100    // due rows that are looked up, whether they are still open; of more all are counted
)

// A RunStatus is a run with the counts of this moment; Counts.Queued are its rows that
// have not settled yet. In JSON its id is called run.
type RunStatus struct {
	run.Run
	Waits   string `json:"waits_for,omitempty"`
	Due     int64  `json:"due,omitempty"`               // of its errors, that are sent again by themselves
	Again   int64  `json:"retrying,omitempty"`          // of its errors, that are on their way again
	Retried int64  `json:"retried_delivered,omitempty"` // of its errors, that a retry has delivered since
}

// SyncStatus answers penstock_status.
type SyncStatus struct {
	Sync          string          `json:"sync"`
	Version       string          `json:"version"`
	AppliedAt     time.Time       `json:"applied_at"`
	Connection    string          `json:"connection"`
	Paused        string          `json:"paused,omitempty"`      // why the connection is
	SyncPaused    string          `json:"sync_paused,omitempty"` // since when, by whom and why a person has paused the sync
	SetUp         bool            `json:"set_up,omitempty"`      // it is, until a person mends login, secret, permissions or url
	Halted        string          `json:"halted,omitempty"`      // why the version cannot be delivered
	Watermark     string          `json:"watermark,omitempty"`   // a raw JSON scalar
	WatermarkType string          `json:"watermark_type,omitempty"`
	Schedule      *ScheduleStatus `json:"schedule,omitempty"` // nil without a frequency
	Runs          []RunStatus     `json:"runs"`               // newest first, without those of retries
	Next          string          `json:"next,omitempty"`     // where the older ones go on: Page.After
}

// Status reports a sync and its last runs, or the one run whose id is given.
func (c *Control) Status(ctx context.Context, syncOrRun string) (SyncStatus, error) {
	return c.StatusPage(ctx, syncOrRun, Page{})
}

// StatusPage is Status with the runs of a page.
func (c *Control) StatusPage(ctx context.Context, syncOrRun string, p Page) (SyncStatus, error) {
	name := run.SyncOf(syncOrRun)
	v, err := c.statusVersion(ctx, syncOrRun)
	if err != nil {
		return SyncStatus{}, err
	}
	s := SyncStatus{Sync: name, Version: v.ID, AppliedAt: v.AppliedAt, Connection: v.Definition.Connection, Runs: []RunStatus{}}
	if err := c.held(ctx, &s); err != nil {
		return s, err
	}
	target, err := c.target(ctx, v)
	if err != nil {
		return s, err
	}
	m, err := c.mark(ctx, name, target, v.Definition.Cursor())
	if err != nil {
		return s, err
	}
	s.Watermark, s.WatermarkType = m.Value, m.Type
	all, err := c.History.RecentRuns(ctx, name, lookedRuns)
	if err != nil {
		return s, fmt.Errorf("list the runs of sync %q: %w", name, err)
	}
	if s.Schedule, err = c.schedule(ctx, v, all, c.Now()); err != nil {
		return s, err
	}
	shown, next, err := c.shown(ctx, syncOrRun, all, p)
	if err != nil {
		return s, err
	}
	s.Next = next
	early, err := c.earlyRetries(ctx, shown, all)
	if err != nil {
		return s, err
	}
	rest, err := c.rest(ctx, name, slices.Concat(all, early), c.Now(), c.tally)
	if err != nil {
		return s, err
	}
	for _, r := range shown {
		one, err := c.runStatus(ctx, r, rest, c.Now())
		if err != nil {
			return s, err
		}
		s.Runs = append(s.Runs, one)
	}
	return s, nil
}

// earlyRetries are the retries of the runs that are shown, where they may be too old to be
// among the recent ones.
func (c *Control) earlyRetries(ctx context.Context, shown, recent []run.Run) ([]run.Run, error) {
	if len(recent) < lookedRuns {
		return nil, nil
	}
	var early []run.Run
	for _, r := range shown {
		if run.IsRetry(r.ID) || r.Counts.Failed == 0 && !r.Live() || r.BegunAt.After(recent[len(recent)-1].BegunAt) {
			continue
		}
		retries, err := c.History.RetriesOf(ctx, r.ID)
		if err != nil {
			return nil, fmt.Errorf("list the retries of run %q: %w", r.ID, err)
		}
		for _, again := range retries {
			if !slices.ContainsFunc(recent, func(r run.Run) bool { return r.ID == again.ID }) {
				early = append(early, again)
			}
		}
	}
	return early, nil
}

// statusVersion is the sync's current version, or that of a run whose sync was removed.
func (c *Control) statusVersion(ctx context.Context, syncOrRun string) (syncdef.Version, error) {
	name := run.SyncOf(syncOrRun)
	v, err := c.current(ctx, "penstock_status", name)
	var missing *row.Refusal
	if err == nil || !run.IsID(syncOrRun) || !errors.As(err, &missing) {
		return v, err
	}
	r, err := c.run(ctx, "penstock_status", syncOrRun)
	if err != nil {
		return v, err
	}
	if v, err = c.Syncs.Version(ctx, name, r.Version); err != nil {
		return v, fmt.Errorf("read sync %q version %s: %w", name, r.Version, err)
	}
	return v, nil
}

// shown are the runs that were asked for.
func (c *Control) shown(ctx context.Context, syncOrRun string, all []run.Run, p Page) ([]run.Run, string, error) {
	if run.IsID(syncOrRun) {
		r, err := c.run(ctx, "penstock_status", syncOrRun)
		return []run.Run{r}, "", err
	}
	if p != (Page{}) {
		return c.page(ctx, syncOrRun, all, p)
	}
	var out []run.Run
	for _, r := range all {
		if len(out) < shownRuns && !run.IsRetry(r.ID) {
			out = append(out, r)
		}
	}
	return out, "", nil
}

// held says what holds a sync up as a whole.
func (c *Control) held(ctx context.Context, s *SyncStatus) error {
	p, err := c.Connections.Pace(ctx, s.Connection)
	if err != nil {
		return fmt.Errorf("read the state of connection %q: %w", s.Connection, err)
	}
	if p.Failing() {
		s.SetUp = p.SetUp
		s.Paused = fmt.Sprintf("since %s, until %s at least: %s", stamp(p.Since), stamp(p.Until), p.Reason)
	}
	pause, paused, err := c.pause(ctx, s.Sync)
	if err != nil {
		return err
	}
	if paused {
		s.SyncPaused = pause.Why()
	}
	h, halted, err := c.halt(ctx, s.Sync, s.Version)
	if halted {
		next := "with the next rows"
		if h.Next.After(c.Now()) {
			next = "at " + stamp(h.Next)
		}
		s.Halted = fmt.Sprintf("since %s, tried again %s: %s", stamp(h.Since), next, h.Reason)
	}
	return err
}

// A rest is what a sync's failed rows came to since: by the run that they failed in.
type rest struct {
	due     map[string]int64
	again   map[string]int64
	retried map[string]int64
}

// rest counts what is due and what retries delivered, among all of a sync's last runs.
func (s *Stores) rest(ctx context.Context, sync string, all []run.Run, now time.Time, tally tallier) (*rest, error) {
	out := &rest{again: map[string]int64{}, retried: map[string]int64{}}
	for _, r := range all {
		if !run.IsRetry(r.ID) {
			continue
		}
		if r.Moves(now) {
			t, err := tally(ctx, r.ID)
			if err != nil {
				return nil, err
			}
			r.Counts = t.Counts
			if !r.Status.Ended() {
				out.again[run.OriginalOf(r.ID)] += t.Left()
			}
		}
		out.retried[run.OriginalOf(r.ID)] += r.Counts.Delivered + r.Counts.Unchanged
	}
	items, err := s.Due.DueItems(ctx, sync, time.Time{}, countedDue)
	if err != nil {
		return nil, fmt.Errorf("list what is due of sync %q: %w", sync, err)
	}
	dead := map[string]bool{}
	for _, r := range all {
		dead[r.ID] = r.Status.Dead()
	}
	items = slices.DeleteFunc(items, func(d run.Due) bool { return dead[d.Run] })
	out.due, err = s.stillDue(ctx, sync, items)
	return out, err
}

// runStatus gives a run the counts of this moment, now; without rest nothing is said of
// what is due.
func (s *Stores) runStatus(ctx context.Context, r run.Run, rest *rest, now time.Time) (RunStatus, error) {
	out := RunStatus{Run: r}
	if rest != nil {
		out.Due, out.Again, out.Retried = rest.due[r.ID], rest.again[r.ID], rest.retried[r.ID]
	}
	if !r.Live() {
		out.Counts.Queued = 0 // all have settled
		return out, nil
	}
	t, err := s.tally(ctx, r.ID)
	if err != nil {
		return out, err
	}
	out.Counts, out.Groups = t.Counts, t.Groups
	out.Counts.Queued = t.Left()
	out.Outcome = run.OutcomeOf(r, t.Counts)
	if !r.Status.Ended() {
		out.Waits, err = s.waits(ctx, r, t, now)
	}
	return out, err
}

// RunErrorsSince is RunErrors without what occurred before since. A page may be empty
// and yet not be the last.
func (c *Control) RunErrorsSince(ctx context.Context, id string, limit int, after string, since time.Time) ([]run.RowError, string, error) {
	errs, next, err := c.RunErrors(ctx, id, limit, after)
	if err != nil || since.IsZero() {
		return errs, next, err
	}
	return slices.DeleteFunc(errs, func(e run.RowError) bool { return e.At.Before(since) }), next, nil
}

// RunErrors answers penstock_errors: up to limit of a run's errors, and where to go
// on; "" at the end. The errors of a retry's rows stand with the run that they failed in first.
func (c *Control) RunErrors(ctx context.Context, id string, limit int, after string) ([]run.RowError, string, error) {
	if !run.IsID(id) {
		return nil, "", missing("penstock_errors takes a run, and %q is none:  SELECT penstock_status(%s)  lists the sync's runs", id, literal(id))
	}
	errs, next, err := c.Errors.RunErrors(ctx, run.OriginalOf(id), limit, after)
	if err != nil {
		return nil, "", fmt.Errorf("list the errors of run %q: %w", id, err)
	}
	if err := c.Hide(ctx, errs); err != nil {
		return nil, "", err
	}
	if len(errs) > 0 || after != "" || run.SyncOf(id) == run.UnreadableSync {
		return errs, next, nil
	}
	_, err = c.run(ctx, "penstock_errors", id)
	return errs, next, err
}
