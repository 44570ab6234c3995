package run

import "github.com/go-json-experiment/json/jsontext"

// A Replay is rows that failed before, to be sent again as one batch of a run of
// its own, at the sync's current version and with today's mapping.
type Replay struct {
	Sync     string
	Original string // the run that the rows failed in
	Run      string // the run that carries them now: RetryID or AskedID
	ID       string // the batch: of a due item its ID, so that handing it in twice is once
	Rows     []ReplayRow
}

// A ReplayRow is one of them. Handed in again, a Replay has the same rows in the
// same order.
type ReplayRow struct {
	Ref      string         // RowError.Ref of its one error
	Sequence int64          // of its first time (I3)
	Attempts int            // made so far
	Halted   int            // of them, those that failed with their version
	Target   string         // that it failed at; another one than today's is not sent to
	Delete   bool           // its record was to be removed
	Object   jsontext.Value // the stored source; nil for a row that is not to be sent any more
}
