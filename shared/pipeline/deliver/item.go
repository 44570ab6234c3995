package deliver

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// An item is one row in hand.
type item struct {
	m        *message
	at       int // position in the chunk
	number   int
	object   jsontext.Value
	replay   *envelope.Replay
	key      string
	match    string // as the row writes it; "" is key
	recordID string
	group    string
	values   []jsontext.Value
	print    row.Fingerprint
	hashes   []uint32
	cursor   jsontext.Value // its own, and the least of the rows that it superseded
	least    string
	entry    ledger.Entry
	winner   *item // superseded by this one, in hand
	doubt    bool  // an older value that this one supersedes may have been sent by an earlier attempt

	state     state
	outcome   dest.Outcome
	stage     string // of its error: match, deliver, connection, deadletter
	tries     int    // in this invocation
	summed    bool   // failed with its version: its message's summary counts it
	due       bool   // failed: sent again by itself
	dueAt     time.Time
	received  bool // the destination may have carried out a call whose answer was lost
	intended  bool // the ledger says that it is about to be sent
	untouched bool // workers died on it
	partial   bool // only changed fields were sent
	whole     bool // all fields are sent, whatever the ledger says
	rounds    int  // times it went round once more
	lost      bool // the ledger had a newer one when it was committed
	written   bool // the ledger and the errors have it
}

// ref names the row's error; a replay's is that of its first time.
func (i *item) ref() string {
	if i.replay != nil {
		return i.replay.Ref
	}
	return run.ErrorRef(i.m.chunk.Run, i.m.chunk.Batch, i.number)
}

// sequence orders the row among all of its key (I3).
func (i *item) sequence() int64 {
	if i.replay != nil {
		return i.replay.Sequence
	}
	return i.m.chunk.Sequence
}

// attempts made so far, this one left out.
func (i *item) attempts() int {
	if i.replay != nil {
		return i.replay.Attempts
	}
	return 0
}

func (i *item) def() *syncdef.Definition { return &i.m.version.Version.Definition }
func (i *item) rules() *syncdef.Rules    { return &i.m.version.Version.Rules }

// fail ends a row as an error that will be stored and is not due.
func (i *item) fail(stage, code, field, message string) {
	i.state, i.stage, i.due = stateFailed, stage, false
	i.outcome = dest.Outcome{Status: dest.Rejected, Code: code, Field: field, Message: message}
}

// state is where a row stands in this invocation.
type state uint8

const (
	stateOpen      state = iota
	stateDelivered       // pushed in this invocation
	stateCounted         // delivered by an attempt that died before it was counted
	stateUnchanged
	stateSuperseded
	stateFailed    // refused or given up in this invocation
	stateStored    // its error is stored already, by an attempt that died before it was counted
	stateUnknown   // may have arrived; stored as the error unknown
	stateCancelled // of a bracketed run that was ended
	stateWaiting   // goes back with its message
)

// settled reports whether the row's fate is known.
func (s state) settled() bool { return s != stateOpen && s != stateWaiting }

// fate is the row's byte in its message's record.
func (i *item) fate() run.Fate {
	switch i.state {
	case stateDelivered, stateCounted:
		return run.FateDelivered
	case stateUnchanged:
		return run.FateUnchanged
	case stateSuperseded:
		return run.FateSuperseded
	case stateFailed, stateStored:
		if i.due {
			return run.FateDue
		}
		return run.FateFailed
	case stateUnknown:
		return run.FateUnknown
	case stateCancelled:
		return run.FateCancelled
	}
	return run.FateNone
}

// uncertain reports whether it is not known that the destination holds the row's
// value or a newer one: the mark must not pass it.
func (i *item) uncertain() bool {
	switch i.state {
	case stateFailed, stateStored, stateCancelled:
		return true
	}
	return i.lost
}
