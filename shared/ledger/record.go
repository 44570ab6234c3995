package ledger

import (
	"crypto/sha256"
	"encoding/binary"
)

// RecordOf stands for a record id in an entry: 8 bytes of its SHA-256, never 0.
func RecordOf(id string) uint64 {
	sum := sha256.Sum256([]byte(id))
	return binary.LittleEndian.Uint64(sum[:8]) | 1
}

// Claims are those of keys that a record id may delete: what the sync wrote for it last,
// and did not remove. keys are what is kept for the record id, entries theirs.
func Claims(record string, keys []string, entries map[string]Entry) (live []string) {
	for _, key := range keys {
		if e, ok := entries[key]; ok && e.Wrote() && e.Held.Record == RecordOf(record) {
			live = append(live, key)
		}
	}
	return live
}
