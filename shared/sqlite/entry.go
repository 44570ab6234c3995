package sqlite

import (
	"encoding/binary"
	"errors"

	"github.com/penstock-data/penstock/shared/ledger"
)

// The value of an entry: 8 bytes of place, big-endian with the sign bit turned,
// so that bytes order as places do; one byte of format, 0x10, or 0x11 with a
// fingerprint; 16 bytes of fingerprint if so; a count and 4 little-endian bytes
// per field hash; then version, id, run, error and intent, each after its
// length. Counts and lengths are unsigned varints. The key is the table's.
const (
	formatVoid  = 0x10
	formatPrint = 0x11
	placeSize   = 8
)

var errEntry = errors.New("a stored ledger entry cannot be read: the file is damaged, or was written by another version")

// appendEntry appends e's value to b.
func appendEntry(b []byte, e *ledger.Entry) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(e.Place)^1<<63)
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
	for _, s := range [...]string{e.Version, e.ID, e.Run, e.Error, e.Intent} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// A reader decodes the entries of one call. Their field hashes share one slice,
// and versions and runs, which repeat from entry to entry, their strings.
type reader struct {
	fields       []uint32
	version, run string
}

// entry decodes a value. It copies what it keeps.
func (r *reader) entry(key string, b []byte) (ledger.Entry, error) {
	e := ledger.Entry{Key: key}
	if len(b) < placeSize+1 {
		return e, errEntry
	}
	e.Place = int64(binary.BigEndian.Uint64(b) ^ 1<<63)
	format := b[placeSize]
	b = b[placeSize+1:]
	switch {
	case format == formatPrint && len(b) >= len(e.Fingerprint):
		b = b[copy(e.Fingerprint[:], b):]
	case format != formatVoid:
		return e, errEntry
	}
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w)/4 {
		return e, errEntry
	}
	b = b[w:]
	if n > 0 {
		e.Fields = r.room(int(n))
		for i := range e.Fields {
			e.Fields[i] = binary.LittleEndian.Uint32(b[4*i:])
		}
		b = b[4*n:]
	}
	var parts [5][]byte
	for i := range parts {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > uint64(len(b)-w) {
			return e, errEntry
		}
		parts[i], b = b[w:w+int(n)], b[w+int(n):]
	}
	if len(b) != 0 {
		return e, errEntry
	}
	e.Version, e.Run = same(&r.version, parts[0]), same(&r.run, parts[2])
	e.ID, e.Error, e.Intent = string(parts[1]), string(parts[3]), string(parts[4])
	return e, nil
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

// same returns b as a string: the last one, if it is equal.
func same(last *string, b []byte) string {
	if *last != string(b) {
		*last = string(b)
	}
	return *last
}
