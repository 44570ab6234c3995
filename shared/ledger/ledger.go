// Package ledger decides whether a record changed. It holds per key what the
// destination holds and, apart from it, what happened last, and compares both
// with what is in hand. Pure: the entries are read and written by adapters.
package ledger

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// An Entry is what is known of one key at one target.
type Entry struct {
	Key      string
	Held     Held
	Last     Last
	Revision int64 // changes with every write; 0 where nothing is stored. A Commit is conditional on it
	// Intends says, of an entry to commit, that it tells of a send to come, in Last.Intent,
	// or takes that back: the first is stored over no other entry than the one that was read.
	Intends bool
	// Attempt is, of an insert's entry to commit, the intent of the attempt that commits
	// it; "" elsewhere.
	Attempt string
	// Voids says, of an entry to commit, that it only takes back what is held: it is stored
	// over the revision that was read or not at all, so that whatever was delivered since stays.
	Voids bool
	// Carries says, of an entry to commit, that its open error is the one that was read: a
	// row that is not sent carries it over. What became of it since stays.
	Carries bool
	// Claim is, of an entry to commit, the record id that the key is kept for from now on;
	// "" keeps nothing. It is stored before the entry, and never read back in it.
	Claim string
}

// A Place is where an entry stands.
type Place struct{ Target, Key string }

// Held is what the destination holds. It is never forgotten: a refusal leaves it.
type Held struct {
	Fingerprint row.Fingerprint // void when nothing was delivered, or it is not known what is there; row.Gone after a delete
	Fields      []uint32        // FieldHash per mapped field of the version that delivered; while Fingerprint is void, of the row of Base
	Version     string          // whose fields Fields holds
	ID          string          // the destination's own id
	Sequence    int64           // of the row that was delivered, or may have been
	Base        int64           // while Fingerprint is void: of the last row that is known to be delivered
	Record      uint64          // RecordOf the row that wrote it last; 0 where that is not kept
}

// Sure is the sequence of the last row that is known to be delivered, 0 of none. Whatever
// is tried until another one is has it in common.
func (h Held) Sure() int64 {
	if h.Fingerprint.Void() {
		return h.Base
	}
	return h.Sequence
}

// InDoubt is what is held once something was sent of which nobody knows whether it arrived.
// What was held before stays known to fields that add. cleared says that it may have been a
// delete, after which nothing is.
func (h Held) InDoubt(cleared bool) Held {
	h.Base, h.Fingerprint = h.Sure(), row.Fingerprint{}
	if cleared {
		h.Fields = nil
	}
	return h
}

// Last is what happened last, delivered or not.
type Last struct {
	Run      string
	Sequence int64
	Error    string // run.ErrorRef of the error that this row became: the open one
	Intent   string // of the row that is about to be sent, or may have been: IntentOf
	Unknown  bool   // the error says that it may have arrived
}

// Sequence is the greatest that was seen of the key.
func (e Entry) Sequence() int64 { return max(e.Held.Sequence, e.Last.Sequence) }

// What an entry keeps at most, so that its item stays far below 100 KB.
const (
	MaxFields = 16_000 // hashes of 4 bytes; of more fields all count as changed
	MaxID     = 2_048  // bytes of a destination's id; a longer one is looked up again
)

// Bound takes out of the entry what it would be too large with. What is left out is
// as not known: it costs a call, and nothing is wrong.
func (e *Entry) Bound() {
	if len(e.Held.Fields) > MaxFields {
		e.Held.Fields = nil
	}
	if len(e.Held.ID) > MaxID {
		e.Held.ID = ""
	}
}

// Target names a version's ledger: another connection, account (epoch), object,
// match or rule of identity starts an empty one. Inserts are known by connection
// and account alone, so that a key is sent once, however the definition changes.
func Target(d *syncdef.Definition, rules *syncdef.Rules, epoch int64) string {
	t := d.Sync + "#" + d.Connection
	if !rules.Once {
		sum := sha256.Sum256(identity(d, rules))
		t += "#" + d.Object + "#" + hex.EncodeToString(sum[:identityDigits/2])
	}
	if epoch > 0 {
		t += "#" + strconv.FormatInt(epoch, 10)
	}
	return t
}

