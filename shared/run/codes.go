package run

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/penstock-data/penstock/shared/row"
)

// A Code is what a row of a batch was answered and where it went, as Batch.Rows
// keeps it: 0 superseded, 1 blocked (for the reason that is the last of Faults),
// from 2 on queued in chunk code-2, and from 2+Chunks on rejected with fault
// code-2-Chunks.
type Code uint32

// The codes that name nothing else.
const (
	CodeSuperseded Code = iota
	CodeBlocked
	firstChunk
)

// MaxRows is how many rows one request may have: at 8 bits of code a row, which is
// which is what 64 lanes and a few faults take, stay below the 100 KB of an item.
const MaxRows = 50_000

// MaxFaults is how many faults a batch tells apart; all others share one.
const MaxFaults = 50

// ChunkCode is the code of a row queued in that chunk.
func ChunkCode(index int) Code { return firstChunk + Code(index) }

// FaultCode is the code of a row rejected with that fault.
func FaultCode(chunks, fault int) Code { return firstChunk + Code(chunks) + Code(fault) }

// codesFormat is the first byte of what PackCodes writes.
const codesFormat = 1

// PackCodes writes codes as format, the bits that each takes, how many there are,
// and the codes, the lowest bits first.
func PackCodes(codes []Code) []byte {
	var most Code
	for _, c := range codes {
		most = max(most, c)
	}
	width := bits.Len32(uint32(most))
	b := append(make([]byte, 0, 8+len(codes)*width/8), codesFormat, byte(width))
	b = binary.AppendUvarint(b, uint64(len(codes)))
	var left uint64
	n := 0
	for _, c := range codes {
		left |= uint64(c) << n
		for n += width; n >= 8; n -= 8 {
			b = append(b, byte(left))
			left >>= 8
		}
	}
	if n > 0 {
		b = append(b, byte(left))
	}
	return b
}

// UnpackCodes reads what PackCodes wrote.
func UnpackCodes(b []byte) ([]Code, error) {
	if len(b) < 3 || b[0] != codesFormat || b[1] > 32 {
		return nil, fmt.Errorf("rows of a batch: %d bytes in format %d, this program knows format %d", len(b), head(b), codesFormat)
	}
	width := int(b[1])
	count, size := binary.Uvarint(b[2:])
	if size <= 0 || count > MaxRows || len(b)-2-size != (int(count)*width+7)/8 {
		return nil, fmt.Errorf("rows of a batch: %d rows do not fit %d bytes", count, len(b))
	}
	b = b[2+size:]
	codes := make([]Code, count)
	var left uint64
	n := 0
	for i := range codes {
		for n < width {
			left |= uint64(b[0]) << n
			b, n = b[1:], n+8
		}
		codes[i] = Code(left & (1<<width - 1))
		left >>= width
		n -= width
	}
	return codes, nil
}

func head(b []byte) byte {
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

// Placed takes a code apart: the answer, the chunk of a queued row (else -1) and
// the fault of a rejected or blocked one. False is a code that the batch cannot have.
func (b *Batch) Placed(c Code) (status row.AnswerStatus, chunk int, fault *row.Fault, ok bool) {
	at := int(c) - int(firstChunk)
	switch {
	case c == CodeSuperseded:
		return row.Superseded, -1, nil, true
	case c == CodeBlocked:
		if len(b.Faults) == 0 {
			return "", -1, nil, false
		}
		return row.Blocked, -1, &b.Faults[len(b.Faults)-1], true
	case at < b.Chunks:
		return row.Queued, at, nil, true
	case at-b.Chunks < len(b.Faults):
		return row.Rejected, -1, &b.Faults[at-b.Chunks], true
	}
	return "", -1, nil, false
}
