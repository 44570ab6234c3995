package run

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// An Action is what somebody did, as the audit log keeps it. It holds no row value, no
// record id and no secret (I6).
type Action struct {
	ID string    `json:"id"` // tells actions of one moment apart
	At time.Time `json:"at"`
	// Who did it: the role in SQL, the person's login name on the command line.
	Who    string       `json:"who"`
	What   string       `json:"what"` // pause, resume, retry, cancel, reset, accept_account, connect test, apply, remove or forget
	On     string       `json:"on"`   // the sync, the run or the connection; several are separated by commas
	Result ActionResult `json:"result"`
	Note   string       `json:"note,omitempty"` // what came of it
}

// ActionResult says how an action went.
type ActionResult string

// The results.
const (
	ActionBegun   ActionResult = "begun" // written before anything is done: the process died, or is at it
	ActionDone    ActionResult = "done"
	ActionRefused ActionResult = "refused" // Penstock refused it, and nothing was changed
	ActionFailed  ActionResult = "failed"  // part of it may have been done
)

// KeepActions is how long the audit log keeps an action.
const KeepActions = 400 * 24 * time.Hour

// Begin is the action with its ID, to be stored before it is carried out. The same
// person's same action at one moment is one.
func (a Action) Begin() Action {
	sum := sha256.Sum256([]byte(strings.Join([]string{a.Who, a.What, a.On}, "\x00")))
	a.ID, a.Result = hex.EncodeToString(sum[:6]), ActionBegun
	return a
}
