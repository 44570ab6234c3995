package salesforce

import "github.com/penstock-data/penstock/shared/syncdef"

// effort states what calls carry, for estimates.
func effort(d *syncdef.Definition) syncdef.Effort {
	e := syncdef.Effort{Write: maxRecords, Remove: maxRecords, AtOnce: concurrency, Day: defaultDay}
	if d.BatchSize > 0 {
		e.Write, e.Remove = min(e.Write, d.BatchSize), min(e.Remove, d.BatchSize)
	}
	keys := queriesPerCall * termsPerQuery
	if d.Strategy == syncdef.MatchEmailDomain || d.Strategy == syncdef.MatchName {
		keys = queriesPerCall * likesPerQuery
	}
	switch writeOf(d) {
	case byLookup:
		e.Lookup, e.Find = keys, keys
	case byExternalID:
		e.Find = keys
	}
	return e
}
