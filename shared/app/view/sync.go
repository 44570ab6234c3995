package view

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// chartRuns is how many runs a sync's page shows.
const chartRuns = 60

// Sync is one sync; ErrNotFound.
func (r *Reader) Sync(ctx context.Context, name string) (Sync, error) {
	o, err := r.overview(ctx, name)
	if err != nil {
		return Sync{}, err
	}
	v, err := r.stores.Syncs.Version(ctx, name, o.Version)
	if err != nil {
		return Sync{}, fmt.Errorf("read sync %q version %s: %w", name, o.Version, err)
	}
	all, err := r.stores.History.RecentRuns(ctx, name, chartRuns)
	if err != nil {
		return Sync{}, fmt.Errorf("list the runs of sync %q: %w", name, err)
	}
	fresh(&o, all, r.now())
	d := &v.Definition
	out := Sync{
		Row: RowOf(&o, r.now()), Operation: o.Operation, Model: o.Model, Strategy: string(d.Strategy), RecordID: d.RecordID,
		Cursor: d.Cursor(), Watermark: o.Watermark, WatermarkType: o.MarkType, WatermarkAt: o.MarkAt, Hold: o.Hold, Mapping: []Mapping{}, Chart: chartOf(all, o.Lines),
	}
	if d.Match.Source != "" {
		out.Match = d.Match.Source + " = " + d.Match.Destination
	}
	for i := range d.Fields {
		f := &d.Fields[i]
		out.Mapping = append(out.Mapping, Mapping{Source: f.From(), Destination: f.Destination, Type: string(f.Type), Rules: rules(f), Personal: f.Personal})
	}
	return out, nil
}

// rules are a field's checks and defaults in words.
func rules(f *syncdef.Field) string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if len(f.Transform) > 0 {
		add("%s", strings.Join(f.Transform, ", "))
	}
	if f.Scale != nil {
		add("%d digits after the point", *f.Scale)
	}
	if f.Min != "" {
		add("at least %s", f.Min)
	}
	if f.Max != "" {
		add("at most %s", f.Max)
	}
	if len(f.Values) > 0 {
		add("one of %s", strings.Join(f.Values, ", "))
	}
	if f.MaxLength > 0 {
		long := f.OnTooLong
		if long == "" {
			long = syncdef.RejectLong
		}
		add("at most %d characters, else %s", f.MaxLength, long)
	}
	if f.OnNull != "" && f.OnNull != syncdef.ClearNull {
		add("null: %s", f.OnNull)
	}
	if f.Default != nil {
		add("default %q", *f.Default)
	}
	if f.As != "" {
		add("as %s", f.As)
	}
	if f.TimeZone != "" {
		add("time zone %s", f.TimeZone)
	}
	return strings.Join(out, "; ")
}

// fresh brings an overview up to date with the sync's runs.
func fresh(o *run.Overview, all []run.Run, now time.Time) {
	shown := map[string]bool{}
	for _, p := range o.Running {
		shown[p.ID] = true
	}
	var found []run.Run
	for _, s := range all {
		if !run.IsRetry(s.ID) && (shown[s.ID] || !s.Status.Ended() || s.BegunAt.After(o.AsOf)) {
			found = append(found, s)
		}
	}
	bring(o, found, now)
}

// chartOf are the runs that have ended, the oldest first; known are those of which more is
// known than the run itself says.
func chartOf(all []run.Run, known []run.Line) []Line {
	lines := map[string]run.Line{}
	for _, l := range known {
		lines[l.ID] = l
	}
	retried := map[string]int64{}
	for _, s := range all {
		if run.IsRetry(s.ID) {
			retried[run.OriginalOf(s.ID)] += s.Counts.Delivered + s.Counts.Unchanged
		}
	}
	out := []Line{}
	for _, s := range slices.Backward(all) {
		if run.IsRetry(s.ID) || !s.Status.Ended() {
			continue
		}
		l, ok := lines[s.ID]
		if !ok {
			l = run.LineOf(s)
			l.Retried = retried[s.ID]
		}
		out = append(out, lineOf(&l))
	}
	return out
}
