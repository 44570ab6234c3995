package salesforce

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// A journal entry is the schema's fingerprint (4 bytes, little endian) and then
// rows: kind, object, row, Unix seconds, and for entrySet the number of fields
// and each field's position and text. Numbers are varints, texts are length and
// bytes.
const (
	entrySet    = 1
	entryDelete = 2
)

var errShort = errors.New("journal entry ends too early")

// beginEntry starts an entry unless it has begun.
func (s *Simulator) beginEntry(b []byte) []byte {
	if len(b) > 0 {
		return b
	}
	return binary.LittleEndian.AppendUint32(b, s.fingerprint)
}

func appendRow(b []byte, kind byte, object, row int, at int64, fields int) []byte {
	b = append(b, kind)
	b = binary.AppendUvarint(b, uint64(object))
	b = binary.AppendUvarint(b, uint64(row))
	b = binary.AppendUvarint(b, uint64(at))
	return binary.AppendUvarint(b, uint64(fields))
}

func appendText(b, text []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

// replay applies one entry at start.
func (s *Simulator) replay(entry []byte) error {
	if len(entry) < 4 {
		return errShort
	}
	if binary.LittleEndian.Uint32(entry) != s.fingerprint {
		return errors.New("it was written with another schema; delete the journal to start empty")
	}
	in := reader{rest: entry[4:]}
	for len(in.rest) > 0 && in.err == nil {
		kind := in.rest[0]
		in.rest = in.rest[1:]
		object, row, at, fields := in.number(), in.number(), in.number(), in.number()
		if object >= len(s.order) {
			return fmt.Errorf("object %d is not in the schema", object)
		}
		t := s.order[object]
		if row > t.rows() {
			return fmt.Errorf("%s: row %d after %d rows", t.object.Name, row, t.rows())
		}
		when := time.Unix(int64(at), 0)
		if kind == entryDelete {
			t.remove(row)
			continue
		}
		if row == t.rows() {
			t.add(when)
		}
		t.modified[row] = uint32(when.Unix())
		for range fields {
			field, text := in.number(), in.text()
			if in.err != nil || field <= fieldModified || field >= len(t.columns) {
				return errShort
			}
			t.set(row, field, text)
		}
	}
	return in.err
}

// A reader takes numbers and texts off an entry and remembers the first error.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) number() int {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.err, r.rest = errShort, nil
		return 0
	}
	r.rest = r.rest[size:]
	return int(n)
}

func (r *reader) text() []byte {
	n := r.number()
	if r.err != nil || n > len(r.rest) {
		r.err = errShort
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
