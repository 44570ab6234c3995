package sqlite

import (
	"encoding/binary"
	"errors"

	"github.com/penstock-data/penstock/shared/ledger"
)

// The value of an entry: 8 bytes of place, big-endian with the sign bit turned,
// so that bytes order as places do; the key after its length; one byte of format,
// 0x10, or 0x11 with a fingerprint; 16 bytes of fingerprint if so; a count and 4
// little-endian bytes per field hash; the number of the origin, which stands for
// version and run; then id, error and intent, each after its length. Counts,
// lengths and numbers are unsigned varints.
const (
	formatVoid  = 0x10
	formatPrint = 0x11
	placeSize   = 8
)

var errEntry = errors.New("a stored ledger entry cannot be read: the file is damaged, or was written by another version")

// appendEntry appends e's value to b.
func appendEntry(b []byte, e *ledger.Entry, origin int64) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(e.Place)^1<<63)
	b = appendText(b, e.Key)
	if e.Fingerprint.Void() {
		b = append(b, formatVoid)
	} else {
		b = append(b, formatPrint)
		b = append(b, e.Fingerprint[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(e.Fields)))
	for _, f := range e.Fields {
		b = binary.LittleEndian.AppendUint32(b, f)
	}
	b = binary.AppendUvarint(b, uint64(origin))
	b = appendText(b, e.ID)
	b = appendText(b, e.Error)
	return appendText(b, e.Intent)
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// keySize is how many bytes a key of n bytes takes in a value.
func keySize(n int) int {
	size := 1
	for l := n; l >= 0x80; l >>= 7 {
		size++
	}
	return size + n
}

// keyOf is the key in a value.
func keyOf(value []byte) (key []byte, ok bool) {
	if len(value) < placeSize {
		return nil, false
	}
	v := values{b: value[placeSize:]}
	key = v.text()
	return key, !v.bad
}

// voided is the value without fingerprint and field hashes.
func voided(value []byte) []byte {
	v := values{b: value[placeSize:]}
	head := placeSize + keySize(len(v.text()))
	if format := v.bytes(1); len(format) == 1 && format[0] == formatPrint {
		v.bytes(len(ledger.Entry{}.Fingerprint))
	}
	v.bytes(4 * int(v.number()))
	b := append(append([]byte(nil), value[:head]...), formatVoid, 0)
	return append(b, v.b...)
}

// A reader decodes the entries of one call. Their field hashes share one slice.
type reader struct {
	fields []uint32
}

// entry decodes a value and copies what it keeps. ok is false when the value is
// another key's; origin is still to be looked up.
func (r *reader) entry(key string, b []byte) (e ledger.Entry, origin int64, ok bool, err error) {
	if len(b) < placeSize {
		return e, 0, false, errEntry
	}
	e.Place = int64(binary.BigEndian.Uint64(b) ^ 1<<63)
	v := values{b: b[placeSize:]}
	if string(v.text()) != key || v.bad {
		return e, 0, false, v.err()
	}
	e.Key = key
	switch format := v.bytes(1); {
	case len(format) == 1 && format[0] == formatPrint:
		copy(e.Fingerprint[:], v.bytes(len(e.Fingerprint)))
	case len(format) != 1 || format[0] != formatVoid:
		return e, 0, false, errEntry
	}
	if n := v.number(); n > 0 && n <= uint64(len(v.b))/4 {
		hashes := v.bytes(4 * int(n))
		e.Fields = r.room(int(n))
		for i := range e.Fields {
			e.Fields[i] = binary.LittleEndian.Uint32(hashes[4*i:])
		}
	} else if n > 0 {
		return e, 0, false, errEntry
	}
	origin = int64(v.number())
	e.ID, e.Error, e.Intent = string(v.text()), string(v.text()), string(v.text())
	if len(v.b) != 0 {
		v.bad = true
	}
	return e, origin, !v.bad, v.err()
}

// room cuts n field hashes off the shared slice.
func (r *reader) room(n int) []uint32 {
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
