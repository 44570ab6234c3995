// Package row holds one row on its road: what the warehouse sent, in raw JSON,
// and the identities that are derived from it. It reads and writes nothing and
// knows neither warehouses nor destinations.
package row

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/go-json-experiment/json/jsontext"
)

// A Batch is one request of a warehouse: at most 10 MB of rows and a token that
// stays the same when the warehouse retries the request.
type Batch struct {
	ID string // the warehouse's idempotency token (Snowflake: query-batch-id)
	// Same is another identity of the batch, for callers that may send it again under
	// another ID: what is the same then. Batches that have it in common hold equal rows.
	// "" where a retry keeps its ID.
	Same     string
	Query    string // the query's id, the same for all batches of a statement
	Function string // the SQL function that was called: penstock_push
	Caller   Caller // who sent it
	Rows     []Row
}

// A Row is one row of a Batch. Its object is a raw span of the request body (or
// its text, where the caller sent JSON in a string), never converted, so that
// 9007199254740993 and 25-digit decimals survive.
type Row struct {
	Number int            // the warehouse's own number, 0-based within the batch
	Target string         // the sync or run that it goes to, "" when it names none
	Object jsontext.Value // a JSON object of the row's columns; beside a Fault what could be read of it, or nil
	Fault  *Fault         // set when this row cannot be read; the others go on
}

// Action is what a row asks for.
type Action uint8

// The actions.
const (
	Upsert  Action = iota // also of a sync that updates or inserts: what its operation says
	Delete                // the record is to be removed, as the sync's on_delete says
	OldHalf               // what an update replaced, of a stream of changes: nothing is done
)

// A Fault says why one row is refused, for the person who ran the SQL.
type Fault struct {
	Field   string // the column or destination field, "" when the whole row is at fault
	Rule    string // a stable name: missing_column, not_a_number, too_long, ...
	Message string // what is wrong and how to mend it; never holds a secret
}

// Error makes a Fault usable as an error.
func (f *Fault) Error() string { return f.Message }

// A Fingerprint is the first 16 bytes of SHA-256 over a mapped record. The zero
// value stands for "nothing delivered".
type Fingerprint [16]byte

// Void reports whether nothing is known to have been delivered.
func (f Fingerprint) Void() bool { return f == Fingerprint{} }

// Gone is the fingerprint of a record that was removed. No Digest is this one.
var Gone = Fingerprint{'r', 'e', 'm', 'o', 'v', 'e', 'd'}

// digestFormat is the first byte of what is hashed. Another one makes every stored
// fingerprint differ, so that all records are sent once.
const digestFormat = 3

// A Tag stands for a field's name in what is hashed, where names would take more
// room than most values: the first 8 bytes of the name's SHA-256.
type Tag [8]byte

// Tags are the tags of a definition's fields.
func Tags(names ...string) []Tag {
	tags := make([]Tag, len(names))
	for i, name := range names {
		sum := sha256.Sum256([]byte(name))
		copy(tags[i][:], sum[:])
	}
	return tags
}

// Digest computes the fingerprint of a mapped record: every value in definition
// order, each under its field's tag, nil where the field is left alone. The values
// are the canonical ones (mapping's Mapped.Canonical), so that 1 and 1.0 are one.
// scratch is reused and returned grown.
func Digest(tags []Tag, values []jsontext.Value, scratch []byte) (Fingerprint, []byte) {
	b := append(scratch[:0], digestFormat)
	for i, v := range values {
		if v == nil {
			continue
		}
		b = binary.LittleEndian.AppendUint64(b, binary.LittleEndian.Uint64(tags[i][:])) // eight bytes at once
		b = append(b, v...)
		b = append(b, 0)
	}
	sum := sha256.Sum256(b)
	return Fingerprint(sum[:16]), b
}

// Lane is the FIFO message group of a key: hash(key) modulo lanes.
func Lane(key string, lanes int) int {
	if lanes < 2 {
		return 0
	}
	h := uint32(2166136261) // FNV-1a, without the allocation of hash/fnv
	for i := range len(key) {
		h = (h ^ uint32(key[i])) * 16777619
	}
	return int(h % uint32(lanes))
}
