package view

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// Overview is all syncs at a glance.
func (r *Reader) Overview(ctx context.Context) (Overview, error) {
	all, err := r.overviews(ctx)
	if err != nil {
		return Overview{}, err
	}
	if err := r.alive(ctx, all); err != nil {
		return Overview{}, err
	}
	out := Overview{Now: r.now(), Syncs: make([]Row, 0, len(all)), Connections: connections(all)}
	for i := range all {
		out.Syncs = append(out.Syncs, rowOf(&all[i], r.linesOf(&all[i]), out.Now))
	}
	slices.SortStableFunc(out.Syncs, func(a, b Row) int {
		return cmp.Or(cmp.Compare(rank(a.Health), rank(b.Health)), cmp.Compare(a.Sync, b.Sync))
	})
	return out, nil
}

// rank puts the worst first.
func rank(h Health) int { return slices.Index([]Health{Stale, HighErrorRate, Warning, Healthy}, h) }

// RowOf is a sync's row at now.
func RowOf(o *run.Overview, now time.Time) Row { return rowOf(o, drawnOf(o), now) }

// A drawn is what the last runs of an overview look like, the oldest first.
type drawn struct {
	revision int64
	asOf     time.Time
	lines    []Line
}

func drawnOf(o *run.Overview) drawn {
	d := drawn{revision: o.Revision, asOf: o.AsOf, lines: make([]Line, min(len(o.Lines), run.OverviewRuns))}
	for i := range d.lines {
		d.lines[len(d.lines)-1-i] = lineOf(&o.Lines[i])
	}
	return d
}

// linesOf is drawnOf of an overview, or what it was while that is the same.
func (r *Reader) linesOf(o *run.Overview) drawn {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, ok := r.drawn[o.Sync]
	if !ok || d.revision != o.Revision || !d.asOf.Equal(o.AsOf) || o.Revision == 0 {
		d = drawnOf(o)
		if len(r.drawn) > 1000 { // syncs that were removed
			clear(r.drawn)
		}
		r.drawn[o.Sync] = d
	}
	return d
}

func rowOf(o *run.Overview, d drawn, now time.Time) Row {
	if o.Unreadable != "" {
		return Row{Sync: o.Sync, Health: Warning, Unreadable: o.Unreadable, SuccessRate: -1, RowsPerSecond: -1, Previous: -1, Alerts: []Alert{}, Spark: []Line{}, Running: []Live{}}
	}
	row := Row{
		Sync: o.Sync, AsOf: o.AsOf, Connection: o.Connection, Type: o.Type, Object: o.Object, Version: o.Version,
		LastSuccess: o.Success, AppliedAt: o.AppliedAt, Age: now.Sub(o.Success),
		WarnAfter: minutes(o.Warn), StaleAfter: minutes(o.Stale), DashboardAfter: minutes(o.Dashboard),
		Frequency: o.Frequency, NextRun: o.Next, Missed: o.Missed, MissedReason: o.MissedReason, WaitsFor: o.WaitsFor,
		SuccessRate: -1, RowsPerSecond: -1, Records: o.SuccessRows, Previous: o.PreviousRows,
		NotRight: o.NotRight, Due: o.Due, Gate: o.Gate, GateRun: o.GateRun, Paused: o.Pause, Halted: o.Halt, Destination: o.Freshness,
		Alerts: []Alert{}, Spark: []Line{}, Running: []Live{},
	}
	if row.Minutes = passed(o.Success, now, time.Minute); o.Success.IsZero() {
		row.Age, row.Minutes = now.Sub(o.AppliedAt), -1
	}
	if n := len(d.lines); n > 0 {
		l := &d.lines[n-1]
		row.LastRun, row.Spark, row.SuccessRate, row.RowsPerSecond = l, d.lines, l.SuccessRate, l.RowsPerSecond
		row.ErrorRate, row.ErrorSummary = lost(l, now), summary(l)
	}
	if n := len(o.Running); row.LastRun == nil && n > 0 { // what has settled of the first
		c := o.Running[0].Counts
		row.SuccessRate, _ = rates(c.Settled(), c.Delivered+c.Unchanged+c.Superseded, 0)
	}
	for _, p := range o.Running {
		row.Running = append(row.Running, liveOf(p))
	}
	for _, a := range o.Alerts {
		row.Alerts = append(row.Alerts, Alert(a))
	}
	row.Health, row.Freshness = judge(o, row.LastRun, now)
	row.tell(o, now)
	return row
}

