package run

import (
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/row"
)

// A Batch is one request's rows for one sync, pinned before its first send, so
// that a retry is answered alike and sends the same chunks under the same ids.
type Batch struct {
	Run     string `json:"run"`
	ID      string `json:"id"` // BatchID(sync or run, function, caller's batch id); of a due item its ID
	Sync    string `json:"sync"`
	Version string `json:"version"`
	// Attempt is the caller's id of the request that was pinned, where the same batch may
	// come under another: row.Batch.Same. "" elsewhere.
	Attempt  string     `json:"attempt,omitempty"`
	BodyHash string     `json:"body_hash"`        // CRC-32C and length of the rows; a retry with other rows is refused
	Sent     bool       `json:"sent"`             // every chunk was accepted by the queue
	Sequence int64      `json:"sequence"`         // the order of acceptance within the sync (I3)
	At       time.Time  `json:"at"`               // when it was accepted
	Cursor   string     `json:"cursor,omitempty"` // greatest plausible cursor of its accepted rows, a JSON scalar
	Texts    *Texts     `json:"texts,omitempty"`  // where Cursor is a text: what its rows are if the run holds another type
	Told     CursorType `json:"told,omitempty"`   // the type of its column, number or timestamp, where Cursor does not tell: Column.Told
	// Chunks is how many chunks it was cut into, and Lanes the lane of each; Rows tells
	// per row, in order, what it was answered and where it went: see Code.
	Chunks int         `json:"chunks"`
	Lanes  []byte      `json:"lanes,omitempty"`
	Rows   []byte      `json:"rows,omitempty"`
	Faults []row.Fault `json:"faults,omitempty"` // the distinct faults of rejected rows, named by Rows
	Least  string      `json:"least,omitempty"`  // least cursor of its superseded rows, a JSON scalar, for chunks sent by a retry
	// Groups counts the queued rows per group, for versions that gather: see Gathering.
	Groups   []byte  `json:"groups,omitempty"`
	Failures []Group `json:"failures,omitempty"` // of its rejected and blocked rows
	Asked    *Asked  `json:"asked,omitempty"`    // of an AskedID's
	// Removal marks the removals of a mirror; Keyless counts the rows without a key of a
	// mirror's full run, and Seen says that the keys of the others are kept.
	Removal bool   `json:"removal,omitempty"`
	Keyless int    `json:"keyless,omitempty"`
	Seen    bool   `json:"seen,omitempty"`
	Counts  Counts `json:"counts"` // Received, Queued, Rejected, Blocked, Superseded, NoCursor as of intake
}

// Repeat is a batch that stands for the rows of this one, of which there are so many,
// having come again under another id of the caller's: it counts them, once per id, and
// holds nothing else. To a mirror all of its keys are known.
func (b *Batch) Repeat(attempt string, rows int, now time.Time) Batch {
	return Batch{
		Run: b.Run, ID: hash16(b.ID, "again", attempt), Sync: b.Sync, Version: b.Version, Attempt: attempt, BodyHash: b.BodyHash,
		Sent: true, Sequence: b.Sequence, At: now, Seen: true, Counts: Counts{Repeated: int64(rows)},
	}
}

// A Chunk is the record of one queue message, an item of its own.
type Chunk struct {
	// Start is the mark of a worker that has the message in hand, written when it was
	// received before; nil when there is none.
	Start *Start `json:"start,omitempty"`
	// Most is the call size that halving reached before the message was handed back:
	// the next invocation begins with it. 0 is the vendor's own.
	Most int `json:"most,omitempty"`
	// Tried is when its rows were last tried, for messages that wait for their connection.
	Tried time.Time `json:"tried,omitzero"`
	// BusyUntil is how long a push of its rows that was given up may still be carried out:
	// until then nothing behind it in its lane is sent.
	BusyUntil time.Time `json:"busy_until,omitzero"`

	Done     bool      `json:"done"`               // all rows settled; counted once (I2)
	At       time.Time `json:"at,omitzero"`        // when it was recorded
	Counts   Counts    `json:"counts"`             // Superseded, Delivered, Unchanged, Failed, Exhausted, Cancelled, Calls, LookedUp
	Hold     string    `json:"hold,omitempty"`     // least cursor among its rows that are not known to be right, a JSON scalar
	Doubt    int       `json:"doubt,omitempty"`    // rows of a sync without a cursor that are not known to be right, and of which no error tells
	Cursors  []Held    `json:"cursors,omitempty"`  // of its rows that are not known to be right: BoundHeld
	Outcomes []byte    `json:"outcomes,omitempty"` // PackFates of a Fate per row, in the chunk's order
	Groups   []Group   `json:"groups,omitempty"`   // of its failures
}

// KeepUnchanged is how long it is kept which keys a message left as they were: Snowflake
// sends a batch again for up to 24 hours, and may begin late.
const KeepUnchanged = 48 * time.Hour

// A Start says that a worker began on a message.
type Start struct {
	Receives int       `json:"receives"` // the receive that it had in hand
	At       time.Time `json:"at"`       //
	Deaths   int       `json:"deaths"`   // of workers that had the message in hand, as far as known
	Row      int       `json:"row"`      // the row in hand, alone in its call; -1 when the message was worked on whole
	// Killers counts the deaths of workers that had a row in hand, by the row's position.
	Killers map[int]int `json:"killers,omitempty"`
}

