package run

import (
	"crypto/sha256"
	"encoding/binary"
)

// A Mirror is how far a mirror's full run has come with removing what left the model. It
// begins when all rows of the run are settled, and is stored with the run.
type Mirror struct {
	After    string `json:"after,omitempty"`    // where the reading of the ledger goes on
	Found    bool   `json:"found,omitempty"`    // what left the model is stored; it is read once more for records that other keys have
	Spared   int    `json:"spared,omitempty"`   // pages of it in which none is another key's
	Gone     int64  `json:"gone,omitempty"`     // keys in these pages
	Listed   bool   `json:"listed,omitempty"`   // the list is whole, and within what the definition allows
	Sequence int64  `json:"sequence,omitempty"` // of the removals: the run's own, so that whatever was accepted since it began wins (I3)
	Held     int64  `json:"held"`               // records that the sync wrote and that are there
	Rows     int64  `json:"rows"`               // of them, those that left the model
	Pages    int    `json:"pages,omitempty"`    // in which they are stored
	Sent     int    `json:"sent,omitempty"`     // pages that intake took
	Done     bool   `json:"done"`               //
	Refused  string `json:"refused,omitempty"`  // why nothing is removed
}

// Expects is how many rows of the run are removals, on top of what finish announces.
func (m *Mirror) Expects() int64 {
	if m == nil || !m.Listed || m.Refused != "" {
		return 0
	}
	return m.Rows
}

// Removing reports whether removals are still to be handed to intake: the run lacks them.
func (m *Mirror) Removing() bool { return m.Expects() > 0 && !m.Done }

// A Removal is one page of keys that left the model.
type Removal struct {
	Run      string
	Sync     string
	ID       string // the batch's: RemovalBatch
	Sequence int64
	Keys     []string
}

// RemovalBatch is the identity of the batch that a page of removals becomes.
func RemovalBatch(run string, page int) string { return hash16("mirror", run, itoa(page)) }

// SeenPart is how many rows of a batch stand in one item of seen keys: 80 KB of hashes.
const SeenPart = 10_000

// KeyHash stands for a key among those that a full run saw: 8 bytes of its SHA-256. Two
// keys of one hash only keep a record that could go.
func KeyHash(key string) uint64 {
	sum := sha256.Sum256([]byte(key))
	return binary.LittleEndian.Uint64(sum[:8])
}

// AppendSeen packs hashes, 8 little-endian bytes each.
func AppendSeen(b []byte, hashes ...uint64) []byte {
	for _, h := range hashes {
		b = binary.LittleEndian.AppendUint64(b, h)
	}
	return b
}

// EachSeen calls each for every hash that is packed.
func EachSeen(b []byte, each func(uint64)) {
	for ; len(b) >= 8; b = b[8:] {
		each(binary.LittleEndian.Uint64(b))
	}
}
