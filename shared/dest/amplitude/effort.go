package amplitude

import "github.com/penstock-data/penstock/shared/syncdef"

// effort states what calls carry, for estimates.
func effort(d *syncdef.Definition) syncdef.Effort {
	e := syncdef.Effort{Write: maxEvents, AtOnce: concurrency, Limits: []syncdef.Limit{{Calls: perSecond, Per: 1}}}
	if d.BatchSize > 0 && d.BatchSize != syncdef.DefaultBatchSize {
		e.Write = min(e.Write, d.BatchSize)
	}
	return e
}
