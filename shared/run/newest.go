package run

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"slices"
	"strings"
	"time"
)

// A Listed is one entry of the list of errors by time: it names errors of one batch that
// were stored together, and says enough of each to pick it by kind or record without
// reading it. It holds no row's value: of keys and record ids it has hashes of 32 bits.
//
// An entry is written before the errors that it names, so that no stored error is without
// one. A name whose error is not there, or counts another attempt or time, is passed over:
// a later entry has it.
type Listed struct {
	Key      string       `json:"-"` // where it stands in its list; a later one is greater
	Sync     string       `json:"sync"`
	Run      string       `json:"run"`
	Batch    string       `json:"batch"`
	Attempts int          `json:"attempts"`
	At       time.Time    `json:"at"`
	Kinds    []ListedKind `json:"kinds"`
	Rows     []byte       `json:"rows"`  // the rows' numbers, of one kind after the other, as varints
	Marks    []byte       `json:"marks"` // of each row, two RecordMarks: of its record id and of its key
}

// A ListedKind says how many of an entry's rows are of one kind.
type ListedKind struct {
	Stage string `json:"stage,omitempty"`
	Type  string `json:"type,omitempty"`  // its first maxListedText bytes
	Field string `json:"field,omitempty"` // likewise
	Rows  int    `json:"rows"`
}

// Bounds of an entry, so that it stays far below 100 KB.
const (
	maxListedText  = 200
	maxListedRows  = 2000
	maxListedKinds = 50
)

// EveryError is the name of the list of the errors of all syncs; a sync's own has its
// name.
const EveryError = "*"

// RecordMark stands for a record id or a key in a list of errors; many texts share one.
func RecordMark(text string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(text))
	return h.Sum32()
}

// List makes the entries for errors that are stored together.
func List(errs []RowError) []Listed {
	sorted := make([]*RowError, len(errs))
	for i := range errs {
		sorted[i] = &errs[i]
	}
	slices.SortStableFunc(sorted, compareListed)
	var out []Listed
	var open *Listed
	rows := 0
	for _, e := range sorted {
		kind := ListedKind{Stage: e.Stage, Type: shortened(e.Type), Field: shortened(e.Field)}
		if open == nil || !open.of(e) || rows == maxListedRows || len(open.Kinds) == maxListedKinds && !open.goesOn(kind) {
			out = append(out, Listed{Sync: e.Sync, Run: e.Run, Batch: e.Batch, Attempts: e.Attempts, At: e.At.UTC()})
			open, rows = &out[len(out)-1], 0
		}
		if !open.goesOn(kind) {
			open.Kinds = append(open.Kinds, kind)
		}
		open.Kinds[len(open.Kinds)-1].Rows++
		open.Rows = binary.AppendVarint(open.Rows, int64(e.Row))
		open.Marks = binary.BigEndian.AppendUint32(open.Marks, RecordMark(e.RecordID))
		open.Marks = binary.BigEndian.AppendUint32(open.Marks, RecordMark(e.Key))
		rows++
	}
	return out
}

// compareListed brings together what one entry names.
func compareListed(a, b *RowError) int {
	for _, pair := range [][2]string{{a.Sync, b.Sync}, {a.Run, b.Run}, {a.Batch, b.Batch}} {
		if n := strings.Compare(pair[0], pair[1]); n != 0 {
			return n
		}
	}
	if n := a.Attempts - b.Attempts; n != 0 {
		return n
	}
	if n := a.At.Compare(b.At); n != 0 {
		return n
	}
	for _, pair := range [][2]string{{a.Stage, b.Stage}, {a.Type, b.Type}, {a.Field, b.Field}} {
		if n := strings.Compare(pair[0], pair[1]); n != 0 {
			return n
		}
	}
	return a.Row - b.Row
}

func (l *Listed) of(e *RowError) bool {
	return l.Sync == e.Sync && l.Run == e.Run && l.Batch == e.Batch && l.Names(e)
}

// goesOn reports whether the entry's last rows are of a kind.
func (l *Listed) goesOn(k ListedKind) bool {
	if len(l.Kinds) == 0 {
		return false
	}
	last := l.Kinds[len(l.Kinds)-1]
	return last.Stage == k.Stage && last.Type == k.Type && last.Field == k.Field
}

// Place is where the entry stands in its list: by time, and for errors of one moment by
// what it names; the same errors, stored again with their time, are the same entry.
func (l *Listed) Place() string {
	parts := []string{l.Sync, l.Run, l.Batch, itoa(l.Attempts), string(l.Rows)}
	for _, k := range l.Kinds {
		parts = append(parts, k.Stage, k.Type, k.Field)
	}
	return ListedFrom(l.At) + "#" + hash16(parts...)
}

// ListedFrom is the place before all entries of that moment, and after all older ones.
func ListedFrom(at time.Time) string {
	const digits = "0000000000000000000"
	n := itoa(int(max(at.UnixNano(), 0)))
	return digits[:max(0, len(digits)-len(n))] + n
}

var errListed = errors.New("an entry of the list of errors is damaged")

// Numbers are the rows' numbers, of one kind after the other.
func (l *Listed) Numbers() ([]int, error) {
	var out []int
	for b := l.Rows; len(b) > 0; {
		n, size := binary.Varint(b)
		if size <= 0 {
			return nil, errListed
		}
		out, b = append(out, int(n)), b[size:]
	}
	count := 0
	for _, k := range l.Kinds {
		count += k.Rows
	}
	if count != len(out) || len(l.Marks) != 8*count {
		return nil, errListed
	}
	return out, nil
}

// Len is how many errors the entry names.
func (l *Listed) Len() int { return len(l.Marks) / 8 }

// Marked reports whether the n-th row may be that of a record with one of these marks.
func (l *Listed) Marked(n int, marks []uint32) bool {
	id, key := binary.BigEndian.Uint32(l.Marks[8*n:]), binary.BigEndian.Uint32(l.Marks[8*n+4:])
	return slices.Contains(marks, id) || slices.Contains(marks, key)
}

// Names reports whether an error of the batch is one that the entry means, not a later try
// of it.
func (l *Listed) Names(e *RowError) bool { return e.Attempts == l.Attempts && e.At.Equal(l.At) }

// Is reports whether errors of the kind may be what is looked for; "" is any.
func (k *ListedKind) Is(stage, kind, field string) bool {
	return (stage == "" || k.Stage == stage) && (kind == "" || k.Type == shortened(kind)) && (field == "" || k.Field == shortened(field))
}

// shortened cuts a text to what a ListedKind keeps of it.
func shortened(s string) string {
	if len(s) <= maxListedText {
		return s
	}
	return strings.ToValidUTF8(s[:maxListedText], "")
}
