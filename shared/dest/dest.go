// Package dest holds the shapes that every destination shares: records in,
// outcomes out, how a call that failed as a whole is classed, and what a vendor
// is. Each vendor has a package below this one. A destination says what failed
// and, where the answer tells, whose failure it is; what is retried, halved,
// waited for or stored is decided by pipeline/deliver alone.
package dest

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// A Record is one mapped row on its way out.
type Record struct {
	Key      string  // the match value by the version's rule of identity, or the record id where nothing is matched
	Match    string  // the match value as the row writes it, for a new record or an upsert; "" is Key
	RecordID string  // the row's label towards people
	Sequence int64   // orders the rows of a key: the same at every try, a greater one is newer (I3)
	Base     int64   // Sequence of the row of this key that was known to be delivered last, 0 of none: the same for all that is tried until another one is
	ID       string  // the destination's own id, "" until the ledger or a lookup gives it
	Intent   bool    // an earlier attempt may have sent this record: look before sending
	Tried    Tried   // with Intent: that attempt
	Fields   []Field // what to send, in definition order; of a Delete the nulls that clear, else none
	Along    []Field // what the version's Rules send along, where it is not among Fields as it has not changed
	// Delete asks to remove the record, as the definition's OnDelete says: delete and
	// archive name no field, clear empties all Fields and makes no record. A record that is
	// not there is Delivered: Lookup says so of one that it does not find, Push of one that
	// is gone.
	Delete bool
	// Removed says that the sync itself removed the record of this key, and writes it anew.
	Removed bool
}

// Tried is an attempt to send a record of which it is not known what became.
type Tried struct {
	Run string    // whose it was; of a row that was sent again by itself, where it failed first
	At  time.Time // when it began; zero where it is not known
}

// A Field is one value of a record, as JSON of the mapped type; null clears it.
type Field struct {
	Name  string
	Value jsontext.Value
}

// A Batch is what one worker invocation has in hand for one version and run.
type Batch struct {
	Run     string
	Total   map[string]int // rows to be sent in the whole run per group (Slack: channel, without its #); nil unless the version's Rules gather
	AtMost  bool           // of Total: it counts rows of which it is not known yet whether they have to be sent
	Records []Record
}

// A Call is one request to the vendor: the positions in Batch.Records that it
// takes, and what it costs.
type Call struct {
	Records []int
	// Costs are the tokens that the call takes before it is made, at most one entry
	// a bucket; nil when it is answered without a request.
	Costs []Cost
}

// A Cost is Tokens out of one of the account's buckets.
type Cost struct {
	Bucket string // "" is the account's own
	Tokens int
}

// Status is what became of one record.
type Status uint8

// The statuses. Pending is an answer of lookups only.
const (
	Pending   Status = iota // lookup: nothing is known, go on to Push
	Found                   // go round once more with Outcome.ID; ID "" from Push: what Record.ID named is gone, go round without it
	Delivered               // the destination holds the value
	Rejected                // this record will not be accepted as it is
	Retry                   // not accepted now; try again after Outcome.After
	Unknown                 // sent, and the answer does not tell what became of it
)

// An Outcome answers one record.
type Outcome struct {
	Status  Status
	Scope   Scope         // Rejected: ScopeVersion when the answer tells that any record of the version would be; else the row's
	ID      string        // the destination's id, when known; Rejected by a lookup: of the record that the row may write, but not remove
	Created bool          // the record did not exist before
	Written bool          // Rejected, Retry: a part of the record was written all the same
	After   time.Duration // Retry: earliest time to try again, 0 when the vendor names none
	Code    string        // the vendor's code: UNABLE_TO_LOCK_ROW, msg_too_long
	Field   string        // the destination's field, when the vendor names one
	Message string        // for people, with a remedy where one is known; never a row's value
}

// Class is what failed when a whole call did.
type Class uint8

// The classes.
const (
	Unavailable   Class = iota // 5xx, network, timeout, an answer that cannot be read
	Throttled                  // a quota is used up: Quota says which, After how long
	Configuration              // a person must act: credentials, permissions, fields, URL
	Refused                    // the call's content fails it as a whole: too large, too complex, malformed
)

// Scope is whose failure it is, where the vendor's answer tells. Where it does
// not, deliver finds out: by a probe, and by halving.
type Scope uint8

// The scopes.
const (
	ScopeUntold     Scope = iota // of a call: to be found out; of an outcome: the row's
	ScopeVersion                 // unknown field or object, no permission on the object
	ScopeConnection              // login, secret, network, quota, another account
)

// Quota is the kind of limit that a Throttled call met.
type Quota uint8

// The kinds.
const (
	QuotaUntold     Quota = iota
	QuotaConcurrent       // too many calls at once: fewer at a time, at once again
	QuotaSecond           // a window of seconds or minutes
	QuotaDay              // the day's share is spent
)

// A CallError says that a whole call failed.
type CallError struct {
	Op      string // "upsert Account", "log in"
	Class   Class
	Scope   Scope
	Quota   Quota
	Code    string        // the vendor's code, or the HTTP status
	Message string        // for people, with the remedy; never a row's value
	After   time.Duration // the vendor's Retry-After, 0 when it names none
	// Received says that the vendor may have received the call and carried it out,
	// wholly or in part: a timeout, a reset, a 5xx, a 2xx that cannot be read. An
	// insert that cannot be looked up is then neither halved nor tried again.
	Received bool
}

// Error implements error.
func (e *CallError) Error() string { return fmt.Sprintf("%s: %s", e.Op, e.Message) }
