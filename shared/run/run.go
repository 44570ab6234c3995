// Package run holds what a run is, what is kept of its batches, chunks and
// errors, and the rules that decide when it is complete and where its watermark
// goes. Pure: no I/O, no clock.
package run

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"
)

// Sentinels that the storage adapters return (wrapped).
var (
	// ErrNotFound: nothing is stored under that name. From reads of one thing, and
	// from updates of a batch that expired.
	ErrNotFound = errors.New("not found")
	// ErrConflict: what was read has been changed by somebody else since.
	ErrConflict = errors.New("changed by somebody else")
	// ErrFormat: what is stored has a format that this program does not know.
	ErrFormat = errors.New("stored in a format that this program does not know")
)

// Mode says which rows a run means to push.
type Mode string

// incremental pushes what changed; full all rows, and re-sends what other runs
// delivered; cdc consumes a stream of changes, once; dry_run begins no run.
const (
	Incremental Mode = "incremental"
	Full        Mode = "full"
	CDC         Mode = "cdc"
	DryRun      Mode = "dry_run"
)

// Modes are the words of penstock_run, the command line and schedules.
var Modes = []Mode{Incremental, Full, CDC, DryRun}

// Status is where a run stands.
type Status string

// The statuses.
const (
	Open       Status = "open"       // rows may still arrive
	Finishing  Status = "finishing"  // finish was called; rows are still on their way
	Complete   Status = "complete"   // every row received and settled
	Incomplete Status = "incomplete" // given up after a quiet hour; Reason says why
	Cancelled  Status = "cancelled"  // stop_on_error, penstock_cancel or a take-over
	Failed     Status = "failed"     // its version cannot be delivered, or it cannot be carried out; Reason says why
	Blocked    Status = "blocked"    // its gate stopped it before its first row; Gate and Reason say why
)

// Ended reports whether the status is final (a late batch reopens an implicit run).
func (s Status) Ended() bool { return s != Open && s != Finishing }

// Dead reports whether rows of such a run are not to be sent any more.
func (s Status) Dead() bool { return s == Cancelled || s == Blocked }

// Outcome says how an ended run went, by its rows.
type Outcome string

// The outcomes.
const (
	Succeeded Outcome = "succeeded" // every row is right at the destination
	Partial   Outcome = "partial"   // some are
	None      Outcome = "failed"    // none of the rows that it got is
)

// A Run is one execution of a sync: from begin to finish, or one query's rows.
type Run struct {
	ID           string    `json:"id"`
	Sync         string    `json:"sync"`
	Version      string    `json:"version"`
	Target       string    `json:"target"`                  // ledger.Target when it began
	Mode         Mode      `json:"mode"`                    //
	Bracketed    bool      `json:"bracketed"`               // begun by penstock_begin; else implicit
	Original     string    `json:"original,omitempty"`      // of a retry's run: the run whose rows it sends again
	Query        string    `json:"query,omitempty"`         // implicit: the query's id
	Caller       string    `json:"caller,omitempty"`        // bracketed: the token of the begin that made it
	Status       Status    `json:"status"`                  //
	Outcome      Outcome   `json:"outcome,omitempty"`       // once it has ended
	Reason       string    `json:"reason,omitempty"`        // why incomplete, cancelled or failed; what finish got wrong
	TakenBy      string    `json:"taken_by,omitempty"`      // the run that took over from this one
	BegunAt      time.Time `json:"begun_at"`                //
	FinishedAt   time.Time `json:"finished_at,omitzero"`    // when finish was called or the quiet time was over
	EndedAt      time.Time `json:"ended_at,omitzero"`       // when the last row settled
	Expected     int64     `json:"expected"`                // rows that finish announced; -1 unknown
	From         string    `json:"from,omitempty"`          // watermark that begin returned, a JSON scalar
	Since        string    `json:"since,omitempty"`         // the least cursor that a selected row may have, a JSON scalar, where that is less than From
	SelectAll    bool      `json:"select_all,omitempty"`    // begin asked for all rows
	Remapped     bool      `json:"remapped,omitempty"`      // of a stream: the mapping is another one than that with which all rows were selected last
	Always       bool      `json:"always,omitempty"`        // the period of incremental.always was over when it began: rows that it is true of are sent again
	Sequence     int64     `json:"sequence,omitempty"`      // of a mirror's full run: taken when it began, before any of its rows
	MarkRevision int64     `json:"mark_revision,omitempty"` // of the mark that begin read
	Cursor       string    `json:"cursor,omitempty"`        // greatest plausible cursor received, a JSON scalar
	Hold         string    `json:"hold,omitempty"`          // least cursor among rows not known to be right, a JSON scalar
	Holds        int       `json:"holds,omitempty"`         // how many of its messages hold the mark, as of the last sweep
	Looked       bool      `json:"looked,omitempty"`        // ended without completing, and all its holds are in the mark
	Final        bool      `json:"final,omitempty"`         // ended without completing, and its counts change no more
	LeftBehind   int64     `json:"left_behind,omitempty"`   // rows below the mark that were not delivered: only retry and full reach them
	Mirror       *Mirror   `json:"mirror,omitempty"`        // of a mirror's full run: the removal of what left the model
	Gate         *Gate     `json:"gate,omitempty"`          // what its quality gate said; nil where none was asked yet
	Counts       Counts    `json:"counts"`                  // totals, as of the last sweep
	Groups       []Group   `json:"groups,omitempty"`        // its failures by stage, type and field, at most MaxGroups and one of the others
	Revision     int64     `json:"revision"`                // optimistic lock: grows with every update
}

