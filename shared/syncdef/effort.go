package syncdef

import (
	"strconv"
	"time"
)

// Effort is what the calls of a definition's destination type carry, and what bounds
// them, as data: estimates are made of it, and nothing else. Its zero value tells
// nothing.
type Effort struct {
	Write  int `json:"write"`            // records that one writing call takes
	Remove int `json:"remove,omitempty"` // records that one removing call takes; 0 is Write
	// Lookup is how many keys one call finds records for; 0 where records whose id is
	// not known are written without being looked up first.
	Lookup int `json:"lookup,omitempty"`
	// Find is the same for records that are to be removed, and FindAll says that they
	// are looked up even where their ids are known.
	Find    int  `json:"find,omitempty"`
	FindAll bool `json:"find_all,omitempty"`
	// Digest is how many messages of a run and group are sent one by one; more become
	// one, which two calls send. 0 is no bound.
	Digest int     `json:"digest,omitempty"`
	Extra  []Extra `json:"extra,omitempty"`
	AtOnce int     `json:"at_once,omitempty"` // calls in flight of one worker
	// Day is how many calls the account has in 24 hours where the connection's
	// quota.calls_per_day says nothing; 0 where the vendor counts no days.
	Day    int64   `json:"day,omitempty"`
	Limits []Limit `json:"limits,omitempty"` // of shorter windows
}

// An Extra is calls that a record costs besides, where one field of it is written.
type Extra struct {
	Field  string  `json:"field"` // the destination's
	Create float64 `json:"create"`
	Update float64 `json:"update"`
}

// A Limit is how many calls a vendor takes in a window of seconds.
type Limit struct {
	Calls  int64  `json:"calls"`
	Per    int64  `json:"per"`              // seconds
	Option string `json:"option,omitempty"` // the connection's key that says Calls
	Shared bool   `json:"shared,omitempty"` // quota.share of it is granted
}

// Granted is how many of a connection's calls it leaves in the window; at least 1.
func (l Limit) Granted(c *Connection) (calls int64, per time.Duration) {
	calls = l.Calls
	if n, err := strconv.ParseInt(c.Options[l.Option], 10, 64); err == nil && n > 0 {
		calls = n
	}
	if l.Shared && c.Quota.Share > 0 {
		calls = calls * int64(c.Quota.Share) / 100
	}
	return max(1, calls), time.Duration(l.Per) * time.Second
}

// PerDay is how many calls the account has in 24 hours, and how many of them the
// connection grants; 0 where the vendor counts no days.
func (e *Effort) PerDay(c *Connection) (account, granted int64) {
	account = e.Day
	if account > 0 && c.Quota.CallsPerDay > 0 {
		account = c.Quota.CallsPerDay
	}
	granted = account
	if c.Quota.Share > 0 {
		granted = account * int64(c.Quota.Share) / 100
	}
	return account, granted
}
