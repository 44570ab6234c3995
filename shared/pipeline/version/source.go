package version

import (
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// MaxSource is how many bytes a stored source has at most, compressed: with the
// rest of its error it stays below the 100 KB of an item.
const MaxSource = 90 << 10

// Source is what of a row is stored beside its error, as store_source says; nil
// when that is none, when the row is no object, and when it is too large. Without
// it the row cannot be sent again by itself.
func (c *Compiled) Source(object jsontext.Value) []byte {
	var cut []byte
	switch c.Version.Definition.SourceStored() {
	case syncdef.StoreNone:
		return nil
	case syncdef.StoreAll:
		cut = append(cut, object...)
	default:
		var ok bool
		if cut, ok = c.Mapping.CutSource(nil, object); !ok {
			return nil
		}
	}
	if len(cut) > MaxSource && !fits(cut) {
		return nil
	}
	return cut
}

func fits(b []byte) bool {
	z := encoders.Get().(*zstd.Encoder)
	defer encoders.Put(z)
	return len(z.EncodeAll(b, nil)) <= MaxSource
}

var encoders = sync.Pool{New: func() any {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // the options are constants
	}
	return z
}}