// BrokeOff begins the reason with which penstock_run ends a run of which a step failed, on
// every warehouse.
const BrokeOff = "penstock_run: "

// BrokenOff reports whether a run was cancelled because its statement failed; others were
// ended by somebody, or by another run.
func (r *Run) BrokenOff() bool { return r.Status == Cancelled && strings.HasPrefix(r.Reason, BrokeOff) }

// Live reports whether a sweep has something to settle of the run: it goes on, or rows that
// were in hand when it was ended without completing are counted after its end.
func (r *Run) Live() bool { return !r.Status.Ended() || r.Status != Complete && !r.Final }

// Moves reports whether its counts may be others from one minute to the next: those of a run
// that ended long ago, whose rows wait in the queue or were never sent, are taken as stored.
func (r *Run) Moves(now time.Time) bool {
	return r.Live() && (!r.Status.Ended() || now.Sub(r.EndedAt) < time.Hour)
}

// A Group counts a run's failures of one kind.
type Group struct {
	Stage string `json:"stage"`
	Type  string `json:"error_type"`
	Field string `json:"field,omitempty"`
	Rows  int64  `json:"rows"`
}

// MaxGroups is how many groups a run keeps apart; the rest is counted as "other".
const MaxGroups = 50

// Selects reports whether the next run selects the rows again that this one did not
// deliver: those of a begun run that read a model, not those of a consumed stream.
func (r Run) Selects() bool { return r.Bracketed && r.Mode != CDC }

// Least is the least cursor that a row of the run may have, as far as it is known; ""
// where it may have any.
func (r Run) Least() string {
	if r.Since != "" {
		return r.Since
	}
	return r.From
}

// Counts are rows by what became of them, and the calls that it took. In a
// settled run Received = Rejected + Blocked + Superseded + Delivered + Unchanged + Failed + Cancelled.
type Counts struct {
	Received   int64 `json:"received"`
	Queued     int64 `json:"queued"`
	Rejected   int64 `json:"rejected"` // at intake: mapping
	Blocked    int64 `json:"blocked"`
	Superseded int64 `json:"superseded"` // a later row of the same key took its place
	Delivered  int64 `json:"delivered"`
	Unchanged  int64 `json:"unchanged"`
	Failed     int64 `json:"failed"` // stored as an error after it was queued, or counted in a message's summary
	// Exhausted are the rows of Failed that were sent again, and have failed as often as the
	// sync's retry says.
	Exhausted int64 `json:"exhausted,omitempty"`
	Cancelled int64 `json:"cancelled"`         // not sent, because the run was ended; the next run selects it
	Calls     int64 `json:"calls"`             // requests to the destination
	Rekeyed   int64 `json:"rekeyed,omitempty"` // updates of a stream that changed the key: the old key's record is left as it is
	// Repeated are the rows of requests that came again under another id: a retry's, or as
	// many rows of the same query, equal to these. They are received for finish alone.
	Repeated int64 `json:"repeated,omitempty"`
	// LookedUp are the rows whose record had to be looked for, since no earlier delivery
	// told its id: in lookups, or by an update that names it by the match value.
	LookedUp int64 `json:"looked_up,omitempty"`
	NoCursor int64 `json:"no_cursor"` // received rows whose cursor is null, unreadable, implausible, or a text in a column of something else: they move no watermark
}

// Add returns the sum, field by field.
func (c Counts) Add(d Counts) Counts {
	c.Received += d.Received
	c.Queued += d.Queued
	c.Rejected += d.Rejected
	c.Blocked += d.Blocked
	c.Superseded += d.Superseded
	c.Delivered += d.Delivered
	c.Unchanged += d.Unchanged
	c.Failed += d.Failed
	c.Exhausted += d.Exhausted
	c.Cancelled += d.Cancelled
	c.Calls += d.Calls
	c.Rekeyed += d.Rekeyed
	c.Repeated += d.Repeated
	c.LookedUp += d.LookedUp
	c.NoCursor += d.NoCursor
	return c
}

// Lacks reports whether fewer rows came than were announced.
func (c Counts) Lacks(announced int64) bool { return c.Received+c.Repeated < announced }

// Settled is the number of received rows whose fate is known.
func (c Counts) Settled() int64 {
	return c.Rejected + c.Blocked + c.Superseded + c.Delivered + c.Unchanged + c.Failed + c.Cancelled
}

// BatchID is the identity of a batch: 16 hex digits of SHA-256 over sync,
// function and the caller's batch id.
func BatchID(sync, function, id string) string { return hash16(sync, function, id) }

// ImplicitID is the id of the run that gathers one query's rows for one sync.
func ImplicitID(sync, query string) string { return sync + ".q" + hash16(query) }

// BegunID is the id of the run that a begin with this token makes.
func BegunID(sync, token string) string { return sync + ".r" + hash16(token) }

// SyncOf is the sync of a run id, or the name itself when it is no run id.
func SyncOf(nameOrRun string) string {
	name, _, _ := strings.Cut(nameOrRun, ".")
	return name
}

// IsID reports whether s is a run id rather than a sync's name.
func IsID(s string) bool { return strings.Contains(s, ".") }

func hash16(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