// Of is the connection that a ledger of this name (Target) is of, and the epoch of its
// account.
func Of(target string) (connection string, epoch int64) {
	_, rest, _ := strings.Cut(target, "#")
	connection, rest, _ = strings.Cut(rest, "#")
	last := rest[strings.LastIndexByte(rest, '#')+1:]
	if len(last) == identityDigits {
		return connection, 0
	}
	epoch, err := strconv.ParseInt(last, 10, 64)
	if err != nil {
		return connection, 0
	}
	return connection, epoch
}

// identityDigits is how many hexadecimal digits stand for an identity; an epoch never has
// as many, as it counts what people accept.
const identityDigits = 8

// identity is what makes keys comparable: strategy, field, and rule.
func identity(d *syncdef.Definition, rules *syncdef.Rules) []byte {
	by := []any{d.Strategy, d.Match.Destination, rules.Identity}
	if d.Strategy == syncdef.MatchNone {
		by = append(by, d.RecordID)
	}
	b, err := json.Marshal(by)
	if err != nil {
		panic(fmt.Sprintf("ledger: %v", err)) // texts and lists only
	}
	return b
}

// A Verdict is what the ledger says of a row in hand.
type Verdict uint8

// The verdicts.
const (
	Send       Verdict = iota // the destination does not hold this value
	Unchanged                 // it does, thanks to an earlier run
	Delivered                 // it does, thanks to this row: an attempt died before it was counted
	Failed                    // this try of the row is stored as its error already
	Superseded                // a newer row of the key was settled since (I3)
)

// A Row is what Diff needs to know of a row in hand.
type Row struct {
	Ref         string // run.ErrorRef; of a replay that of its first time
	Run         string
	Sequence    int64
	Fingerprint row.Fingerprint
	Full        bool // the run re-sends whatever other runs delivered
	Once        bool // insert: once per key, ever, whatever its value
	Delete      bool // its Fingerprint is row.Gone
	Unsure      bool // a delete that is carried out though the ledger knows of no record: every row of the sync deletes, or an earlier attempt may have made one
	Replay      bool // sent again: its error is open while Last names it
}

// Diff compares a row with the key's entry.
func Diff(e *Entry, r *Row) Verdict {
	switch {
	case e.Revision == 0 && r.Delete && !r.Unsure:
		return Unchanged // nothing of this sync's is there
	case e.Revision == 0:
		return Send
	case e.Sequence() > r.Sequence:
		return Superseded // I3
	case r.Replay && e.Last.Error != r.Ref && e.Last.Sequence == r.Sequence && !(e.holds(r) && e.Last.Run == r.Run):
		return Superseded // its error is closed, and not by an attempt of this very run that died
	case !r.Replay && e.Last.Error == r.Ref && e.Last.Error != "":
		return Failed // I2
	case e.holds(r):
		if e.Held.Sequence == r.Sequence && e.Last.Run == r.Run {
			return Delivered // I2
		}
		if r.Full && !r.Once && (!r.Delete || r.Unsure) {
			return Send
		}
		return Unchanged
	case r.Delete && !r.Unsure && !e.Wrote():
		return Unchanged
	}
	return Send
}

// Wrote reports whether the sync may have written a record of the key that is still
// there: delivered, or sent without an answer. An id alone says only that it was found.
func (e Entry) Wrote() bool {
	return e.Held.Fingerprint != row.Gone && (!e.Held.Fingerprint.Void() || e.Held.Sequence > 0)
}

// There reports whether a record of the key may be there: one that the sync wrote, or found.
func (e Entry) There() bool {
	return e.Wrote() || e.Held.ID != "" && e.Held.Fingerprint != row.Gone
}

// holds reports whether the destination holds the row.
func (e *Entry) holds(r *Row) bool {
	return !e.Held.Fingerprint.Void() && (r.Once || e.Held.Fingerprint == r.Fingerprint)
}

