package run

import "time"

// MaxDepth is the number of queued messages above which rows are refused for the
// time being: SQS FIFO looks for free groups only among the first 120,000 of a
// queue (Amazon SQS Developer Guide, "FIFO queue delivery logic").
const MaxDepth = 60_000

// Reopen is a run that takes a late batch, which was pinned before the run was
// read; false when it takes it as it is. An implicit run is open again, whatever
// became of it; a bracketed one only when it was given up. The batch of one that stays ended
// is counted in it.
func Reopen(r Run) (Run, bool) {
	switch {
	case r.Status == Open:
		return r, false
	case r.Status.Dead() || r.Bracketed && r.Status == Failed:
		late := r.Final
		r.Final, r.Looked = false, false
		return r, late
	case !r.Bracketed:
		r.Status, r.Reason, r.Outcome = Open, "", ""
		r.FinishedAt, r.EndedAt, r.Expected, r.Final = time.Time{}, time.Time{}, -1, false
		return r, true
	case r.Status != Incomplete:
		return r, false
	}
	r.Status, r.Reason, r.Outcome, r.EndedAt, r.Final = Open, "", "", time.Time{}, false
	if !r.FinishedAt.IsZero() {
		r.Status = Finishing
	}
	return r, true
}
