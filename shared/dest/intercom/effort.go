package intercom

import "github.com/penstock-data/penstock/shared/syncdef"

// effort states what calls carry, for estimates. A contact's changed tags are taken off
// and put on one by one: one of each is assumed.
func effort(*syncdef.Definition) syncdef.Effort {
	return syncdef.Effort{
		Write: 1, Lookup: perSearch, Find: perSearch, AtOnce: concurrency,
		Extra:  []syncdef.Extra{{Field: fieldTags, Create: 1, Update: 2}},
		Limits: []syncdef.Limit{{Calls: defaultCalls, Per: 60, Option: keyCalls, Shared: true}},
	}
}