// judge gives the dashboard's and the health view's words.
func judge(o *run.Overview, last *Line, now time.Time) (dashboard, health Health) {
	health, dashboard = Healthy, Healthy
	never := o.Success.IsZero()
	warn := !never && late(o.Success, o.Warn, now)
	if warn {
		health, dashboard = Warning, Warning
	}
	if last != nil {
		failed := last.Outcome == run.None && last.Retried == 0
		if failed || last.Counts.Received > 0 && float64(last.Counts.Received-last.Right)/float64(last.Counts.Received) > 0.1 {
			dashboard = HighErrorRate
		}
	}
	if never || late(o.Success, o.Stale, now) {
		health = Stale
	}
	if never || late(o.Success, o.Dashboard, now) {
		dashboard = Stale
	}
	return dashboard, health
}

// late is what the views in the warehouse call so: whole hours are counted in hours, as
// DATEDIFF does, by the boundaries that were passed, and others in minutes.
func late(at time.Time, limit int64, now time.Time) bool {
	if limit%60 == 0 {
		return passed(at, now, time.Hour)*60 > limit
	}
	return passed(at, now, time.Minute) > limit
}

// passed is how many boundaries of a unit lie between two moments: DATEDIFF.
func passed(from, to time.Time, unit time.Duration) int64 {
	return to.UTC().Truncate(unit).Unix()/int64(unit.Seconds()) - from.UTC().Truncate(unit).Unix()/int64(unit.Seconds())
}

func minutes(n int64) time.Duration { return time.Duration(n) * time.Minute }

func lineOf(l *run.Line) Line {
	out := Line{
		Run: l.ID, Mode: l.Mode, Status: l.Status, Outcome: l.Outcome, BegunAt: l.BegunAt, EndedAt: l.EndedAt, Took: l.EndedAt.Sub(l.BegunAt),
		Counts: l.Counts, Retried: l.Retried, Right: l.Right(), Reason: l.Reason,
	}
	out.SuccessRate, out.RowsPerSecond = rates(l.Counts.Received, out.Right, passed(l.BegunAt, l.EndedAt, time.Second))
	return out
}

// rates are those of the dashboard: -1 where it says NULL.
func rates(received, right, seconds int64) (success, speed float64) {
	success, speed = -1, -1
	if received > 0 {
		success = math.Round(float64(right)/float64(received)*1000) / 1000
		if seconds > 0 {
			speed = math.Round(float64(received)/float64(seconds)*100) / 100
		}
	}
	return success, speed
}

func liveOf(p run.Progress) Live {
	return Live{Run: p.ID, Mode: p.Mode, Status: p.Status, BegunAt: p.BegunAt, AsOf: p.AsOf, Expected: p.Expected, Counts: p.Counts, WaitsFor: p.WaitsFor}
}

// connections are those that the syncs name, by name.
func connections(all []run.Overview) []Connection {
	out := []Connection{}
	latest := map[string]time.Time{}
	for i := range all {
		o := &all[i]
		if o.Unreadable != "" {
			continue
		}
		n := slices.IndexFunc(out, func(c Connection) bool { return c.Name == o.Connection })
		if n < 0 {
			n, out = len(out), append(out, Connection{Name: o.Connection, Type: o.Type})
		}
		c := &out[n]
		c.Syncs = append(c.Syncs, o.Sync)
		if at, known := latest[o.Connection]; !known || o.AsOf.After(at) { // the others know less of it
			latest[o.Connection] = o.AsOf
			a := &o.Account
			c.PausedSince, c.Until, c.Reason, c.SetUp = a.Since, a.Until, a.Reason, a.SetUp
			c.Quota, c.Per, c.Spent, c.SpentShare, c.Pace = a.Calls, time.Duration(a.Per)*time.Second, a.Spent, a.Share, a.Rate
		}
	}
	slices.SortFunc(out, func(a, b Connection) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
