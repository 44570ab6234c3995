package yamlfile

import (
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

// frequency reads how often a sync runs, how that is acted on, and what it waits for.
func (p *parser) frequency(o *object, d *syncdef.Definition) {
	n := o.get("sync_frequency")
	sound := false
	if n != nil {
		d.Frequency = p.str(n, "sync_frequency", "sync_frequency")
	}
	if d.Frequency != "" {
		_, err := frequency.Parse(d.Frequency)
		if sound = err == nil; !sound {
			p.fault(n, "sync_frequency", "sync_frequency: %v; allowed: %s", err, frequency.Allowed)
		}
	}
	p.schedule(o, d, sound)
	d.After = o.texts("after", func(n *yaml.Node, path, name string) {
		switch {
		case !namePattern.MatchString(name):
			p.fault(n, path, "after: %q is no sync's name; %s", shorten(name), nameRule)
		case name == d.Sync:
			p.fault(n, path, "after: a sync cannot wait for itself")
		}
	})
	if again := slices.Clone(d.After); len(slices.Compact(slices.Sorted(slices.Values(again)))) < len(d.After) {
		p.fault(o.values["after"], "after", "after names a sync twice")
	}
}

// schedule reads the section; sound says that the frequency can be read.
func (p *parser) schedule(o *object, d *syncdef.Definition, sound bool) {
	n := o.get("schedule")
	if n == nil {
		return
	}
	if n.Kind == yaml.ScalarNode {
		p.fault(n, "schedule", "schedule must be a mapping such as {time_zone: Europe/Berlin}, not %s; how often a sync runs is sync_frequency", kind(n))
		return
	}
	in := p.object(n, "schedule", "schedule", o.key("schedule").Keys)
	if in == nil {
		return
	}
	s := syncdef.Schedule{TimeZone: syncdef.DefaultTimeZone}
	if in.has("time_zone") {
		s.TimeZone = in.text("time_zone")
		if s.TimeZone != "" && !zone(s.TimeZone) {
			p.fault(in.values["time_zone"], "schedule.time_zone", "time_zone: %q is no time zone; use an IANA name such as UTC or Europe/Berlin", shorten(s.TimeZone))
			s.TimeZone = syncdef.DefaultTimeZone
		}
	}
	var jitter time.Duration
	s.Jitter, jitter = in.duration("jitter")
	s.WhenRunning = choice[syncdef.WhenRunning](in, "when_running")
	s.Mode = choice[syncdef.ScheduleMode](in, "mode")
	in.close()
	d.Schedule = &s
	if !o.has("sync_frequency") {
		p.fault(o.keys["schedule"], "schedule", "schedule says how sync_frequency is acted on, and there is none: write sync_frequency too")
	}
	if !sound || jitter == 0 {
		return
	}
	plan, err := frequency.Of(d)
	if least := plan.Least(); err == nil && jitter >= least {
		p.fault(in.values["jitter"], "schedule.jitter", "jitter: %s is not shorter than %s, the shortest time between two runs", s.Jitter, short(least))
	}
}

// scheduledStream refuses a schedule of mode cdc where no stream is named: each of its
// runs would be refused. It comes when incremental has been read.
func (p *parser) scheduledStream(o *object, d *syncdef.Definition) {
	if d.Schedule == nil || d.Schedule.Mode != syncdef.ScheduleCDC || d.Incremental != nil && d.Incremental.Stream != "" {
		return
	}
	n := o.get("schedule")
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "mode" {
			n = n.Content[i+1]
			break
		}
	}
	p.fault(n, "schedule.mode", "mode: cdc reads a stream of changes, and the definition names none: write incremental: {stream: NAME}, or another mode")
}
