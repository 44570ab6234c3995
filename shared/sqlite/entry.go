package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/ledger"
)

// The value of an entry: the key; one byte of format and flags; the revision, the
// number of the commit that wrote it; 16 bytes of fingerprint if flagged, and else the
// base; the held sequence, and the last one unless it is the same; a count and 4 little-endian
// bytes per field hash; the number of the origin, which stands for held version and
// last run; then id, error and intent. Texts stand after their length; counts,
// lengths and numbers are unsigned varints.
const (
	entryFormat = 0x30 // the upper half of the byte
	flagPrint   = 1    // a fingerprint is there
	flagSame    = 2    // both sequences are one
	flagUnknown = 4
	flagRecord  = 8 // 8 bytes that stand for a record id follow the fingerprint
	entryFlags  = flagPrint | flagSame | flagUnknown | flagRecord
)

var errEntry = errors.New("a stored ledger entry cannot be read: the file is damaged")

// appendEntry appends e's value to b, with revision instead of its own.
func appendEntry(b []byte, e *ledger.Entry, origin, revision int64) []byte {
	b = appendText(b, e.Key)
	flags, same := byte(entryFormat), e.Held.Sequence == e.Last.Sequence
	if !e.Held.Fingerprint.Void() {
		flags |= flagPrint
	}
	if same {
		flags |= flagSame
	}
	if e.Last.Unknown {
		flags |= flagUnknown
	}
	if e.Held.Record != 0 {
		flags |= flagRecord
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(revision))
	if flags&flagPrint != 0 {
		b = append(b, e.Held.Fingerprint[:]...)
	} else {
		b = binary.AppendUvarint(b, uint64(e.Held.Base))
	}
	if flags&flagRecord != 0 {
		b = binary.LittleEndian.AppendUint64(b, e.Held.Record)
	}
	b = binary.AppendUvarint(b, uint64(e.Held.Sequence))
	if !same {
		b = binary.AppendUvarint(b, uint64(e.Last.Sequence))
	}
	b = binary.AppendUvarint(b, uint64(len(e.Held.Fields)))
	for _, f := range e.Held.Fields {
		b = binary.LittleEndian.AppendUint32(b, f)
	}
	b = binary.AppendUvarint(b, uint64(origin))
	b = appendText(b, e.Held.ID)
	b = appendText(b, e.Last.Error)
	return appendText(b, e.Last.Intent)
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// keyOf is the key in a value.
func keyOf(value []byte) (key []byte, ok bool) {
	v := values{b: value}
	key = v.text()
	return key, !v.bad
}

// revisionOf is the revision in a value that keyOf could read.
func revisionOf(value []byte) int64 {
	v := values{b: value}
	v.text()
	v.bytes(1)
	return int64(v.number())
}

// A reader decodes the entries of one call. Their field hashes share one slice.
type reader struct {
	fields []uint32
}

// entry decodes a value and copies what it keeps. ok is false when the value is
// another key's; origin is still to be looked up.
func (r *reader) entry(key string, b []byte) (e ledger.Entry, origin int64, ok bool, err error) {
	v := values{b: b}
	if string(v.text()) != key || v.bad {
		return e, 0, false, v.err()
	}
	e.Key = key
	format := v.bytes(1)
	if len(format) == 0 {
		return e, 0, false, errEntry
	}
	flags := format[0]
	if flags&^entryFlags != entryFormat {
		return e, 0, false, fmt.Errorf("a stored ledger entry has format %#x, this program knows format %#x", flags&^entryFlags, entryFormat)
	}
	e.Revision, e.Last.Unknown = int64(v.number()), flags&flagUnknown != 0
	if flags&flagPrint != 0 {
		copy(e.Held.Fingerprint[:], v.bytes(len(e.Held.Fingerprint)))
	} else {
		e.Held.Base = int64(v.number())
	}
	if flags&flagRecord != 0 {
		b := v.bytes(8)
		if len(b) != 8 {
			return e, 0, false, errEntry
		}
		e.Held.Record = binary.LittleEndian.Uint64(b)
	}
	e.Held.Sequence = int64(v.number())
	if e.Last.Sequence = e.Held.Sequence; flags&flagSame == 0 {
		e.Last.Sequence = int64(v.number())
	}
	if n := v.number(); n > 0 && n <= uint64(len(v.b))/4 {
		hashes := v.bytes(4 * int(n))
		e.Held.Fields = r.cut(int(n))
		for i := range e.Held.Fields {
			e.Held.Fields[i] = binary.LittleEndian.Uint32(hashes[4*i:])
		}
	} else if n > 0 {
		return e, 0, false, errEntry
	}
	origin = int64(v.number())
	e.Held.ID, e.Last.Error, e.Last.Intent = string(v.text()), string(v.text()), string(v.text())
	if len(v.b) != 0 {
		v.bad = true
	}
	return e, origin, !v.bad, v.err()
}

// cut takes n field hashes off the shared slice.
func (r *reader) cut(n int) []uint32 {
	if len(r.fields) < n {
		r.fields = make([]uint32, max(n, 4096))
	}
	f := r.fields[:n:n]
	r.fields = r.fields[n:]
	return f
}

// values reads numbers and texts off b; bad once something is missing.
type values struct {
	b   []byte
	bad bool
}

func (v *values) number() uint64 {
	n, w := binary.Uvarint(v.b)
	if w <= 0 {
		v.bad, v.b = true, nil
		return 0
	}
	v.b = v.b[w:]
	return n
}

func (v *values) text() []byte {
	n := v.number()
	if n > uint64(len(v.b)) {
		v.bad, v.b = true, nil
		return nil
	}
	return v.bytes(int(n))
}

func (v *values) bytes(n int) []byte {
	if n > len(v.b) {
		v.bad, v.b = true, nil
		return nil
	}
	b := v.b[:n]
	v.b = v.b[n:]
	return b
}

func (v *values) err() error {
	if v.bad {
		return errEntry
	}
	return nil
}
