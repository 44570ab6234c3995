package records

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// format numbers the shape of entries.
const format = 2

// An entry is the format (1 byte), the specs' fingerprint (4 bytes, little endian)
// and then changes, each a kind and:
//
//	entrySet     table, row, Unix seconds, number of values, column and text of each
//	entryRemove  table, row
//	entryTable   name
//	entryColumn  table, compare, indexed, name, note
//
// Numbers are varints, texts are length and bytes. A row that is one above the last
// is a new one.
const (
	entrySet    = 1
	entryRemove = 2
	entryTable  = 3
	entryColumn = 4
)

const entryHeader = 5

var errShort = errors.New("journal entry ends too early")

// beginEntry starts an entry unless it has begun.
func (s *Store) beginEntry(b []byte) []byte {
	if len(b) > 0 {
		return b
	}
	return binary.LittleEndian.AppendUint32(append(b, format), s.fingerprint)
}

func appendText(b, text []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

func appendColumn(b []byte, t *Table, c Column) []byte {
	b = binary.AppendUvarint(append(b, entryColumn), uint64(t.position))
	indexed := byte(0)
	if c.Indexed {
		indexed = 1
	}
	b = append(b, byte(c.Compare), indexed)
	return appendText(appendText(b, []byte(c.Name)), []byte(c.Note))
}

// startEmpty is what to do about a journal that cannot be read. Ledgers say what was in it.
const startEmpty = "give another --data; or delete the journal to start empty, and let each connection of this type start anew too, else its rows count as delivered:  penstock connect CONNECTION --accept-account"

// replay applies one entry at start.
func (s *Store) replay(entry []byte) error {
	if len(entry) < entryHeader {
		return errShort
	}
	if entry[0] != format {
		return fmt.Errorf("it has format %d, and this program reads format %d; %s", entry[0], format, startEmpty)
	}
	if binary.LittleEndian.Uint32(entry[1:]) != s.fingerprint {
		return errors.New("it was written with another schema; " + startEmpty)
	}
	in := reader{rest: entry[entryHeader:]}
	for len(in.rest) > 0 && in.err == nil {
		if err := s.replayChange(&in); err != nil {
			return err
		}
	}
	return in.err
}

func (s *Store) replayChange(in *reader) error {
	kind := in.number()
	if kind == entryTable {
		spec := Spec{Name: string(in.text())}
		if err := s.fits(spec); err != nil {
			return err
		}
		s.addTable(spec)
		return nil
	}
	position := in.number()
	if in.err != nil || position >= len(s.tables) {
		return fmt.Errorf("table %d is not in the schema", position)
	}
	t := s.tables[position]
	switch kind {
	case entrySet:
		return t.replaySet(in)
	case entryRemove:
		row := in.number()
		if in.err != nil || row >= t.Rows() {
			return fmt.Errorf("%s: row %d of %d rows", t.name, row, t.Rows())
		}
		t.remove(row)
		return nil
	case entryColumn:
		c := Column{Compare: Compare(in.number()), Indexed: in.number() == 1}
		c.Name, c.Note = string(in.text()), string(in.text())
		t.addColumn(c)
		return in.err
	}
	return fmt.Errorf("unknown change %d", kind)
}

func (t *Table) replaySet(in *reader) error {
	row, at, values := in.number(), in.number(), in.number()
	if in.err != nil || row > t.Rows() {
		return fmt.Errorf("%s: row %d after %d rows", t.name, row, t.Rows())
	}
	if row == t.Rows() {
		t.add(uint32(at))
	}
	t.modified[row] = uint32(at)
	for range values {
		column, text := in.number(), in.text()
		if in.err != nil || column >= len(t.columns) || len(text) > maxText {
			return errShort
		}
		t.set(row, column, text)
	}
	return nil
}

// A reader takes numbers and texts off an entry and remembers the first error.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) number() int {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > 1<<40 {
		r.err, r.rest = errShort, nil
		return 0
	}
	r.rest = r.rest[size:]
	return int(n)
}

func (r *reader) text() []byte {
	n := r.number()
	if r.err != nil || n > len(r.rest) {
		r.err, r.rest = errShort, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
