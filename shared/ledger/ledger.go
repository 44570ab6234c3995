// Package ledger decides whether a record changed. It holds what was delivered
// last per key and compares it with what is in hand. Pure: the entries are read
// and written by adapters.
package ledger

import (
	"github.com/penstock-data/penstock/shared/row"
)

// An Entry is what is known of one key at one target.
type Entry struct {
	Key         string
	Fingerprint row.Fingerprint // last delivered; void when an error or a newer loser took it away
	Fields      []uint32        // row.FieldHash per mapped field of the version that delivered
	Version     string          // the version whose fields Fields holds
	ID          string          // the destination's own id
	Run         string          // the run that delivered or failed last
	Place       int64           // when the row was accepted, Unix nanoseconds: the order of I3
	Error       string          // run.ErrorRef of the open error, "" when none
	Intent      string          // run.ErrorRef-like name of the row about to be sent (Slack), "" when none
}

// Target names a sync's ledger at one destination object: sync#connection#object.
// A repointed sync starts with an empty one.
func Target(sync, connection, object string) string {
	return sync + "#" + connection + "#" + object
}
