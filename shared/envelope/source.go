package envelope

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// MaxSource is how many bytes the packed source of a stored error may have, without
// its format, so that its item stays below 100 KB. Of a row whose source packs to more, none is stored.
const MaxSource = 90 << 10

// The first byte of a packed source says what the rest is: one zstd frame, or the source.
const (
	sourceFormat = 1
	sourceAsIs   = 2
)

// Up to how many bytes a source stays as it is, because packing takes longer than all else of
// storing it: in an item of a table, where with its error it fits one unit, 1 KB, anyway; and
// in a file, whose pages are 8 KB.
const (
	AsIsInItem = 400
	AsIsInFile = 4 << 10
)

var sourceCoders = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
})

var sourceReader = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxRow+1<<10))
})

// PackSource compresses a row's source as a stored error keeps it, unless it has at most asIs
// bytes; nil for an empty one, and for one that is too large to keep.
func PackSource(source []byte, asIs int) []byte {
	if len(source) == 0 || len(source) > MaxRow {
		return nil
	}
	if len(source) <= asIs {
		return append([]byte{sourceAsIs}, source...)
	}
	z, err := sourceCoders()
	if err != nil {
		panic(fmt.Sprintf("envelope: %v", err)) // its options are constants
	}
	packed := z.EncodeAll(source, []byte{sourceFormat})
	if len(packed)-1 > MaxSource {
		return nil
	}
	return packed
}

// UnpackSource is the inverse of PackSource; nil for nothing.
func UnpackSource(packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return nil, nil
	}
	switch packed[0] {
	case sourceFormat:
	case sourceAsIs:
		return slices.Clone(packed[1:]), nil
	default:
		return nil, fmt.Errorf("the source of a stored error has format %d, this program knows formats %d and %d", packed[0], sourceFormat, sourceAsIs)
	}
	z, err := sourceReader()
	if err != nil {
		return nil, err
	}
	source, err := z.DecodeAll(packed[1:], nil)
	if err != nil {
		return nil, errors.New("the source of a stored error cannot be read: it is damaged") // I6: zstd's own text could quote it
	}
	return source, nil
}
