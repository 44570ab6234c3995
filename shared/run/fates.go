package run

import (
	"encoding/binary"
	"errors"
)

// PackFates writes a chunk's fates as runs of one kind: a count, an unsigned
// varint, and the fate's byte. Most chunks have one run.
func PackFates(fates []Fate) []byte {
	var b []byte
	for n := 0; n < len(fates); {
		end := n + 1
		for end < len(fates) && fates[end] == fates[n] {
			end++
		}
		b = append(binary.AppendUvarint(b, uint64(end-n)), byte(fates[n]))
		n = end
	}
	return b
}

var errFates = errors.New("a chunk's fates cannot be read")

// UnpackFates reads what PackFates wrote, no more fates than most.
func UnpackFates(b []byte, most int) ([]Fate, error) {
	var fates []Fate
	for len(b) > 0 {
		n, w := binary.Uvarint(b)
		if w <= 0 || w >= len(b) || n == 0 || n > uint64(most-len(fates)) {
			return nil, errFates
		}
		for range n {
			fates = append(fates, Fate(b[w]))
		}
		b = b[w+1:]
	}
	return fates, nil
}
