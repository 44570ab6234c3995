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
	Asked    *Asked // of an AskedID's; nil of what came back by itself
}

// Asked is what the batch of an AskedID keeps of the call that made it: repeated, the call
// sends the same rows and is answered alike, whatever has failed since.
type Asked struct {
	Errors []AskedErrors `json:"errors"`         // of its rows, in their order
	Next   string        `json:"next,omitempty"` // where the call went on; "" after the run's last error
	// What the call had read since the batch before: so many errors, and of them those that
	// it did not send, as it answers them.
	Read       int `json:"read"`
	Superseded int `json:"superseded,omitempty"`
	PushAgain  int `json:"push_again,omitempty"`
	Unknown    int `json:"unknown,omitempty"`
}

// AskedErrors are errors of one batch of the original run.
type AskedErrors struct {
	Batch string `json:"batch"`
	Rows  []int  `json:"rows"`
}

// Add notes the error of one more row.
func (a *Asked) Add(e *RowError) {
	if last := len(a.Errors) - 1; last >= 0 && a.Errors[last].Batch == e.Batch {
		a.Errors[last].Rows = append(a.Errors[last].Rows, e.Row)
		return
	}
	a.Errors = append(a.Errors, AskedErrors{e.Batch, []int{e.Row}})
}

// Refs names the errors of the rows, which are the original run's.
func (a *Asked) Refs(original string) []string {
	var refs []string
	for _, e := range a.Errors {
		for _, row := range e.Rows {
			refs = append(refs, ErrorRef(original, e.Batch, row))
		}
	}
	return refs
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
