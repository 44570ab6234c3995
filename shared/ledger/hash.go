package ledger

import (
	"hash/crc32"

	"github.com/go-json-experiment/json/jsontext"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// FieldHash is the 4-byte hash of one canonical value by which an update finds the
// fields that changed. A nil value (left alone) hashes to 0. Another hash would make the next
// update of each record send it whole.
func FieldHash(v jsontext.Value) uint32 {
	if v == nil {
		return 0
	}
	return crc32.Checksum(v, castagnoli) | 1 // 0 is kept for "left alone"
}
