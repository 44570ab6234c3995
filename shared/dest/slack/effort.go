package slack

import "github.com/penstock-data/penstock/shared/syncdef"

// effort states what calls carry, for estimates: a channel takes a message a second.
func effort(d *syncdef.Definition) syncdef.Effort {
	o, _ := readOptions(d) // what cannot be read has the default; Account.Open says so
	return syncdef.Effort{Write: 1, Digest: max(o.DigestOver, 1), AtOnce: 1, Limits: []syncdef.Limit{{Calls: 1, Per: 1}}}
}
