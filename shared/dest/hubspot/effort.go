package hubspot

import "github.com/penstock-data/penstock/shared/syncdef"

// effort states what calls carry, for estimates.
func effort(d *syncdef.Definition) syncdef.Effort {
	e := syncdef.Effort{
		Write: maxRecords, Find: maxRecords, FindAll: true, AtOnce: concurrency, Day: defaultDay,
		Limits: []syncdef.Limit{{Calls: defaultRate, Per: 10, Option: keyRate, Shared: true}},
	}
	if d.BatchSize > 0 {
		e.Write = min(e.Write, d.BatchSize)
	}
	if writeOf(d) == byLookup {
		e.Lookup = maxRecords
	}
	return e
}
