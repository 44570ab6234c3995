package view

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// chartRuns is how many runs a sync's page shows.
const chartRuns = 60

// Sync is one sync; ErrNotFound.
func (r *Reader) Sync(ctx context.Context, name string) (Sync, error) {
	v, err := r.stores.Syncs.Current(ctx, name)
	if err != nil {
		return Sync{}, fmt.Errorf("read sync %q: %w", name, err)
	}
	o, err := r.stores.Overview(ctx, name, r.now())
	if err != nil {
		return Sync{}, err
	}
	d := &v.Definition
	out := Sync{
		Row: rowOf(&o, r.now()), Operation: o.Operation, Model: o.Model, Strategy: string(d.Strategy), RecordID: d.RecordID,
		Cursor: d.Cursor(), Watermark: o.Watermark, WatermarkType: o.MarkType, WatermarkAt: o.MarkAt, Hold: o.Hold, Mapping: []Mapping{}, Chart: []Line{},
	}
	if d.Match.Source != "" {
		out.Match = d.Match.Source + " = " + d.Match.Destination
	}
	for i := range d.Fields {
		f := &d.Fields[i]
		out.Mapping = append(out.Mapping, Mapping{Source: f.From(), Destination: f.Destination, Type: string(f.Type), Rules: rules(f), Personal: f.Personal})
	}
	all, err := r.stores.History.RecentRuns(ctx, name, chartRuns)
	if err != nil {
		return out, fmt.Errorf("list the runs of sync %q: %w", name, err)
	}
	for _, s := range all {
		if s.Status.Ended() && !run.IsRetry(s.ID) {
			l := run.Line(s, 0)
			out.Chart = append(out.Chart, lineOf(&l))
		}
	}
	slices.Reverse(out.Chart)
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
