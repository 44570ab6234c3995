package deliver

import (
	"bytes"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// An item is one row in hand. It is small, and what it was mapped to lies in its
// arena: an invocation has tens of thousands of them.
type item struct {
	m      *message
	row    *envelope.Row
	kept   *arena
	nth    int // position in kept
	at     int // position in the chunk
	key    string
	print  row.Fingerprint
	least  string        // least cursor of the rows that it superseded, a JSON scalar
	entry  *ledger.Entry // what the ledger says; written by own alone
	winner *item         // superseded by this one, in hand
	gone   string        // the destination's id that a push of it was told to be gone

	outcome *dest.Outcome // of the last answer; nil before, and where an earlier attempt settled the row
	stage   string        // of its error: match, deliver, connection, deadletter
	dueAt   *time.Time    // when its error is sent again by itself; nil: it is not
	tries   int8          // in this invocation
	rounds  int8          // times it went round once more
	waited  int16         // milliseconds, by tries in this invocation
	state   state

	del       bool // its record is to be removed
	always    bool // incremental.always is true of it
	lacking   bool // of a delete: a lookup found no record
	before    bool // delivered by an earlier attempt: a lookup found it
	sought    bool // its record was looked for: Counts.LookedUp
	mine      bool // entry is its own copy
	doubt     bool // an older value of the key in hand may have been sent by an earlier attempt; of no insert, which has its intent
	cleared   bool // with doubt: that older one is a delete
	ahead     bool // it superseded another value in hand, whose message may go back
	summed    bool // failed with its version: its message's summary counts it
	due       bool // failed: sent again by itself
	spent     bool // failed again, and has used up its attempts: Counts.Exhausted
	version   bool // failed with its version, which uses no attempt of its own up
	stopped   bool // not sent because an earlier row of a stop_on_error run failed
	received  bool // the destination may have carried out a call whose answer was lost
	adopted   bool // its error was stored by an attempt that died before it told the ledger
	intended  bool // the ledger says that it is about to be sent
	untouched bool // workers died on it
	partial   bool // only changed fields were sent
	whole     bool // all fields are sent, whatever the ledger says
	slow      bool // a call of it alone hung: it is tried once more, at full length, after all others
	lost      bool // the ledger had a newer one when it was committed
	quiet     bool // it writes no entry: another row of its key in hand does
	written   bool // the ledger and the errors have it
}

// full reports whether the row is sent though other runs have delivered the same.
func (i *item) full() bool {
	return i.m.chunk.Mode == run.Full || i.always && i.m.run.Always && i.row.Replay == nil
}

// found reports whether the row deletes what intake found by its record id. A mirror's
// removal has no record id but the key.
func (i *item) found() bool {
	return i.del && i.row.Key != "" && i.recordID() != i.key && i.def().KeepsRecords()
}

// absent is the entry of keys that have none; it is never written.
var absent = &ledger.Entry{}

// own is the row's entry to be changed.
func (i *item) own() *ledger.Entry {
	if !i.mine {
		e := *i.entry
		i.entry, i.mine = &e, true
	}
	return i.entry
}

// The texts and values that the row was mapped to.
func (i *item) match() string    { e := i.kept.ends[i.nth]; return i.kept.text[e.key:e.match] }
func (i *item) recordID() string { e := i.kept.ends[i.nth]; return i.kept.text[e.match:e.id] }
func (i *item) group() string    { e := i.kept.ends[i.nth]; return i.kept.text[e.id:e.group] }

// hashes are the row's field hashes.
func (i *item) hashes() []uint32 {
	n := len(i.kept.tags)
	return i.kept.hashes[i.nth*n : (i.nth+1)*n : (i.nth+1)*n]
}

// spans are where the row's values lie, a field each.
func (i *item) spans() []span {
	n := len(i.kept.tags)
	return i.kept.values[i.nth*n : (i.nth+1)*n]
}

// value is what the nth field was mapped to; nil leaves it alone.
func (i *item) value(field int) jsontext.Value {
	s := i.spans()[field]
	if s.end == 0 {
		return nil
	}
	return jsontext.Value(i.kept.bytes[s.start:s.end:s.end])
}

// cursor is the row's own cursor, a JSON scalar; "" when it has none.
func (i *item) cursor() string {
	if i.untouched {
		return ""
	}
	return string(i.m.mapped(i.row).Cursor)
}

// mapped reads a row's cursor and key.
func (m *message) mapped(r *envelope.Row) mapping.Mapped {
	mapper := m.version.Get()
	defer m.version.Put(mapper)
	var got mapping.Mapped
	_ = mapRow(mapper, &got, r.Object)
	got = mapping.Mapped{Cursor: bytes.Clone(got.Cursor), Key: bytes.Clone(got.Key)} // of the mapper's
	if r.Key != "" {
		got.Key = []byte(r.Key)
	}
	return got
}

// blind reports whether the row failed in a way that leaves its cursor unread.
func (i *item) blind() bool {
	return i.untouched || i.state == stateFailed && i.outcome.Code == codePanic
}

// ref names the row's error; a replay's is that of its first time.
func (i *item) ref() string {
	if i.row.Replay != nil {
		return i.row.Replay.Ref
	}
	return run.ErrorRef(i.m.chunk.Run, i.m.chunk.Batch, i.row.Number)
}

// intent names this attempt to send the row, as the ledger is told before it is made.
func (i *item) intent() string { return ledger.IntentOf(i.ref(), i.m.Receipt, i.m.began) }

// tried is the attempt that may have sent the row before.
func (i *item) tried() dest.Tried {
	ref, at := i.entry.Last.Attempt()
	id, _, _, _ := run.ParseRef(ref)
	return dest.Tried{Run: id, At: at}
}

// sequence orders the row among all of its key (I3).
func (i *item) sequence() int64 {
	if i.row.Replay != nil {
		return i.row.Replay.Sequence
	}
	return i.m.chunk.Sequence
}

// attempts made so far, this one left out.
func (i *item) attempts() int {
	if i.row.Replay != nil {
		return i.row.Replay.Attempts
	}
	return 0
}

// halted are the attempts that failed with the row's version, this one left out.
func (i *item) halted() int {
	if i.row.Replay != nil {
		return i.row.Replay.Halted
	}
	return 0
}

// refused reports whether the row's last outcome was a refusal.
func (i *item) refused() bool { return i.entry.Last.Error != "" || i.row.Replay != nil }

func (i *item) def() *syncdef.Definition { return &i.m.version.Version.Definition }
func (i *item) rules() *syncdef.Rules    { return &i.m.version.Version.Rules }

// fail ends a row as an error that will be stored and is not due.
func (i *item) fail(stage, code, field, message string) {
	i.state, i.stage, i.due = stateFailed, stage, false
	i.outcome = &dest.Outcome{Status: dest.Rejected, Code: code, Field: field, Message: message}
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
	case stateFailed:
		return !i.summed || i.received
	case stateStored:
		return true
	case stateCancelled: // its run moves no mark, and what was held before is right
		return i.received
	}
	return i.lost
}
