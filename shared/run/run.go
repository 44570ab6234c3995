// Package run holds what a run is and the rules that decide when one is complete
// and where its watermark goes. Pure: no I/O, no clock.
package run

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Mode says which rows a run means to push.
type Mode string

// incremental pushes what changed; full re-sends whatever other runs delivered.
const (
	Incremental Mode = "incremental"
	Full        Mode = "full"
)

// Status is where a run stands.
type Status string

// The statuses. Only the sweeper moves a run out of Open and Finishing.
const (
	Open       Status = "open"       // rows may still arrive
	Finishing  Status = "finishing"  // finish was called; rows are still on their way
	Complete   Status = "complete"   // every row received and settled
	Incomplete Status = "incomplete" // given up after a quiet hour; Reason says why
	Cancelled  Status = "cancelled"  // stop_on_error, or a person
)

// Ended reports whether the status is final (a late batch reopens an implicit run).
func (s Status) Ended() bool { return s == Complete || s == Incomplete || s == Cancelled }

// A Run is one execution of a sync: from begin to finish, or one query's rows.
type Run struct {
	ID         string    `json:"id"`
	Sync       string    `json:"sync"`
	Version    string    `json:"version"`
	Mode       Mode      `json:"mode"`
	Bracketed  bool      `json:"bracketed"`            // begun by penstock_begin; else implicit
	Query      string    `json:"query,omitempty"`      // implicit: the query's id
	Status     Status    `json:"status"`               //
	Reason     string    `json:"reason,omitempty"`     // why incomplete, cancelled, or what it waits for
	BegunAt    time.Time `json:"begun_at"`             //
	FinishedAt time.Time `json:"finished_at,omitzero"` // when finish was called or the quiet time was over
	EndedAt    time.Time `json:"ended_at,omitzero"`    // when the last row settled
	Expected   int64     `json:"expected"`             // rows that finish announced; -1 unknown
	From       string    `json:"from,omitempty"`       // watermark that begin returned, a JSON scalar
	Cursor     string    `json:"cursor,omitempty"`     // greatest cursor received, a JSON scalar
	Counts     Counts    `json:"counts"`               // totals, as of the last sweep
	Revision   int64     `json:"revision"`             // optimistic lock: grows with every update
}

// Counts are rows by what became of them, and the calls that it took. In a
// settled run Received = Rejected + Blocked + Superseded + Delivered + Unchanged + Failed.
type Counts struct {
	Received   int64 `json:"received"`
	Queued     int64 `json:"queued"`
	Rejected   int64 `json:"rejected"` // at intake: mapping
	Blocked    int64 `json:"blocked"`
	Superseded int64 `json:"superseded"` // a later row of the same key took its place
	Delivered  int64 `json:"delivered"`
	Unchanged  int64 `json:"unchanged"`
	Failed     int64 `json:"failed"` // stored as an error by a worker
	Calls      int64 `json:"calls"`  // requests to the destination
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
	c.Calls += d.Calls
	return c
}

// Settled is the number of received rows whose fate is known.
func (c Counts) Settled() int64 {
	return c.Rejected + c.Blocked + c.Superseded + c.Delivered + c.Unchanged + c.Failed
}

// A Batch is one request's rows for one sync, pinned before its first send, so
// that a retry sends the same chunks under the same ids.
type Batch struct {
	Run      string `json:"run"`
	ID       string `json:"id"` // BatchID(sync, function, warehouse's batch id)
	Sync     string `json:"sync"`
	Version  string `json:"version"`
	BodyHash string `json:"body_hash"` // CRC-32C and length of the rows; a retry with other rows is refused
	Sent     bool   `json:"sent"`      // every chunk was accepted by the queue
	Place    int64  `json:"place"`     // when it was accepted, Unix nanoseconds: the order of I3
	Cursor   string `json:"cursor,omitempty"`
	Cut      []Cut  `json:"cut,omitempty"` // one per chunk, in order
	// Groups counts the queued rows per group (Slack: channel), for destinations that digest.
	Groups map[string]int `json:"groups,omitempty"`
	Counts Counts         `json:"counts"` // Received, Queued, Rejected, Blocked, Superseded as of intake; the rest from Chunks
	// Chunks holds what workers recorded, by chunk index.
	Chunks map[int]Chunk `json:"chunks,omitempty"`
}

// A Cut says how one chunk was cut: the next Rows queued rows of Lane.
type Cut struct {
	Lane int `json:"lane"`
	Rows int `json:"rows"`
}

// A Chunk is the record of one queue message.
type Chunk struct {
	Done      bool      `json:"done"`        // all rows settled; counted once (I2)
	At        time.Time `json:"at,omitzero"` // when it was recorded
	Counts    Counts    `json:"counts"`      // Superseded, Delivered, Unchanged, Failed, Calls
	Deferrals int       `json:"deferrals"`   // times a worker gave it back on purpose
	Attempts  int       `json:"attempts"`    // deferrals that count as an attempt on its rows
}

// A RowError is one row that was not delivered, as a person and a replay need it.
type RowError struct {
	Sync     string    `json:"sync"`
	Run      string    `json:"run"`
	Batch    string    `json:"batch"`
	Row      int       `json:"row"` // the warehouse's row number
	RecordID string    `json:"record_id"`
	Key      string    `json:"key,omitempty"`
	Type     string    `json:"error_type"` // the rule or the vendor's code
	Message  string    `json:"error_message"`
	Field    string    `json:"field,omitempty"`
	Stage    string    `json:"stage"` // intake, match, deliver, deadletter
	Attempts int       `json:"attempts"`
	At       time.Time `json:"occurred_at"`
	Place    int64     `json:"place"`                 // the row's place in I3's order
	Source   []byte    `json:"source_data,omitempty"` // the row's raw JSON object; cut off above 256 KiB
}

// Ref names a stored error: run#batch#row.
func (e RowError) Ref() string { return ErrorRef(e.Run, e.Batch, e.Row) }

// BatchID is the identity of a batch: 16 hex digits of SHA-256 over sync,
// function and the warehouse's batch id.
func BatchID(sync, function, id string) string { return hash16(sync, function, id) }

// ImplicitID is the id of the run that gathers one query's rows for one sync.
func ImplicitID(sync, query string) string { return sync + ".q" + hash16(query) }

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
