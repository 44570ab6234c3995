// Package dest holds the shapes that every destination shares: records in,
// outcomes out, and how a call that failed as a whole is classed. Each vendor has
// a package below this one. A destination classifies; what is retried, waited
// for or stored is decided by pipeline.
package dest

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/pace"
)

// A Record is one mapped row on its way out.
type Record struct {
	Key      string  // the normalised match value, or the record id where nothing is matched
	RecordID string  // the row's label towards people
	ID       string  // the destination's own id, "" until the ledger or a lookup gives it
	Intent   bool    // an earlier attempt may have sent this record: look before sending (Slack)
	Fields   []Field // what to send, in definition order
}

// A Field is one value of a record, as JSON of the mapped type; null clears it.
type Field struct {
	Name  string
	Value jsontext.Value
}

// A Batch is what one worker invocation has in hand for one sync and run.
type Batch struct {
	Run     string
	Total   map[string]int // rows queued in the whole run per group (Slack: channel); nil unless the destination holds runs
	Records []Record
}

// A Call is one request to the vendor: the positions in Batch.Records that it
// takes, and the token bucket that it draws one token from.
type Call struct {
	Bucket  string // "" is the connection's own; Slack: the channel
	Records []int
}

// Status is what became of one record.
type Status uint8

// The statuses. Pending and Found are answers of lookups only.
const (
	Pending   Status = iota // lookup: nothing known, go on to Push
	Found                   // lookup: Outcome.ID is the destination's id, go on to Push
	Delivered               // the destination holds the value
	Rejected                // this record will not be accepted as it is
	Retry                   // not accepted now; try again after Outcome.After
	Unknown                 // sent, no answer
)

// An Outcome answers one record.
type Outcome struct {
	Status  Status
	ID      string        // the destination's id, when known
	Created bool          // the record did not exist before
	After   time.Duration // Retry: earliest time to try again, 0 when the vendor names none
	Code    string        // the vendor's code: UNABLE_TO_LOCK_ROW, msg_too_long
	Field   string        // the destination's field, when the vendor names one
	Message string        // for people, with a remedy where one is known
}

// Class is why a whole call failed.
type Class uint8

// The classes. In every class nothing was sent.
const (
	Unavailable   Class = iota // outage, 5xx, network: wait it out
	Throttled                  // the quota is used up: pause the connection until After
	Configuration              // a person must act: credentials, permissions, fields, URL
	Refused                    // this call's content fails it as a whole: bisect to find the row
)

// A CallError says that a whole call failed and nothing of it was sent.
type CallError struct {
	Op      string // "upsert Account", "log in"
	Class   Class
	Code    string
	Message string // for people, with the remedy
	After   time.Duration
}

// Error implements error.
func (e *CallError) Error() string { return fmt.Sprintf("%s: %s", e.Op, e.Message) }

// Limits are the vendor's caps as the destination knows them.
type Limits struct {
	Concurrency int                               // calls in flight from one invocation
	Windows     func(bucket string) []pace.Window // what the connection may spend of a bucket, its share already taken
}
