package run

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// A Firing is one due time of a sync's schedule: of a sync and a time there is one,
// however often the scheduler tells it. It is stored before the warehouse is called, and
// again with what the warehouse answered, so that a function that dies in between is
// made good by the next one, which calls with the same Request.
type Firing struct {
	Sync   string       `json:"sync"`
	At     time.Time    `json:"due_at"` // when the sync was due, in UTC
	Mode   Mode         `json:"mode"`   // of penstock_run
	Status FiringStatus `json:"status"`
	// Since is when Status was taken, and Tried when the warehouse was called last.
	Since time.Time `json:"since"`
	Tried time.Time `json:"tried,omitzero"`
	// Call counts the statements, from 1: one that was answered skipped may be followed
	// by another. Each has a Request of its own.
	Call     int    `json:"call"`
	Handle   string `json:"handle,omitempty"` // the warehouse's name of the statement
	Run      string `json:"run,omitempty"`    // that the statement began, as far as it told
	Reason   string `json:"reason,omitempty"` // why it waits, was skipped or failed; no row's value (I6)
	Revision int64  `json:"revision"`         // optimistic lock: grows with every update
}

// FiringStatus is where a firing stands.
type FiringStatus string

// The statuses; the last three are final.
const (
	FiringBegun   FiringStatus = "begun"   // the warehouse is about to be called, or may have been
	FiringCalled  FiringStatus = "called"  // the statement was handed over; Handle names it
	FiringWaiting FiringStatus = "waiting" // for the run that goes on, or for the syncs of after
	FiringRan     FiringStatus = "ran"     // the statement ended well; how its rows went is the run's
	FiringSkipped FiringStatus = "skipped" // nothing was begun, and nothing will be
	FiringFailed  FiringStatus = "failed"  // the warehouse refused the statement, or it failed
)

// Ended reports whether the status is final.
func (s FiringStatus) Ended() bool {
	return s == FiringRan || s == FiringSkipped || s == FiringFailed
}

// Request is the id under which the warehouse is called: a UUID of sync, due time and
// Call, and so the same from whichever process calls.
func (f Firing) Request() string {
	h := sha256.Sum256(fmt.Appendf(nil, "penstock firing\x00%s\x00%d\x00%d", f.Sync, f.At.UnixNano(), f.Call))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80 // RFC 9562: version 8, of one's own making
	text := hex.EncodeToString(h[:16])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// A Call asks a warehouse for CALL penstock_run(Sync, Mode).
type Call struct {
	Sync    string
	Mode    Mode
	Request string // a UUID
	Again   bool   // it may have been asked for already, with this Request
}

// A Statement is what became of a Call.
type Statement struct {
	Handle  string // the warehouse's name of it; "" where it ended before the caller was answered
	State   StatementState
	Skipped bool   // penstock_run began nothing, since begin answered wait; Reason says why
	Run     string // that it began, as far as it tells
	Reason  string // of one that failed or began nothing; no row's value (I6)
}

// StatementState is where a statement stands.
type StatementState string

// The states.
const (
	StatementRunning StatementState = "running"
	StatementDone    StatementState = "done"
	StatementFailed  StatementState = "failed"
)

// ErrRefused says that the warehouse refuses a call in a way that a person must mend: login,
// rights, a name, a setting. From runs.Warehouse.
var ErrRefused = errors.New("the warehouse refuses the call")

// ErrBusy says that the warehouse takes no call at this moment, and may soon. From runs.Warehouse.
var ErrBusy = errors.New("the warehouse takes no call now")
