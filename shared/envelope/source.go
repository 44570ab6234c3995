package envelope

import (
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// MaxSource is how many bytes the packed source of a stored error may have, without
// its format, so that its item stays below 100 KB. Of a row whose source packs to more, none is stored.
const MaxSource = 90 << 10

// sourceFormat is the first byte of a packed source; the rest is one zstd frame.
const sourceFormat = 1

var sourceCoders = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
})

var sourceReader = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxRow+1<<10))
})

// PackSource compresses a row's source as a stored error keeps it; nil for an empty
// one, and for one that is too large to keep.
func PackSource(source []byte) []byte {
	if len(source) == 0 || len(source) > MaxRow {
		return nil
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
	if packed[0] != sourceFormat {
		return nil, fmt.Errorf("the source of a stored error has format %d, this program knows format %d", packed[0], sourceFormat)
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