// A Fate is what became of a queued row, as one byte of its chunk's record.
type Fate byte

// The fates.
const (
	FateNone       Fate = '-' // not settled
	FateDelivered  Fate = 'd'
	FateUnchanged  Fate = 'u'
	FateSuperseded Fate = 's'
	FateFailed     Fate = 'f' // stored as an error, not due
	FateDue        Fate = 'r' // stored as an error, sent again when it is due
	FateUnknown    Fate = '?' // stored as the error unknown: it may have arrived
	FateCancelled  Fate = 'c'
)

// A RowError is one row that was not delivered, as a person and a replay need it.
type RowError struct {
	Sync     string    `json:"sync"`
	Run      string    `json:"run"`
	Batch    string    `json:"batch"`
	Row      int       `json:"row"` // the caller's row number
	RecordID string    `json:"record_id"`
	Key      string    `json:"key,omitempty"`
	Version  string    `json:"version,omitempty"` // that it failed with
	Target   string    `json:"target,omitempty"`  // ledger.Target that it was to be delivered to; "" of rows rejected at intake
	Type     string    `json:"error_type"`        // the rule or the vendor's code
	Message  string    `json:"error_message"`
	Field    string    `json:"field,omitempty"`
	Stage    string    `json:"stage"`                 // intake, match, deliver, connection, deadletter
	Attempts int       `json:"attempts"`              // made so far, the first delivery included
	Halted   int       `json:"halted,omitempty"`      // of them, those that failed with their version: they use no attempt of the row's up (I9)
	Due      time.Time `json:"due,omitzero"`          // when it is sent again by itself; zero: it is not
	At       time.Time `json:"occurred_at"`           //
	Sequence int64     `json:"sequence"`              // of its batch (I3)
	Summary  []int     `json:"summary,omitempty"`     // of a message's summary: the numbers of the rows that it counts
	Delete   bool      `json:"delete,omitempty"`      // the row's record was to be removed
	Source   []byte    `json:"source_data,omitempty"` // the row's JSON object as store_source says
}

// Ref names a stored error: run#batch#row.
func (e RowError) Ref() string { return ErrorRef(e.Run, e.Batch, e.Row) }

// ErrorPage is about how many bytes of errors one page of a run's errors holds: what a
// function of 256 MB holds and answers within Lambda's 6 MB.
const ErrorPage = 3 << 20

// Ended is the error that is not sent again by itself any more. why is added to its
// message, once; "" leaves it. Attempts stay.
func (e RowError) Ended(why string) RowError {
	e.Due = time.Time{}
	if why != "" && !strings.HasSuffix(e.Message, why) {
		e.Message = strings.TrimPrefix(e.Message+"; "+why, "; ")
	}
	return e
}

// A Due is the rows of one original batch that a message left to be sent again.
// ID does not hold the time, so that storing it twice with another one is still one
// batch at intake.
type Due struct {
	Sync     string    `json:"sync"`
	At       time.Time `json:"at"`
	Run      string    `json:"run"`      // the original run and batch of the rows: their errors' refs
	Batch    string    `json:"batch"`    //
	By       string    `json:"by"`       // the message that failed: run#batch#chunk
	Attempts int       `json:"attempts"` // made so far
	Rows     []int     `json:"rows"`     // row numbers in the original batch
	Version  string    `json:"version"`  // that failed: a halted one is held back
}

// ID is the identity of the batch that the rows become.
func (d Due) ID() string { return hash16("due", d.Run, d.Batch, d.By, itoa(d.Attempts)) }

// A Halt says that a version cannot be delivered, as far as seen.
type Halt struct {
	Sync     string    `json:"sync"`
	Version  string    `json:"version"`
	Tries    int       `json:"tries"`
	Since    time.Time `json:"since"`
	Next     time.Time `json:"next"` // nobody tries before
	Code     string    `json:"code"`
	Field    string    `json:"field,omitempty"`
	Reason   string    `json:"reason"`
	Runs     []string  `json:"runs,omitempty"` // whose first message was tried since, at most 20
	By       string    `json:"by,omitempty"`   // run#batch#chunk: the message that has the one try, until it ends
	Revision int64     `json:"revision"`
}

// A Mark is a sync's watermark for one target and cursor column.
type Mark struct {
	Sync     string    `json:"sync"`
	Target   string    `json:"target"`
	Column   string    `json:"column"`            // "" where the definition names no cursor: it only says that all were selected
	Value    string    `json:"value,omitempty"`   // a JSON scalar; "" when none was set
	Type     string    `json:"type,omitempty"`    // number, timestamp or text
	Version  string    `json:"version,omitempty"` // with which all rows were selected last by a complete run
	Left     int64     `json:"left,omitempty"`    // the revision at which a version of another mapping took over, if one ever did
	Always   time.Time `json:"always,omitzero"`   // when the last complete run began that sent the rows of incremental.always again
	Low      string    `json:"low,omitempty"`     // least hold of other runs since the value was set, a JSON scalar
	Past     []Past    `json:"past,omitempty"`    // oldest first, at most one an hour
	Revision int64     `json:"revision"`
	At       time.Time `json:"at,omitzero"`
}

// A Past is the greatest cursor at a past completion.
type Past struct {
	At     time.Time `json:"at"`
	Cursor string    `json:"cursor"`
}
