package records

import (
	"encoding/binary"
	"time"
)

// NewRow is the row of a Put that makes one.
const NewRow = -1

// A Change is a value to be set; a text of no bytes sets null. A text is under
// 1 MiB: a longer one is cut there, so vendors refuse it before.
type Change struct {
	Column int
	Text   []byte
}

// A Writer changes a store: the changes hold at once, and Commit keeps them as one
// entry, which a killed process has written wholly or not at all.
type Writer struct {
	store *Store
	entry []byte
}

// Writer is the store's one writer. Whoever takes it commits before the vendor's
// mutex is let go.
func (s *Store) Writer() *Writer { return &s.writer }

// Put sets values of a row, or makes one (NewRow), and answers its number.
func (w *Writer) Put(t *Table, row int, now time.Time, changes []Change) int {
	at := uint32(now.Unix())
	if row == NewRow {
		row = t.add(at)
	}
	t.modified[row] = at
	for _, c := range changes {
		t.set(row, c.Column, c.Text[:min(len(c.Text), maxText)])
	}
	if w.store.log.Durable() {
		w.log(t, row, at, changes)
	}
	return row
}

func (w *Writer) log(t *Table, row int, at uint32, changes []Change) {
	b := w.begin(entrySet, t, row)
	b = binary.AppendUvarint(b, uint64(at))
	b = binary.AppendUvarint(b, uint64(len(changes)))
	for _, c := range changes {
		b = binary.AppendUvarint(b, uint64(c.Column))
		b = appendText(b, c.Text[:min(len(c.Text), maxText)])
	}
	w.entry = b
}

func (w *Writer) begin(kind byte, t *Table, row int) []byte {
	b := append(w.store.beginEntry(w.entry), kind)
	b = binary.AppendUvarint(b, uint64(t.position))
	return binary.AppendUvarint(b, uint64(row))
}

// Remove deletes a row.
func (w *Writer) Remove(t *Table, row int) {
	t.remove(row)
	if w.store.log.Durable() {
		w.entry = w.begin(entryRemove, t, row)
	}
}

// Size is how many bytes wait for Commit, so that an import can commit in pieces.
func (w *Writer) Size() int { return len(w.entry) }

// Commit keeps the changes since the last one. When it fails they hold until the
// process ends, as after an answer that was lost.
func (w *Writer) Commit() error {
	if len(w.entry) == 0 {
		return nil
	}
	err := w.store.log.Commit(w.entry)
	w.entry = w.entry[:0]
	return err
}
