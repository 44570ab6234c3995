package yamlfile

import (
	"time"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// freshness reads how late a sync may be.
func (p *parser) freshness(o *object) *syncdef.Freshness {
	n := o.get("freshness")
	if n == nil {
		return nil
	}
	in := p.object(n, "freshness", "freshness", o.key("freshness").Keys)
	if in == nil {
		return nil
	}
	var f syncdef.Freshness
	var warn, stale time.Duration
	f.WarnAfter, warn = in.duration("warn_after")
	f.StaleAfter, stale = in.duration("stale_after")
	f.DestinationField = in.text("destination_field")
	in.close()
	if warn > 0 && stale > 0 && warn > stale {
		p.fault(in.values["warn_after"], "freshness.warn_after", "freshness.warn_after: %s is later than stale_after %s: a warning comes first", f.WarnAfter, f.StaleAfter)
	}
	return &f
}