// Changed tells, per mapped field, whether its value differs from what was
// delivered last. All do when nothing was, or when another version delivered it; and while
// it is not known what is held, but for those that add: sent once more though the
// destination has it, their value would count twice.
func (e *Entry) Changed(version string, hashes []uint32, adds func(i int) bool) func(i int) bool {
	if e.Held.Version != version || len(e.Held.Fields) != len(hashes) {
		return func(int) bool { return true }
	}
	doubt := e.Held.Fingerprint.Void()
	return func(i int) bool { return e.Held.Fields[i] != hashes[i] || doubt && !adds(i) }
}

// Void is the entry, to be committed, without what is held of the key's record, as the
// destination holds something else: the next row of the key is sent. gone says that the
// destination has no such record any more, so that its id names nothing.
func (e Entry) Void(gone bool) Entry {
	e.Held, e.Voids = e.Held.InDoubt(true), true
	if gone {
		e.Held.ID = ""
	}
	return e
}

// Merge is what to store where an entry is to be written over another one than
// was read: the greater sequence stays, without its fingerprint unless it is the
// row's own, because nobody knows which of the two arrived last; lost says so. That
// either was written is kept, and of held ids and records the newer that is known.
func Merge(stored, mine Entry) (write Entry, lost bool) {
	if mine.Voids {
		return stored, true
	}
	if mine.Carries {
		mine.Last.Error, mine.Last.Unknown = stored.Last.Error, stored.Last.Unknown
	}
	if mine.Attempt != "" {
		return mergeInsert(stored, mine)
	}
	if stored.Sequence() == mine.Sequence() {
		mine.Revision = stored.Revision
		mine.Held = keepID(mine.Held, stored.Held)
		return mine, false
	}
	newer, older := mine, stored
	if stored.Sequence() > mine.Sequence() {
		newer, older = stored, mine
	}
	newer.Held = keepID(newer.Held, older.Held).InDoubt(newer.Held.Fingerprint == row.Gone || older.Held.Fingerprint == row.Gone)
	newer.Held.Sequence = max(newer.Held.Sequence, older.Held.Sequence)
	if newer.Held.Record == 0 {
		newer.Held.Record = older.Held.Record
	}
	newer.Revision = stored.Revision
	return newer, true
}

// Orphan is what to store for an entry where the one that was read has been deleted since,
// as somebody had it forgotten. The destination may hold what the row brought, so that what
// is held is stored anew, also where the row was not sent; an error that it only carries over
// is deleted, and a claim has to be made again. A void entry has nothing left to take back:
// lost says so.
func Orphan(mine Entry) (write Entry, lost bool) {
	if mine.Voids {
		return Entry{}, true
	}
	if mine.Carries || mine.Intends {
		mine.Last.Error, mine.Last.Unknown = "", false
	}
	if mine.Claim == "" {
		mine.Held.Record = 0
	}
	mine.Revision = 0
	return mine, false
}

// mergeInsert is Merge of an insert, which is sent once whatever its value: no attempt
// forgets that another one made the record, or is about to. An intent overwrites nothing:
// whoever lost it has sent nothing yet, and looks again before it does.
func mergeInsert(stored, mine Entry) (write Entry, lost bool) {
	theirs := stored.Last.Intent
	if own := theirs == mine.Attempt; mine.Intends && (mine.Last.Intent != "" || !own) {
		return stored, mine.Last.Intent != "" && !own // an own one: its answer was lost
	} else if own {
		theirs = ""
	}
	write = mine
	if stored.Sequence() > mine.Sequence() {
		write = stored
	}
	write.Revision, write.Held = stored.Revision, keepID(mine.Held, stored.Held)
	if mine.Held.Fingerprint.Void() && !stored.Held.Fingerprint.Void() {
		write.Held = keepID(stored.Held, mine.Held)
	}
	if write.Last.Intent = cmp.Or(mine.Last.Intent, theirs); !write.Held.Fingerprint.Void() {
		write.Last.Intent = ""
	}
	return write, write.Held.Fingerprint.Void() && stored.Sequence() != mine.Sequence()
}

func keepID(h, other Held) Held {
	if h.ID == "" && h.Fingerprint != row.Gone {
		h.ID = other.ID
	}
	return h
}
