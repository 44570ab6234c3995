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

// A Verdict is what the ledger says of a row in hand.
type Verdict uint8

// The verdicts.
const (
	Send       Verdict = iota // the destination does not hold this value
	Unchanged                 // it does, thanks to an earlier run
	Delivered                 // it does, thanks to this run: an attempt died before it was counted
	Failed                    // this very row's error is stored already
	Superseded                // a newer row of the key was accepted since (I3)
)

// A Row is what Diff needs to know of a row in hand.
type Row struct {
	Ref         string // run.ErrorRef
	Run         string
	Place       int64
	Fingerprint row.Fingerprint
	Full        bool // the run re-sends whatever other runs delivered
	Once        bool // insert: once per key, ever, whatever its value
}

// Diff compares a row with the key's entry; known is false where there is none.
func Diff(e Entry, known bool, r Row) Verdict {
	switch {
	case !known:
		return Send
	case e.Place > r.Place:
		return Superseded // I3
	case e.Error == r.Ref && e.Error != "":
		return Failed // I2
	case e.Fingerprint.Void():
		return Send
	case r.Once || e.Fingerprint == r.Fingerprint:
		if e.Run == r.Run {
			return Delivered // I2
		}
		if r.Full && !r.Once {
			return Send
		}
		return Unchanged
	}
	return Send
}

// Changed tells, per mapped field, whether its value differs from what was
// delivered last. All do when nothing was, or when another version delivered it.
func (e Entry) Changed(version string, hashes []uint32) func(i int) bool {
	if e.Fingerprint.Void() || e.Version != version || len(e.Fields) != len(hashes) {
		return func(int) bool { return true }
	}
	return func(i int) bool { return e.Fields[i] != hashes[i] }
}
